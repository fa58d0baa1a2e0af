import pytest

from stance.tracking.gate import METRIC, Measured, decide


def measured(score=0.5, split="s1", data="d1", book="c1", run="r1"):
    return Measured(run, {} if score is None else {METRIC: score}, split, data, book)


def test_the_first_champion_needs_only_a_score():
    assert decide(measured(0.1), None).promote
    verdict = decide(measured(None), None)
    assert not verdict.promote
    assert "logged no test.macro_f1" in verdict.reasons[0]


@pytest.mark.parametrize(("score", "promoted"), [(0.6, True), (0.5, False), (0.4, False), (float("nan"), False)])
def test_better_on_the_same_test_part_wins(score, promoted):
    verdict = decide(measured(score), measured(0.5))
    assert verdict.promote is promoted
    assert len(verdict.reasons) == 1


def test_the_reason_gives_both_scores():
    assert decide(measured(0.61), measured(0.5)).reasons == (
        "test.macro_f1 is 0.6100, the champion's is 0.5000 (+0.1100), on the same test part",
    )


@pytest.mark.parametrize("what", ["split", "data", "book"])
def test_another_test_part_cannot_be_compared(what):
    verdict = decide(measured(0.9, **{what: "other"}), measured(0.1))
    assert not verdict.promote
    assert len(verdict.reasons) == 1
    assert "differs from the champion's (other, not" in verdict.reasons[0]


def test_a_champion_without_a_score_stays():
    assert not decide(measured(0.9), measured(None)).promote
