"""`stance report`: predictions as a page for analysts, a table or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance import codebook as codebooks
from stance.cli.progress import bar
from stance.errors import ConfigError
from stance.wording import counted

if TYPE_CHECKING:
    from stance.codebook import Codebook
    from stance.models.bundle import Bundle
    from stance.report.analysis.predictions import Predictions
    from stance.report.analysis.sources import Correction

FORMATS = ("html", "parquet", "csv", "png")


@click.command()
@click.argument("predictions", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The file to write.")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="What to write; default: by the file's ending.")
@click.option("--model", "models", multiple=True, help="The model that predicted; default: the champions, if they did.")
@click.option("--codebook", "book_file", type=click.Path(path_type=Path), help="The codebook, if not the model's.")
@click.option("--title", help="The page's title.")
@click.option("--resamples", default=1000, show_default=True, type=click.IntRange(100), help="Bootstrap draws.")
@click.option("--seed", default=0, show_default=True, help="Seed of the bootstrap.")
def report(
    predictions: Path,
    output: Path,
    kind: str | None,
    models: tuple[str, ...],
    book_file: Path | None,
    title: str | None,
    resamples: int,
    seed: int,
) -> None:
    """Show who takes which stance, over time and by outlet, from what `stance predict -o` wrote.

    The page is one file that needs no network; every number opens its sentences. Parquet and CSV hold every number
    as a table, PNG the charts.
    """
    from stance.evaluation.bootstrap import Resampling
    from stance.report.analysis.figures import analyse

    kind = kind or _kind(output)
    found, book, correction = _read(predictions, models, book_file)
    with bar("report") as progress:
        plan = Resampling(resamples=resamples, seed=seed)
        analysis = analyse(found, correction.rates, correction.uncorrected, plan, progress)
        if kind == "html":
            from stance.report.analysis.page import About, write_page

            write_page(analysis, output, About(book, title, predictions.name))
        elif kind == "png":
            from stance.report.analysis.charts import draw_picture

            draw_picture(analysis, output)
        else:
            from stance.report.analysis.tables import write_numbers

            write_numbers(analysis, output, kind)
    for note in (
        *found.notes,
        *(f"{task}: counts are uncorrected: {why}" for task, why in correction.uncorrected.items()),
    ):
        click.echo(note, err=True)
    click.echo(f"{output}: {counted(len(found.frame), 'row')}, {output.stat().st_size / 1e6:.1f} MB", err=True)


def _read(
    path: Path, models: tuple[str, ...], book_file: Path | None
) -> tuple[Predictions, Codebook | None, Correction]:
    """The predictions as the codebook reads them, that codebook, and what corrects their counts."""
    from stance.report.analysis.predictions import prepare, read_predictions
    from stance.report.analysis.sources import find_correction, fitting_book, read_champions

    bundles = [_bundle(model) for model in models]
    book = codebooks.load(book_file) if book_file else bundles[0].codebook if bundles else None
    found = read_predictions(path, book)
    if book is None and (book := fitting_book(found)):
        found = prepare(found.frame, book, str(path))
    if not models and book:
        bundles = read_champions(book)
    return found, book, find_correction(found, bundles, guessed=not models)


def _bundle(model: str) -> Bundle:
    from stance.models.bundle import read_bundle

    if model.startswith(("models:", "runs:")):
        from stance.tracking.loading import fetch_bundle

        return read_bundle(fetch_bundle(model))
    return read_bundle(Path(model).expanduser())


def _kind(output: Path) -> str:
    kind = output.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise ConfigError(f"{output}: what kind of file? End it in .{', .'.join(FORMATS)}, or say --format")
    return kind
