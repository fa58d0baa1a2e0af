"""Spark gives the rows of the stream on one machine, to the last digit, also when a worker dies on the way."""

import threading
import time

import pytest

from stance.streaming import Job, open_source, predict_stream

pytestmark = pytest.mark.slow

CHAMPION = "models:/taliban-stance@champion"


def test_local_spark_gives_the_rows_of_the_local_stream(  # noqa: PLR0917
    spark_class, many, bundles, classifiers, listener, rows_of, stance_main, tmp_path
):
    done = predict_stream(
        Job(open_source([many], "examples"), classifiers, tmp_path / "local.parquet", 0.6), listener.reports
    )
    models = ["--model", bundles / "stance", "--model", bundles / "frames"]
    given = ["predict", many, "--engine", "spark", "--master", "local[2]", *models, "--sure", 0.6, "-o", "out"]
    ran = stance_main(*given, cwd=tmp_path)
    assert ran.status == 0, ran.err
    columns, rows = rows_of(tmp_path / "out")
    assert (columns, rows) == rows_of(tmp_path / "local.parquet")
    assert (tmp_path / "out" / "_SUCCESS").exists()
    assert len(list((tmp_path / "out").glob("*.parquet"))) > 4
    assert f"{len(rows)} examples read, 3 inputs skipped" in ran.err
    for one in listener.skipped:
        assert f"skipped {one.where}: {one.reason.partition(';')[0]}" in ran.err
    for task in ("stance", "frames"):
        assert f"{task}: {done.unsure[task]} of {done.asked[task]} left unanswered" in ran.err
    again = stance_main(*given, cwd=tmp_path)
    assert again.status == 1
    assert "nothing is overwritten" in again.err
    assert rows_of(tmp_path / "out") == (columns, rows)


def test_a_worker_that_dies_costs_no_row_and_doubles_none(  # noqa: PLR0917
    cluster, many, workspace, rows_of, stance_main, tmp_path
):
    mortal = cluster.add_worker("mortal")
    cluster.add_worker("other")
    output, seen = tmp_path / "out", []

    def kill_midway():
        for _ in range(6000):
            done = list(output.glob("_temporary/0/task_*"))
            if len(done) >= 2 and list((tmp_path / "mortal").glob("app-*/*/stderr")):
                cluster.kill(mortal)
                seen.append(len(done))
                return
            time.sleep(0.01)

    killer = threading.Thread(target=kill_midway)
    killer.start()
    options = ["--engine", "spark", "--master", cluster.address, "--model", CHAMPION]
    ran = stance_main("predict", many, *options, "-o", output, cwd=workspace)
    killer.join()
    assert ran.status == 0, ran.err
    parts = list(output.glob("*.parquet"))
    assert seen
    assert seen[0] < len(parts)
    assert "Removing worker" in (tmp_path / "master.log").read_text() or mortal.poll() is not None
    local = stance_main(
        "predict", many, "--as", "examples", "--model", CHAMPION, "-o", tmp_path / "local.parquet", cwd=workspace
    )
    assert local.status == 0, local.err
    assert rows_of(output) == rows_of(tmp_path / "local.parquet")
    assert not list(output.glob("_temporary"))
