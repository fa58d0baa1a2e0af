"""The dictionary coder: whose deed, toward whom, and turned by negation; and that it is a whole model."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance import codebook
from stance.errors import BundleError, CodebookError, DataError
from stance.models import dictionary
from stance.models.lexicon import Lexicon
from stance.records import Example

EXAMPLES = Path(__file__).parents[2] / "experiments" / "codebooks"


def _example(text: str, actor: str = "Oman", target: str = "Taliban") -> Example:
    at = text.find(actor)
    targets = () if target not in text else ((text.index(target), text.index(target) + len(target)),)
    where = {} if at < 0 else {"mention": actor, "start": at, "end": at + len(actor)}
    return Example(text, actor=actor, targets=targets, **where)  # type: ignore[arg-type]


def _lexicon(task: str = "stance") -> Lexicon:
    coded = codebook.load().task(task)
    return Lexicon(coded.labels, Lexicon.Settings(**Lexicon.settings_from(coded)))


def _top(text: str) -> str | None:
    model = _lexicon()
    scores = model.score([_example(text)])[0]
    return model.labels[int(scores.argmax())] if scores.max() > 0 else None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Oman held two days of talks with the Taliban.", "engage"),
        ("The Taliban met officials from Oman.", "engage"),
        ("Oman condemned the Taliban for the flogging.", "oppose"),
        ("Oman accepted the credentials of the Taliban envoy.", "recognize"),
        ("The Taliban were recognised by Oman.", "recognize"),
        ("Oman imposed sanctions on the Taliban.", "sanction"),
        ("Oman lifted its sanctions on the Taliban.", "engage"),
        ("Oman will not lift its sanctions on the Taliban.", "sanction"),
        ("Oman does not oppose the Taliban.", "engage"),
        ("Oman refused to meet the Taliban.", "oppose"),
        ("Oman has no plan to recognise the Taliban.", "oppose"),
        ("Oman denied meeting the Taliban.", None),
        ("Oman exports dates.", None),
    ],
)
def test_it_codes_plain_sentences(text: str, label: str | None) -> None:
    assert _top(text) == label


def test_the_deed_of_another_counts_less() -> None:
    own, reported = "Oman condemned the Taliban.", "Oman said that Japan condemned the Taliban."
    scores = _lexicon().score([_example(own), _example(reported)])
    assert scores[0, 1] > scores[1, 1] > 0


def test_an_attack_by_the_target_counts_less_than_one_on_it() -> None:
    scores = _lexicon().score([_example("Oman attacked the Taliban."), _example("Oman was attacked by the Taliban.")])
    assert scores[0, 1] > 2 * scores[1, 1]


def test_events_carry_offsets_into_the_marked_text() -> None:
    example = _example("Oman met the Taliban and froze the reserves.")
    text = dictionary.mark(example)
    for event in dictionary.find(example, dictionary.load()):
        assert text[event.start : event.end] == event.phrase
        assert 0 < event.weight <= 1


def test_every_root_of_the_shipped_codebook_is_in_the_dictionary() -> None:
    roots = dictionary.load().roots
    for label in codebook.load().task("stance").definitions:
        assert set(label.roots) <= set(roots)
    for root in roots.values():
        assert {root.denied, root.refused} <= {None, *roots}


def test_frames_come_from_keywords() -> None:
    model = _lexicon("frames")
    scores = model.score([Example("Girls were shut out of schools."), Example("He nodded.")])
    assert model.labels[int(scores[0].argmax())] == "rights"
    assert scores[1].max() == 0


def _read(task: str) -> list[Example]:
    lines = (EXAMPLES / f"power-plant-{task}.jsonl").read_text("utf-8").splitlines()
    return [Example.from_row(json.loads(line)) for line in lines]


@pytest.mark.parametrize("task", ["position", "topics"])
def test_it_trains_saves_and_predicts_with_another_codebook(task: str, tmp_path: Path) -> None:
    coded = codebook.load(EXAMPLES / "power-plant.yaml").task(task)
    examples = _read(task)
    model = Lexicon(coded.labels, Lexicon.Settings(**Lexicon.settings_from(coded)), seed=3)
    model.fit(examples, [])
    proba = model.predict_proba(examples)
    assert proba.shape == (len(examples), len(coded.labels))
    assert proba.dtype == np.float32
    gold = np.array([[label in (example.labels or ()) for label in coded.labels] for example in examples])
    for column in range(len(coded.labels)):
        assert proba[gold[:, column], column].mean() > 1.5 * proba[~gold[:, column], column].mean()
    model.save(tmp_path)
    again = Lexicon.load(tmp_path)
    assert again.labels == model.labels
    assert again.settings == model.settings
    np.testing.assert_allclose(again.predict_proba(examples), proba, atol=1e-5)
    json.dumps(again.describe())


def test_a_higher_score_never_gives_a_lower_probability() -> None:
    model = _lexicon()
    train = [_example("Oman met the Taliban."), _example("Oman exports dates."), _example("Oman talked.")] * 4
    model.fit(
        [Example.from_row({**e.to_row(), "labels": ["engage"] if i % 3 == 1 else []}) for i, e in enumerate(train)], []
    )
    assert model.rates is not None
    assert (np.diff(model.rates, axis=1) >= 0).all()


def test_an_empty_batch_gives_an_empty_table() -> None:
    model = _lexicon()
    model.fit([Example("Oman waits.", actor="Oman", labels=())], [])
    assert model.predict_proba([]).shape == (0, 4)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_scores_in_range(text: str) -> None:
    scores = _lexicon().score([Example(text, actor="Oman")])
    assert ((scores >= 0) & (scores <= 1)).all()


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match=r"no root 'CONSULTS'; did you mean 'CONSULT'"):
        Lexicon(("a",), Lexicon.Settings(roots={"a": ("CONSULTS",)}))
    with pytest.raises(CodebookError, match="no label 'b'"):
        Lexicon(("a",), Lexicon.Settings(roots={"b": ("CONSULT",)}))
    with pytest.raises(DataError, match="no training examples"):
        _lexicon().fit([], [])
    with pytest.raises(DataError, match="call fit or load"):
        _lexicon().predict_proba([Example("x")])
    with pytest.raises(DataError, match="nothing to save"):
        _lexicon().save(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"rates": {"a": [0.1]}, "settings": {}, "seed": 0}'])
def test_a_broken_file_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "lexicon.json").write_text(content)
    with pytest.raises(BundleError, match=r"lexicon\.json: not a saved lexicon.*train it again"):
        Lexicon.load(tmp_path)
