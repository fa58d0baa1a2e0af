"""`stance predict`: from raw articles to who takes which stance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance import codebook as codebooks
from stance.errors import StanceError, StoreError
from stance.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from stance.corpus.articles import SkippedInput
    from stance.models.classifier import Classifier
    from stance.streaming import Job, Source
    from stance.streaming.spark import SparkJob

STREAM_FROM = 64_000_000  # bytes of input


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path())
@click.option("-o", "--output", type=click.Path(), help="Write .parquet, .jsonl or .csv; on Spark a new folder.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per sentence and actor.")
@click.option("--model", "models", multiple=True, help="A model's URI or bundle folder; default: both champions.")
@click.option("--sure", type=float, metavar="SHARE", help="Answer only where sure: 0.9 = nine answers in ten right.")
@click.option("--strict", is_flag=True, help="Stop at the first unusable file, line or date.")
@click.option(
    "--as", "kind", type=click.Choice(["articles", "examples"]), help="What the files hold; default: by their columns."
)
@click.option("--stream", is_flag=True, help="Hold one batch in memory, and resume if killed; on by itself from 64 MB.")
@click.option("--no-clusters", is_flag=True, help="Stream without looking for near-duplicate articles.")
@click.option("--engine", type=click.Choice(["local", "spark"]), default="local", help="Spark: Parquet, many machines.")
@click.option("--master", metavar="URL", help="Spark's master: local[2], spark://host:7077, yarn, …")
def predict(
    paths: tuple[str, ...],
    output: str | None,
    as_json: bool,
    models: tuple[str, ...],
    sure: float | None,
    strict: bool,
    kind: str | None,
    stream: bool,
    no_clusters: bool,
    engine: str,
    master: str | None,
) -> None:
    """Read articles (files or folders), or the examples that `stance ingest` made of them, and say which actor takes
    which stance, with the evidence."""
    from stance.cli import tables
    from stance.streaming import Job, open_source

    if engine == "spark":
        if output is None or as_json or stream or no_clusters or kind == "articles":
            raise click.UsageError("--engine spark reads examples and needs -o FOLDER; see `stance ingest`")
        from stance.streaming.spark import SparkJob

        bundles = find_models(models)
        run_on_spark(SparkJob(paths, bundles, output, master, sure, strict, ready=kind == "examples"))
        return
    if master is not None:
        raise click.UsageError("--master needs --engine spark")
    if output is None and (stream or no_clusters):
        raise click.UsageError("--stream and --no-clusters need -o FILE to write to")
    source = open_source(paths, kind)
    classifiers = load_models(models)
    if output is not None and (stream or no_clusters or source.kind == "examples" or source.bytes >= STREAM_FROM):
        run_stream(Job(source, classifiers, Path(output), sure, strict, clusters=not no_clusters))
        return
    frame = predict_at_once(source, classifiers, sure, strict)
    if sure is not None:
        report_unsure(frame, classifiers)
    if output is not None:
        from stance.dataset.files import write_table

        write_table(frame, output)
        click.echo(f"{output}: {counted(len(frame), 'row')}", err=True)
    elif as_json:
        tables.show_json(frame)
    if output is None and not as_json:
        show_summary(frame, classifiers)


def run_stream(job: Job) -> None:
    """Write a job's output batch by batch; say on stderr how far it is and what was left out."""
    from stance.cli.ingest import tell_read
    from stance.cli.progress import bar
    from stance.streaming import Reports, predict_stream

    done = predict_stream(job, Reports(report_skipped, lambda words: click.echo(words, err=True), bar))
    click.echo(tell_read(done.read, job.source.kind.removesuffix("s"), done.skipped, done.undated), err=True)
    for task, asked in done.asked.items():
        show_unsure(task, done.unsure[task], asked)
    click.echo(f"{job.output}: {counted(done.rows, 'row')}", err=True)


def run_on_spark(job: SparkJob) -> None:
    """Write a job's output on Spark; say on stderr how far it is and what was left out."""
    from stance.cli.ingest import tell_read
    from stance.cli.progress import bar
    from stance.streaming import Reports
    from stance.streaming.spark import predict_on_spark

    done = predict_on_spark(job, Reports(report_skipped, lambda words: click.echo(words, err=True), bar))
    click.echo(tell_read(done.read, "example", done.skipped, 0), err=True)
    for task, asked in done.asked.items():
        show_unsure(task, done.unsure[task], asked)
    click.echo(f"{job.output}: {counted(done.read, 'row')}", err=True)


def predict_at_once(source: Source, classifiers: list[Classifier], sure: float | None, strict: bool) -> pd.DataFrame:
    """Return the predictions of a source that fits into memory."""
    from stance.cli.ingest import read_reporting
    from stance.predict import predict_articles
    from stance.streaming import predict_examples

    if source.kind == "articles":
        return predict_articles(read_reporting(source.paths, strict), classifiers, sure)
    return predict_examples(source, classifiers, report_skipped, sure=sure, strict=strict)


def report_skipped(one: SkippedInput) -> None:
    """Name on stderr what was passed over, and why."""
    click.echo(f"skipped {one.where}: {one.reason}", err=True)


def load_models(models: tuple[str, ...]) -> list[Classifier]:
    """Return the models asked for, or the champions of the shipped codebook's tasks that there are."""
    from stance import load

    return [load(folder) for folder in find_models(models)]


def find_models(models: tuple[str, ...]) -> list[Path]:
    """Return the bundles' folders of the models asked for, or of the champions that there are."""
    from stance import locate

    if models:
        return [locate(model) for model in models]
    found: list[Path] = []
    missing: StanceError | None = None
    book = codebooks.load()
    for task in book.tasks:
        try:
            found.append(locate(f"models:/{book.registered_model(task)}@champion"))
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
        show_unsure(classifier.task, int((~asked).sum()), len(asked))


def show_unsure(task: str, unsure: int, asked: int) -> None:
    """Say on stderr how many answers a task left out."""
    click.echo(f"{task}: {unsure} of {asked} left unanswered: not sure enough", err=True)


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
            tables.show(f"Who takes which {task}, in {counted(n_documents, 'document')}", columns, shown, lines=True)
        else:
            sentences = frame.drop_duplicates(["doc_id", "index"])[task].dropna()
            counts = [(label, sum(label in given for given in sentences)) for label in classifier.labels]
            tables.show(f"{task.capitalize()} of {counted(len(sentences), 'sentence')}", (task, "sentences"), counts)
