"""`stance codebook`: show the codebook, or check another one."""

from __future__ import annotations

from pathlib import Path

import click

from stance import codebook as codebooks
from stance import guide


@click.group()
def codebook() -> None:
    """Show the codebook, or check another one."""


@codebook.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--task", help="Only this task.")
@click.option("--json", "as_json", is_flag=True, help="The whole codebook as JSON.")
def show(file: Path | None, task: str | None, as_json: bool) -> None:
    """Print the shipped codebook, or the one in FILE, as Markdown."""
    book = codebooks.load(file)
    click.echo(book.model_dump_json(by_alias=True, indent=2) if as_json else guide.render(book, task))


@codebook.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Validate the codebook in FILE and say what it holds."""
    book = codebooks.load(file)
    for name, task in book.tasks.items():
        click.echo(f"{book.registered_model(name)}: per {task.unit}: {', '.join(task.labels)}")
    click.echo(f"{file}: valid; version {book.version}, hash {book.hash[:12]}")
