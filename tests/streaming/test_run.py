"""Streams give the rows of the small way, whatever the kind of input, the batch and the models."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stance.corpus.articles import read_articles
from stance.dataset.files import write_table
from stance.predict import predict_articles
from stance.streaming import Job, open_source, predict_examples, predict_stream

pytestmark = pytest.mark.slow


def assert_same(path, frame):
    """The file reads back as the frame does when the small way writes it."""
    small = path.with_name("small" + path.suffix)
    write_table(frame, small)
    readers = {".parquet": pd.read_parquet, ".csv": pd.read_csv}
    read = readers.get(path.suffix, lambda file: pd.read_json(file, lines=True, dtype=False))
    found, expected = read(path), read(small)
    for name in expected.columns[expected.isna().all()]:  # the small way does not know what is not there to be text
        assert found[name].isna().all()
        found[name] = expected[name]
    pd.testing.assert_frame_equal(found, expected)
    small.unlink()


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
def test_articles_give_the_rows_of_the_small_way(news, table, classifiers, listener, output, ending):  # noqa: PLR0917
    output = output.with_suffix(f".{ending}")
    done = predict_stream(Job(open_source([news]), classifiers, output, batch=200), listener.reports)
    assert_same(output, table)
    assert (done.rows, done.resumed) == (len(table), 0)
    assert (done.read, done.skipped) == (36, 12)
    assert [one.where for one in listener.skipped[:2]] == [f"{news}:6", f"{news}:7"]
    assert listener.steps == ["scoring", "clusters", "writing"]
    assert [path.name for path in output.parent.iterdir()] == [output.name]
    assert table["cluster"].nunique() < table["doc_id"].nunique()


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.integers(20, 900))
def test_any_batch_size_gives_the_same_rows(news, table, classifiers, stopping, output, batch):  # noqa: PLR0917
    source = open_source([news])
    predict_stream(Job(source, classifiers, output, batch=batch), stopping().reports)
    assert_same(output, table)


def test_examples_give_the_rows_of_their_articles(examples, table, classifiers, listener, output):
    source = open_source([examples])
    assert source.kind == "examples"
    done = predict_stream(Job(source, classifiers, output, batch=64), listener.reports)
    named = table[table["actor"].notna()].reset_index(drop=True)
    assert_same(output, named)
    assert (done.rows, done.read, done.skipped) == (len(named), len(named), 0)
    pd.testing.assert_frame_equal(predict_examples(source, classifiers, listener.skipped.append), named)


def test_asked_to_be_sure_both_ways_leave_out_the_same(news, classifiers, listener, output):
    done = predict_stream(Job(open_source([news]), classifiers, output, sure=0.6, batch=100), listener.reports)
    careful = predict_articles(read_articles([news]), classifiers, sure=0.6)
    assert_same(output, careful)
    sentences = careful.drop_duplicates(["doc_id", "index"])
    for task, rows in (("stance", careful), ("frames", sentences)):
        asked = rows[f"{task}.sure"].dropna().astype(bool)
        assert (done.unsure[task], done.asked[task]) == ((~asked).sum(), len(asked))
        assert 0 < done.unsure[task] < done.asked[task]


def test_one_task_per_sentence_gives_a_row_per_sentence(news, classifiers, listener, output):
    predict_stream(Job(open_source([news]), classifiers[1:], output), listener.reports)
    assert_same(output, predict_articles(read_articles([news]), classifiers[1:]))


def test_without_clusters_that_column_is_null(news, table, classifiers, listener, output):
    predict_stream(Job(open_source([news]), classifiers, output, clusters=False), listener.reports)
    assert "clusters" not in listener.steps
    found = pd.read_parquet(output)
    assert found["cluster"].isna().all()
    pd.testing.assert_series_equal(found["stance.engage"], table["stance.engage"])
