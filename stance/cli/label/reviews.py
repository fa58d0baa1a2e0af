"""What the commands that ask for a third opinion share: rows as JSON Lines, and tasks into a review project."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stance.wording import counted

if TYPE_CHECKING:
    from stance.codebook import Codebook

Row = Mapping[str, Any]


def write_rows(rows: Iterable[Row], noun: str, output: Path | None, as_json: bool) -> bool:
    """Write rows as JSON Lines to a file, to stdout, or both; False where neither was asked for."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    if output is not None:
        from stance.dataset.files import replacing

        with replacing(output) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        click.echo(f"{output}: {counted(len(lines), noun)}", err=True)
    if as_json:
        for line in lines:
            click.echo(line)
    return as_json or output is not None


def send_tasks(title: str, task: str, tasks: Sequence[Row], book: Codebook, dry_run: bool) -> None:
    """Make the review project hold each task once, and say on stderr what was sent; a dry run only says it.

    Verdicts come back by `stance label pull`.
    """
    from labeling.client import Studio
    from labeling.review import plan_review, push_review
    from stance.cli.progress import bar

    studio = Studio.connect()
    plan = plan_review(studio, title, task, tasks, book)
    outdated = f" ({len(plan.outdated)} in the place of an outdated one)" if plan.outdated else ""
    said = f"{len(plan.send)} to send{outdated}, {plan.there} there"
    if dry_run or not plan.send:
        click.echo(f"review '{title}' at {studio.url}: {said}", err=True)
        return
    with bar("review") as progress:
        project = push_review(studio, plan, book, progress)
    there = counted(project.tasks, "task")
    click.echo(f"review '{title}' ({studio.url}/projects/{project.id}): {said}; {there} in all", err=True)
