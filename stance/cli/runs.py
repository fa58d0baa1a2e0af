"""`stance runs` and `stance compare`: what has been tracked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from stance.cli import tables

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@click.option("--task", help="Only runs of this task.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per run.")
def runs(task: str | None, as_json: bool) -> None:
    """List the tracked runs, newest first."""
    from stance.tracking.history import list_runs

    frame = list_runs(task)
    if as_json:
        tables.show_json(frame)
        return
    frame["started"] = frame["started"].map(lambda moment: f"{moment:%Y-%m-%d %H:%M}")
    for column in ("run_id", "split_digest"):
        frame[column] = frame[column].str[:8]
    tables.show(f"{len(frame)} runs", list(frame.columns), _cells(frame))


@click.command()
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per row.")
def compare(first: str, second: str, as_json: bool) -> None:
    """Show two runs side by side: what differs in them, and every metric. RUN is an id, its beginning, or a name."""
    from stance.tracking.history import compare_runs

    frame = compare_runs(first, second)
    if as_json:
        tables.show_json(frame)
        return
    tables.show(f"{first} and {second}", list(frame.columns), _cells(frame))


def _cells(frame: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """The rows of a frame with what is missing left blank."""
    return frame.astype(object).where(frame.notna(), "").itertuples(index=False, name=None)
