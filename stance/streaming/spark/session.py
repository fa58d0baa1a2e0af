"""The way to Spark. A master's address enters; an open session leaves, with Java's talk in a file of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stance.errors import EngineError
from stance.streaming.spark.failures import wrap_failures

BATCH: Final = 4096  # rows that a model gets at once, as in a stream on one machine
_LOOPBACK: Final = "127.0.0.1"
_WAIT: Final = 5.0  # seconds for a master to answer
_STANDALONE: Final = "spark://"

_DEFAULTS: Final = {
    "spark.app.name": "stance predict",
    "spark.ui.showConsoleProgress": "false",
    "spark.executorEnv.OMP_NUM_THREADS": "1",  # a core has one task; more threads would fight for it
    "spark.executorEnv.MLFLOW_DISABLE_TELEMETRY": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH),
    "spark.sql.files.maxPartitionBytes": "8m",  # some 50,000 examples: what a lost executor costs at most per core
    "spark.sql.files.openCostInBytes": "1m",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "1",  # tasks' files appear at the end, together
}
"""What a job needs; everything but this is Spark's own, and spark-defaults.conf or spark-submit overrule all of it."""

_SET_BY_PYSPARK: Final = {"spark.app.name": "pyspark-shell", "spark.ui.showConsoleProgress": "true"}
_LOCAL: Final = {
    "spark.driver.bindAddress": _LOOPBACK,
    "spark.driver.host": _LOOPBACK,
    "spark.ui.enabled": "false",
}


@dataclass(frozen=True)
class Session:
    """An open session, and the file that Java writes to while it is open."""

    spark: Any
    log: Path


@contextmanager
def open_session(master: str | None = None) -> Iterator[Session]:
    """Yield a new session, which ends with the block.

    `master` is Spark's: `local[2]`, `spark://host:7077`, `yarn`, `k8s://…`; without, spark-defaults.conf decides, and
    then all cores of this machine. With a local master every port is on the loopback address. Errors of Spark inside
    the block become EngineError, as do a missing Java or pyspark and a master that does not answer.
    """
    pyspark = _import_pyspark()
    _check_java()
    _check_master(master)
    log = Path(tempfile.mkdtemp(prefix="stance-spark-")) / "spark.log"
    log.touch()
    interrupt = signal.getsignal(signal.SIGINT)  # pyspark puts its own in place, for ever
    with wrap_failures(log), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        spark = _start(pyspark, master, log)
        try:
            yield Session(spark, log)
        finally:
            with suppress(Exception):  # Java may be gone, which is then what is told
                spark.stop()
            with suppress(ValueError):  # not in the main thread: nor was it changed
                signal.signal(signal.SIGINT, interrupt)
    shutil.rmtree(log.parent, ignore_errors=True)  # only after all went well: an error names it


def _import_pyspark() -> Any:
    try:
        import pyspark.sql
    except ImportError as error:
        raise EngineError("Spark is not installed; run: pip install 'stance-kit[spark]'") from error
    return pyspark


def _check_java() -> None:
    """Without this Spark's start script fails with a line of shell."""
    home = os.environ.get("JAVA_HOME")
    if home and not (Path(home) / "bin" / "java").exists():
        raise EngineError(f"JAVA_HOME is {home}, where there is no bin/java; correct it (Spark 4 needs Java 17 or 21)")
    if not home and shutil.which("java") is None:
        raise EngineError("Spark needs Java 17 or 21, and there is no `java` here; install one, or set JAVA_HOME")


def _check_master(master: str | None) -> None:
    """Spark itself would try a master that is not there for minutes."""
    if master == "yarn" and not ({"HADOOP_CONF_DIR", "YARN_CONF_DIR"} & os.environ.keys()):
        raise EngineError("for --master yarn set HADOOP_CONF_DIR to the folder with the cluster's yarn-site.xml")
    if master is None or not master.startswith(_STANDALONE):
        return
    why: Exception | None = None
    for address in master.removeprefix(_STANDALONE).split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_WAIT).close()
        except (OSError, ValueError) as error:
            why = error
        else:
            return
    raise EngineError(f"no Spark master answers at {master}: {why}; start it, or correct --master") from why


def _start(pyspark: Any, master: str | None, log: Path) -> Any:
    from pyspark.java_gateway import launch_gateway

    gateway = pyspark.SparkContext._gateway  # pyspark keeps one Java per process
    if gateway is None:
        with log.open("wb") as handle:
            gateway = launch_gateway(popen_kwargs={"stdout": handle, "stderr": handle})
    conf = pyspark.SparkConf(True, gateway.jvm)
    if master is not None:
        conf.setMaster(master)
    local = conf.get("spark.master", "local").startswith("local")
    for key, value in {**_DEFAULTS, **(_LOCAL if local else {})}.items():
        if conf.get(key) in (None, _SET_BY_PYSPARK.get(key)):
            conf.set(key, value)
    with _python(sys.executable):
        context = pyspark.SparkContext(conf=conf, gateway=gateway)
    return pyspark.sql.SparkSession(context)


@contextmanager
def _python(program: str) -> Iterator[None]:
    """Workers would take any `python3` without a word in the environment, and find no stance-kit in it."""
    given = "PYSPARK_PYTHON" in os.environ
    os.environ.setdefault("PYSPARK_PYTHON", program)
    try:
        yield
    finally:
        if not given:
            os.environ.pop("PYSPARK_PYTHON", None)
