"""Who is taken to have said what."""

from dataclasses import replace

import pytest

from labeling.annotations import Annotation
from labeling.answers import collect_answers, pseudonyms, refuse_unanswered
from stance import codebook
from stance.errors import DataError
from stance.records import Example

BOOK = codebook.load()
EXAMPLE = Example("Russia hosted the Taliban, Iran said.", actor="Russia", mention="Russia", start=0, end=6, doc_id="d")
OTHER = replace(EXAMPLE, actor="Iran", mention="Iran", start=28, end=32)


def said(annotator, stance, frames=None, *, number=1, example=EXAMPLE, **more):
    return Annotation(number, example, annotator, {"stance": stance, "frames": frames}, **more)


def given(annotations, task="stance"):
    """Labels (or why there are none) by unit's actor and annotator."""
    found = collect_answers(annotations, BOOK, task)
    return {
        (item.example.actor, answer.annotator): answer.missing or answer.labels
        for item in found.items
        for answer in item.answers
    }


def test_nothing_skipped_flagged_open_and_misfitting_stay_apart():
    found = given(
        [
            said("none", ()),
            said("skips", ("engage",), skipped=True),  # Label Studio keeps what was ticked before the skip
            said("flags", ("engage",), flags=("wrong-actor",)),
            said("open", None),
            said("misfit", ("engage",), problems=("stance: 'none' stands beside engage",)),
        ]
    )
    assert {annotator: what for (_, annotator), what in found.items()} == {
        "none": (), "skips": "skipped", "flags": "flagged", "open": "open", "misfit": "misfit",
    }  # fmt: skip


def test_a_later_annotation_replaces_the_earlier_one_also_by_a_skip():
    early, late = "2026-01-01T10:00:00Z", "2026-01-01T11:00:00.5+00:00"
    change = [said("a", ("engage",), number=9, updated_at=early), said("a", ("oppose",), number=2, updated_at=late)]
    assert given(change) == given(change[::-1]) == {("Russia", "a"): ("oppose",)}
    assert given([change[0], replace(change[1], skipped=True)]) == {("Russia", "a"): "skipped"}


def test_a_sentence_task_takes_the_latest_usable_answer_given_through_any_actor():
    annotations = [
        said("a", (), ("security",), number=1, updated_at="2026-01-01T10:00:00Z"),
        said("a", (), ("diplomacy",), number=2, example=OTHER, updated_at="2026-01-01T11:00:00Z"),
        said("b", (), ("security",), number=3),
        said("b", (), None, number=4, example=OTHER, flags=("wrong-actor",)),
    ]
    assert given(annotations, "frames") == {(None, "a"): ("diplomacy",), (None, "b"): ("security",)}
    assert collect_answers(annotations, BOOK, "frames").replaced == 1
    assert {actor for actor, _ in given(annotations)} == {"Russia", "Iran"}


def test_labels_come_in_codebook_order_and_units_carry_none():
    found = collect_answers(
        [said("a", ("sanction", "engage"), example=replace(EXAMPLE, labels=("oppose",)))], BOOK, "stance"
    )
    assert found.items[0].answers[0].labels == ("engage", "sanction")
    assert found.items[0].example.labels is None
    assert found.items[0].example.id == EXAMPLE.id


def test_nobody_having_answered_is_an_error_that_says_why():
    found = collect_answers([said("a", ("engage",)), said("b", (), skipped=True)], BOOK, "frames")
    with pytest.raises(DataError, match=r"'frames' \(1 skipped, 1 open\)"):
        refuse_unanswered(found)


def test_a_time_that_is_none_names_the_annotation():
    with pytest.raises(DataError, match=r"annotation 7 .*'yesterday'"):
        collect_answers([said("a", (), number=7, updated_at="yesterday")], BOOK, "stance")


def test_names_become_letters_beyond_the_alphabet():
    letters = list(pseudonyms(f"{number:03}@x" for number in range(30)).values())
    assert letters[:2] == ["A", "B"]
    assert letters[25:28] == ["Z", "AA", "AB"]
