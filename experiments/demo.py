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
    scores = []
    for step, (recipe, task) in enumerate(recipes, start=1):
        click.echo(f"\n[{step}/{len(recipes) + 2}] train {recipe} for {task}", err=True)
        scores.append(train_one(recipe, task))
    tables.show("Models on the corpus's test part", ("model", "task", "macro-F1 [95% interval]", "fit seconds"), scores)
    click.echo(f"\n[{len(recipes) + 1}/{len(recipes) + 2}] promote the better model of each task", err=True)
    for task in dict.fromkeys(task for _, task in recipes):
        promote_best(task)
    articles = [Path(path) for path in samples.paths()]
    if SEEDS.is_dir():
        articles.append(SEEDS)
    click.echo(f"\n[{len(recipes) + 2}/{len(recipes) + 2}] predict over {len(articles)} files and folders", err=True)
    classifiers = load_models(())
    show_summary(predict_articles(read_reporting(tuple(articles), strict=False), classifiers), classifiers)
    click.echo(f"\ndone in {time.monotonic() - started:.0f} s")


def train_one(recipe: str, task: str) -> tuple[str, str, str, str]:
    """Train one recipe and return its row of the table."""
    experiment = config.load(HERE / f"{recipe}.yaml", [f"task={task}"])
    with bar(f"{recipe} ({task})") as progress:
        trained = train(experiment, progress)
    if trained is None:
        return recipe, task, "", ""
    score = trained.evaluation.macro_f1
    return recipe, task, f"{score.estimate:.3f} [{score.low:.3f}, {score.high:.3f}]", f"{trained.seconds:.1f}"


def promote_best(task: str) -> None:
    """Promote the best run of a task; a refusal keeps the present champion and is no failure of the demo."""
    try:
        show(promote(task))
    except Refused as refusal:
        show(refusal.promotion)
        if refusal.promotion.previous is not None:
            click.echo(f"the champion of {task} stays version {refusal.promotion.previous}")


if __name__ == "__main__":
    try:
        main()
        click.echo(NEXT)
    except StanceError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)
