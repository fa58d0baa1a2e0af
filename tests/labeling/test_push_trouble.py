"""Pushes that are killed, run twice at once, or lose their server: processes of their own on the real server."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from labeling.client import Studio
from stance.dataset import write_examples
from stance.records import Example

pytestmark = pytest.mark.slow


def example(number, text="Moscow hosted a delegation, number {}.", **more):
    return Example(text=text.format(number), actor="Russia", mention="Moscow", start=0, end=6, index=number, **more)


def held(studio, title):
    """How often each example stands in the project."""
    (project,) = studio.projects(title)
    return Counter(state.example_id for state in studio.all_tasks(project.id))


def start_push(server, file, title, *options, cwd):
    command = [sys.executable, "-m", "stance.cli.main", "label", "push", file, "--project", title, *options]
    environment = {**os.environ, "LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_API_KEY": server.account.token}
    return subprocess.Popen(
        [str(each) for each in command], cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.fixture
def many(tmp_path):
    """1,100 examples in a file: three requests."""
    examples = [example(number, "Moscow said so for the {}th time. " + "Words follow. " * 20) for number in range(1100)]
    write_examples(examples, tmp_path / "many.jsonl")
    return examples, tmp_path / "many.jsonl"


def test_two_pushes_at_once_into_a_new_project(studio, studio_server, title, many, tmp_path):
    examples, file = many
    both = [start_push(studio_server, file, title, "--json", cwd=tmp_path) for _ in range(2)]
    said = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert held(studio, title) == Counter(each.id for each in examples)


@pytest.mark.parametrize("after", [0.0, 1.5])
def test_a_push_killed_at_any_point_is_made_whole_by_the_next(studio, studio_server, title, many, after):
    examples, file = many
    tmp_path = file.parent
    process = start_push(studio_server, file, title, cwd=tmp_path)
    while not studio.projects(title) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert start_push(studio_server, file, title, cwd=tmp_path).wait(240) == 0
    assert held(studio, title) == Counter(each.id for each in examples)


def test_a_server_killed_in_the_middle_and_restarted_is_waited_for(start_server, many, tmp_path):
    examples, file = many
    server = start_server()
    studio = Studio(server.settings)
    process = start_push(server, file, "survivor", cwd=tmp_path)
    while not any(project.tasks for project in studio.projects("survivor")):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()
    time.sleep(2)
    again = start_server(server.log.parent, int(server.url.rpartition(":")[2]))
    _, said = process.communicate(timeout=240)
    assert process.returncode == 0, said
    assert held(Studio(again.settings), "survivor") == Counter(each.id for each in examples)
    again.stop()
