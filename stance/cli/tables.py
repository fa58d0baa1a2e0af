"""Results as tables on stdout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from stance.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from stance.evaluation.bootstrap import Interval
    from stance.evaluation.result import Evaluation

WORST_SLICES = 5
DASH = "–"
PLAIN_WIDTH = 150  # columns where stdout is no terminal


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], lines: bool = False) -> None:
    """Print a table; numbers are aligned right."""
    table = Table(title=title, title_justify="left", show_lines=lines)
    rows = [list(row) for row in rows]
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(_is_number(row[index]) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console().print(table)


def show_json(frame: pd.DataFrame) -> None:
    """Print one JSON object per row, and nothing at all for a frame without rows."""
    if len(frame):
        click.echo(frame.to_json(orient="records", lines=True, force_ascii=False, date_format="iso"), nl=False)


def console() -> Console:
    """Return the console for stdout: as wide as the terminal, or PLAIN_WIDTH where there is none."""
    plain = Console(markup=False, highlight=False)
    return plain if plain.is_terminal else Console(width=PLAIN_WIDTH, markup=False, highlight=False)


def show_scores(evaluation: Evaluation, title: str) -> None:
    """Print per-label scores with macro and micro F1 and their 95% intervals over documents, then the worst slices."""
    rows: list[Sequence[object]] = [
        (score.label, score.support, score.precision, score.recall, bounded(evaluation.intervals[f"{score.label}.f1"]))
        for score in evaluation.label_scores
    ]
    rows += [
        (name.replace("_", " "), "", "", "", bounded(evaluation.intervals[name])) for name in ("macro_f1", "micro_f1")
    ]
    show(title, ("label", "support", "precision", "recall", "F1 [95% interval]"), rows)
    if not isfinite(evaluation.macro_f1.low):
        from stance.evaluation.bootstrap import FEWEST_DOCUMENTS

        documents = counted(evaluation.n_documents, "document")
        click.echo(f"{DASH}: no interval, as {documents} say nothing about spread; it takes {FEWEST_DOCUMENTS}")
    show_slices(evaluation)


def show_slices(evaluation: Evaluation) -> None:
    """Print the worst slices that are large enough to be judged, worst first, and how many are not."""
    large = [each for each in evaluation.slices if not each.too_small]
    small = len(evaluation.slices) - len(large)
    rows = [
        (f"{each.kind}: {each.value}", each.n, bounded(each.exact_match), bounded(each.macro_f1))
        for each in large[:WORST_SLICES]
    ]
    title = f"Worst slices of {len(large)}, by exact match ({small} more are too small to judge)"
    if rows:
        show(title, ("slice", "n", "exact match [95% interval]", "macro F1 [95% interval]"), rows)


def bounded(interval: Interval) -> str:
    """Return an estimate with its interval; a dash stands for what is not defined."""
    estimate = f"{interval.estimate:.3f}" if isfinite(interval.estimate) else DASH
    known = isfinite(interval.low) and isfinite(interval.high)
    return f"{estimate} [{interval.low:.3f}, {interval.high:.3f}]" if known else f"{estimate} [{DASH}]"


def _is_number(value: object) -> bool:
    return value == "" or isinstance(value, int | float)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if isfinite(value) else DASH
    return str(value)
