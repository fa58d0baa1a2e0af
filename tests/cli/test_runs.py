"""`stance runs` as a user reads it."""

import pytest


def test_help_says_that_json_is_json_lines(stance_main, tmp_path):
    assert "JSON Lines: one object per run" in stance_main("runs", "--help", cwd=tmp_path).out


@pytest.mark.slow
def test_one_run_is_no_plural(stance_main, workspace):
    shown = stance_main("runs", "tfidf-linear", cwd=workspace)
    assert shown.status == 0, shown.err
    assert shown.out.splitlines()[0].strip() == "1 run"
