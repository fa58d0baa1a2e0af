"""Does the comparison keep still where nothing drifted, and speak where something did? On the shipped corpus."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from stance.dataset import load_examples
from stance.errors import DataError
from stance.evaluation.drift import Measure, Plan, Rows, measure_drift
from stance.evaluation.drift.answers import measure_prevalence
from stance.evaluation.drift.permutation import Units, permute

LABELS = ("engage", "oppose", "recognize", "sanction")
PLAN = Plan(resamples=299)


@pytest.fixture(scope="module")
def pool():
    """The corpus's examples by near-duplicate cluster, of 160 clusters."""
    documents = {}
    for example in load_examples("stance", "train")["train"]:
        documents.setdefault(example.cluster, []).append(example)
    return [documents[name] for name in sorted(documents)[:160]]


def rows(documents, seed=0):
    """Documents as rows; the answers are the gold labels, and each document has its own level of confidence."""
    examples = [example for own in documents for example in own]
    generator = np.random.default_rng([seed, 7])
    level = {example.cluster: generator.beta(5, 3) for example in examples}
    sure = np.clip([level[example.cluster] + generator.normal(0, 0.1) for example in examples], 0, 1)
    given = np.array([[label in example.labels for label in LABELS] for example in examples])
    columns = zip(*((example.cluster, example.text, example.actor) for example in examples), strict=True)
    return Rows(*columns, given, sure)


def halves(pool, seed, share=0.5):
    order = np.random.default_rng(seed).permutation(len(pool))
    cut = int(len(pool) * share)
    return [pool[i] for i in order[:cut]], [pool[i] for i in order[cut:]]


def compare(old, new, seed=0, plan=PLAN):
    before, after = (rows(each, seed + k) for k, each in enumerate((old, new)))
    return measure_drift(before, before, after, LABELS, plan)


def found(drift):
    return {each.title: each.verdict for each in drift.measures}


@pytest.mark.slow
def test_two_halves_of_one_corpus_are_stable_as_often_as_promised(pool):
    """At 5%, at most 4 of 24 false alarms but in one of sixty such tests."""
    alarms = 0
    for seed in range(24):
        old, new = halves(pool, seed)
        alarms += compare(old[:40], new[:40], 2 * seed, Plan(resamples=199, seed=seed)).verdict != "stable"
    assert alarms <= 4


def test_rows_of_one_document_are_not_taken_for_independent():
    """Documents that are all of one label: a test of rows nearly always sees drift, ours as seldom as promised."""
    naive, ours = [], []
    for seed in range(60):
        generator = np.random.default_rng(seed)
        given = [np.repeat(generator.random((20, 1)) < 0.4, 15, axis=0) for _ in range(2)]
        old, new = (Rows(tuple(f"{k}.{i // 15}" for i in range(300)), given=one) for k, one in enumerate(given))
        ours.append(measure_prevalence(old, new, ("engage",), Plan(resamples=99, seed=seed))[0].p)
        naive.append(chi2_contingency([[one.sum() + 1, (~one).sum() + 1] for one in given]).pvalue)
    assert np.mean(np.array(ours) <= 0.05) <= 0.12
    assert np.mean(np.array(naive) <= 0.05) >= 0.4


@pytest.mark.slow
def test_a_planted_shift_of_prevalence_is_found(pool):
    old, new = halves(pool, 1)
    rich = sorted(new, key=lambda own: -np.mean(["oppose" in each.labels for each in own]))[:40]
    drift = compare(old, rich)
    assert found(drift)["prevalence of oppose"] == "drifted"
    assert drift.verdict == "drifted"
    measure = next(each for each in drift.measures if each.name == "oppose")
    assert measure.new > measure.reference
    assert any("prevalence of oppose" in reason and "→" in reason for reason in drift.reasons)


@pytest.mark.slow
def test_planted_new_actors_are_found_and_named(pool):
    old, new = halves(pool, 2)
    renamed = [[replace(each, actor="Ruritania") if i % 3 == 0 else each for each in own] for i, own in enumerate(new)]
    drift = compare(old, renamed)
    assert found(drift)["unseen actors"] == found(drift)["actors"] == "drifted"
    assert "Ruritania" in next(each for each in drift.measures if each.name == "unseen actors").detail
    assert found(drift)["text"] == found(drift)["prevalence of engage"] == "stable"


@pytest.mark.slow
def test_planted_other_texts_are_found_and_their_words_named(pool):
    old, new = halves(pool, 3)
    other = [[replace(each, text=f"{each.text} The harbour tariff rose.") for each in own] for own in new[:40]]
    drift = compare(old, other)
    assert found(drift)["text"] == "drifted"
    assert "tariff" in next(each for each in drift.measures if each.family == "text").detail
    assert {verdict for title, verdict in found(drift).items() if title != "text"} == {"stable"}


@pytest.mark.slow
def test_a_model_less_sure_is_found(pool):
    old, new = halves(pool, 4)
    before, after = rows(old, 1), rows(new, 2)
    drift = measure_drift(before, before, replace(after, confidence=after.confidence * 0.7), LABELS, PLAN)
    assert found(drift)["confidence"] == "drifted"


def test_a_small_difference_is_no_drift_however_many_documents():
    generator = np.random.default_rng(0)
    sides = [generator.random((4000, 1)) < share for share in (0.50, 0.545)]
    units = [tuple(f"{k}.{i}" for i in range(4000)) for k in range(2)]
    old, new = (Rows(own, given=given) for own, given in zip(units, sides, strict=True))
    plan = Plan(resamples=199, most=4000)
    measure = measure_prevalence(old, new, ("engage",), plan)[0]
    assert measure.p < 0.05
    assert measure.judge(measure.p, 0.05).verdict == "stable"


@pytest.mark.parametrize(
    ("effect", "q", "verdict"),
    [(0.5, 0.2, "stable"), (0.5, 0.01, "drifted"), (0.15, 0.01, "watch"), (0.05, 0.01, "stable")],
)
def test_a_verdict_needs_size_and_more_than_chance(effect, q, verdict):
    assert Measure("text", "text", 0.5, 0.6, effect, 0.2, 0.1, q).judge(q, 0.05).verdict == verdict


def test_the_same_seed_gives_the_same_numbers(pool):
    first, second = (compare(pool[:12], pool[12:24], plan=Plan(resamples=49)).flat() for _ in range(2))
    assert first == second
    assert all(0 < value <= 1 for name, value in first.items() if name.endswith((".p", ".q")))


def test_too_few_documents_are_one_error(pool):
    with pytest.raises(DataError, match="new data: 4 documents say too little"):
        compare(pool[:10], pool[10:14])


def test_of_very_many_documents_some_are_drawn():
    plan = Plan(most=10, resamples=19)
    units = Units([f"a{i}" for i in range(50)], [f"b{i % 30}" for i in range(60)], plan)
    assert (units.n_reference, units.n_new) == (10, 10)
    assert units.sums(np.ones((110, 1))).sum() == 10 + 20
    counted = permute(lambda is_new: (is_new[:, :1], is_new[:, :1]), units, plan)
    assert 0 < counted.p[0] <= 1
