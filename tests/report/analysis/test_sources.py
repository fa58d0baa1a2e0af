"""Whether a model is the one that predicted, on real bundles."""

from contextlib import chdir

import pytest

from stance import codebook
from stance.errors import DataError
from stance.models.bundle import read_bundle
from stance.report.analysis import sources
from stance.report.analysis.predictions import prepare, read_predictions
from stance.tracking.loading import fetch_bundle

pytestmark = pytest.mark.slow

BOOK = codebook.load()


@pytest.fixture(scope="module")
def bundles(newsroom):
    with chdir(newsroom):
        return sources.read_champions(BOOK)


@pytest.fixture(scope="module")
def predicted(newsroom):
    return read_predictions(newsroom / "p.parquet", BOOK)


def test_the_champions_correct_what_they_predicted(bundles, predicted):
    found = sources.find_correction(predicted, bundles)
    assert found.uncorrected == {}
    for bundle in bundles:
        metrics, own = bundle.manifest.metrics, found.rates[bundle.manifest.task]
        for label, rates in own.items():
            assert rates.hits == metrics[f"test.{label}.recall"]
            assert 0 < rates.alarms < rates.hits < 1
            assert rates.with_label <= metrics[f"test.{label}.support"]


def test_another_model_is_refused_when_named_and_left_out_when_guessed(bundles, predicted, row, table):
    frame = predicted.frame.copy()
    at = frame.index[frame["stance"].map(bool)][0]
    frame.at[at, "stance"] = []
    other = prepare(frame, BOOK)
    with pytest.raises(DataError, match=r"'stance' were not made by this model: it gives '.*' from 0"):
        sources.find_correction(other, bundles)
    guessed = sources.find_correction(other, bundles, guessed=True)
    assert guessed.uncorrected == {"stance": sources.OTHER_MODEL}
    assert list(guessed.rates) == ["frames"]


def test_each_reason_to_leave_counts_alone_is_told(bundles, predicted, tmp_path):
    assert sources.find_correction(predicted, []).uncorrected == dict.fromkeys(["stance", "frames"], sources.NO_MODEL)
    careful = prepare(predicted.frame.assign(**{"stance.sure": [False] * len(predicted.frame)}), BOOK)
    assert sources.find_correction(careful, bundles).uncorrected == {"stance": sources.LEFT_OPEN}
    alone = prepare(predicted.frame[[name for name in predicted.frame if not name.startswith("frames")]], BOOK)
    with pytest.raises(DataError, match="the model of 'frames' did not make these"):
        sources.find_correction(alone, bundles)


def test_where_there_is_no_store_there_are_no_champions(tmp_path, newsroom):
    with chdir(tmp_path):
        assert sources.read_champions(BOOK) == []
    with chdir(newsroom):
        one = read_bundle(fetch_bundle("models:/taliban-stance@champion"))
    assert one.manifest.task == "stance"


def test_the_shipped_codebook_is_known_by_its_labels(predicted, row, table):
    assert sources.fitting_book(predicted) == BOOK
    assert sources.fitting_book(prepare(table(row("a")).rename(columns={"stance.engage": "stance.x"}))) is None
