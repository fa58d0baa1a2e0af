"""`stance probe` as a user types it."""

import json

import pytest

pytestmark = pytest.mark.slow


def test_the_table_and_the_failures_are_shown(workspace, stance_main):
    uri = "models:/taliban-stance@champion"
    ran = stance_main("probe", uri, "--only", "negate", "--only", "typos", "--failures", "1", cwd=workspace)
    assert ran.status == 0, ran.err
    assert "2 probes, the worst first" in ran.out
    assert "rule 3 (Negation)" in ran.out
    assert "should be" in ran.out
    as_json = stance_main("probe", uri, "--only", "negate", "--json", cwd=workspace)
    (result,) = json.loads(as_json.out)
    assert result["name"] == "negate"
    assert 0 <= result["low"] <= result["failure_rate"] <= result["high"] <= 1
    assert len(result["failures"]) == round(result["failure_rate"] * result["n"])


def test_an_unknown_probe_is_one_error(workspace, stance_main, assert_refused):
    ran = stance_main("probe", "models:/taliban-stance@champion", "--only", "negation", cwd=workspace)
    assert_refused(ran, "no probe 'negation'", "swap-roles")
