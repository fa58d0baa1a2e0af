"""The command line from training to prediction, as a user types it."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from stance import samples

HEAVY = ("torch", "transformers", "sklearn", "pandas", "mlflow", "numpy", "datasets", "matplotlib", "scipy", "pyarrow")
slow = pytest.mark.slow


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("arguments", [["--help"], ["codebook", "show"], ["train", "--help"], ["predict", "--help"]])
def test_help_and_codebook_load_no_heavy_package(arguments, tmp_path):
    code = (
        f"import sys; sys.argv = ['stance', *{arguments!r}]\n"
        "from stance.cli.main import main\n"
        f"main(); print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
    assert done.stdout


def test_exit_status_tells_what_happened(stance_main, tmp_path):
    assert stance_main("--version", cwd=tmp_path).status == 0
    assert stance_main("codebook", "show", cwd=tmp_path).status == 0
    assert stance_main("runs", cwd=tmp_path).status == 1
    for usage in ([], ["no-such-verb"], ["train"], ["runs", "--no-such-option"], ["ingest"], ["promote", "--force"]):
        ran = stance_main(*usage, cwd=tmp_path)
        assert (ran.status, ran.out) == (2, ""), usage
        assert ran.err
    assert list(tmp_path.iterdir()) == []


def test_codebook_as_json_and_for_one_task(stance_main, tmp_path):
    assert json.loads(stance_main("codebook", "show", "--json", cwd=tmp_path).out)["name"] == "taliban"
    shown = stance_main("codebook", "show", "--task", "frames", cwd=tmp_path).out
    assert "humanitarian" in shown
    assert stance_main("codebook", "show", "--task", "mood", cwd=tmp_path).status == 1


def test_a_dry_run_prints_the_configuration_and_leaves_nothing(stance_main, tmp_path):
    (tmp_path / "trial.yaml").write_text("name: trial\nmodel: {kind: majority}\n")
    ran = stance_main("train", "trial.yaml", "seed=4", "--dry-run", cwd=tmp_path)
    assert (ran.status, ran.err) == (0, "")
    assert "seed: 4" in ran.out
    assert [path.name for path in tmp_path.iterdir()] == ["trial.yaml"]


@slow
def test_runs_and_compare_show_what_was_trained(stance_main, workspace):
    shown = stance_main("runs", cwd=workspace)
    assert shown.status == 0
    assert {"majority", "tfidf-linear", "FINISHED"} <= set(shown.out.split())
    rows = json_lines(stance_main("runs", "--task", "stance", "--json", cwd=workspace).out)
    assert {"majority", "tfidf-linear"} <= {row["name"] for row in rows}
    assert stance_main("runs", "--task", "frames", "--json", cwd=workspace).out == ""
    compared = stance_main("compare", "majority", "tfidf-linear", cwd=workspace)
    assert compared.status == 0
    assert "test.macro_f1" in compared.out
    rows = json_lines(stance_main("compare", "majority", "tfidf-linear", "--json", cwd=workspace).out)
    (macro,) = [row for row in rows if row["name"] == "test.macro_f1"]
    assert macro["difference"] == pytest.approx(macro["tfidf-linear"] - macro["majority"])


@slow
def test_training_prints_scores_on_stdout_and_progress_on_stderr(stance_main, workspace):
    given = ["train", "majority.yaml", "name=printed"]
    ran = stance_main(*given, cwd=workspace)
    assert ran.status == 0
    assert "macro f1" in ran.out
    assert "stance promote --task stance" in ran.out
    assert "printed (stance): done in" in ran.err
    result = json.loads(stance_main(*given, "--json", cwd=workspace).out)
    assert result.keys() == {"run_id", "seconds", "test"}
    assert any(
        row["run_id"] == result["run_id"] for row in json_lines(stance_main("runs", "--json", cwd=workspace).out)
    )


@slow
def test_the_gate_has_its_own_status(stance_main, workspace):
    rows = json_lines(stance_main("runs", "--task", "stance", "--json", cwd=workspace).out)
    worst = min((row for row in rows if row["test.macro_f1"] is not None), key=lambda row: row["test.macro_f1"])
    card = (workspace / "models" / "taliban-stance.md").read_text()
    ran = stance_main("promote", "--run", worst["run_id"], cwd=workspace)
    assert ran.status == 3
    assert "challenger now" in ran.out
    assert "\n  failed: macro-F1 " in ran.out
    assert ran.err.startswith("error: taliban-stance keeps its champion")
    assert "--force --why" in ran.err
    assert (workspace / "models" / "taliban-stance.md").read_text() == card
    facts = json.loads(stance_main("promote", "--run", worst["run_id"], "--dry-run", "--json", cwd=workspace).out)
    assert (facts["outcome"], facts["dry_run"], facts["card"]) == ("refuse", True, None)
    for usage in (["--why", "because"], ["--force", "--why", " "], ["--non-inferior", "3"]):
        assert stance_main("promote", *usage, cwd=workspace).status == 2


@slow
def test_a_fresh_process_predicts_with_the_champion(workspace):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "stance.cli.main", "predict", "--json", *map(str, samples.paths())],
        cwd=workspace,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json_lines(done.stdout)
    assert {"doc_id", "text", "actor", "stance.engage", "stance"} <= rows[0].keys()
    assert any(row["actor"] and row["stance"] is not None for row in rows)
    assert any(row["actor"] is None and row["stance"] is None for row in rows)
    assert "5 articles read, 0 inputs skipped" in done.stderr
    assert "without frames" in done.stderr


@slow
def test_the_table_shows_actor_stance_and_evidence(stance_main, workspace):
    ran = stance_main("predict", samples.paths()[0].parent, "--model", "models:/taliban-stance@champion", cwd=workspace)
    assert ran.status == 0, ran.err
    assert "Who takes which stance, in 5 documents" in ran.out
    assert {"actor", "evidence"} <= set(ran.out.replace("┃", " ").split())


@slow
@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
def test_output_is_a_whole_file_that_reads_back(stance_main, workspace, tmp_path, ending):
    output = tmp_path / f"out.{ending}"
    output.write_text("from before")
    given = ["predict", *samples.paths(), "--model", "models:/taliban-stance@champion", "-o", output]
    ran = stance_main(*given, cwd=workspace)
    assert (ran.status, ran.out) == (0, ""), ran.err
    reader = {"parquet": pd.read_parquet, "csv": pd.read_csv, "jsonl": lambda path: pd.read_json(path, lines=True)}
    frame = reader[ending](output)
    assert f"{output}: {len(frame)} rows" in ran.err
    assert len(frame) > 20
    assert frame["stance.engage"].dropna().between(0, 1).all()
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


@slow
def test_ingest_writes_examples(stance_main, tmp_path):
    output = tmp_path / "examples.jsonl"
    ran = stance_main("ingest", *samples.paths(), "-o", output, cwd=tmp_path)
    assert ran.status == 0, ran.err
    rows = json_lines(output.read_text())
    assert f"{output}: {len(rows)} examples" in ran.err
    assert all(row["actor"] for row in rows)


@slow
def test_streams_and_ready_examples_give_the_rows_of_the_articles(stance_main, workspace, tmp_path):
    def predict(name, *given):
        model = ["--model", "models:/taliban-stance@champion"]
        ran = stance_main("predict", *given, *model, "-o", tmp_path / name, cwd=workspace)
        assert ran.status == 0, ran.err
        return pd.read_parquet(tmp_path / name), ran.err

    examples = tmp_path / "examples.parquet"
    assert stance_main("ingest", *samples.paths(), "-o", examples, cwd=workspace).status == 0
    whole, _ = predict("whole.parquet", *samples.paths())
    streamed, told = predict("streamed.parquet", *samples.paths(), "--stream")
    pd.testing.assert_frame_equal(streamed, whole)
    assert "5 articles read, 0 inputs skipped" in told
    alone, _ = predict("alone.parquet", *samples.paths(), "--no-clusters")
    assert whole["cluster"].notna().all()
    assert alone["cluster"].isna().all()
    ready, told = predict("ready.parquet", examples, "--as", "examples")
    named = whole[whole["actor"].notna()].reset_index(drop=True)
    pd.testing.assert_series_equal(ready["stance.engage"], named["stance.engage"])
    assert f"{len(named)} examples read, 0 inputs skipped" in told
    assert stance_main("predict", examples, "--stream", cwd=workspace).status == 2
