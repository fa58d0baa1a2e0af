"""`stance label push`: send examples to Label Studio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from labeling.plan import Plan
    from labeling.push import Pushed


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--project", required=True, help="The project's title; it is created where there is none.")
@click.option("--task", default="stance", show_default=True, help="The codebook's task that is labelled.")
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
@click.option("--model", "models", multiple=True, help="Send this model's predictions too (one model per task).")
@click.option("--overlap", type=click.IntRange(1), help="Annotators per example.  [default: 2 for a new project]")
@click.option("--blind", is_flag=True, help="Hide predictions from the annotators.")
@click.option("--migrate", is_flag=True, help="Replace the project's interface, if no annotation is lost by it.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
def push(file: Path, dry_run: bool, as_json: bool, codebook: Path | None, **wish: Any) -> None:
    """Send the examples of FILE that the project does not hold yet; run it again at any time, nothing doubles."""
    from labeling.client import Studio
    from labeling.plan import Wish, plan_push
    from labeling.push import push as run_push
    from stance import codebook as codebooks
    from stance.cli.progress import bar
    from stance.dataset.files import read_examples

    book = codebooks.load(codebook)
    examples = read_examples(file)
    studio = Studio.connect()
    plan = plan_push(studio, examples, book, Wish(**wish))
    if dry_run:
        _show(_plan_facts(plan), as_json)
        return
    with bar("push") as progress:
        done = run_push(studio, plan, book, progress)
    _show(_done_facts(plan, done), as_json)
    if not as_json:
        click.echo(f"label at {studio.url}/projects/{done.project.id}")


def _plan_facts(plan: Plan) -> dict[str, Any]:
    return {
        "project": plan.wish.project if plan.project else f"{plan.wish.project} (new)",
        "to send": len(plan.send),
        "of these renewed": plan.renewed,
        "there already": plan.there,
        "only lacking the prediction": len(plan.predict),
        "model": plan.version,
        "differences": list(plan.differences),
    }


def _done_facts(plan: Plan, done: Pushed) -> dict[str, Any]:
    return {
        "project": done.project.title,
        "sent": done.sent,
        "there already": done.there,
        "predictions": done.predicted,
        "model": plan.version,
        "repeats removed": done.repeated,
        "twice, both annotated": list(done.twice),
        "tasks in the project": done.project.tasks,
    }


def _show(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    for name, value in facts.items():
        if value not in ("", [], 0) or name in ("sent", "to send"):
            shown = "\n  ".join(["", *value]) if isinstance(value, list) else value
            click.echo(f"{name}: {shown}")
