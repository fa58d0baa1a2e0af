"""A run that was stopped, killed or starved of disk goes on where it was, without a lost or doubled row."""

import errno
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from stance.dataset import write_examples
from stance.errors import DataError
from stance.models.classifier import Classifier
from stance.records import Example
from stance.streaming import Job, open_source, part, predict_stream

pytestmark = pytest.mark.slow

# Waits for a line at every report, so that it never gets further than one batch ahead of its killer.
RUN = """
import sys
from contextlib import nullcontext
from pathlib import Path
from stance.models.classifier import Classifier
from stance.streaming import Job, Reports, open_source, predict_stream

_, source, output, *models, batch = sys.argv
told = lambda state: (print(state["done"], flush=True), sys.stdin.readline())
job = Job(open_source([source]), [Classifier.load(m) for m in models], Path(output), batch=int(batch))
predict_stream(job, Reports(lambda one: None, print, lambda name: nullcontext(told)))
"""


@pytest.mark.parametrize("kind", ["articles", "parquet", "jsonl"])
def test_killed_at_random_it_goes_on_without_a_lost_or_doubled_row(  # noqa: PLR0917
    kind, inputs, bundles, classifiers, listener, output
):
    whole = output.with_name("whole.parquet")
    predict_stream(Job(open_source([inputs[kind]]), classifiers, whole, batch=100), listener.reports)
    command = [sys.executable, "-c", RUN, str(inputs[kind]), str(output), str(bundles / "stance")]
    chance = random.Random(kind)
    for batch in (37, 64):
        with subprocess.Popen(
            [*command, str(bundles / "frames"), str(batch)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            for _ in range(chance.randint(1, 2)):
                process.stdout.readline()
                process.stdin.write(b"\n")
                process.stdin.flush()
            time.sleep(chance.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert not output.exists()
    last = [*command, str(bundles / "frames"), "50"]
    done = subprocess.run(last, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert "going on after" in done.stdout
    assert pq.read_table(output).equals(pq.read_table(whole))
    assert {path.name for path in output.parent.iterdir()} == {output.name, whole.name}


@pytest.mark.parametrize("stop", [1, 2, 4])
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


def test_what_a_run_killed_in_a_write_left_goes_with_the_next(examples, classifiers, stopping, output):
    left, others = f".{output.name}.0a1b2c3d.tmp", f".{output.name}x.0a1b2c3d.tmp"
    for name in (left, f"..{output.name}.part.json.0a1b2c3d.tmp", others):
        output.with_name(name).touch()
    predict_stream(Job(open_source([examples]), classifiers, output, batch=100), stopping().reports)
    assert {path.name for path in output.parent.iterdir()} == {output.name, others}


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
    assert (len(list(output.parent.iterdir())) > 1) == (len(shared) > 1)
    done = predict_stream(job, stopping().reports)
    assert done.resumed == 100 * (len(shared) - 1)
    assert len(pd.read_parquet(output)) == done.rows == done.read


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
