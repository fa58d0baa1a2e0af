"""`stance train`: train, evaluate and track a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.cli.progress import bar

if TYPE_CHECKING:
    from stance.config import Experiment
    from stance.experiment import Trained


@click.command()
@click.argument("experiment", required=False, metavar="EXPERIMENT")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--since", metavar="RUN", help="Train RUN on: its recipe, its data, its encoder's weights, and --gold.")
@click.option("--gold", multiple=True, type=click.Path(path_type=Path), help="Newly labelled examples, with --since.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.option("--dry-run", is_flag=True, help="Check the configuration and print it; train nothing.")
def train(
    experiment: str | None,
    overrides: tuple[str, ...],
    since: str | None,
    gold: tuple[Path, ...],
    as_json: bool,
    dry_run: bool,
) -> None:
    """Train the model that the file EXPERIMENT describes; KEY=VALUE changes a setting, such as task=frames.

    With --since and --gold, train a run on instead; its test part stays, so that the two can be compared.
    """
    if (since is None) != (not gold):
        raise click.UsageError("--since names the run and --gold the newly labelled examples; give both, or neither")
    if since is not None:
        changes = overrides if experiment is None else (experiment, *overrides)
        train_on(since, gold, changes, as_json, dry_run)
        return
    if experiment is None:
        raise click.UsageError("name the EXPERIMENT file, or the run to go on from with --since")
    from stance import codebook, config

    settings = config.load(Path(experiment), overrides)
    codebook.load(settings.codebook).task(settings.task)  # before anything is written
    if dry_run:
        show_recipe(settings)
        return
    from stance.experiment import train as run

    with bar(f"{settings.name} ({settings.task})", "probes") as progress:
        trained = run(settings, progress)
    show(trained, settings, as_json)


def train_on(since: str, gold: tuple[Path, ...], overrides: tuple[str, ...], as_json: bool, dry_run: bool) -> None:
    """Train a run on with new gold; say on stderr what of it joined the data."""
    from stance.continuing import plan_since, train_since

    if (wrong := next((each for each in overrides if "=" not in each), None)) is not None:
        raise click.UsageError(f"'{wrong}': with --since the recipe is the run's; change it by KEY=VALUE")
    plan = plan_since(since, gold, overrides)
    click.echo(plan.additions.summary, err=True)
    if dry_run:
        show_recipe(plan.experiment)
        return
    with bar(f"{plan.experiment.name} ({plan.experiment.task})", "probes") as progress:
        trained = train_since(plan, progress)
    show(trained, plan.experiment, as_json)


def show_recipe(settings: Experiment) -> None:
    """Print the resolved configuration."""
    import yaml

    click.echo(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False).rstrip())


def show(trained: Trained | None, settings: Experiment, as_json: bool) -> None:
    """Print what came of a training; nothing in a helper process."""
    from stance.cli import tables

    if trained is None:
        return
    if as_json:
        content = {"run_id": trained.run_id, "seconds": trained.seconds, "test": trained.evaluation.to_json()}
        click.echo(json.dumps(content, indent=1))
        return
    tables.show_scores(trained.evaluation, f"{settings.name}: {settings.task} on the test part")
    click.echo(f"run {trained.run_id}, fitted in {trained.seconds:.0f} s; next: stance promote --task {settings.task}")
