"""`stance evaluate`: score a recipe on another split, or a model on another file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.cli.progress import bar
from stance.wording import counted

if TYPE_CHECKING:
    from stance.config import Experiment

SPLITS = ("document", "time", "outlet", "genre", "unseen-actor")


@click.command()
@click.argument("path", required=False, metavar="[EXPERIMENT|FILE]", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--split", "kind", type=click.Choice(SPLITS), help="Train on one side of this split, score on the other.")
@click.option("--hold-out", multiple=True, metavar="GROUP", help="This outlet, genre or actor is the test part.")
@click.option("--task", default="stance", show_default=True, help="Whose champion's recipe, without EXPERIMENT.")
@click.option("--model", help="Score this model on the labelled FILE; train nothing.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
def evaluate(
    path: Path | None,
    overrides: tuple[str, ...],
    kind: str | None,
    hold_out: tuple[str, ...],
    task: str,
    model: str | None,
    as_json: bool,
) -> None:
    """Train the EXPERIMENT on one side of a split and score it on the other, or score a model on a labelled FILE.

    Without an EXPERIMENT the recipe is the champion's. Nothing is registered: a run on another split than by document
    keeps no model.
    """
    if path is not None and "=" in path.name and not path.exists():
        path, overrides = None, (str(path), *overrides)
    if model is not None:
        if kind or overrides or hold_out:
            raise click.UsageError("--model scores a FILE as it is: no --split, --hold-out or KEY=VALUE beside it")
        if path is None:
            raise click.UsageError("--model scores a FILE: name it")
        _score(model, path, as_json)
    elif kind is None:
        raise click.UsageError("give --split, and an EXPERIMENT beside it or none, or --model and a FILE")
    else:
        from stance import config
        from stance.scoring import champion_recipe

        settings = champion_recipe(task, overrides) if path is None else config.load(path, overrides)
        _divide(settings, kind, hold_out, as_json)


def _score(model: str, path: Path, as_json: bool) -> None:
    from stance.cli import tables
    from stance.scoring import score_file

    evaluation = score_file(model, path)
    if as_json:
        click.echo(json.dumps({"model": model, "file": str(path), "test": evaluation.to_json()}, indent=1))
        return
    tables.show_scores(evaluation, f"{model} on {path}: {counted(evaluation.n_examples, 'example')}")


def _divide(settings: Experiment, kind: str, hold_out: tuple[str, ...], as_json: bool) -> None:
    from stance.cli import tables
    from stance.scoring import evaluate_split

    with bar(f"{settings.name} ({settings.task}), split by {kind}", "probes") as progress:
        division, trained = evaluate_split(settings, kind, progress, hold_out)
    if trained is None:
        return
    sizes = {part: len(examples) for part, examples in division.parts.items()}
    if as_json:
        about = {"split": kind, "sizes": sizes, "left_out": division.left_out, "held_out": division.held_out}
        content = {"run_id": trained.run_id, **about, "test": trained.evaluation.to_json()}
        click.echo(json.dumps(content, indent=1, ensure_ascii=False))
        return
    tables.show_scores(trained.evaluation, f"{settings.name}: {settings.task}, split by {kind}")
    shares = ", ".join(f"{size} {part}" for part, size in sizes.items())
    click.echo(f"{shares}; {division.left_out} left out; run {trained.run_id}")
    if division.held_out:
        shown = ", ".join(division.held_out[:10])
        more = f" and {len(division.held_out) - 10} more" if len(division.held_out) > 10 else ""
        click.echo(f"held out: {shown}{more}")
