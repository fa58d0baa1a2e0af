"""`stance train`: train, evaluate and track a model."""

from __future__ import annotations

import json
from pathlib import Path

import click

from stance.cli.progress import bar


@click.command()
@click.argument("experiment", type=click.Path(path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.option("--dry-run", is_flag=True, help="Check the configuration and print it; train nothing.")
def train(experiment: Path, overrides: tuple[str, ...], as_json: bool, dry_run: bool) -> None:
    """Train the model that the file EXPERIMENT describes; KEY=VALUE changes a setting, such as task=frames."""
    import yaml

    from stance import codebook, config

    settings = config.load(experiment, overrides)
    codebook.load(settings.codebook).task(settings.task)  # before anything is written
    if dry_run:
        click.echo(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False).rstrip())
        return
    from stance.cli import tables
    from stance.experiment import train as run

    with bar(f"{settings.name} ({settings.task})", "probes") as progress:
        trained = run(settings, progress)
    if trained is None:
        return
    if as_json:
        content = {"run_id": trained.run_id, "seconds": trained.seconds, "test": trained.evaluation.to_json()}
        click.echo(json.dumps(content, indent=1))
        return
    tables.show_scores(trained.evaluation, f"{settings.name}: {settings.task} on the test part")
    click.echo(f"run {trained.run_id}, fitted in {trained.seconds:.0f} s; next: stance promote --task {settings.task}")
