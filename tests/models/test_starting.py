"""Training that starts from a trained model: a bundle's folder or a tracked run in place of an encoder's name."""

import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from stance.errors import BundleError, WeightsError
from stance.models.weights import encoder_hash, load_encoder
from stance.tracking.loading import fetch_bundle
from stance.tracking.store import DATABASE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory, store_template, tiny_file, tiny_encoder, stance_main) -> Path:
    """A working folder in which a tiny encoder and a linear model have been trained for stances."""
    folder = tmp_path_factory.mktemp("starting")
    shutil.copy(store_template, folder / DATABASE)
    shutil.copy(tiny_file, folder / "tiny.jsonl")
    settings = f"{{kind: encoder, name: {tiny_encoder}, epochs: 1, learning_rate: 1.0e-3}}"
    (folder / "encoder.yaml").write_text(f"name: first\ndata: tiny.jsonl\nmodel: {settings}\n")
    (folder / "linear.yaml").write_text("name: linear\ndata: tiny.jsonl\nmodel: {kind: tfidf-linear}\n")
    for name in ("encoder", "linear"):
        ran = stance_main("train", f"{name}.yaml", cwd=folder)
        assert ran.status == 0, ran.err
    return folder


@pytest.fixture
def bundle(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return lambda name: fetch_bundle(f"runs:/{name}/model")


def test_an_encoders_bundle_is_an_encoder(bundle, tiny_encoder):
    path = bundle("first")
    _, network = load_encoder(str(path))
    kept = load_file(path / "model" / "network.safetensors")
    own = network.state_dict()
    assert {f"backbone.{name}" for name in own} == {name for name in kept if name.startswith("backbone.")}
    assert all((own[name].numpy() == kept[f"backbone.{name}"]).all() for name in own)
    assert encoder_hash(str(path)) != encoder_hash(str(tiny_encoder))


def test_training_goes_on_from_a_run(folder, bundle, stance_main):
    """Every layer is frozen, so that the encoder of the new model must be that of the old one."""
    changes = ("name=second", "model.name=runs:/first/model", "model.freeze_layers=3")
    ran = stance_main("train", "encoder.yaml", *changes, cwd=folder)
    assert ran.status == 0, ran.err
    first, second = (load_file(bundle(name) / "model" / "network.safetensors") for name in ("first", "second"))
    # The pooler stands above the layers and is not read; it may learn nothing either.
    assert all((first[name] == second[name]).all() for name in first if name.startswith("backbone."))
    assert (first["head.weight"] != second["head.weight"]).any()


def test_another_kinds_bundle_is_refused(folder, bundle, stance_main):
    with pytest.raises(WeightsError, match="no encoder's bundle"):
        load_encoder(str(bundle("linear")))
    ran = stance_main("train", "encoder.yaml", "name=third", "model.name=runs:/linear/model", cwd=folder)
    assert ran.status == 1
    assert "no encoder's bundle" in ran.err


def test_an_altered_bundle_is_refused(bundle, tmp_path):
    copy = shutil.copytree(bundle("first"), tmp_path / "bundle")
    (copy / "model" / "network.safetensors").write_bytes(b"other")
    with pytest.raises(BundleError, match="truncated or changed"):
        load_encoder(str(copy))
