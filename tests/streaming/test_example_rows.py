"""Bad rows of example files are named, counted and passed over, and a file's damage stops at its end."""

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stance.dataset import write_examples
from stance.errors import DataError
from stance.records import Example
from stance.streaming import Job, open_source, predict_stream

pytestmark = pytest.mark.slow


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
    assert [path.name for path in output.parent.iterdir()] == [output.name]


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
    assert list(output.parent.iterdir()) == []
