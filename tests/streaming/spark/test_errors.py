"""What a user does wrong on Spark is one line that says what to do, and no word of Java."""

import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.slow  # its workspace holds trained models
BUNDLE = "bundle"


@pytest.fixture
def predict(stance_main, workspace, many):
    """Runs `stance predict … --engine spark` in the workspace, and asserts that it ended with one line."""

    def run(path, *options, words):
        given = ["predict", path, "--engine", "spark", "-o", "out-of-spark", *options]
        ran = stance_main(*given, cwd=workspace)
        assert ran.status == 1, ran.err
        errors = [line for line in ran.err.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1
        assert not [line for line in ran.err.splitlines() if line.strip().startswith(("at ", "Traceback"))]
        for word in words:
            assert word in errors[0]
        assert not (workspace / "out-of-spark").exists()

    return run


def test_without_java(predict, many, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    predict(many, words=["Java 17", "JAVA_HOME"])
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    predict(many, words=["JAVA_HOME is", "bin/java"])


def test_without_pyspark(predict, many, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    predict(many, words=["pip install 'stance-kit[spark]'"])


def test_a_master_that_is_not_there(spark_class, predict, many, monkeypatch):
    predict(many, "--master", "spark://127.0.0.1:1", words=["no Spark master answers", "--master"])
    monkeypatch.delenv("HADOOP_CONF_DIR", raising=False)
    monkeypatch.delenv("YARN_CONF_DIR", raising=False)
    predict(many, "--master", "yarn", words=["HADOOP_CONF_DIR"])


def test_an_unknown_alias(predict, many):
    predict(many, "--model", "models:/taliban-stance@best", words=["no alias 'best'", "champion"])


def test_paths_without_parquet(predict, tmp_path):
    predict(tmp_path / "none", words=["no such file"])
    (tmp_path / "a.jsonl").write_text("{}\n")
    predict(tmp_path, words=["no .parquet file", "stance ingest"])
    predict(tmp_path / "a.jsonl", words=["no .parquet file"])


@pytest.mark.parametrize(
    "options", [["--json"], ["--stream"], ["--no-clusters"], ["--as", "articles"]], ids=lambda given: given[0]
)
def test_options_of_the_other_engine_are_usage_errors(stance_main, tmp_path, options):
    assert stance_main("predict", ".", "--engine", "spark", "-o", "out", *options, cwd=tmp_path).status == 2
    assert stance_main("predict", ".", "--engine", "spark", cwd=tmp_path).status == 2
    assert stance_main("predict", ".", "--master", "local", cwd=tmp_path).status == 2


def test_what_only_spark_can_tell(spark_class, predict, tmp_path):
    predict_local = [tmp_path, "--master", "local[1]"]
    for table, words in (
        ({"words": ["a"]}, ["no column", "'text'", "--as examples"]),
        ({"text": ["a"], "actor": ["b"], "id": [7], "mention": ["b"], "targets": [[]]}, ["'id' holds bigint", "text"]),
        ({"text": pa.array([None], pa.string())}, ["no example could be read"]),
    ):
        pq.write_table(pa.table(table), tmp_path / "a.parquet")
        ready = ["--as", "examples"] if len(table) == 1 and "text" in table else []
        predict(*predict_local, *ready, words=words)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    predict(*predict_local, words=["Spark", "a.parquet"])
    pq.write_table(pa.table({"text": ["a", None]}), tmp_path / "a.parquet")
    predict(*predict_local, "--as", "examples", "--strict", words=["a.parquet:2: no 'text'"])
    predict(tmp_path, "--master", "nonsense", words=["nonsense"])
