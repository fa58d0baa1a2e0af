"""`stance probe`: what a model does when something in a sentence changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.cli.progress import bar
from stance.wording import counted

if TYPE_CHECKING:
    from stance.evaluation.probes import ProbeResult, Probes


@click.command()
@click.argument("model_uri")
@click.option("--data", type=click.Path(path_type=Path), help="Sentences to change, instead of the shipped test part.")
@click.option("--only", multiple=True, metavar="NAME", help="Only this probe; can be given several times.")
@click.option("--failures", default=2, show_default=True, type=click.IntRange(0), help="Failures to show per probe.")
@click.option("--json", "as_json", is_flag=True, help="All results and failures as JSON.")
def probe(model_uri: str, data: Path | None, only: tuple[str, ...], failures: int, as_json: bool) -> None:
    """Change sentences in ways whose effect is known, ask the model MODEL_URI, and print how often it fails."""
    from stance.scoring import probe_model

    with bar("probes") as progress:
        probes = probe_model(model_uri, progress, data, only)
    if as_json:
        click.echo(json.dumps(probes.to_json(), indent=1, ensure_ascii=False))
        return
    _show(probes, failures)


def _show(probes: Probes, failures: int) -> None:
    from stance.cli import tables

    columns = ("probe", "what is changed", "expected", "n", "unmoved", "failure rate [95% interval]")
    rows = [(p.name, p.change, p.expectation, p.n, p.unmoved or "", _rate(p)) for p in probes.results]
    tables.show(f"{counted(len(rows), 'probe')}, the worst first", columns, rows)
    from stance.evaluation.probes.records import written

    for result in probes.results:
        for failure in result.failures[:failures]:
            click.echo(f"\n{result.name}: {result.source}")
            sides = (
                (failure.actor_before, failure.before, failure.answer_before, failure.due_before),
                (failure.actor_after, failure.after, failure.answer_after, failure.due_after),
            )
            for actor, text, answer, due in sides:
                who = f"[{actor}] " if actor else ""
                wrong = "" if answer == due else f", should be {written(due)}"
                click.echo(f"  {who}{text}\n    {written(answer)}{wrong}")


def _rate(result: ProbeResult) -> str:
    from stance.cli.tables import bounded
    from stance.evaluation.bootstrap import Interval

    return bounded(Interval(result.failure_rate, result.low, result.high))
