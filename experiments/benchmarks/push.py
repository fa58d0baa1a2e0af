"""How long it takes to push 10,000 tasks to a real Label Studio, and whether killed pushes leave exactly 10,000.

    python -m experiments.benchmarks.push [--tasks N] [--kills K] [--model URI]

A server of its own is started in a temporary folder (its first start takes a minute). The push is `stance label push`
in a process of its own, from start to exit; the killed ones get SIGKILL at times spread over that duration, each is run
again, and tasks and distinct examples are counted on the server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from labeling import server as servers
from labeling.client import Studio
from labeling.installation import install
from labeling.settings import FOLDER, KEY, URL
from stance.cli import tables
from stance.dataset import write_examples
from stance.records import Example

WORDS = "Moscow hosted a Taliban delegation for the {}th time on Monday, while neighbours condemned the visit."


def make_examples(count: int) -> list[Example]:
    """Return examples of about 100 characters with as much context on both sides."""
    around = WORDS.format("nth")
    return [
        Example(WORDS.format(i), "Russia", "Moscow", 0, 6, prev=around, next=around, doc_id=str(i // 20), index=i % 20)
        for i in range(count)
    ]


def push(server: servers.Server, file: Path, project: str, model: str | None, kill_after: float | None) -> float:
    """Run one push, or a part of one, and return its seconds."""
    command = [sys.executable, "-m", "stance.cli.main", "label", "push", str(file), "--project", project]
    command += ["--model", model] if model else []
    began = time.monotonic()
    environment = {**os.environ, URL: server.url, KEY: server.account.token}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            status = process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            status = 0
    if status:
        raise SystemExit(f"the push failed with status {status}")
    return time.monotonic() - began


def count(studio: Studio, project: str) -> str:
    """Return tasks and distinct examples of a project."""
    names = [state.example_id for state in studio.all_tasks(studio.find_project(project).id)]
    return f"{len(names):,} tasks, {len(set(names)):,} examples"


def there(studio: Studio, project: str) -> int:
    """Return how many tasks a project has; 0 where there is none."""
    return sum(found.tasks for found in studio.projects(project))


@click.command()
@click.option("--tasks", default=10_000, show_default=True, help="How many.")
@click.option("--kills", default=3, show_default=True, help="How many pushes are killed.")
@click.option("--model", help="Send this model's predictions too.")
def main(tasks: int, kills: int, model: str | None) -> None:
    """Print seconds and counts."""
    rows: list[tuple[str, object, str]] = []
    with tempfile.TemporaryDirectory() as name:
        folder, file = Path(name), Path(name) / "examples.jsonl"
        write_examples(make_examples(tasks), file)
        program = install(FOLDER / "venv", click.echo)
        for variable in (KEY, URL, "LABEL_STUDIO_USERNAME", "LABEL_STUDIO_PASSWORD"):
            os.environ.pop(variable, None)
        with servers.running(folder / "server", 0, program, lambda words: click.echo(words, err=True)) as server:
            studio = Studio(server.settings)
            whole = push(server, file, "whole", model, None)
            rows.append(("push", whole, count(studio, "whole")))
            rows.append(("again, nothing to send", push(server, file, "whole", model, None), count(studio, "whole")))
            for number in range(1, kills + 1):
                title = f"killed {number}"
                spent = push(server, file, title, model, whole * number / (kills + 1))
                rows.append((f"killed after {spent:.1f} s", spent, f"{there(studio, title):,} tasks"))
                rows.append(("… and run again", push(server, file, title, model, None), count(studio, title)))
    tables.show(f"{tasks:,} tasks{' with predictions' if model else ''}", ("what", "seconds", "then there"), rows)


if __name__ == "__main__":
    main()
