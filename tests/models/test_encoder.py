"""The encoder: training, saving, resuming and its options; most of it on a random BERT of three layers."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from stance import codebook
from stance.errors import ConfigError, DataError, WeightsError
from stance.models import training, weights
from stance.models.encoder import Encoder
from stance.records import Example

pytestmark = pytest.mark.slow

LABELS = codebook.load().task("stance").labels
CLOSE = 0.02  # bfloat16 keeps eight bits

KILLED = """
import os, signal, sys
from pathlib import Path
from stance.dataset import from_file
from stance.models import training
from stance.models.encoder import Encoder

data, encoder, checkpoints, settings, stop = sys.argv[1:]
training.CHECKPOINT_SECONDS = -1.0

def progress(state):
    if state["done"] >= int(stop):
        os.kill(os.getpid(), signal.SIGKILL)

parts = from_file(data, "stance", seed=13)
model = Encoder({labels!r}, Encoder.Settings.model_validate_json(settings), 3)
model.fit(parts["train"], parts["validation"], progress=progress, checkpoints=Path(checkpoints))
"""


@pytest.fixture(scope="module")
def train(tiny_encoder, tiny_parts):
    """Trains the tiny BERT: `train(epochs=2)` returns the model."""

    def run(options=None, examples=tiny_parts["train"], **settings):
        given = {"name": str(tiny_encoder), "epochs": 2, "batch_size": 16, "learning_rate": 1e-3, **settings}
        model = Encoder(LABELS, Encoder.Settings(**given), seed=3)
        model.fit(examples, tiny_parts["validation"], **(options or {}))
        return model

    return run


@pytest.fixture(scope="module")
def fitted(train):
    return train()


def parameters(model):
    return {name: value.detach().numpy() for name, value in model.network.named_parameters()}


def assert_same(left, right, atol=0.0):
    assert left.keys() == right.keys()
    for name in left:
        np.testing.assert_allclose(left[name], right[name], atol=atol, rtol=0, err_msg=name)


def test_minilm_learns_from_a_few_examples_and_survives_saving(tiny_parts, tmp_path):
    model = Encoder(LABELS, Encoder.Settings(epochs=3, freeze_layers=3, learning_rate=5e-4), seed=3)
    seen = []
    model.fit(tiny_parts["train"], tiny_parts["validation"], progress=seen.append)
    assert [state["done"] for state in seen] == sorted(state["done"] for state in seen)
    assert seen[-1]["done"] == seen[-1]["total"]
    assert seen[-1].keys() >= {"epoch", "train_loss", "validation_score"}
    scores = model.predict_proba(tiny_parts["train"])
    gold = np.array([[label in e.labels for label in LABELS] for e in tiny_parts["train"]])
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    assert scores[gold].mean() > scores[~gold].mean() + 0.05
    model.save(tmp_path)
    assert sorted(path.suffix for path in tmp_path.iterdir() if path.is_file()) == [".json", ".safetensors"]
    np.testing.assert_array_equal(Encoder.load(tmp_path).predict_proba(tiny_parts["test"]), scored(model, tiny_parts))


def scored(model, parts):
    return model.predict_proba(parts["test"])


def test_the_tiny_encoder_survives_saving(fitted, tiny_parts, tmp_path):
    fitted.save(tmp_path)
    loaded = Encoder.load(tmp_path)
    np.testing.assert_array_equal(scored(loaded, tiny_parts), scored(fitted, tiny_parts))
    assert loaded.describe() == fitted.describe()
    assert loaded.history[-1]["epoch"] == 2


def test_the_same_seed_gives_the_same_weights(fitted, train):
    assert_same(parameters(train()), parameters(fitted))


def test_answers_depend_on_neither_order_nor_company(fitted, tiny_parts):
    examples = [*tiny_parts["test"], Example("They met.", "Iran"), Example("x " * 3000, "Iran", prev="It rained.")]
    together = fitted.predict_proba(examples)
    np.testing.assert_allclose(fitted.predict_proba(examples[::-1])[::-1], together, atol=CLOSE)
    alone = np.concatenate([fitted.predict_proba([example]) for example in examples[-8:]])
    np.testing.assert_allclose(alone, together[-8:], atol=CLOSE)


def test_no_examples_give_no_rows_and_an_untrained_model_says_so(fitted, tmp_path):
    assert fitted.predict_proba([]).shape == (0, len(LABELS))
    empty = Encoder(LABELS, Encoder.Settings(), seed=1)
    with pytest.raises(DataError, match="not been trained"):
        empty.predict_proba([Example("They met.")])
    with pytest.raises(DataError, match="not been trained"):
        empty.save(tmp_path)
    with pytest.raises(DataError, match="no labelled example"):
        empty.fit([], [])


@pytest.fixture(scope="module")
def tiny_mpnet(tiny_encoder, tmp_path_factory):
    """A folder with a random MPNet, whose positions enter every layer and not the embeddings alone."""
    from transformers import MPNetConfig, MPNetModel

    folder = tmp_path_factory.mktemp("mpnet")
    shape = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64}
    MPNetModel(MPNetConfig(vocab_size=30522, pad_token_id=0, **shape)).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).write_bytes((tiny_encoder / name).read_bytes())
    return folder


@pytest.mark.parametrize("kind", ["tiny_encoder", "tiny_mpnet"])
def test_cached_lower_layers_train_like_computed_ones(train, tiny_parts, monkeypatch, request, kind):
    name = str(request.getfixturevalue(kind))
    cached = train(freeze_layers=2, name=name)
    monkeypatch.setattr("stance.models.frozen.supported", lambda _: False)
    computed = train(freeze_layers=2, name=name)
    for one, other in zip(cached.history, computed.history, strict=True):
        assert one["train_loss"] == pytest.approx(other["train_loss"], abs=CLOSE)
    np.testing.assert_allclose(scored(cached, tiny_parts), scored(computed, tiny_parts), atol=CLOSE)


def test_frozen_layers_keep_their_weights(train, tiny_encoder):
    before, after = load_file(tiny_encoder / "model.safetensors"), parameters(train(freeze_layers=2, epochs=1))
    moved = {name for name in before if not np.array_equal(before[name], after[f"backbone.{name}"])}
    assert any(name.startswith("encoder.layer.2.") for name in moved)
    assert not any(name.startswith(("embeddings.", "encoder.layer.0.", "encoder.layer.1.")) for name in moved)


def test_retold_examples_are_trained_on_too(train, tiny_parts):
    totals = {}
    for share in (0.0, 1.0):
        steps = []
        train({"progress": lambda state, steps=steps: steps.append(state.get("total", 0))}, retell=share, epochs=1)
        totals[share] = max(steps)
    assert totals[0.0] == -(-len(tiny_parts["train"]) // 16)
    assert totals[1.0] > totals[0.0]


def test_examples_with_exactly_one_label_are_not_retold(train, tiny_parts):
    steps = []
    single = [replace(example, labels=("engage",)) for example in tiny_parts["train"]]
    watch = {"progress": lambda state: steps.append(state.get("total", 0))}
    train(watch, single, retell=1.0, exclusive=True, epochs=1)
    assert max(steps) == -(-len(single) // 16)


@pytest.mark.parametrize("stop", [3, 9])
def test_a_training_killed_anywhere_resumes_to_the_same_weights(train, tiny_file, tiny_encoder, tmp_path, stop):
    settings = {"mask_actor": 0.3, "dropout": 0.1, "epochs": 2}
    whole = train(**settings)
    given = whole.settings.model_dump_json()
    arguments = [tiny_file, tiny_encoder, tmp_path, given, stop]
    code = KILLED.replace("{labels!r}", repr(LABELS))
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    (folder,) = tmp_path.iterdir()
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".safetensors"]
    steps = []
    resumed = train({"checkpoints": tmp_path, "progress": lambda state: steps.append(state["done"])}, **settings)
    assert min(steps) >= stop - 1
    assert_same(parameters(resumed), parameters(whole))
    assert resumed.history == whole.history
    assert list(tmp_path.iterdir()) == []


def test_other_data_or_settings_find_no_checkpoint(train, tiny_parts, tmp_path, monkeypatch):
    def stop(state):
        if state["done"] == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", -1.0)
    relabelled = [replace(example, labels=()) for example in tiny_parts["train"]]
    moved = [replace(example, prev="It rained.") for example in tiny_parts["train"]]
    for settings in ({}, {"epochs": 3}, {"examples": relabelled}, {"examples": moved}, {}):
        with pytest.raises(KeyboardInterrupt):
            train({"checkpoints": tmp_path, "progress": stop}, **settings)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_checkpoint_that_cannot_be_written_is_one_error(train, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot write a checkpoint.*STANCE_CACHE"):
        train({"checkpoints": tmp_path / "file"}, epochs=1)


def test_lora_trains_few_weights_and_saves_plain_ones(train, tiny_parts, tiny_encoder, tmp_path):
    model = train(lora_rank=2, epochs=1)
    model.save(tmp_path)
    names = set(load_file(tmp_path / "network.safetensors"))
    assert not any("lora" in name or "base_layer" in name for name in names)
    assert names == {f"backbone.{name}" for name in load_file(tiny_encoder / "model.safetensors")} | {
        "head.weight",
        "head.bias",
    }
    np.testing.assert_array_equal(scored(Encoder.load(tmp_path), tiny_parts), scored(model, tiny_parts))


def test_patience_ends_the_training_after_epochs_without_gain(train):
    scores = [facts["validation_score"] for facts in train(epochs=5, learning_rate=0.05).history]
    worse = [epoch for epoch in range(1, 5) if scores[epoch] <= max(scores[:epoch])]
    stopped = [facts["validation_score"] for facts in train(epochs=5, learning_rate=0.05, patience=1).history]
    assert stopped == scores[: worse[0] + 1 if worse else 5]


def test_more_frozen_layers_than_there_are_is_one_error(train):
    with pytest.raises(ConfigError, match="freeze_layers is 9, but the encoder has 3 layers"):
        train(freeze_layers=9)


@pytest.mark.parametrize("name", ["./no-such-folder", "no-such/encoder-anywhere"])
def test_an_encoder_that_cannot_be_had_is_one_error(tiny_parts, monkeypatch, name):
    monkeypatch.setattr(weights, "_hub_answers", lambda: False)
    with pytest.raises(WeightsError, match=name):
        Encoder(LABELS, Encoder.Settings(name=name), 1).fit(tiny_parts["train"], tiny_parts["validation"])


def test_a_damaged_encoder_is_one_error(tiny_encoder, tiny_parts, tmp_path):
    for path in Path(tiny_encoder).iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[: -200 if path.suffix == ".safetensors" else None])
    with pytest.raises(WeightsError, match="cannot load the encoder"):
        Encoder(LABELS, Encoder.Settings(name=str(tmp_path)), 1).fit(tiny_parts["train"], tiny_parts["validation"])


def test_probabilities_of_exclusive_labels_sum_to_one(train, tiny_parts, tmp_path):
    single = [replace(one, labels=((one.labels or LABELS)[0],)) for one in tiny_parts["train"]]
    model = train(examples=single, exclusive=True, positive_weight=0.5)
    scores = model.predict_proba(tiny_parts["test"])
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)
    model.save(tmp_path)
    np.testing.assert_allclose(Encoder.load(tmp_path).predict_proba(tiny_parts["test"]), scores, atol=CLOSE)


def test_an_exclusive_task_refuses_an_example_with_two_labels(train, tiny_parts):
    wrong = [replace(tiny_parts["train"][0], labels=LABELS[:2])]
    with pytest.raises(DataError, match=f"{wrong[0].id} has the labels {', '.join(LABELS[:2])}"):
        train(examples=wrong, exclusive=True)


def test_without_validation_examples_the_last_epoch_is_kept(tiny_encoder, tiny_parts):
    given = {"name": str(tiny_encoder), "epochs": 2, "batch_size": 16, "learning_rate": 1e-3}
    kept = Encoder(LABELS, Encoder.Settings(**given), seed=3)
    kept.fit(tiny_parts["train"], [])
    losses = [facts["train_loss"] for facts in kept.history]
    watched = Encoder(LABELS, Encoder.Settings(**given), seed=3)
    watched.fit(tiny_parts["train"], tiny_parts["train"])
    assert losses == [facts["train_loss"] for facts in watched.history]
    assert watched.history[1]["validation_score"] > watched.history[0]["validation_score"]  # so it kept the last too
    np.testing.assert_allclose(kept.predict_proba(tiny_parts["test"]), watched.predict_proba(tiny_parts["test"]))
