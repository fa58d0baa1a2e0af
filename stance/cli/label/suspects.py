"""`stance label suspects`: labels that look wrong, as a list and as a review queue."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.cli.label.reviews import send_tasks, write_rows

if TYPE_CHECKING:
    from labeling.suspects import Suspect


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--task", default="stance", show_default=True, help="The task of the codebook.")
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
@click.option("--kind", default="tfidf-linear", show_default=True, help="The kind of model that doubts.")
@click.option("--n", "count", type=click.IntRange(1), help="At most so many; default: all that are called an issue.")
@click.option("--seed", default=13, show_default=True, type=click.IntRange(0), help="The same seed finds the same.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per suspect.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write one JSON object per suspect to a file.")
@click.option("--push", "title", metavar="PROJECT", help="Send the suspects to this review project.")
@click.option("--dry-run", is_flag=True, help="Only say what --push would send.")
def suspects(
    file: Path | None, task: str, codebook: Path | None, kind: str, count: int | None, seed: int, as_json: bool,
    output: Path | None, title: str | None, dry_run: bool,
) -> None:  # fmt: skip
    """List the examples of FILE (default: the shipped corpus without its test part) whose labels look wrong."""
    from labeling.suspects import find_suspects, suspect_task
    from stance import codebook as codebooks
    from stance import config
    from stance.cli.progress import bar
    from stance.dataset import load_examples
    from stance.dataset.parts import read_labelled

    book = codebooks.load(codebook)
    experiment = config.validate({"name": "suspects", "task": task, "seed": seed, "model": {"kind": kind}}, "--kind")
    if file is None:
        parts = load_examples(task, codebook=book)
        examples = parts["train"] + parts["validation"]
    else:
        examples = read_labelled(file, task, book)
    with bar(f"five folds of {len(examples)}") as progress:
        found = find_suspects(examples, experiment, book, progress)
    issues = [one for one in found if one.issue]
    listed = issues[:count]
    if not write_rows((one.to_row() for one in listed), "suspect", output, as_json):
        show(listed, f"{len(issues)} of {len(examples)} look wrong")
    if title is not None:
        send_tasks(title, task, [suspect_task(one, book, task) for one in listed], book, dry_run)


def show(found: list[Suspect], said: str, most: int = 20) -> None:
    """Print the most doubtful; `said` tells how many there are in all."""
    from stance.cli import tables

    rows = [
        (
            one.score,
            one.example.actor or "",
            one.example.text,
            ", ".join(one.given) or "none",
            ", ".join(one.suggested) or "none",
        )
        for one in found[:most]
    ]
    title = f"{said}; the {len(rows)} most doubtful"
    tables.show(title, ("score", "actor", "text", "given", "suggested"), rows, lines=True)
