"""`stance monitor`: has new data drifted from what a model was trained on?"""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.cli.progress import bar
from stance.errors import DriftFound

if TYPE_CHECKING:
    from stance.monitoring import Monitored


@click.command()
@click.argument("file", metavar="NEW", type=click.Path(path_type=Path))
@click.option("--reference", required=True, metavar="RUN", help="A run's id or name, or a model's URI.")
@click.option("--task", help="The task, where runs of several tasks share a name.")
@click.option("--html", type=click.Path(path_type=Path), help="Write the comparison as a page.")
@click.option("--json", "as_json", is_flag=True, help="The comparison as JSON.")
@click.option("--log/--no-log", default=True, show_default=True, help="Keep the comparison as an MLflow run.")
def monitor(file: Path, reference: str, task: str | None, html: Path | None, as_json: bool, log: bool) -> None:
    """Compare NEW, predictions or examples, with the data of the run that its model comes from.

    Label prevalence, confidence, actors and texts are tested over documents. Status 3 means that something drifted.
    """
    from stance.dataset.files import replacing
    from stance.monitoring import monitor as compare
    from stance.report.drift_page import render_drift

    with bar(f"drift of {file.name}") as progress:
        found = compare(reference, file, progress, task)
    page = render_drift(found.drift, found.run, found.task, file.name)
    if html is not None:
        with replacing(html) as temporary:
            temporary.write_text(page, "utf-8")
        click.echo(f"wrote {html}: open it in a browser", err=True)
    run_id = keep(found, page) if log else None
    if as_json:
        about = {"reference_run": found.run.id, "task": found.task, "file": str(file), "run_id": run_id}
        click.echo(json.dumps(about | found.drift.to_json(), indent=1, ensure_ascii=False))
    else:
        show(found, run_id)
    if found.drift.verdict == "drifted":
        worst = [each.title for each in found.drift.measures if each.verdict == "drifted"]
        raise DriftFound(f"{file} has drifted from the data of '{found.run.name}': {', '.join(worst)}")


def keep(found: Monitored, page: str) -> str:
    """Log a comparison to MLflow; return the id of its run."""
    from stance.tracking.drift_runs import log_drift

    facts = {"file": found.file.name, "file_sha256": found.file_digest}
    return log_drift(found.drift, found.run, found.codebook, facts, page)


def show(found: Monitored, run_id: str | None) -> None:
    """Print the measures, the verdict and its reasons."""
    from stance.cli import tables

    sizes = found.drift.sizes
    rows = [
        (
            m.title,
            *(v if isfinite(v) else "" for v in (m.reference, m.new)),
            m.effect,
            m.chance,
            m.bound,
            m.q,
            m.verdict,
        )
        for m in found.drift.measures
    ]
    columns = ("measure", "reference", "new", "effect", "chance", "bound", "q", "verdict")
    title = (
        f"{found.file.name}, {sizes['new_documents']} documents, against {found.run.name} ({found.task}):"
        f" {sizes['learnt_documents']} learnt from, {sizes['tested_documents']} tested on"
    )
    tables.show(title, columns, rows)
    click.echo(f"verdict: {found.drift.verdict}")
    for reason in (*found.drift.reasons, *found.drift.notes):
        click.echo(f"  {reason}")
    if run_id is not None:
        click.echo(f"run {run_id}", err=True)
