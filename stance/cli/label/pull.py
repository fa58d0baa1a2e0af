"""`stance label pull`: annotations out of Label Studio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from labeling.pull import Pulled
    from stance.codebook import Codebook

NAMED = 5


@click.command()
@click.option("--project", required=True, help="The title of the project in Label Studio.")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The .jsonl file to bring up to date."
)
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
@click.option("--json", "as_json", is_flag=True, help="What was found, as one JSON object.")
def pull(project: str, output: Path, codebook: Path | None, as_json: bool) -> None:
    """Bring a file of annotations up to date: all annotators', skipped ones too; only what changed is asked for."""
    from labeling.client import Studio
    from labeling.pull import pull as run_pull
    from stance import codebook as codebooks
    from stance.cli.progress import bar

    book = codebooks.load(codebook)
    with bar("pull") as progress:
        found = run_pull(Studio.connect(), project, output, book, progress)
    for message in _messages(found, book, output):
        click.echo(message, err=True)
    counts = _counts(found)
    click.echo(
        json.dumps(counts) if as_json else f"{output}: " + ", ".join(f"{n} {what}" for what, n in counts.items())
    )


def _counts(found: Pulled) -> dict[str, int]:
    every = found.annotations
    return {
        "annotations": len(every),
        "annotators": len({one.annotator for one in every}),
        "new": len(found.new),
        "changed": len(found.changed),
        "deleted": len(found.deleted),
        "skipped": sum(one.skipped for one in every),
        "flagged": sum(bool(one.flags) for one in every),
        "problems": sum(bool(one.problems) for one in every),
        "unreadable": len(found.unreadable),
    }


def _messages(found: Pulled, book: Codebook, output: Path) -> list[str]:
    from labeling.pull import history_path

    lines = [f"cannot be read: {text}" for text in found.unreadable[:NAMED]]
    wrong = [one for one in found.annotations if one.problems]
    lines += [
        f"annotation {one.id} of {one.annotator}, example {one.example.id}: {'; '.join(one.problems)}"
        for one in wrong[:NAMED]
    ]
    if len(wrong) > NAMED:
        lines.append(f"… and {len(wrong) - NAMED} more with problems")
    if any(one.codebook != book.hash for one in found.annotations):
        lines.append(
            f"some annotators saw another codebook than '{book.name}' {book.hash[:12]}; labels were checked against it"
        )
    if found.deleted or found.changed:
        lines.append(f"what was deleted or changed on the server is kept in {history_path(output)}")
    return lines
