"""`stance promote`: put the best run before the gate, and make it the champion if the gate agrees."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.errors import StanceError

if TYPE_CHECKING:
    from stance.tracking.registry import Promotion

MARKS = {True: "passed", False: "failed", None: "not judged"}


@click.command()
@click.option("--task", default="stance", show_default=True, help="The task whose champion is chosen.")
@click.option("--run", help="This run (id, beginning of an id, or name) and not the best one.")
@click.option("--force", is_flag=True, help="Promote against the gate; needs --why.")
@click.option("--why", help="The reason for --force; it is stored with the version.")
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
@click.option("--gate", type=click.Path(path_type=Path), help="A YAML file with the gate's bounds.")
@click.option("--non-inferior", type=float, metavar="MARGIN", help="A cheaper model may lose this much macro-F1.")
@click.option("--require-probes", is_flag=True, help="Refuse a run on which no probes were run.")
@click.option("--break-lock", is_flag=True, help="Take over from a promotion that was killed.")
@click.option("--dry-run", is_flag=True, help="Say what the gate would say; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="The verdict as JSON.")
def promote(
    task: str,
    run: str | None,
    force: bool,
    why: str | None,
    codebook: Path | None,
    gate: Path | None,
    non_inferior: float | None,
    require_probes: bool,
    break_lock: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Register the best run of a task with the alias champion and write its card.

    The gate compares it with the champion by paired bootstrap over documents, and checks its labels, calibration and
    probes. If it says no, the run is registered as challenger and the status is 3.
    """
    from stance import codebook as codebooks
    from stance.tracking.registry import Refused, Terms
    from stance.tracking.registry import promote as run_promotion
    from stance.tracking.rules import GateRules, load_rules

    why = (why or "").strip() or None
    if force and not why:
        raise click.UsageError("--force needs --why: the reason is stored with the version")
    if why and not force:
        raise click.UsageError("--why is the reason for --force; give both, or neither")
    if non_inferior is not None and not 0 < non_inferior < 1:
        raise click.UsageError("--non-inferior takes a macro-F1 between 0 and 1, such as 0.01")
    changes = {"non_inferior": non_inferior, "require_probes": require_probes or None}
    settings = load_rules(gate).model_dump() | {name: value for name, value in changes.items() if value is not None}
    terms = Terms(rules=GateRules(**settings), dry_run=dry_run, break_lock=break_lock)
    try:
        done = run_promotion(task, run, why, codebooks.load(codebook), terms)
    except Refused as refusal:
        if not dry_run:
            keep_pages(refusal.promotion)
        show(refusal.promotion, as_json, dry_run)
        raise
    if not dry_run:
        keep_pages(done)
    show(done, as_json, dry_run)


def keep_pages(done: Promotion) -> None:
    """Put the verdict on the pages that the runs keep. What was decided holds also where that fails."""
    from stance.report.pages import log_promotion

    try:
        log_promotion(done)
    except StanceError as error:
        click.echo(f"the run's page lacks the verdict: {error}; renew it with stance runs RUN --html FILE", err=True)


def show(done: Promotion, as_json: bool = False, dry_run: bool = False) -> None:
    """Print what the gate found and what came of it."""
    if as_json:
        facts = asdict(done) | {"card": None if done.card is None else str(done.card), "dry_run": dry_run}
        click.echo(json.dumps(facts | {"outcome": done.verdict.outcome}, indent=1))
        return
    named = f"{done.model}{f' version {done.version}' if done.version else ''}, run {done.run_name} ({done.run_id[:8]})"
    role = "champion" if done.verdict.promote else "challenger"
    click.echo(f"{named}: {f'would be {role}' if dry_run else f'{role} now' if done.changed else role}")
    for check in done.verdict.checks:
        click.echo(f"  {MARKS[check.passed]}: {check.text}")
    if done.verdict.why is not None:
        click.echo(f"  overruled: {done.verdict.why}")
    if done.card is not None and not dry_run:
        click.echo(f'card: {done.card}; load it with stance.load("models:/{done.model}@champion")')
