"""Train the full recipes of every task and promote what wins. `make champion` runs it."""

from __future__ import annotations

import sys

import click

from experiments.demo import promote_best, train_one
from stance.cli import tables
from stance.errors import StanceError

RECIPES = (("tfidf-linear", "stance"), ("tfidf-linear", "frames"), ("ensemble", "stance"), ("ensemble", "frames"))


def main() -> None:
    """Train, show the scores and promote."""
    scores = []
    for step, (recipe, task) in enumerate(RECIPES, start=1):
        click.echo(f"\n[{step}/{len(RECIPES)}] train {recipe} for {task}", err=True)
        scores.append(train_one(recipe, task))
    tables.show("Models on the corpus's test part", ("model", "task", "macro-F1 [95% interval]", "fit seconds"), scores)
    for task in dict.fromkeys(task for _, task in RECIPES):
        promote_best(task)


if __name__ == "__main__":
    try:
        main()
    except StanceError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)
