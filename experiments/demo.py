"""The main job, end to end: train, track, compare, promote, then articles in and stances out. `make demo` runs it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from stance import config, samples
from stance.cli import tables
from stance.cli.ingest import read_reporting
from stance.cli.predict import load_models, show_summary
from stance.cli.progress import bar
from stance.cli.promote import show
from stance.errors import StanceError
from stance.experiment import train
from stance.predict import predict_articles
from stance.tracking.registry import Refused, promote

HERE = Path(__file__).parent
RECIPES = (("tfidf-linear", "stance"), ("tfidf-linear", "frames"), ("encoder-fast", "stance"))
SEEDS = HERE.parent.parent / "shared" / "seeds"
NEXT = """
What to do next
  stance predict YOUR_ARTICLES/ -o stances.parquet    who takes which stance in your own files
  stance runs                                         what was trained; make ui shows it in a browser
  stance train experiments/encoder.yaml seed=7        another training, tracked beside these
  make champion                                       the full recipes of both tasks
(the command is .venv/bin/stance; `source .venv/bin/activate` puts it on your path)"""


def main(recipes: tuple[tuple[str, str], ...] = RECIPES) -> None:
    """Run the recipes, promote the better model of each task, and predict over the sample articles."""
    started = time.monotonic()
    train_and_promote(recipes, steps=len(recipes) + 2)
    articles = [Path(path) for path in samples.paths()]
    if SEEDS.is_dir():
        articles.append(SEEDS)
    click.echo(f"\n[{len(recipes) + 2}/{len(recipes) + 2}] predict over {len(articles)} files and folders", err=True)
    classifiers = load_models(())
    show_summary(predict_articles(read_reporting(tuple(articles), strict=False), classifiers), classifiers)
    click.echo(f"\ndone in {time.monotonic() - started:.0f} s")


def train_and_promote(recipes: tuple[tuple[str, str], ...], steps: int) -> None:
    """Train every recipe, show how they compare, and promote the best of each task."""
    scores, runs = [], {}
    for step, (recipe, task) in enumerate(recipes, start=1):
        click.echo(f"\n[{step}/{steps}] train {recipe} for {task}", err=True)
        experiment = config.load(HERE / f"{recipe}.yaml", [f"task={task}"])
        with bar(f"{recipe} ({task})", "probes") as progress:
            trained = train(experiment, progress)
        if trained is not None:
            score = trained.evaluation.macro_f1
            interval = f"{score.estimate:.3f} [{score.low:.3f}, {score.high:.3f}]"
            scores.append((recipe, task, interval, f"{trained.seconds:.1f}"))
            runs.setdefault(task, []).append(trained.run_id)
    tables.show("Models on the corpus's test part", ("model", "task", "macro-F1 [95% interval]", "fit seconds"), scores)
    click.echo(f"\n[{len(recipes) + 1}/{steps}] promote the best model of each task that passes the gate", err=True)
    for task, own in runs.items():
        promote_best(task, own)


def promote_best(task: str, runs: list[str]) -> None:
    """Promote the best run of a task, or the first of `runs` that the gate lets through where there is no champion.

    A refusal that leaves a champion in place is no failure.
    """
    for run in (None, *runs):
        try:
            show(promote(task, run))
            return
        except Refused as refusal:
            show(refusal.promotion)
            if refusal.promotion.previous is not None:
                click.echo(f"the champion of {task} stays version {refusal.promotion.previous}")
                return


if __name__ == "__main__":
    try:
        main()
        click.echo(NEXT)
    except StanceError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)
