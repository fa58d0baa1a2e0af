"""`stance import`: read a public data set into examples."""

from __future__ import annotations

from pathlib import Path

import click

from stance.wording import counted


@click.command("import")
@click.argument("name", metavar="NAME")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Write one .jsonl per part here.")
@click.option("--task", help="A task of the set; none means its first.")
def import_(name: str, path: Path, output: Path, task: str | None) -> None:
    """Read the public data set NAME (dse, gvfc, newsmtsc, plv, seesaw) from the folder PATH into examples."""
    from stance.dataset import import_set, write_examples
    from stance.errors import DataError

    parts = import_set(name, path, task)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{output}: cannot be made: {error.strerror or error}; choose another folder") from error
    for part, examples in parts.items():
        count = write_examples(examples, output / f"{part}.jsonl")
        click.echo(f"{output / part}.jsonl: {counted(count, 'example')}", err=True)
