"""`stance promote`: register the best run and make it the champion."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--task", default="stance", show_default=True, help="The task whose champion is chosen.")
@click.option("--run", help="This run (id, beginning of an id, or name) and not the best one.")
@click.option("--force", is_flag=True, help="Promote against the gate; needs --why.")
@click.option("--why", help="The reason for --force; it is stored with the version.")
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
def promote(task: str, run: str | None, force: bool, why: str | None, codebook: Path | None) -> None:
    """Register the best run of a task with the alias champion and write its card; status 3 if the gate says no."""
    from stance import codebook as codebooks
    from stance.tracking.registry import promote as run_promotion

    if force and not why:
        raise click.UsageError("--force needs --why: the reason is stored with the version")
    done = run_promotion(task, run, why if force else None, codebooks.load(codebook))
    click.echo(f"{done.model} version {done.version} is champion: run {done.run_name} ({done.run_id[:8]})")
    for reason in done.verdict.reasons:
        click.echo(f"  {reason}")
    click.echo(f'card: {done.card}; load it with stance.load("models:/{done.model}@champion")')
