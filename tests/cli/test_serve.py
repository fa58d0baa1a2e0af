"""`stance serve` where it must not start. What it answers once it runs is in tests/tracking/serving/."""

import pytest

from stance.tracking.serving.door import VARIABLE
from stance.tracking.serving.network import listen


@pytest.fixture(autouse=True)
def _no_token(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def test_other_machines_need_a_token(stance_main, assert_refused, tmp_path):
    assert_refused(
        stance_main("serve", "--host", "0.0.0.0", cwd=tmp_path), "0.0.0.0 can be reached by others", VARIABLE
    )


def test_a_token_is_never_repeated(stance_main, assert_refused, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, "tooshort")
    ran = stance_main("serve", "--port", 0, cwd=tmp_path)
    assert_refused(ran, VARIABLE, "fewer than 16")
    assert "tooshort" not in ran.err


def test_a_port_in_use_is_named(stance_main, assert_refused, tmp_path):
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert_refused(stance_main("serve", "--port", port, cwd=tmp_path), f"127.0.0.1:{port}", "--port")


def test_a_task_that_the_codebook_lacks_is_named(stance_main, assert_refused, tmp_path):
    assert_refused(stance_main("serve", "--port", 0, "--task", "stanse", cwd=tmp_path), "stanse")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("models:/nothing@champion", "no model 'nothing'"),
        ("models:/taliban-stance/9", "no version '9'"),
        ("x", "models:/"),
    ],
)
def test_a_model_that_is_not_there_is_named(stance_main, assert_refused, workspace, uri, words):
    assert_refused(stance_main("serve", "--port", 0, "--model", uri, cwd=workspace), words)


@pytest.mark.slow
def test_a_folder_without_a_store_is_named(stance_main, assert_refused, tmp_path):
    assert_refused(stance_main("serve", "--port", 0, cwd=tmp_path), "there is no MLflow store here")
