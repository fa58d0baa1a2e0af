"""`stance label guide`: the annotators' guide."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--task", help="Only this task.")
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
@click.option("--html", is_flag=True, help="A page of HTML and not Markdown.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it to this file; .html makes a page.")
def guide(task: str | None, codebook: Path | None, html: bool, output: Path | None) -> None:
    """Print the annotators' guide: definitions, rules and examples, as Markdown or as one HTML page."""
    from labeling.guide_page import render_page
    from stance import codebook as codebooks
    from stance import guide as guides
    from stance.dataset.files import replacing

    page = html or (output is not None and output.suffix.lower() in (".html", ".htm"))
    book = codebooks.load(codebook)
    text = render_page(book, task) if page else guides.render(book, task)
    if output is None:
        click.echo(text, nl=False)
        return
    with replacing(output) as temporary:
        temporary.write_text(text, "utf-8")
    click.echo(f"{output}: guide of {book.title}", err=True)
