"""What docs/serving.md shows is run as it stands there, against a service, and gives what it says."""

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tracking.serving.answers import same

pytestmark = pytest.mark.slow

ADDRESS = "http://127.0.0.1:5001"
TEXT = (Path(__file__).parents[3] / "docs" / "serving.md").read_text("utf-8")
ASKED = [{"text": "Moscow hosted a Taliban delegation.", "actor": "Russia"}]


def block(kind, word):
    """The one block of a kind ("" for none) that holds a word."""
    (found,) = [
        text for named, text in re.findall(r"```(\w*)\n(.*?)```", TEXT, re.DOTALL) if named == kind and word in text
    ]
    assert ADDRESS in found
    return found


def run(command):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here: install it")
def test_the_curl_command_gets_a_reply_of_the_form_shown(service, expected):
    command, _, shown = block("", "curl").partition("\n{")
    one_line = command.replace("\\\n", " ").replace(ADDRESS, service.url)
    reply = json.loads(run([*shlex.split(one_line), "--silent", "--fail"]))
    assert reply["predictions"] == service.ask(ASKED).json()["predictions"]
    same(service.ask(ASKED), expected(ASKED))
    (promised,) = json.loads("{" + shown)["predictions"]
    (row,) = reply["predictions"]
    assert list(row) == list(promised)
    assert {name: type(value) for name, value in row.items()} == {name: type(value) for name, value in promised.items()}


def test_the_python_client_runs_as_it_stands(service):
    said = run([sys.executable, "-c", block("python", "requests").replace(ADDRESS, service.url)])
    assert ast.literal_eval(said) == service.ask(ASKED).json()["predictions"][0]["stance"]
