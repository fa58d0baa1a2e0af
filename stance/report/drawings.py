"""Figures for a page: evaluations enter; SVG leaves that takes the page's colours and fonts, and says what it shows.

The SVG is markup of matplotlib and of this module alone: what a run's names put into it is escaped.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from math import isfinite
from typing import TYPE_CHECKING, Any

from stance.evaluation import plots
from stance.evaluation.result import Evaluation
from stance.report.restoring import only_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALL = (2.9, 3.0)  # inches; at this size the text stays readable on a phone
WIDE = (4.4, 3.3)

_INK = "#010203"  # stands for the page's own text colour, which only the page knows
_PAPER = "#ffffff"
_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
}
_PLACES = {SMALL: (0.19, 0.15, 0.76, 0.71), WIDE: (0.14, 0.16, 0.82, 0.8)}  # left, bottom, width, height in shares
_ID = re.compile(r' id="(?![mp][0-9a-f]{10}")[^"]*"')
_OWN = re.compile(r"<metadata>.*?</metadata>|<style.*?</style>| font-family: [^;\"]*;?", re.DOTALL)


def draw_labels(evaluation: Evaluation) -> dict[str, list[str]]:
    """Return per kind of figure, `precision_recall` and `reliability`, one drawing per label, in label order."""
    found: dict[str, list[str]] = {"precision_recall": [], "reliability": []}
    for j, score in enumerate(evaluation.label_scores):
        alone, row = only_label(evaluation, j), evaluation.calibration[j]
        ranked = (
            f"{score.label}: precision {score.precision:.2f} and recall {score.recall:.2f} at the threshold in use, "
            f"average precision {score.average_precision:.2f}, prevalence {score.prevalence:.2f}"
        )
        calibrated = (
            f"{score.label}: expected calibration error {row.ece_before:.3f} before and {row.ece_after:.3f} after "
            f"calibration, {f'threshold {row.threshold:.2f}' if isfinite(row.threshold) else 'no threshold'}"
        )
        for kind, draw, alt in (
            ("precision_recall", plots.draw_precision_recall, ranked),
            ("reliability", plots.draw_reliability, calibrated),
        ):
            found[kind].append(_drawing(partial(draw, alone), SMALL, alt))
    return found


def draw_coverage(evaluation: Evaluation) -> str:
    """Return the coverage-accuracy curve."""
    points = evaluation.coverage
    said = ", ".join(
        f"{point.accuracy:.2f} when {point.coverage:.0%} are answered" for point in points[:: max(1, len(points) // 4)]
    )

    def draw() -> Figure:
        figure = plots.draw_coverage(evaluation)
        figure.axes[0].set_title("")  # the page's own heading says it, and this size has no room for it
        return figure

    return _drawing(draw, WIDE, f"Share of wholly right answers: {said}")


def overlay_labels(pair: Mapping[str, Evaluation]) -> list[str]:
    """Return precision over recall of two named evaluations per label, one in each colour."""
    (first, one), (second, two) = pair.items()
    drawings = []
    for j, label in enumerate(one.labels):
        a, b = one.label_scores[j].average_precision, two.label_scores[j].average_precision
        alt = f"{label}: average precision {a:.2f} of {first} and {b:.2f} of {second}"
        panel = {name: only_label(each, j) for name, each in pair.items()}
        drawings.append(_drawing(partial(_overlay_ranking, panel), SMALL, alt))
    return drawings


def overlay_coverage(pair: Mapping[str, Evaluation]) -> str:
    """Return the coverage-accuracy curves of two named evaluations, one in each colour."""
    whole = ", ".join(f"{each.coverage[0].accuracy:.2f} of {name}" for name, each in pair.items())
    alt = f"Share of wholly right answers over the share answered; with all answered {whole}"
    return _drawing(partial(_overlay_coverage, pair), WIDE, alt)


def _overlay_ranking(pair: Mapping[str, Evaluation]) -> Figure:
    from matplotlib.figure import Figure
    from sklearn.metrics import precision_recall_curve

    figure = Figure()
    axes = figure.subplots()
    for evaluation, colour, line in zip(pair.values(), (plots.BLUE, plots.ORANGE), ("-", "--"), strict=True):
        score = evaluation.label_scores[0]
        axes.axhline(score.prevalence, color=plots.GREY, linestyle=":", linewidth=1)
        if score.support:
            precision, recall, _ = precision_recall_curve(evaluation.gold[:, 0], evaluation.probabilities[:, 0])
            axes.step(recall, precision, where="post", color=colour, linewidth=1.5, linestyle=line)
            axes.plot(score.recall, score.precision, "o", color=colour, markersize=8, markeredgecolor="white")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02), title=score.label)
    axes.set_box_aspect(1)
    return figure


def _overlay_coverage(pair: Mapping[str, Evaluation]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    for evaluation, colour, line in zip(pair.values(), (plots.BLUE, plots.ORANGE), ("-", "--"), strict=True):
        x, y = zip(*((point.coverage, point.accuracy) for point in evaluation.coverage), strict=True)
        axes.plot(x, y, color=colour, linewidth=1.6, linestyle=line)
    axes.set(xlabel="share of examples answered", ylabel="whole label set right", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _drawing(draw: Callable[[], Figure], size: tuple[float, float], alt: str) -> str:
    import matplotlib as mpl

    # Markers and clip paths are named by a hash; the salt keeps names of one page's figures apart, and files alike.
    style: Any = {**_STYLE, "svg.hashsalt": alt}
    with mpl.rc_context(style):
        figure = draw()
        figure.set_size_inches(*size)
        figure.set_layout_engine("none")  # to work margins out anew takes half of the time, and these fit
        figure.axes[0].set_position(_PLACES[size])
        if figure.get_suptitle():
            figure.suptitle("")
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return _inline(stream.getvalue(), alt)


def _inline(svg: str, alt: str) -> str:
    """An SVG file as an element of a page: no header, no size in points, no names that two figures share."""
    body = svg[svg.index(">", svg.index("<svg")) + 1 :]
    box = re.search(r'viewBox="([^"]+)"', svg)
    body = _ID.sub("", _OWN.sub("", body))
    body = body.replace(_INK, "currentColor").replace("#000000", "currentColor").replace(_PAPER, "var(--paper)")
    return f'<svg viewBox="{box[1] if box else ""}" role="img" aria-label="{escape(alt)}">{body.strip()}'
