"""`stance predict`: from raw articles to who takes which stance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance import codebook as codebooks
from stance.errors import StanceError, StoreError

if TYPE_CHECKING:
    import pandas as pd

    from stance.models.classifier import Classifier


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write .parquet, .jsonl or .csv.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per sentence and actor.")
@click.option("--model", "models", multiple=True, help="A model's URI or bundle folder; default: both champions.")
@click.option("--sure", type=float, metavar="SHARE", help="Answer only where sure: 0.9 = nine answers in ten right.")
@click.option("--strict", is_flag=True, help="Stop at the first unusable file or line.")
def predict(
    paths: tuple[Path, ...],
    output: Path | None,
    as_json: bool,
    models: tuple[str, ...],
    sure: float | None,
    strict: bool,
) -> None:
    """Read articles (files or folders) and say which actor takes which stance, with the evidence."""
    from stance.cli import tables
    from stance.cli.ingest import read_reporting
    from stance.predict import predict_articles

    classifiers = load_models(models)
    frame = predict_articles(read_reporting(paths, strict), classifiers, sure)
    if sure is not None:
        report_unsure(frame, classifiers)
    if output is not None:
        from stance.dataset.files import write_table

        write_table(frame, output)
        click.echo(f"{output}: {len(frame)} rows", err=True)
    elif as_json:
        tables.show_json(frame)
    if output is None and not as_json:
        show_summary(frame, classifiers)


def load_models(models: tuple[str, ...]) -> list[Classifier]:
    """Return the models asked for, or the champions of the shipped codebook's tasks that there are."""
    from stance import load

    if models:
        return [load(model) for model in models]
    found: list[Classifier] = []
    missing: StanceError | None = None
    book = codebooks.load()
    for task in book.tasks:
        try:
            found.append(load(f"models:/{book.registered_model(task)}@champion"))
        except StoreError as error:
            missing = missing or error
            click.echo(f"without {task}: {error}", err=True)
    if not found:
        raise StoreError(
            "no champion to predict with; run `make demo`, or `stance train` and `stance promote`"
        ) from missing
    return found


def report_unsure(frame: pd.DataFrame, classifiers: list[Classifier]) -> None:
    """Say on stderr how much was left unanswered."""
    for classifier in classifiers:
        per_actor = classifier.codebook.tasks[classifier.task].unit == "actor"
        rows = frame if per_actor else frame.drop_duplicates(["doc_id", "index"])
        asked = rows[f"{classifier.task}.sure"].dropna().astype(bool)
        click.echo(
            f"{classifier.task}: {int((~asked).sum())} of {len(asked)} left unanswered: not sure enough", err=True
        )


def show_summary(frame: pd.DataFrame, classifiers: list[Classifier]) -> None:
    """Print who takes which stance with the surest sentence, and how often each frame is used."""
    from stance.cli import tables
    from stance.predict import summarize

    n_documents = frame["doc_id"].nunique()
    for classifier in classifiers:
        task, unit = classifier.task, classifier.codebook.tasks[classifier.task].unit
        if unit == "actor":
            rows = summarize(frame, task, classifier.labels)
            shown = rows[["actor", "label", "n", "probability", "evidence"]].itertuples(index=False)
            columns = ("actor", task, "sentences", "p", "evidence")
            tables.show(f"Who takes which {task}, in {n_documents} documents", columns, shown, lines=True)
        else:
            sentences = frame.drop_duplicates(["doc_id", "index"])[task].dropna()
            counts = [(label, sum(label in given for given in sentences)) for label in classifier.labels]
            tables.show(f"{task.capitalize()} of {len(sentences)} sentences", (task, "sentences"), counts)
