"""`stance label config`: the labeling interface of a codebook."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--task", default="stance", show_default=True, help="The task that annotators are asked for.")
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it to this file.")
def config(task: str, codebook: Path | None, output: Path | None) -> None:
    """Print the labeling interface as Label Studio XML, made from the codebook."""
    from labeling.interface import fingerprint, render
    from stance import codebook as codebooks
    from stance.dataset.files import replacing

    book = codebooks.load(codebook)
    xml = render(book, task) + "\n"
    if output is None:
        click.echo(xml, nl=False)
        return
    with replacing(output) as temporary:
        temporary.write_text(xml, "utf-8")
    click.echo(f"{output}: interface of '{task}', fingerprint {fingerprint(book, task)}", err=True)
