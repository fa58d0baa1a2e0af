"""`stance ingest`: read articles into examples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance import codebook as codebooks
from stance.wording import counted

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
@click.option("--strict", is_flag=True, help="Stop at the first unusable file, line or date.")
@click.option(
    "--check-actors",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Measure actor finding on labelled sentences and exit; see above for what FILE holds.",
)
def ingest(
    paths: tuple[Path, ...],
    output: Path | None,
    task: str,
    codebook: Path | None,
    strict: bool,
    check_actors: Path | None,
) -> None:
    """Read articles (.txt .html .jsonl .csv .parquet, files or folders) into examples.

    The FILE of --check-actors is JSON Lines, one sentence a line with all its actors by canonical name:

    \b
    {"doc_id": "d1", "text": "Moscow hosted a delegation.", "actors": [{"actor": "Russia"}]}

    A sentence without actors has an empty list; `prev`, the sentence before it, and `date` are used where given. A line
    may also be a whole document: {"doc_id": …, "sentences": [{"text": …, "actors": […]}, …]}.
    """
    if check_actors is not None:
        show_actor_check(check_actors)
        return
    if not paths or output is None:
        raise click.UsageError("give the articles' PATH and -o FILE (or --check-actors FILE)")
    from stance.corpus.ingest import ingest as run
    from stance.dataset.files import write_examples

    book = codebooks.load(codebook)
    count = write_examples(run(read_reporting(paths, strict), book, task), output)
    click.echo(f"{output}: {counted(count, 'example')}", err=True)


def read_reporting(paths: tuple[Path, ...], strict: bool) -> Iterator[Article]:
    """Yield the articles in files and folders; say on stderr what was skipped, and how much in all."""
    from stance.corpus.articles import odd_date, read_articles

    skipped: list[SkippedInput] = []

    def report(one: SkippedInput) -> None:
        skipped.append(one)
        click.echo(f"skipped {one.where}: {one.reason}", err=True)

    count = undated = 0
    for article in read_articles(paths, strict=strict, on_skip=report):
        count += 1
        if article.odd_date:
            undated += 1
            click.echo(f"without a date: {odd_date(article)}", err=True)
        yield article
    click.echo(tell_read(count, "article", len(skipped), undated), err=True)


def tell_read(read: int, noun: str, skipped: int, undated: int) -> str:
    """Return how much was read and skipped, and how many dates could not be read.

    >>> tell_read(1, "article", 0, 0), tell_read(3, "article", 1, 2)
    ('1 article read, 0 inputs skipped', '3 articles read, 1 input skipped, 2 dates not read')
    """
    dates = f", {counted(undated, 'date')} not read" if undated else ""
    return f"{counted(read, noun)} read, {counted(skipped, 'input')} skipped{dates}"


def show_actor_check(path: Path) -> None:
    """Print precision and recall of actor finding by canonical name."""
    from stance.corpus.actor_check import check_actors

    check = check_actors(path)
    click.echo(f"{path}: precision {check.precision:.3f}  recall {check.recall:.3f}  F1 {check.f1:.3f}")
    click.echo(f"found {check.tp}, missed {check.fn}, spurious {check.fp} (sentence, actor) pairs")
