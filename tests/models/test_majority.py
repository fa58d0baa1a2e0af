"""The majority model: label rates, the same for everyone."""

import numpy as np
import pytest

from stance.errors import BundleError, DataError
from stance.models.majority import Majority
from stance.records import Example

LABELS = ("engage", "oppose")


def fitted(sets=(("engage",), ("engage", "oppose"), (), ())):
    model = Majority(LABELS, Majority.Settings(), seed=1)
    model.fit([Example("x", "A", index=i, labels=labels) for i, labels in enumerate(sets)], [])
    return model


def test_answers_the_prevalence_of_each_label():
    probabilities = fitted().predict_proba([Example("a"), Example("b"), Example("")])
    assert probabilities.dtype == np.float32
    np.testing.assert_array_equal(probabilities, [[0.5, 0.25]] * 3)


def test_no_examples_give_no_rows():
    assert fitted().predict_proba([]).shape == (0, 2)


def test_a_saved_model_answers_the_same(tmp_path):
    model = fitted((("oppose",), (), ()))
    model.save(tmp_path)
    loaded = Majority.load(tmp_path)
    assert (loaded.labels, loaded.seed) == (LABELS, 1)
    np.testing.assert_array_equal(loaded.predict_proba([Example("a")]), model.predict_proba([Example("a")]))
    assert loaded.describe()["prevalence"] == pytest.approx({"engage": 0.0, "oppose": 1 / 3}, abs=1e-5)


def test_needs_examples_before_it_answers(tmp_path):
    model = Majority(LABELS, Majority.Settings())
    with pytest.raises(DataError, match="at least one"):
        model.fit([], [])
    with pytest.raises(DataError, match="not been fitted"):
        model.predict_proba([Example("a")])
    with pytest.raises(DataError, match="nothing to save"):
        model.save(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"prevalence": 3, "seed": 0}', '{"prevalence": {"a": "x"}}'])
def test_a_damaged_file_is_a_bundle_error(tmp_path, content):
    (tmp_path / "majority.json").write_text(content)
    with pytest.raises(BundleError, match="train it again"):
        Majority.load(tmp_path)


def test_progress_ends_at_its_total():
    seen = []
    Majority(LABELS, Majority.Settings()).fit([Example("x", labels=())], [], progress=seen.append)
    assert seen[-1]["done"] == seen[-1]["total"]
