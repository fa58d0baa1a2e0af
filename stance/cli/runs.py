"""`stance runs` and `stance compare`: what has been tracked, as tables or as pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stance.cli import tables
from stance.wording import counted

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@click.argument("run", required=False)
@click.option("--task", help="Only runs of this task.")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: one object per run.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page about RUN: its scores, probes and errors.")
def runs(run: str | None, task: str | None, as_json: bool, html: Path | None) -> None:
    """List the tracked runs, newest first, or only RUN: an id, its beginning, or a name."""
    from stance.tracking.history import list_runs, locate_run

    if html is not None:
        if run is None:
            raise click.UsageError("--html writes the page of one run: name it, as in stance runs RUN --html run.html")
        from stance.report.pages import write_run

        write_run(run, html)
        click.echo(f"wrote {html}: open it in a browser", err=True)
        return
    frame = list_runs(task)
    if run is not None:
        frame = frame[frame["run_id"] == locate_run(run)].copy()
    if as_json:
        tables.show_json(frame)
        return
    frame["started"] = frame["started"].map(lambda moment: f"{moment:%Y-%m-%d %H:%M}")
    for column in ("run_id", "split_digest"):
        frame[column] = frame[column].str[:8]
    tables.show(counted(len(frame), "run"), list(frame.columns), _cells(frame))


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: one object per row.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page with paired differences and examples.")
def compare(first: str, second: str, as_json: bool, html: Path | None) -> None:
    """Show two runs side by side: what differs in them, and every metric. RUN is an id, its beginning, or a name."""
    if html is not None:
        from stance.report.pages import write_comparison

        write_comparison(first, second, html)
        click.echo(f"wrote {html}: open it in a browser", err=True)
        return
    from stance.tracking.history import compare_runs

    frame = compare_runs(first, second)
    if as_json:
        tables.show_json(frame)
        return
    tables.show(f"{first} and {second}", list(frame.columns), _cells(frame))


def _cells(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """The rows of a frame with what is missing left blank."""
    return frame.astype(object).where(frame.notna(), "").itertuples(index=False, name=None)
