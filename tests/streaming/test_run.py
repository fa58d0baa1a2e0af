"""Streams give the rows of the small way, whatever the batch, also after a kill; and nothing half-written."""

import errno
import json
import random
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stance import samples
from stance.corpus.articles import read_articles
from stance.corpus.ingest import ingest
from stance.dataset import write_examples
from stance.dataset.files import write_table
from stance.errors import DataError
from stance.models.classifier import Classifier
from stance.predict import predict_articles
from stance.records import Example
from stance.streaming import Job, open_source, part, predict_examples, predict_stream

pytestmark = pytest.mark.slow

RUN = """
import sys
from contextlib import nullcontext
from pathlib import Path
from stance.models.classifier import Classifier
from stance.streaming import Job, Reports, open_source, predict_stream

_, source, output, batch, *models = sys.argv
told = lambda state: print(state["done"], flush=True)
job = Job(open_source([source]), [Classifier.load(m) for m in models], Path(output), batch=int(batch))
predict_stream(job, Reports(print, print, lambda name: nullcontext(told)))
"""


@pytest.fixture(scope="module")
def news(tmp_path_factory):
    """The sample articles six times over, reworded here and there, a bad line and a repeat between, as one file."""
    path = tmp_path_factory.mktemp("news") / "news.jsonl"
    lines = []
    for turn in range(6):
        for article in read_articles(samples.paths()):
            title = f"{turn}: {article.title}"
            lines.append(json.dumps({"title": title, "text": article.text, "date": article.date, "outlet": "Wire"}))
        lines += ['{"text": ""}', "broken", lines[0]]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def table(news, classifiers):
    """What the small way says of the articles."""
    return predict_articles(read_articles([news]), classifiers)


@pytest.fixture(scope="module", params=["parquet", "jsonl"])
def examples(request, news, classifiers, tmp_path_factory):
    """The articles' examples as `stance ingest` writes them."""
    path = tmp_path_factory.mktemp("examples") / f"examples.{request.param}"
    write_examples(ingest(read_articles([news]), classifiers[0].codebook), path)
    return path


@pytest.fixture
def output(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "stances.parquet"


def assert_same(path, frame):
    """The file reads back as the frame does when the small way writes it."""
    small = path.with_name("small" + path.suffix)
    write_table(frame, small)
    readers = {".parquet": pd.read_parquet, ".csv": pd.read_csv}
    read = readers.get(path.suffix, lambda file: pd.read_json(file, lines=True, convert_dates=False))
    found, expected = read(path), read(small)
    for name in expected.columns[expected.isna().all()]:  # the small way does not know what is not there to be text
        assert found[name].isna().all()
        found[name] = expected[name]
    pd.testing.assert_frame_equal(found, expected)
    small.unlink()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
def test_articles_give_the_rows_of_the_small_way(news, table, classifiers, listener, output, ending):  # noqa: PLR0917
    output = output.with_suffix(f".{ending}")
    done = predict_stream(Job(open_source([news]), classifiers, output, batch=200), listener.reports)
    assert_same(output, table)
    assert (done.rows, done.resumed) == (len(table), 0)
    assert (done.read, done.skipped) == (36, 12)
    assert [one.where for one in listener.skipped[:2]] == [f"{news}:6", f"{news}:7"]
    assert listener.steps == ["scoring", "clusters", "writing"]
    assert names(output.parent) == [output.name]
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


@pytest.mark.parametrize("kind", ["news", "examples"])
def test_killed_at_random_it_goes_on_without_a_lost_or_doubled_row(kind, request, bundles, classifiers, output):
    source = request.getfixturevalue(kind)
    whole = output.with_name("whole.parquet")
    command = [sys.executable, "-c", RUN, str(source)]
    models = [str(bundles / "stance"), str(bundles / "frames")]
    subprocess.run([*command, str(whole), "100", *models], check=True, capture_output=True)
    chance = random.Random(str(source))
    for batch in (37, 120, 64):
        with subprocess.Popen([*command, str(output), str(batch), *models], stdout=subprocess.PIPE) as process:
            for _ in range(chance.randint(1, 6)):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert not output.exists()
    last = subprocess.run([*command, str(output), "50", *models], check=True, capture_output=True, text=True)
    assert "going on after" in last.stdout
    assert pq.read_table(output).equals(pq.read_table(whole))
    assert names(output.parent) == ["stances.parquet", "whole.parquet"]


@pytest.mark.parametrize("stop", [1, 2, 5])
def test_stopped_at_a_checkpoint_it_scores_only_what_is_left(examples, classifiers, stopping, output, stop):
    job = Job(open_source([examples]), classifiers, output, batch=100)
    with pytest.raises(KeyboardInterrupt):
        predict_stream(job, stopping(stop).reports)
    done = predict_stream(job, stopping().reports)
    assert done.resumed == 100 * stop
    again = predict_stream(replace(job, output=output.with_name("again.parquet")), stopping().reports)
    assert (done.rows, again.resumed) == (again.rows, 0)
    assert pq.read_table(output).equals(pq.read_table(output.with_name("again.parquet")))


def test_a_torn_last_batch_is_scored_again(examples, classifiers, stopping, output):
    job = Job(open_source([examples]), classifiers, output, batch=100)
    with pytest.raises(KeyboardInterrupt):
        predict_stream(job, stopping(2).reports)
    torn = output.with_name(f".{output.name}.part")
    torn.write_bytes(torn.read_bytes() + torn.read_bytes()[:999])
    done = predict_stream(job, stopping().reports)
    assert done.resumed == 200
    assert len(pd.read_parquet(output)) == done.rows == done.read


@pytest.mark.parametrize("change", ["input", "models", "settings"])
def test_another_input_model_or_setting_starts_anew_and_says_so(  # noqa: PLR0917
    examples, classifiers, stopping, output, tmp_path, change
):
    source = tmp_path / examples.name
    source.write_bytes(examples.read_bytes())
    job = Job(open_source([source]), classifiers, output, batch=100)
    with pytest.raises(KeyboardInterrupt):
        predict_stream(job, stopping(2).reports)
    if change == "input":
        write_examples([Example("Russia hosted the Taliban.", "Russia", doc_id="other")], source)
    elif change == "models":
        job = replace(job, classifiers=classifiers[:1])
    else:
        job = replace(job, sure=0.6)
    listener = stopping()
    done = predict_stream(job, listener.reports)
    assert done.resumed == 0
    assert len(listener.notes) == 1
    assert listener.notes[0].startswith("starting anew")
    assert change in listener.notes[0]
    assert len(pd.read_parquet(output)) == done.rows
    if change == "input":
        assert done.rows == 1


def test_a_model_of_no_bundle_never_resumes(examples, classifiers, stopping, output):
    unknown = [Classifier(one.model, one.calibration, one.codebook, one.task) for one in classifiers]
    job = Job(open_source([examples]), unknown, output, batch=100)
    with pytest.raises(KeyboardInterrupt):
        predict_stream(job, stopping(2).reports)
    assert predict_stream(job, stopping().reports).resumed == 0


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_bad_rows_are_named_counted_and_passed_over(classifiers, listener, output, tmp_path, ending):
    good = Example("Russia hosted the Taliban.", "Russia", "Russia", 0, 6, doc_id="d").to_row()
    rows = [good, {**good, "id": "0" * 16}, {**good, "end": 99}, {**good, "text": None}, good]
    source = tmp_path / f"mixed.{ending}"
    if ending == "jsonl":
        source.write_text("\n".join([*map(json.dumps, rows), "{", "[1]", ""]), "utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows), source, row_group_size=2)
    done = predict_stream(Job(open_source([source]), classifiers, output, batch=1), listener.reports)
    bad = [2, 3, 4, 6, 7] if ending == "jsonl" else [2, 3, 4]
    assert [one.where for one in listener.skipped] == [f"{source}:{number}" for number in bad]
    assert "stored id" in listener.skipped[0].reason
    assert (done.rows, done.read, done.skipped) == (2, 2, len(bad))
    strict = Job(open_source([source]), classifiers, output.with_name("strict.parquet"), strict=True)
    with pytest.raises(DataError, match=f"{source.name}:2: the stored id"):
        predict_stream(strict, listener.reports)
    assert names(output.parent) == [output.name]


def test_a_file_damaged_in_the_middle_gives_what_stands_before_and_is_named(
    examples, classifiers, stopping, output, tmp_path
):
    if examples.suffix == ".jsonl":
        pytest.skip("lines stand alone")
    broken, after = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(pq.read_table(examples), broken, row_group_size=100)
    place = pq.ParquetFile(broken).metadata.row_group(2).column(1).data_page_offset
    content = bytearray(broken.read_bytes())
    content[place : place + 400] = b"\xff" * 400
    broken.write_bytes(content)
    write_examples([Example("Russia hosted the Taliban.", "Russia", doc_id="last")], after)
    job = Job(open_source([broken, after]), classifiers, output, batch=50)
    listener = stopping()
    done = predict_stream(job, listener.reports)
    assert [one.where for one in listener.skipped] == [str(broken)]
    assert (done.rows, done.skipped) == (201, 1)
    assert pd.read_parquet(output)["doc_id"].iloc[-1] == "last"


@pytest.mark.parametrize("content", ["", "\n\n", '{"text": 3, "id": 1, "actor": 1, "mention": 1, "targets": []}'])
def test_a_file_without_an_example_is_an_error_and_leaves_nothing(classifiers, listener, output, tmp_path, content):
    (tmp_path / "none.jsonl").write_text(content)
    with pytest.raises(DataError, match="no example could be read"):
        predict_stream(Job(open_source([tmp_path / "none.jsonl"], "examples"), classifiers, output), listener.reports)
    assert names(output.parent) == []


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_scored(
    examples, classifiers, listener, tmp_path
):
    source = open_source([examples])
    for output in (tmp_path / "missing" / "out.parquet", tmp_path, tmp_path / "out.txt"):
        with pytest.raises(DataError, match=output.name):
            predict_stream(Job(source, classifiers, output), listener.reports)
    assert listener.steps == []
    assert names(tmp_path) == []


class Full:
    """A file that takes no more than some bytes, as a full disk does."""

    def __init__(self, handle, room):
        self.handle, self.room = handle, room

    def __getattr__(self, name):
        return getattr(self.handle, name)

    def write(self, data):
        taken = bytes(data)[: self.room]
        self.room -= len(taken)
        self.handle.write(taken)
        if len(taken) < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("room", [0, 20_000])
def test_a_full_disk_stops_the_run_and_keeps_what_was_done(examples, classifiers, stopping, output, monkeypatch, room):  # noqa: PLR0917
    job = Job(open_source([examples]), classifiers, output, batch=100)
    output.write_bytes(b"from before")
    original = part.Part.append
    shared = []

    def append(self, table, state):
        shared.append(shared[0] if shared else Full(self.handle, room))
        self.handle = shared[0]
        original(self, table, state)

    with monkeypatch.context() as patch:
        patch.setattr(part.Part, "append", append)
        with pytest.raises(DataError, match="No space left"):
            predict_stream(job, stopping().reports)
    assert output.read_bytes() == b"from before"
    assert (len(names(output.parent)) > 1) == (len(shared) > 1)
    done = predict_stream(job, stopping().reports)
    assert done.resumed == 100 * (len(shared) - 1)
    assert len(pd.read_parquet(output)) == done.rows == done.read


def test_a_disk_that_fills_while_the_output_is_written_leaves_the_old_one(
    examples, classifiers, stopping, output, monkeypatch
):
    job = Job(open_source([examples]), classifiers, output, batch=100)
    output.write_bytes(b"from before")

    def write(self, *arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pq.ParquetWriter, "write_table", write)
        with pytest.raises(DataError, match="No space left"):
            predict_stream(job, stopping().reports)
    assert output.read_bytes() == b"from before"
    assert not list(output.parent.glob("*.tmp"))
    done = predict_stream(job, stopping().reports)
    assert done.resumed == done.rows == len(pd.read_parquet(output))


def test_two_runs_cannot_write_one_output(examples, classifiers, stopping, output):
    job = Job(open_source([examples]), classifiers, output, batch=100)
    listener = stopping()
    told = []

    def second(name, state):
        if not told:
            told.append(name)
            with pytest.raises(DataError, match="another run is writing it"):
                predict_stream(job, stopping().reports)

    listener.hear = second
    done = predict_stream(job, listener.reports)
    assert told == ["scoring"]
    assert len(pd.read_parquet(output)) == done.rows


def test_the_output_stands_in_row_groups_and_progress_goes_to_the_end(
    examples, classifiers, listener, output, monkeypatch
):
    monkeypatch.setattr("stance.streaming.outputs.ROW_GROUP", 150)
    source = open_source([examples])
    done = predict_stream(Job(source, classifiers, output, batch=50), listener.reports)
    metadata = pq.ParquetFile(output).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups - 1)] == [150] * (done.rows // 150)
    shares = np.array([done / total for name, done, total in listener.progress if name == "scoring"])
    assert (np.diff(shares) > 0).all()
    assert 0 < shares[0] < 0.2
    assert 0.9 < shares[-1] <= 1.001
