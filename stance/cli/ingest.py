"""`stance ingest`: read articles into examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance import codebook as codebooks

if TYPE_CHECKING:
    from stance.corpus.articles import SkippedInput
    from stance.records import Article


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write examples as .jsonl or .parquet.")
@click.option(
    "--task", default="stance", show_default=True, help="One example per actor, or per sentence: see the codebook."
)
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
@click.option("--strict", is_flag=True, help="Stop at the first unusable file or line.")
@click.option(
    "--check-actors", type=click.Path(path_type=Path), help="Measure actor finding on labelled sentences and exit."
)
def ingest(
    paths: tuple[Path, ...],
    output: Path | None,
    task: str,
    codebook: Path | None,
    strict: bool,
    check_actors: Path | None,
) -> None:
    """Read articles (.txt .html .jsonl .csv .parquet, files or folders) into examples."""
    if check_actors is not None:
        show_actor_check(check_actors)
        return
    if not paths or output is None:
        raise click.UsageError("give the articles' PATH and -o FILE (or --check-actors FILE)")
    from stance.corpus.ingest import ingest as run
    from stance.dataset.files import write_examples

    book = codebooks.load(codebook)
    count = write_examples(run(read_reporting(paths, strict), book, task), output)
    click.echo(f"{output}: {count} examples", err=True)


def read_reporting(paths: tuple[Path, ...], strict: bool) -> Iterator[Article]:
    """Yield the articles in files and folders; say on stderr what was skipped, and how much in all."""
    from stance.corpus.articles import read_articles

    skipped: list[SkippedInput] = []

    def report(one: SkippedInput) -> None:
        skipped.append(one)
        click.echo(f"skipped {one.where}: {one.reason}", err=True)

    count = 0
    for article in read_articles(paths, strict=strict, on_skip=report):
        count += 1
        yield article
    click.echo(f"{count} articles read, {len(skipped)} inputs skipped", err=True)


def show_actor_check(path: Path) -> None:
    """Print precision and recall of actor finding by canonical name."""
    from stance.corpus.actor_check import check_actors

    check = check_actors(path)
    click.echo(f"{path}: precision {check.precision:.3f}  recall {check.recall:.3f}  F1 {check.f1:.3f}")
    click.echo(f"found {check.tp}, missed {check.fn}, spurious {check.fp} (sentence, actor) pairs")
