"""Spark as a user has it, kept to the loopback address; examples in several files, good and bad."""

import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stance.dataset import load_examples, write_examples

FILES, ROWS = 12, 500
SETTINGS = """\
spark.sql.files.maxPartitionBytes 64k
spark.sql.files.openCostInBytes 64k
spark.driver.bindAddress 127.0.0.1
spark.driver.host 127.0.0.1
spark.ui.enabled false
spark.master.rest.enabled false
spark.driver.memory 512m
spark.executor.memory 512m
"""


def spark_program() -> Path:
    """Spark's own starter, from the package."""
    pyspark = pytest.importorskip("pyspark", reason="no pyspark: pip install 'stance-kit[spark]'")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("no java: install one (17 or 21), as with `apt-get install openjdk-17-jre-headless`")
    return Path(pyspark.__file__).parent / "bin" / "spark-class"


@pytest.fixture(scope="session")
def spark_class(tmp_path_factory):
    """Spark's starter; from here on Spark in this process keeps to the loopback address, and makes many small tasks."""
    program = spark_program()
    settings = tmp_path_factory.mktemp("spark-settings")
    (settings / "spark-defaults.conf").write_text(SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(settings))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("OMP_NUM_THREADS", "1")
        yield program


def examples(turn):
    """500 of the shipped examples, of other texts each turn; some name their actor twice, or have none."""
    known = [example for part in load_examples("stance").values() for example in part]
    for i in range(turn * ROWS, (turn + 1) * ROWS):
        one = replace(known[i % len(known)], doc_id=f"document {i}", labels=None, index=i % 3)
        if i % 7 == 0 and one.mention:
            text = f"{one.mention} came. {one.text}"
            shift = len(text) - len(one.text)
            spans = tuple((start + shift, end + shift) for start, end in one.targets)
            one = replace(one, text=text, start=one.start + shift, end=one.end + shift, targets=spans)
        elif i % 11 == 0:
            one = replace(one, actor=None, mention=None, start=None, end=None)
        yield replace(one, cluster="" if i % 5 else one.cluster, title=None if i % 4 else one.title)


@pytest.fixture(scope="session")
def many(tmp_path_factory):
    """A folder with folders of Parquet, three bad rows in the first file, and a file of another kind."""
    folder = tmp_path_factory.mktemp("many [1] {a}")
    for turn in range(FILES):
        own = folder / f"month={turn % 3}" / f"{turn}.parquet"
        own.parent.mkdir(exist_ok=True)
        write_examples(examples(turn), own)
    first = folder / "month=0" / "0.parquet"
    table = pq.read_table(first).to_pylist()
    table[3]["text"], table[10]["start"], table[20]["id"] = None, 10_000, "0" * 16
    pq.write_table(pq.read_table(first).from_pylist(table, pq.read_schema(first)), first)
    (folder / "README.txt").write_text("Months of news.")
    return folder


def rows_of(path):
    """The rows of predictions, in an order of their own, and the columns."""
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows.sort(key=lambda row: (row["doc_id"], row["index"], row["text"], row["actor"] or ""))
    return table.column_names, rows


@pytest.fixture(scope="session", name="rows_of")
def _rows_of():
    return rows_of


class Cluster:
    """A standalone master and workers of one core each, all on the loopback address."""

    def __init__(self, program, folder):
        self.program, self.folder, self.processes = str(program), folder, []
        self.master = self._start("master", "master.Master", "--port", "0")
        self.address = self._wait("master", r"(spark://127\.0\.0\.1:\d+)")

    def add_worker(self, name):
        work = self.folder / name
        options = ("--cores", "1", "--memory", "600m", "--work-dir", work, "--port", "0")
        worker = self._start(name, "worker.Worker", *options, self.address)
        self._wait(name, r"Successfully registered with (master)")
        return worker

    def _start(self, name, what, *options):
        given = [self.program, f"org.apache.spark.deploy.{what}", "--host", "127.0.0.1", "--webui-port", "0"]
        environment = {**os.environ, "SPARK_NO_DAEMONIZE": "1", "SPARK_DAEMON_MEMORY": "256m"}
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*given, *map(str, options)], env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)
        return process

    def _wait(self, name, pattern):
        for _ in range(600):
            text = (self.folder / f"{name}.log").read_text("utf-8", "replace")
            if found := re.search(pattern, text):
                return found[1]
            time.sleep(0.1)
        raise AssertionError(f"{name} did not start: {text}")

    def kill(self, process):
        """End a machine: the worker and the executors that it started, at once."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)


@pytest.fixture
def cluster(spark_class, tmp_path):
    opened = Cluster(spark_class, tmp_path)
    yield opened
    opened.close()
