"""Train the full recipes of every task and promote what wins. `make champion` runs it."""

from __future__ import annotations

import sys

import click

from experiments.demo import train_and_promote
from stance.errors import StanceError

RECIPES = (("tfidf-linear", "stance"), ("tfidf-linear", "frames"), ("ensemble", "stance"), ("ensemble", "frames"))


def main() -> None:
    """Train, show the scores and promote."""
    train_and_promote(RECIPES, steps=len(RECIPES) + 1)


if __name__ == "__main__":
    try:
        main()
    except StanceError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)
