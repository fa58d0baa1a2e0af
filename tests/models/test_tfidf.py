"""The linear model: what it learns, that it repeats itself, and that it predicts without the training side."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from stance.errors import BundleError, DataError
from stance.models.features import BLOCKS
from stance.models.tfidf import BATCH, TfidfLinear
from stance.records import Example

LABELS = ("engage", "oppose")
ACTORS = ("Norway", "Iran", "Qatar", "the Kremlin", "Beijing")
SAYINGS = {
    ("engage",): ("hosted talks with", "met envoys of", "welcomed contact with", "opened a channel to"),
    ("oppose",): ("condemned", "would not meet", "rejected a return of", "threatened"),
    (): ("read a report on", "was asked about", "said nothing about", "flew over"),
}


def about(text, actor, labels=None, **extra):
    start = text.find(actor)
    span = {"mention": actor, "start": start, "end": start + len(actor)} if start >= 0 else {}
    at = text.find("Taliban")
    return Example(text, actor, targets=((at, at + 7),) if at >= 0 else (), labels=labels, **span, **extra)


def corpus():
    return [
        about(f"{actor} {saying} the Taliban on {day}.", actor, labels, doc_id=f"{actor}-{day}")
        for labels, sayings in SAYINGS.items()
        for saying in sayings
        for actor in ACTORS
        for day in ("Monday", "Friday")
    ]


@pytest.fixture(scope="module")
def model():
    fitted = TfidfLinear(LABELS, TfidfLinear.Settings(c=20), seed=5)
    fitted.fit(corpus(), [])
    return fitted


def test_tells_the_stances_of_an_actor_it_never_saw(model):
    probabilities = model.predict_proba(
        [about("Peru hosted talks with the Taliban.", "Peru"), about("Peru condemned the Taliban.", "Peru")]
    )
    assert probabilities.dtype == np.float32
    assert probabilities[0, 0] > 0.5 > probabilities[0, 1]
    assert probabilities[1, 1] > 0.5 > probabilities[1, 0]


def test_tells_the_doer_from_the_addressee():
    pairs = [("Iran", "Norway"), ("Qatar", "Iran"), ("Norway", "Qatar"), ("Chad", "Peru"), ("Peru", "Iran")]
    train = []
    for doer, other in pairs:
        text = f"{doer} praised the Taliban, {other} was told."
        train += [about(text, doer, ("engage",)), about(text, other, ())]
        text = f"Envoys told {other} that {doer} praised the Taliban."
        train += [about(text, doer, ("engage",)), about(text, other, ())]
    fitted = TfidfLinear(LABELS, TfidfLinear.Settings(c=20))
    fitted.fit(train, [])
    text = "Oman praised the Taliban, Mali was told."
    oman, mali = fitted.predict_proba([about(text, "Oman"), about(text, "Mali")])[:, 0]
    assert oman > mali + 0.3


def test_training_again_gives_the_same_model(model):
    again = TfidfLinear(LABELS, TfidfLinear.Settings(c=20), seed=5)
    again.fit(corpus(), [])
    np.testing.assert_array_equal(again.weights, model.weights)
    np.testing.assert_array_equal(again.predict_proba(corpus()), model.predict_proba(corpus()))


def test_a_saved_model_gives_identical_probabilities(model, tmp_path):
    model.save(tmp_path)
    loaded = TfidfLinear.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(corpus()), model.predict_proba(corpus()))
    assert (loaded.labels, loaded.seed, loaded.settings) == (model.labels, model.seed, model.settings)
    assert loaded.describe() == model.describe()
    assert not [file for file in tmp_path.iterdir() if file.suffix not in {".json", ".safetensors"}]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_row_depends_on_its_example_alone(model, data):
    examples = [*corpus()[::7], Example(""), Example("Unseen words zzyzx"), about("No name here", "Iran")]
    chosen = data.draw(st.lists(st.integers(0, len(examples) - 1), min_size=1, max_size=12))
    together = model.predict_proba([examples[i] for i in chosen])
    alone = np.concatenate([model.predict_proba([examples[i]]) for i in chosen])
    np.testing.assert_array_equal(together, alone)


def test_what_is_remembered_of_words_and_looked_up_in_tables_changes_no_score(tiny_parts, monkeypatch):
    """Against the plain way: every word taken apart anew in each batch of one, every key searched for."""
    fitted = TfidfLinear(("engage", "oppose", "recognize", "sanction"), TfidfLinear.Settings())
    fitted.fit(tiny_parts["train"], [])
    examples = [*tiny_parts["test"], *tiny_parts["validation"], *tiny_parts["train"]]
    fast = fitted.predict_proba(examples * 3)[-len(examples) :]
    monkeypatch.setattr("stance.models.columns.LARGEST_TABLE", 0)
    plain = []
    for example in examples:
        fitted._set_units(fitted.units)
        fitted._columns = None
        plain.append(fitted.predict_proba([example])[0])
    np.testing.assert_allclose(fast, plain, atol=1e-6)


def test_batches_are_invisible(model):
    examples = (corpus() * (BATCH // len(corpus()) + 2))[: BATCH + 3]
    np.testing.assert_array_equal(model.predict_proba(examples)[BATCH:], model.predict_proba(examples[BATCH:]))


@pytest.mark.parametrize(
    "text",
    ["", " ", "zzyzx qwrtp", "طالبان در کابل", "\x00\x00", "1 2 3", "Iran " * 20_000, "x" * 100_000, "\ud800 broken"],
    ids=["empty", "blank", "unknown", "right-to-left", "nul", "digits", "100 kB", "one 100 kB word", "surrogate"],
)
def test_any_text_gets_probabilities(model, text):
    for example in (Example(text), Example(text, "Iran"), Example(text, "Iran", text[:4], 0, min(4, len(text)))):
        probabilities = model.predict_proba([example])
        assert probabilities.shape == (1, 2)
        assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_an_implied_actor_is_not_a_named_one(model):
    named, implied = about("Iran met the Taliban.", "Iran"), about("It met the Taliban.", "Iran")
    probabilities = model.predict_proba([named, implied])
    assert (probabilities[0] != probabilities[1]).any()


def test_a_label_without_examples_gets_a_low_constant():
    fitted = TfidfLinear((*LABELS, "recognize"), TfidfLinear.Settings())
    fitted.fit(corpus(), [])
    column = fitted.predict_proba(corpus())[:, 2]
    assert len(set(column.tolist())) == 1
    assert 0 < column[0] < 0.02


def test_a_sentence_task_has_no_actor():
    frames = [("Schools for girls stay shut.", ("rights",)), ("Fighting went on at the border.", ("security",))]
    fitted = TfidfLinear(("rights", "security"), TfidfLinear.Settings(c=50))
    fitted.fit([Example(text, labels=labels) for text, labels in frames * 10], [])
    probabilities = fitted.predict_proba([Example("Girls and schools"), Example("A border and fighting")])
    assert (probabilities.argmax(axis=1) == [0, 1]).all()


def test_no_examples_give_no_rows(model):
    assert model.predict_proba([]).shape == (0, 2)


def test_needs_examples_before_it_answers(tmp_path):
    empty = TfidfLinear(LABELS, TfidfLinear.Settings())
    with pytest.raises(DataError, match="at least one"):
        empty.fit([], [])
    with pytest.raises(DataError, match="not been fitted"):
        empty.predict_proba([Example("a")])
    with pytest.raises(DataError, match="nothing to save"):
        empty.save(tmp_path)


@pytest.mark.parametrize(
    "wrong", [{"blocks": {"words": 1}}, {"blocks": {}}, {"blocks": {"word": -1}}, {"C": 1}, {"c": 0}]
)
def test_settings_refuse_what_they_cannot_use(wrong):
    with pytest.raises(ValidationError):
        TfidfLinear.Settings(**wrong)


@pytest.mark.parametrize("file", ["tfidf.safetensors", "vocabulary.json", "tfidf.json"])
def test_a_damaged_file_is_a_bundle_error(model, tmp_path, file):
    model.save(tmp_path)
    content = (tmp_path / file).read_bytes()
    for damaged in (content[: len(content) // 2], b""):
        (tmp_path / file).write_bytes(damaged)
        with pytest.raises(BundleError, match="train it again"):
            TfidfLinear.load(tmp_path)


def test_files_of_two_models_are_refused(model, tmp_path):
    model.save(tmp_path)
    settings_file = tmp_path / "tfidf.json"
    content = json.loads(settings_file.read_text())
    settings_file.write_text(json.dumps({**content, "labels": ["engage"]}))
    with pytest.raises(BundleError, match="do not fit"):
        TfidfLinear.load(tmp_path)


def test_progress_counts_to_its_total():
    seen = []
    TfidfLinear(LABELS, TfidfLinear.Settings()).fit(corpus(), [], progress=seen.append)
    assert [step["done"] for step in seen] == [1, 2, 3]
    assert {step["total"] for step in seen} == {3}


def test_predicting_needs_none_of_the_training_side(model, tmp_path):
    model.save(tmp_path)
    code = """
import sys
from pathlib import Path
from stance.models.tfidf import TfidfLinear
from stance.records import Example
print(TfidfLinear.load(Path(sys.argv[1])).predict_proba([Example("Iran met the Taliban.", "Iran", "Iran", 0, 4)])[0, 0])
print(*sorted({"sklearn", "scipy", "pandas", "torch", "transformers", "mlflow"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    probability, loaded = done.stdout.split("\n")[:2]
    assert loaded == ""
    assert 0 < float(probability) < 1


def test_every_block_is_of_use_alone():
    train = [about(e.text, e.actor, e.labels, prev=e.text, next=e.text) for e in corpus()]
    for block in BLOCKS:
        fitted = TfidfLinear(LABELS, TfidfLinear.Settings(blocks={block: 1.0}))
        fitted.fit(train, [])
        assert fitted.describe()["features"] > 0, block


def test_a_corpus_without_frequent_features_gives_the_rates():
    fitted = TfidfLinear(LABELS, TfidfLinear.Settings(min_examples=9, blocks={"word": 1.0}))
    fitted.fit([Example("one", labels=("engage",)), Example("two", labels=())], [])
    assert fitted.predict_proba([Example("one")]).tolist() == [[0.5, pytest.approx(1 / 6)]]


def test_names_tell_who_is_against_whom():
    def pair(actor, target, labels):
        text = f"{actor} spoke of {target}."
        at = text.find(target)
        return Example(text, actor, targets=((at, at + len(target)),), labels=labels)

    examples = [pair("Iran", "Iraq", ("oppose",)), pair("Oman", "Iraq", ()), pair("Iran", "Oman", ())] * 10
    settings = TfidfLinear.Settings(blocks={"name": 1.0}, c=20)
    model = TfidfLinear(LABELS, settings, 1)
    model.fit(examples, [])
    scores = model.predict_proba(examples[:3])[:, 1]
    assert scores[0] > 0.5 > max(scores[1:])


def test_a_balanced_model_gives_a_rare_label_more_often():
    examples = corpus()
    rare = [one for one in examples if one.labels != ("engage",)] + [
        one for one in examples if one.labels == ("engage",)
    ][:4]
    plain, balanced = (TfidfLinear(LABELS, TfidfLinear.Settings(balanced=b), 1) for b in (False, True))
    for model in (plain, balanced):
        model.fit(rare, [])
    assert balanced.predict_proba(rare)[:, 0].mean() > plain.predict_proba(rare)[:, 0].mean()


def test_a_support_vector_machine_learns_the_same_task():
    model = TfidfLinear(LABELS, TfidfLinear.Settings(loss="squared-hinge", c=0.3), 1)
    model.fit(corpus(), [])
    gold = np.array([[label in one.labels for label in LABELS] for one in corpus()])
    assert ((model.predict_proba(corpus()) > 0.5) == gold).all()


def test_events_carry_a_verb_that_was_never_seen():
    def deed(verb, actor, labels):
        return about(f"{actor} {verb} the Taliban.", actor, labels, doc_id=verb)

    seen = [deed(verb, actor, ("oppose",)) for verb in ("condemned", "denounced") for actor in ACTORS[:3]]
    seen += [deed(verb, actor, ("engage",)) for verb in ("met", "consulted") for actor in ACTORS[:3]]
    model = TfidfLinear(LABELS, TfidfLinear.Settings(blocks={"event": 1.0}, c=20), 1)
    model.fit(seen, [])
    engage, oppose = model.predict_proba([deed("criticized", "Qatar", ())])[0]
    assert oppose > 0.5 > engage
