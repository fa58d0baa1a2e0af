"""The page. An analysis enters; one HTML file that needs no network leaves.

Its policy (CSP) lets only the page's own scripts run, named by their hashes, and nothing be fetched; every text is
escaped by Jinja2 or set as text by script.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from stance.codebook import Codebook
from stance.dataset.files import replacing
from stance.report.analysis.blocks import (
    SHOWN_ROWS,
    Chart,
    Matrix,
    build_differences,
    build_events,
    build_facts,
    build_matrix,
    build_months,
)
from stance.report.analysis.charts import difference_spec, month_spec
from stance.report.analysis.evidence import choose_evidence, embed, write_evidence
from stance.report.analysis.figures import Analysis
from stance.report.analysis.library import read_library
from stance.report.analysis.predictions import Predictions
from stance.version import __version__

SCRIPTS = ("evidence.js", "charts.js")
PAGE = "page.html.j2"


@dataclass(frozen=True)
class About:
    """What the page says of itself. `book` gives the labels' meaning; `source` names the file of predictions."""

    book: Codebook | None = None
    title: str | None = None
    source: str = "predictions"


def write_page(analysis: Analysis, path: str | Path, about: About = About()) -> None:
    """Write the page, replacing the file whole."""
    html = render_page(analysis, about)
    with replacing(path) as temporary:
        temporary.write_bytes(html.encode("utf-8", "replace"))  # half a surrogate pair has no UTF-8


def render_page(analysis: Analysis, about: About = About()) -> str:
    """Return the page as text."""
    from jinja2 import Environment, StrictUndefined

    charts = [chart for chart in (build_months(analysis), build_differences(analysis)) if chart is not None]
    scripts = [*([read_library()] if charts else []), *map(_own, SCRIPTS)]
    events, n_events = build_events(analysis)
    book, listed = about.book, choose_evidence(analysis.predictions)
    values = {
        "title": about.title
        or (f"Who takes which stance toward {book.target.name}" if book else "Who takes which stance"),
        "source": about.source,
        "facts": build_facts(analysis),
        "notes": [*analysis.predictions.notes, *_left_out(analysis.predictions, listed)],
        "matrices": list(_matrices(analysis)),
        "charts": {chart.id: chart for chart in charts},
        "events": events,
        "n_events": n_events,
        "tasks": analysis.predictions.tasks,
        "definitions": _definitions(analysis, book),
        "rates": analysis.rates,
        "uncorrected": analysis.uncorrected,
        "resamples": analysis.plan.resamples,
        "shown_rows": SHOWN_ROWS,
        "version": __version__,
        "policy": _policy(scripts),
        "style": _trusted(_own("page.css")),
        "scripts": [_trusted(script) for script in scripts],
        "evidence": _trusted(write_evidence(listed)),
        "chart_data": _trusted(_chart_data(charts)),
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": _percent, "range": lambda cell: _range(cell.low, cell.high)}
    return environment.from_string(_own(PAGE)).render(**values)


def _matrices(analysis: Analysis) -> Iterator[tuple[str, Matrix]]:
    for task in analysis.predictions.tasks:
        for figure, key in (("actors", "actor"), ("outlets", "outlet")):
            matrix = build_matrix(analysis, figure, task, key)
            if matrix.rows:
                yield figure, matrix


def _left_out(predictions: Predictions, listed: Predictions) -> Iterator[str]:
    every, kept = (each.frame["doc_id"].nunique() for each in (predictions, listed))
    if kept < every:
        yield (
            f"All numbers count every document, but the sentences behind them are listed for {kept:,} of {every:,}"
            " documents, chosen by lot: the page would be too large. Lists are shorter than their numbers say."
        )


def _definitions(analysis: Analysis, book: Codebook | None) -> list[tuple[str, str, str]]:
    """Task, label and summary of every label that the codebook explains."""
    known = book.tasks if book else {}
    tasks = [task.name for task in analysis.predictions.tasks if task.name in known]
    return [(task, label.name, label.summary) for task in tasks for label in known[task].definitions]


def _chart_data(charts: list[Chart]) -> str:
    specs = {"months": month_spec(), "differences": difference_spec()} if charts else {}
    return embed({"specs": specs, "charts": [chart.to_json() for chart in charts]})


def _policy(scripts: list[str]) -> str:
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def _own(name: str) -> str:
    """A file of this package: trusted, unlike any text of an article."""
    return resources.files("stance.report.analysis").joinpath("templates", name).read_text("utf-8")


def _trusted(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - the package's own files, and JSON without "<"


def _percent(share: float | None) -> str:
    """
    >>> _percent(0.518), _percent(0.004), _percent(None)
    ('52%', '0.4%', '–')
    """
    if share is None:
        return "–"
    return f"{share:.1%}" if 0 < share < 0.01 else f"{share:.0%}"


def _range(low: float, high: float) -> str:
    """
    >>> _range(0.22, 0.334), _range(0.004, 0.02)
    ('22–33%', '0.4–2%')
    """
    return f"{_percent(low).rstrip('%')}–{_percent(high)}"
