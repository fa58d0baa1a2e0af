import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from stance.evaluation.bootstrap import Resampling
from stance.evaluation.slices import OTHER, TOP_ACTORS, has_negation, resampling_unit, score_slices
from stance.records import Example

QUICK = Resampling(resamples=100)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Moscow does not oppose talks.", True),
        ("Tehran hasn’t recognised the group.", True),
        ("The ministry denied meeting the envoys.", True),
        ("It ruled out recognition.", True),
        ("China has no plan to mediate.", True),
        ("Resolution No. 2255 was renewed.", False),
        ("Notably, Norway hosted the talks in another city.", False),
        ("", False),
    ],
)
def test_negation_cues(text, expected):
    assert has_negation(text) is expected


def test_each_slice_scores_its_own_rows(simulate, to_examples, labels):
    sample = simulate(1)
    examples = to_examples(sample)
    found = {(s.kind, s.value): s for s in score_slices(examples, sample.gold, sample.predicted, labels, QUICK)}
    assert {kind for kind, _ in found} == {"actor", "mention", "genre", "year", "labels", "negation"}
    rows = np.array([example.actor == "Russia" for example in examples])
    russia = found["actor", "Russia"]
    assert russia.n == rows.sum()
    assert russia.n_documents == len({example.doc_id for example in examples if example.actor == "Russia"})
    assert russia.macro_f1.estimate == pytest.approx(
        f1_score(sample.gold[rows], sample.predicted[rows], average="macro")
    )
    assert russia.exact_match.estimate == pytest.approx(accuracy_score(sample.gold[rows], sample.predicted[rows]))
    assert russia.exact_match.low < russia.exact_match.estimate < russia.exact_match.high
    for kind in ("actor", "mention", "genre", "year", "labels", "negation"):
        assert sum(each.n for (name, _), each in found.items() if name == kind) == len(examples)


def test_the_worst_come_first_and_small_ones_last(simulate, to_examples, labels):
    sample = simulate(1)
    examples = [replace(example, genre="memo" if i < 29 else "wire") for i, example in enumerate(to_examples(sample))]
    found = score_slices(examples, sample.gold, sample.predicted, labels, QUICK)
    assert {each.value: each.too_small for each in found if each.kind == "genre"} == {"memo": True, "wire": False}
    trusted = [each.exact_match.estimate for each in found if not each.too_small]
    assert trusted == sorted(trusted)
    assert [each.too_small for each in found] == sorted(each.too_small for each in found)


def test_many_rows_of_few_documents_are_too_small(simulate, to_examples, labels):
    sample = simulate(1)
    one_report = [replace(example, doc_id="same") for example in to_examples(sample)]
    assert all(each.too_small for each in score_slices(one_report, sample.gold, sample.predicted, labels, QUICK))


def test_labels_absent_from_a_slice_are_left_out_of_its_macro_average(simulate, to_examples, labels):
    sample = simulate(1)
    found = score_slices(to_examples(sample), sample.gold, sample.predicted, labels, QUICK)
    none = next(each for each in found if (each.kind, each.value) == ("labels", "none"))
    assert none.labels == ()
    assert math.isnan(none.macro_f1.estimate)
    rows = sample.gold.sum(axis=1) == 0
    assert none.exact_match.estimate == pytest.approx((~sample.predicted[rows].any(axis=1)).mean())


def test_rare_actors_are_pooled_and_ties_fall_alphabetically(labels):
    actors = [f"Actor {chr(65 + k)}" for k in range(TOP_ACTORS + 3)]
    examples = [Example(text="x", actor=actor, doc_id=f"d{i}", labels=()) for i, actor in enumerate(reversed(actors))]
    nothing = np.zeros((len(examples), 3), dtype=np.int8)
    found = {s.value: s.n for s in score_slices(examples, nothing, nothing.astype(bool), labels) if s.kind == "actor"}
    assert found == {**dict.fromkeys(actors[:TOP_ACTORS], 1), OTHER: 3}


def test_a_task_per_sentence_has_no_actor_slices(simulate, to_examples, labels):
    sample = simulate(1)
    plain = [replace(e, actor=None, mention=None, date=None, genre=None) for e in to_examples(sample)]
    found = score_slices(plain, sample.gold, sample.predicted, labels, QUICK)
    assert {each.kind for each in found} == {"labels", "negation"}


def test_near_duplicates_are_drawn_together():
    example = Example(text="x", doc_id="copy", cluster="original")
    assert resampling_unit(example) == "original"
    assert resampling_unit(replace(example, cluster="")) == "copy"
    assert resampling_unit(replace(example, cluster="", doc_id="")) == replace(example, doc_id="", cluster="").id
