"""An output is whole or the one from before, is refused early where it must be, and tells how far it is."""

import errno

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from stance.errors import DataError
from stance.streaming import Job, open_source, predict_stream

pytestmark = pytest.mark.slow


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_scored(
    examples, classifiers, listener, tmp_path
):
    source = open_source([examples])
    for output in (tmp_path / "missing" / "out.parquet", tmp_path, tmp_path / "out.txt"):
        with pytest.raises(DataError, match=output.name):
            predict_stream(Job(source, classifiers, output), listener.reports)
    assert listener.steps == []
    assert list(tmp_path.iterdir()) == []


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
