from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from stance.errors import ConfigError
from stance.tracking.gate import METRIC, RATE, Measured, decide
from stance.tracking.rules import GateRules, load_rules
from stance.tracking.runs import SIZE

LABELS = ("engage", "oppose")
RULES = GateRules(resamples=500)
SOUND = {f"test.{label}.{score}": value for label in LABELS for score, value in (("f1", 0.7), ("support", 60.0))}
SOUND |= {f"test.{label}.ece_excess": 0.01 for label in LABELS} | {"test.n_examples": 320.0}


def predictions(wrong, seed=0, documents=40, rows=8):
    """Test predictions of a system that gets a share `wrong` of its labels wrong; gold is the same for every seed."""
    n = documents * rows
    gold = np.random.default_rng(99).random((n, 2)) < 0.3
    given = gold ^ (np.random.default_rng(seed).random((n, 2)) < wrong)

    def named(matrix):
        return [[label for label, on in zip(LABELS, row, strict=True) if on] for row in matrix]

    frame = {"id": [f"x{row:04d}" for row in range(n)], "unit": [f"d{row // rows}" for row in range(n)]}
    frame |= {"gold": named(gold), "predicted": named(given)}
    return pd.DataFrame(frame | {f"p_{label}": 0.5 for label in LABELS})


def measured(wrong=0.1, seed=0, split="s1", data="d1", book="c1", **metrics):
    found = {METRIC: 0.5, **SOUND, **metrics}
    return Measured("r1", found, split, data, book, predictions(wrong, seed))


def passed(verdict):
    return {check.name: check.passed for check in verdict.checks}


def test_the_first_champion_needs_a_score_and_sound_labels():
    verdict = decide(measured(), None)
    assert verdict.promote
    assert passed(verdict) == {"difference": True, "floors": True, "calibration": True, "probes": None}
    bare = Measured("r1", {}, "s", "d", "c")
    assert not decide(bare, None).promote
    assert "logged no test.macro_f1" in decide(bare, None).reasons[0]
    assert not decide(measured(**{"test.oppose.f1": 0.1}), None).promote


def test_a_clear_gain_is_promoted_and_its_numbers_are_kept():
    verdict = decide(measured(0.05, 1), measured(0.2, 2), RULES)
    assert verdict.promote
    assert 0 < verdict.numbers["difference.low"] < verdict.numbers["difference"] < verdict.numbers["difference.high"]
    assert verdict.numbers["p_value"] < 0.05
    assert "the interval excludes 0" in verdict.checks[0].text
    assert "paired over 40 documents" in verdict.checks[0].text


@pytest.mark.parametrize(("wrong", "said"), [(0.1, "does not exclude 0"), (0.3, "the candidate is worse")])
def test_no_better_is_refused_however_high_the_score(wrong, said):
    verdict = decide(measured(wrong, 1, **{METRIC: 0.99}), measured(0.1, 2), RULES)
    assert not verdict.promote
    assert said in verdict.reasons[0]


def test_the_same_decisions_again_are_no_gain():
    verdict = decide(measured(0.1, 1), measured(0.1, 1), RULES)
    assert not verdict.promote
    assert "difference +0.000 [+0.000, +0.000]" in verdict.reasons[0]


def test_chance_seldom_makes_a_champion():
    """Systems equally good: one in forty should be let through (one side of a 95% interval)."""
    rules = GateRules(resamples=300)
    let_through = [decide(measured(0.15, seed), measured(0.15, 500 + seed), rules).promote for seed in range(80)]
    assert sum(let_through) <= 7


def test_rows_are_matched_by_id_not_by_place():
    one = measured(0.1, 1)
    mixed = one.predictions.sample(frac=1, random_state=3)
    moved = Measured("r1", one.metrics, "s1", "d1", "c1", mixed)
    champion = measured(0.2, 2)
    assert decide(moved, champion, RULES) == decide(one, champion, RULES)


def test_a_cheaper_model_may_be_as_good_within_the_margin():
    fast, slow = {RATE: 900.0, SIZE: 5e6}, {RATE: 90.0, SIZE: 9e7}
    rules = GateRules(non_inferior=0.08, resamples=500)
    champion = measured(0.1, 2, **slow)
    assert not decide(measured(0.1, 1, **fast), champion, RULES).promote
    verdict = decide(measured(0.1, 1, **fast), champion, rules)
    assert verdict.promote
    assert "all of it above -0.08" in verdict.checks[0].text
    assert "900 examples/s against 90" in verdict.checks[1].text
    dear = decide(measured(0.1, 1, **slow), champion, rules)
    assert (dear.promote, passed(dear)["cost"]) == (False, False)
    assert not decide(measured(0.3, 1, **fast), champion, rules).promote
    unknown = decide(measured(0.1, 1), champion, rules)
    assert not unknown.promote
    assert "not logged by both" in unknown.checks[1].text


@pytest.mark.parametrize("what", ["split", "data", "book"])
def test_another_test_part_cannot_be_compared(what):
    verdict = decide(measured(0.0, **{what: "other"}), measured(0.3))
    assert not verdict.promote
    assert "differs from the champion's (other, not" in verdict.reasons[0]


def test_runs_that_cannot_be_paired_are_refused_with_the_reason():
    whole = measured()
    blind = Measured("r2", whole.metrics, "s1", "d1", "c1")
    assert "the champion logged no test predictions" in decide(whole, blind, RULES).reasons[0]
    assert "the candidate logged no test predictions" in decide(blind, whole, RULES).reasons[0]
    fewer = Measured("r2", whole.metrics, "s1", "d1", "c1", whole.predictions[:100])
    assert "tested on different examples" in decide(fewer, whole, RULES).reasons[0]
    relabelled = whole.predictions.assign(gold=[["engage"]] * len(whole.predictions))
    other = Measured("r2", whole.metrics, "s1", "d1", "c1", relabelled)
    assert "gold labels of the test part differ" in decide(other, whole, RULES).reasons[0]
    few = [Measured("r", whole.metrics, "s1", "d1", "c1", predictions(wrong, documents=3)) for wrong in (0.0, 0.4)]
    assert "too few documents" in decide(*few, RULES).reasons[0]


def test_a_label_below_its_floor_stops_a_better_model():
    champion = measured(0.2, 2)
    verdict = decide(measured(0.02, 1, **{"test.oppose.f1": 0.15}), champion, RULES)
    assert not verdict.promote
    assert verdict.reasons[0] == "F1 below its floor: oppose 0.150 < 0.2"
    own = RULES.model_copy(update={"floors": {"oppose": 0.1}})
    assert decide(measured(0.02, 1, **{"test.oppose.f1": 0.15}), champion, own).promote
    rare = decide(measured(0.02, 1, **{"test.oppose.f1": 0.0, "test.oppose.support": 4.0}), champion, RULES)
    assert rare.promote
    assert "under 10 gold examples, not judged: oppose (4)" in "".join(rare.reasons)


def test_probabilities_beyond_their_bound_stop_it_too():
    verdict = decide(measured(0.02, 1, **{"test.engage.ece_excess": 0.09}), measured(0.2, 2), RULES)
    assert not verdict.promote
    assert verdict.reasons[0] == "calibration error beyond chance is 0.090 at most (engage), above 0.05"
    few = decide(measured(0.02, 1, **{"test.engage.ece_excess": 0.09, "test.n_examples": 60.0}), None)
    assert few.promote
    assert "calibration is not judged on 60 test examples; it takes 200" in few.reasons


def test_probes_are_judged_where_they_were_run_and_may_be_required():
    champion = measured(0.2, 2, **{"probes.typos.failure_rate": 0.1, "probes.hedge.failure_rate": 0.1})

    def judged(rules=RULES, **rates):
        metrics = {f"probes.{name}.failure_rate": rate for name, rate in rates.items()}
        verdict = decide(measured(0.02, 1, **metrics), champion, rules)
        return verdict.promote, verdict.checks[-1].text

    assert judged() == (True, "no probes were run on it, so none is judged")
    assert judged(RULES.model_copy(update={"require_probes": True}))[0] is False
    told = (
        "1 probe within bounds: typos fails 15% (bound 30%); 1 probe without a bound, only reported: negate fails 40%"
    )
    assert judged(typos=0.15, negate=0.4) == (True, told)
    assert judged(hedge=0.15) == (True, "1 probe held against the champion alone: hedge fails 15% (champion 10%)")
    assert judged(typos=0.25)[0] is True  # it has a bound of its own
    assert judged(hedge=0.35) == (False, "probes: hedge fails 35% of the time, the champion's 10%")
    assert judged(negate=0.9)[0] is True  # what must change an answer is held against the champion alone
    assert judged(**{"swap-actor": 0.35}) == (False, "probes: swap-actor fails 35% of the time, bound 30%")
    strict = RULES.model_copy(update={"probes": {"negate": 0.5}})
    assert judged(strict, negate=0.6) == (False, "probes: negate fails 60% of the time, bound 50%")
    few = measured(0.02, 1, **{"probes.hedge.failure_rate": 0.35, "probes.hedge.low": 0.05})
    assert decide(few, champion, RULES).promote  # a rise that chance explains


def test_rates_of_other_cases_are_not_compared():
    champion, risen = (
        measured(wrong, 2, **{"probes.hedge.failure_rate": rate}) for wrong, rate in ((0.2, 0.1), (0.02, 0.8))
    )
    asked = [replace(one, probes={"hedge": digest}) for one, digest in ((champion, "a"), (risen, "a"), (risen, "b"))]
    assert not decide(asked[1], asked[0], RULES).promote
    other = decide(asked[2], asked[0], RULES)
    assert other.promote
    assert "without a bound, only reported: hedge fails 80%" in other.checks[-1].text


def test_rules_come_from_a_file_and_wrong_ones_are_named(tmp_path):
    path = tmp_path / "gate.yaml"
    path.write_text("floor: 0.3\nprobes: {negate: 0.4}\n")
    assert load_rules(path) == GateRules(floor=0.3, probes={"negate": 0.4})
    assert load_rules() == GateRules()
    for content, said in {
        "flor: 0.3": "flor: .*did you mean floor",
        "level: 2": "level: ",
        "[1]": "are a mapping",
        "a: [": "cannot read",
    }.items():
        path.write_text(content)
        with pytest.raises(ConfigError, match=rf"gate\.yaml: .*{said}|gate\.yaml: {said}"):
            load_rules(path)
    with pytest.raises(ConfigError, match="cannot read the gate's rules"):
        load_rules(tmp_path / "none.yaml")
