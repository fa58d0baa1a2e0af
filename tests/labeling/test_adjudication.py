"""What is proposed where annotators differ, and when a third person has to judge."""

import random

import pytest

from labeling.adjudication import Bar, for_review, propose
from labeling.annotations import Annotation
from labeling.answers import collect_answers
from stance import codebook
from stance.errors import ConfigError, DataError
from stance.records import Example

BOOK = codebook.load()
LABELS = BOOK.task("stance").labels


def example(number):
    return Example(f"Sentence {number} on the Taliban.", actor="Russia", doc_id=f"d{number // 5}", index=number)


def said(number, annotator, *labels, **more):
    return Annotation(number, example(number), annotator, {"stance": labels, "frames": None}, **more)


def proposals(annotations, bar=Bar()):  # noqa: B008 - frozen
    found = propose(collect_answers(annotations, BOOK, "stance"), bar)
    return {one.item.example.index: one for one in found}


def background(annotators, n=60, first=1000):
    """Units on which all agree, so that nobody is thought to be unreliable."""
    return [said(first + k, name, *([LABELS[k % 4]] if k % 5 else [])) for k in range(n) for name in annotators]


def test_what_two_annotators_both_say_is_decided_and_what_they_differ_on_never_is():
    found = proposals([*background("AB"), said(1, "A", "engage", "oppose"), said(1, "B", "oppose")])
    assert (found[1].status, found[1].why) == ("review", "unsure of engage")
    assert found[1].confidence <= 0.5
    decisions = {one.label: one for one in found[1].decisions}
    assert (decisions["engage"].how, decisions["engage"].yes, decisions["engage"].no) == ("dawid-skene", ("A",), ("B",))
    assert (decisions["oppose"].how, decisions["oppose"].chosen) == ("unanimous", True)
    assert decisions["oppose"].confidence > 0.9
    assert all(one.status == "decided" for number, one in found.items() if number != 1)


def test_an_annotator_who_is_always_right_cannot_outvote_an_equal_in_a_pair():
    # Fitted to pairs, Dawid–Skene can call one of the two infallible and be wholly sure of every tie.
    biased = [said(k, "A", "engage") for k in range(20)] + [said(k, "B") for k in range(20)]
    found = proposals([*background("AB"), *biased])
    assert {found[k].status for k in range(20)} == {"review"}


def test_three_decide_by_majority_and_a_tie_of_four_by_who_is_reliable():
    noisy = [*background("ABC", 80), *[said(1000 + k, "D", LABELS[(k + k % 3) % 4]) for k in range(80)]]
    three = [said(1, "A", "engage"), said(1, "B", "engage"), said(1, "C")]
    four = [said(2, "A", "oppose"), said(2, "B", "oppose"), said(2, "C"), said(2, "D")]
    found = proposals([*noisy, *three, *four])
    assert (found[1].labels, found[1].how) == (("engage",), "majority")
    assert (found[2].labels, found[2].how) == (("oppose",), "dawid-skene")


def test_dawid_skene_finds_more_of_the_truth_than_votes_when_annotators_are_unequal():
    rng = random.Random(7)
    reliable = {"A": 0.97, "B": 0.95, "C": 0.6, "D": 0.6}
    truth = {number: rng.random() < 0.4 for number in range(400)}
    annotations = [
        said(number, name, *(["engage"] if (rng.random() < skill) == gold else []))
        for number, gold in truth.items()
        for name, skill in reliable.items()
    ]
    found = proposals(annotations, Bar(0.8))
    ties = [one for one in found.values() if one.decisions[0].how == "dawid-skene"]
    right = [("engage" in one.labels) == truth[one.item.example.index] for one in ties]
    assert len(ties) > 60
    assert sum(right) / len(ties) > 0.85  # a coin has 0.5
    sure = [number for number, one in found.items() if one.status == "decided"]
    correct = sum(("engage" in found[number].labels) == truth[number] for number in sure) / len(sure)
    assert correct > 0.95
    assert 200 < len(sure) < 400


def test_too_few_answers_wait_for_more_unless_one_is_enough():
    annotations = [*background("AB"), said(1, "A", "engage")]
    assert proposals(annotations)[1].status == "waiting"
    one = proposals(annotations, Bar(answers=1))[1]
    assert (one.status, one.how, one.labels) == ("decided", "single", ("engage",))


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ({"flags": ("wrong-actor",)}, {}, "review"),
        ({"skipped": True}, {}, "review"),
        ({"flags": ("cant-tell",)}, {"flags": ("wrong-actor",)}, "flagged"),
        ({"skipped": True}, {"skipped": True}, "skipped"),
        ({"skipped": True}, {"flags": ("cant-tell",)}, "unanswered"),
    ],
)
def test_flags_and_skips_are_judged_where_annotators_differ_and_left_out_where_not(first, second, status):
    found = proposals([*background("AB"), said(1, "A", "engage", **first), said(1, "B", "engage", **second)])
    assert found[1].status == status


def test_a_flag_about_the_actor_does_not_hold_up_a_sentence_task():
    annotations = [
        Annotation(
            k, example(k), name, {"stance": (), "frames": ("security",)}, flags=("wrong-actor",) if name == "C" else ()
        )
        for k in range(6)
        for name in "ABC"
    ]
    found = propose(collect_answers(annotations, BOOK, "frames"), Bar())
    assert {(one.status, one.labels) for one in found} == {("decided", ("security",))}


def test_the_least_sure_is_reviewed_first_and_a_row_says_all():
    split = [said(1, "A", "engage"), said(1, "B"), said(2, "A"), said(2, "B", "recognize")]
    found = list(proposals([*background("AB"), *split]).values())
    unsure = for_review(found)
    assert {one.item.example.index for one in unsure} == {1, 2}
    assert [one.confidence for one in unsure] == sorted(one.confidence for one in unsure)
    row = unsure[0].to_row()
    assert row["status"] == "review"
    assert [one["label"] for one in row["decisions"]] == list(LABELS)


def test_a_bar_no_higher_than_a_coin_and_a_task_that_nobody_answered_are_refused():
    for bar in (0.3, 0.5):  # at 0.5 a tie of two would be decided
        with pytest.raises(ConfigError, match=f"bar {bar}"):
            Bar(bar)
    with pytest.raises(DataError, match="nobody answered"):
        propose(collect_answers([said(1, "A", skipped=True)], BOOK, "stance"), Bar())
