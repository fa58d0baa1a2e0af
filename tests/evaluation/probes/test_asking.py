"""Models whose faults are known, and what the probes say of them."""

from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pytest

from stance import codebook
from stance.dataset import load_examples
from stance.errors import DataError
from stance.evaluation.probes import ask, build_probes
from stance.evaluation.probes.asking import INVARIANCES, LIMIT, failure_interval
from stance.models.classifier import Classifier
from stance.models.thresholds import Calibration

BOOK = codebook.load()
LABELS = BOOK.task("stance").labels


@dataclass
class Answering:
    """A model that gives the labels that `answer` reads off an example."""

    answer: object
    labels = LABELS

    def predict_proba(self, examples):
        return np.array([[float(label in self.answer(e)) for label in LABELS] for e in examples], dtype=np.float32)


def probed(answer, only=()):
    probes = build_probes(BOOK, "stance", load_examples("stance", "test")["test"], only=only)
    return ask(Classifier(Answering(answer), Calibration.identity(len(LABELS)), BOOK, "stance"), probes)


def test_a_model_that_says_nothing_is_steady_and_fails_every_pair():
    found = probed(lambda example: ())
    for result in found.results:
        if result.name in {each.name for each in INVARIANCES}:
            assert (result.failure_rate, result.failures, result.unmoved) == (0, (), 0)
            assert result.low == 0 < result.high < 0.1
        else:
            assert result.failure_rate == 1
            assert result.high == 1 > result.low
    assert [result.failure_rate for result in found.results] == sorted(
        (result.failure_rate for result in found.results), reverse=True
    )


def test_a_model_that_knows_names_fails_where_names_change():
    known = {example.actor for example in load_examples("stance", "train")["train"]}
    found = probed(lambda example: ("engage",) if example.actor in known else (), only=("unseen-actor", "typos"))
    assert found["unseen-actor"].failure_rate > 0.9
    assert found["typos"].failure_rate == 0
    failure = found["unseen-actor"].failures[0]
    assert failure.before != failure.after
    assert (failure.answer_before, failure.answer_after, failure.due_after) == (("engage",), (), ("engage",))


def test_a_model_that_reads_no_roles_stays_unmoved_where_they_swap():
    def answer(example):
        verbs = {"invited": "engage", "praised": "engage", "froze": "sanction", "sanctions": "sanction"}
        return tuple({verbs[word] for word in example.text.split() if word in verbs} or {"oppose"})

    result = probed(answer, only=("swap-roles",))["swap-roles"]
    assert result.failure_rate == 1
    assert result.unmoved == result.n
    assert result.failures[0].due_after == ()


def test_a_model_that_follows_the_rules_passes():
    due = {}
    for probe in build_probes(BOOK, "stance", ()):
        for case in probe.cases:
            due[case.before.text, case.before.actor], due[case.after.text, case.after.actor] = case.expected
    probes = build_probes(BOOK, "stance", ())
    model = Classifier(Answering(lambda e: due[e.text, e.actor]), Calibration.identity(len(LABELS)), BOOK, "stance")
    found = ask(model, probes)
    assert {result.failure_rate for result in found.results} == {0.0}
    assert found.failure_frame().empty
    assert set(found.flat()) >= {"probes.negate.failure_rate", "probes.negate.n", "probes.negate.high"}
    assert len(found.frame()) == len(probes) == len(found.to_json())


def test_cases_are_bounded_and_go_round_the_documents_in_any_order_of_examples():
    examples = load_examples("stance", "test")["test"]
    first = build_probes(BOOK, "stance", examples, seed=3)
    assert first == build_probes(BOOK, "stance", Random(1).sample(examples, len(examples)), seed=3)
    assert first != build_probes(BOOK, "stance", examples, seed=4)
    for probe in first:
        assert 0 < len(probe.cases) <= LIMIT
    clusters = sorted({example.cluster for example in examples})[: LIMIT // 2]  # two turns, if one sentence has no case
    few = [example for example in examples if example.cluster in clusters]
    typos = next(probe for probe in build_probes(BOOK, "stance", few, seed=3) if probe.name == "typos")
    assert {case.unit for case in typos.cases} == set(clusters)


def test_an_unknown_probe_and_a_name_that_is_taken_are_refused():
    with pytest.raises(DataError, match=r"no probe 'negation' .* negate"):
        build_probes(BOOK, "stance", (), only=["negation"])
    task = BOOK.task("stance")
    twin = task.probes[0].model_copy(update={"name": "typos"})
    tasks = {**BOOK.tasks, "stance": task.model_copy(update={"probes": (twin,)})}
    with pytest.raises(DataError, match="'typos' is the name of a built-in probe"):
        build_probes(BOOK.model_copy(update={"tasks": tasks}), "stance", ())


def test_frames_are_probed_without_an_actor():
    probes = build_probes(BOOK, "frames", load_examples("frames", "test")["test"])
    assert {probe.name for probe in probes} == {each.name for each in INVARIANCES}
    assert all(case.after.actor is None for probe in probes for case in probe.cases)
    bare = [replace(example, prev="", next="") for example in load_examples("frames", "test")["test"][:3]]
    assert build_probes(BOOK, "frames", bare, only=["typos"])[0].cases


def test_intervals_by_case_by_unit_and_not_at_all():
    from scipy.stats import binomtest

    wilson = binomtest(3, 20).proportion_ci(method="wilson")
    wrong = [number < 3 for number in range(20)]
    assert failure_interval(wrong, [str(number) for number in range(20)]) == pytest.approx((wilson.low, wilson.high))
    low, high = failure_interval([True] * 10 + [False] * 30, [str(number // 5) for number in range(40)])
    assert 0 <= low < 0.25 < high < 1
    assert high - low > 0.4  # eight units of which two fail, not forty cases
    assert failure_interval([False] * 40, [str(number // 5) for number in range(40)])[1] > 0.3
    assert np.isnan(failure_interval([True, False, True, True], ["a", "a", "b", "b"])).all()
