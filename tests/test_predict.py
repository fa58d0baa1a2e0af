"""From raw articles to rows and a summary."""

import pandas as pd
import pytest

from stance import codebook, config, samples
from stance.corpus.articles import read_articles
from stance.dataset import load_examples
from stance.errors import DataError
from stance.experiment import fit
from stance.models.classifier import Classifier
from stance.predict import ORIGIN, predict_articles, summarize
from stance.records import Article

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def classifiers(tmp_path_factory):
    """A model of each task, fitted on a tenth of the shipped corpus."""
    path = tmp_path_factory.mktemp("predict") / "quick.yaml"
    path.write_text("name: quick\nmodel: {kind: tfidf-linear}\n")
    book = codebook.load()
    found = []
    for task in book.tasks:
        parts = {part: examples[:500] for part, examples in load_examples(task).items()}
        found.append(Classifier(*fit(config.load(path, [f"task={task}"]), book, parts, print), book, task))
    return found


@pytest.fixture(scope="module")
def articles():
    return list(read_articles(samples.paths()))


@pytest.fixture(scope="module")
def frame(articles, classifiers):
    return predict_articles(articles, classifiers)


def test_the_columns_are_those_documented(frame, classifiers):
    expected = list(ORIGIN)
    for classifier in classifiers:
        expected += [*(f"{classifier.task}.{label}" for label in classifier.labels), classifier.task]
    assert list(frame.columns) == expected
    assert frame["doc_id"].nunique() == len(samples.paths())
    for classifier in classifiers:
        for label in classifier.labels:
            column = frame[f"{classifier.task}.{label}"]
            assert column.dtype == float
            assert column.dropna().between(0, 1).all()


def test_a_sentence_without_actor_has_one_row_and_no_stance(frame):
    alone = frame[frame["actor"].isna()]
    assert len(alone) > 0
    assert not alone.duplicated(["doc_id", "index"]).any()
    assert alone["stance"].isna().all()
    assert alone[["stance.engage", "stance.oppose"]].isna().all(axis=None)
    assert alone["frames"].map(lambda value: isinstance(value, list)).all()
    named = frame[frame["actor"].notna()]
    assert named["stance"].map(lambda value: isinstance(value, list)).all()
    assert not named.duplicated(["doc_id", "index", "actor"]).any()
    assert set(zip(named["doc_id"], named["index"], strict=True)).isdisjoint(
        zip(alone["doc_id"], alone["index"], strict=True)
    )


def test_rows_stand_in_reading_order(frame, articles):
    assert list(dict.fromkeys(frame["doc_id"])) == [article.doc_id for article in articles]
    for _, own in frame.groupby("doc_id"):
        assert own["index"].is_monotonic_increasing
        for _, sentence in own.groupby("index"):
            starts = sentence["start"].dropna()
            assert starts.is_monotonic_increasing


def test_offsets_point_at_the_mention(frame):
    found = frame[frame["start"].notna()]
    assert len(found) > 0
    assert all(row.text[int(row.start) : int(row.end)] == row.mention for row in found.itertuples())


def test_frames_are_the_sentences_own_on_each_of_its_rows(frame):
    for _, sentence in frame.groupby(["doc_id", "index"]):
        assert len({tuple(given) for given in sentence["frames"]}) == 1


def test_one_task_alone_can_be_predicted(articles, classifiers):
    stance, frames = classifiers
    only = predict_articles(articles, [frames])
    assert only["actor"].isna().all()
    assert not only.duplicated(["doc_id", "index"]).any()
    both = predict_articles(articles, [stance])
    assert "frames" not in both
    assert both["actor"].isna().any()


def test_the_evidence_carries_the_label_and_is_the_surest(frame, classifiers):
    labels = classifiers[0].labels
    summary = summarize(frame, "stance", labels)
    assert len(summary) > 0
    for row in summary.itertuples():
        own = frame[
            (frame["actor"] == row.actor) & frame["stance"].map(lambda v, r=row: v is not None and r.label in v)
        ]
        assert len(own) == row.n
        assert row.evidence in own["text"].tolist()
        assert row.probability == own[f"stance.{row.label}"].max()
    for _, own in summary.groupby("actor"):
        assert [labels.index(label) for label in own["label"]] == sorted(labels.index(one) for one in own["label"])


def test_nothing_to_report_gives_an_empty_summary(classifiers):
    frame = predict_articles([Article("It rained all day in the valley.")], classifiers)
    assert len(frame) == 1
    assert len(summarize(frame, "stance", classifiers[0].labels)) == 0
    empty = predict_articles([], classifiers)
    assert (len(empty), len(summarize(empty, "stance", classifiers[0].labels))) == (0, 0)


def test_prediction_is_repeatable(frame, articles, classifiers):
    pd.testing.assert_frame_equal(predict_articles(articles, classifiers), frame)


def test_models_that_do_not_belong_together_are_one_error(articles, classifiers):
    with pytest.raises(DataError, match="several models for one task"):
        predict_articles(articles, [classifiers[0], classifiers[0]])
    other = Classifier(
        classifiers[1].model,
        classifiers[1].calibration,
        classifiers[1].codebook.model_copy(update={"name": "b"}),
        "frames",
    )
    with pytest.raises(DataError, match="several codebooks"):
        predict_articles(articles, [classifiers[0], other])


def test_asked_to_be_sure_it_leaves_out_what_it_is_not_sure_of(articles, classifiers, frame):
    careful = predict_articles(articles, classifiers, sure=0.6)
    for task in ("stance", "frames"):
        assert careful[f"{task}.sure"].isna().equals(frame[task].isna())
        sure = careful[f"{task}.sure"].eq(True)
        assert 0 < sure.sum() < frame[task].notna().sum()
        assert careful.loc[sure, task].tolist() == frame.loc[sure, task].tolist()
        assert careful.loc[~sure, task].isna().all()
    with pytest.raises(DataError, match="above 0 and below 1"):
        predict_articles(articles, classifiers, sure=90)
