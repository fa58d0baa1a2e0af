"""A bundle is exported whole and only if it answers as before; what is there already stays as it was otherwise."""

import json
import shutil

import numpy as np
import pytest

import stance
from stance import codebook
from stance.dataset import write_examples
from stance.errors import BundleError, DataError, ExportError
from stance.exporting import Agreement, export_bundle, read_parts
from stance.models.bundle import Origin, read_bundle, write_bundle
from stance.models.ensemble import Ensemble
from stance.models.runtime import GRAPH, graph
from stance.models.runtime.encoder import ExportedEncoder
from stance.models.thresholds import Calibration

pytestmark = pytest.mark.slow


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def silent(_):
    return None


@pytest.fixture
def export(encoder_bundle, tiny_file, tmp_path):
    """Exports the tiny encoder's bundle to a new folder, or another bundle to where it is said."""

    def run(precision="fp32", source=encoder_bundle, output=tmp_path / "exported"):
        bundle = read_bundle(source)
        return export_bundle(bundle, output, read_parts(bundle, tiny_file), precision, silent)

    return run


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_an_export_answers_as_the_model(export, encoder_bundle, tiny_parts, precision, monkeypatch):
    done = export(precision)
    assert (done.n_encoders, done.precision) == (1, precision)
    assert done.n_bytes == (done.folder / "model" / GRAPH).stat().st_size
    assert done.agreement.n_examples == len(tiny_parts["validation"])
    assert done.agreement.labels > 0.95
    exported = stance.load(done.folder)
    assert isinstance(exported.model, ExportedEncoder)
    given, expected = (each.predict_proba(tiny_parts["test"]) for each in (exported, stance.load(encoder_bundle)))
    np.testing.assert_allclose(given, expected, atol=0.1)
    manifest = exported.manifest
    assert manifest.export["precision"] == precision
    assert manifest.export["labels"] == done.agreement.labels
    assert {"onnxruntime", "tokenizers"} <= manifest.packages.keys()
    assert read_bundle(encoder_bundle).manifest.export is None
    monkeypatch.setenv("STANCE_RUNTIME", "torch")
    np.testing.assert_array_equal(stance.load(done.folder).predict_proba(tiny_parts["test"]), expected)


def test_a_bundle_can_be_exported_in_place_and_again(export, encoder_bundle, tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(encoder_bundle, folder)
    export("fp32", folder, folder)
    large = (folder / "model" / GRAPH).stat().st_size
    export("int8", folder, folder)
    assert read_bundle(folder).manifest.export["precision"] == "int8"
    assert (folder / "model" / GRAPH).stat().st_size < large
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_an_export_that_answers_otherwise_is_refused(export, tmp_path, monkeypatch):
    read = graph.Saved.read

    def turned(folder):
        """The network with its answers turned round."""
        saved = read(folder)
        return saved._replace(tensors={k: -v if k.startswith("head.") else v for k, v in saved.tensors.items()})

    monkeypatch.setattr(graph.Saved, "read", turned)
    with pytest.raises(ExportError, match=r"labels in \d+\.\d\d% .* below 99\.5%; nothing was written"):
        export()
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_leaves_the_bundle_that_is_there(export, encoder_bundle, tmp_path, monkeypatch):
    folder = tmp_path / "own"
    shutil.copytree(encoder_bundle, folder)
    before = files(folder)
    monkeypatch.setattr(Agreement, "check", lambda *_: (_ for _ in ()).throw(ExportError("no")))
    with pytest.raises(ExportError):
        export("fp32", folder, folder)
    assert files(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


@pytest.mark.parametrize(
    ("precision", "labels", "macro_f1", "good"),
    [
        ("fp32", 0.995, 0.7, True),
        ("fp32", 0.9949, 0.75, False),
        ("int8", 0.9, 0.7401, True),
        ("int8", 0.9, 0.7599, True),
        ("int8", 0.999, 0.7399, False),
        ("int8", 0.999, 0.7601, False),
        ("int8", 0.999, float("nan"), False),
    ],
)
def test_the_bounds_of_an_agreement(precision, labels, macro_f1, good):
    agreement = Agreement(100, labels, macro_f1, 0.75)
    if good:
        agreement.check(precision)
    else:
        with pytest.raises(ExportError, match="nothing was written"):
            agreement.check(precision)


def test_a_changed_graph_is_refused(export):
    folder = export().folder
    path = folder / "model" / GRAPH
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match=rf"{GRAPH}: truncated or changed since it was saved"):
        stance.load(folder)
    path.unlink()
    with pytest.raises(BundleError, match=f"{GRAPH}: listed in SHA256SUMS but missing"):
        stance.load(folder)


def test_the_encoders_of_an_ensemble_are_exported(encoder_bundle, export, tiny_parts, tmp_path):
    name = json.loads((encoder_bundle / "model" / "encoder.json").read_text())["settings"]["name"]
    members = ({"kind": "encoder", "name": name, "epochs": 1}, {"kind": "tfidf-linear"}, {"kind": "majority"})
    book = codebook.load()
    model = Ensemble(book.task("stance").labels, Ensemble.Settings(members=members), seed=3)
    model.fit(tiny_parts["train"], tiny_parts["validation"])
    origin = Origin(task="stance", seed=13, split_digest=read_bundle(encoder_bundle).manifest.split_digest)
    source = write_bundle(tmp_path / "pool", model, Calibration.identity(len(model.labels)), book, origin)
    done = export("int8", source)
    assert done.n_encoders == 1
    pool, test = stance.load(done.folder).model, tiny_parts["test"]
    assert [type(member).__name__ for member in pool.members] == ["ExportedEncoder", "TfidfLinear", "Majority"]
    np.testing.assert_allclose(pool.predict_proba(test), model.predict_proba(test), atol=0.1)


def test_an_export_into_the_bundle_itself_is_refused(encoder_bundle, export):
    before = files(encoder_bundle)
    with pytest.raises(ExportError, match="lies inside the bundle"):
        export("fp32", encoder_bundle, encoder_bundle / "onnx")
    assert files(encoder_bundle) == before


def test_a_model_without_an_encoder_has_nothing_to_export(workspace, tiny_file, tmp_path):
    source, *_ = workspace.glob("mlartifacts/**/bundle/model/tfidf.json")
    bundle = read_bundle(source.parents[1])
    with pytest.raises(ExportError, match="kind 'tfidf-linear' holds no encoder"):
        export_bundle(bundle, tmp_path / "out", read_parts(bundle, tiny_file), "fp32", silent)


def test_the_check_wants_the_examples_of_the_training(encoder_bundle, tiny_examples, tmp_path):
    bundle = read_bundle(encoder_bundle)
    with pytest.raises(DataError, match="give them with --data FILE"):
        read_parts(bundle)
    write_examples(tiny_examples[:100], tmp_path / "other.jsonl")
    with pytest.raises(DataError, match="not the examples that the model was trained on"):
        read_parts(bundle, tmp_path / "other.jsonl")
