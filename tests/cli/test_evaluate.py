"""`stance evaluate` as a user types it."""

import json

import pytest

from stance.cli.evaluate import SPLITS
from stance.dataset.divisions import KINDS

slow = pytest.mark.slow


def test_the_command_offers_every_kind_of_split():
    assert SPLITS == KINDS


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x.yaml"],
        ["--model", "m"],
        ["x.yaml", "--split", "mood"],
        ["x.jsonl", "--model", "m", "--split", "time"],
        ["x.jsonl", "seed=1", "--model", "m"],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(stance_main, tmp_path, arguments):
    ran = stance_main("evaluate", *arguments, cwd=tmp_path)
    assert (ran.status, ran.out) == (2, "")


@slow
def test_a_split_by_unseen_actor(workspace, stance_main):
    given = ["majority.yaml", "name=unseen", "--split", "unseen-actor", "--hold-out", "Russia"]
    ran = stance_main("evaluate", *given, cwd=workspace)
    assert ran.status == 0, ran.err
    assert "split by unseen-actor" in ran.out
    assert "held out: Russia" in ran.out
    content = json.loads(stance_main("evaluate", *given, "--json", cwd=workspace).out)
    assert content["held_out"] == ["Russia"]
    assert content["sizes"]["test"] == content["test"]["n_examples"]


@slow
def test_without_an_experiment_the_recipe_is_the_champions(workspace, stance_main, assert_refused, tmp_path):
    given = ["name=again", "--split", "unseen-actor", "--hold-out", "Russia", "--json"]
    ran = stance_main("evaluate", *given, cwd=workspace)
    assert ran.status == 0, ran.err
    own = stance_main("evaluate", "tfidf-linear.yaml", *given, cwd=workspace)
    assert json.loads(ran.out)["test"] == json.loads(own.out)["test"]
    assert_refused(stance_main("evaluate", "--split", "time", cwd=tmp_path), "train first")


@slow
def test_a_split_that_the_data_does_not_allow_says_why(workspace, stance_main, assert_refused):
    ran = stance_main("evaluate", "majority.yaml", "--split", "outlet", cwd=workspace)
    assert_refused(ran, "tiny.jsonl", "no example has one", "split by document")


@slow
def test_too_few_documents_for_an_interval_show_a_dash_and_why(workspace, stance_main, tmp_path):
    rows = (workspace / "tiny.jsonl").read_text().splitlines()
    first = {json.loads(row)["doc_id"]: None for row in rows}
    few = [row for row in rows if json.loads(row)["doc_id"] in list(first)[:2]]
    (tmp_path / "few.jsonl").write_text("\n".join(few))
    ran = stance_main("evaluate", "--model", "models:/taliban-stance@champion", tmp_path / "few.jsonl", cwd=workspace)
    assert ran.status == 0, ran.err
    assert "nan" not in ran.out
    assert "[–]" in ran.out
    assert "–: no interval, as 2 documents say nothing about spread; it takes 5" in ran.out


@slow
def test_a_model_on_a_file(workspace, stance_main):
    given = ["evaluate", "--model", "models:/taliban-stance@champion", "tiny.jsonl"]
    ran = stance_main(*given, cwd=workspace)
    assert ran.status == 0, ran.err
    assert "macro f1" in ran.out
    assert json.loads(stance_main(*given, "--json", cwd=workspace).out)["test"]["n_examples"] > 100
