"""The picture of agreement: an `Agreement` enters; a matplotlib figure leaves."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from labeling.agreement import SETS, Agreement, Score, Scores
from stance.evaluation.plots import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TENTATIVE, RELIABLE = 0.667, 0.8
"""Below the first, discard; from the second on, rely on (Krippendorff 2019, §12.4.3)."""


def draw_agreement(agreement: Agreement) -> Figure:
    """Draw alpha with its interval per label, then for whole sets by actor and by pair; kappa and raw agreement beside.

    The lines stand at 0.667 and 0.8, the usual bounds for tentative and for reliable conclusions.
    """
    from matplotlib.figure import Figure

    overall = agreement.overall
    parts = [(f"By label ({overall.n:,} examples)", [(one.name, one) for one in [*overall.labels, overall.sets]])]
    for title, found in (("Whole sets by actor", agreement.actors), ("Whole sets by pair", agreement.pairs)):
        if len(found) > 1:
            parts.append((title, [(_name(one), one.sets) for one in found]))
    heights = [0.6 + 0.34 * len(rows) for _, rows in parts]
    figure = Figure(figsize=(8, sum(heights) + 1.1), layout="constrained")
    panels = figure.subplots(len(parts), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    low = min([0.0, *(_lowest(one) for _, rows in parts for _, one in rows)])
    for axes, (title, rows) in zip(panels, parts, strict=True):
        _draw_rows(axes, rows)
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xlim(max(-1.0, low - 0.02), 1.16)
    panels[-1].set_xlabel("1 is perfect, 0 is chance (raw agreement: the share that is the same)")
    figure.suptitle(f"Agreement on {agreement.task}: {len(agreement.annotators)} annotators", fontsize=12)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def _draw_rows(axes: Axes, rows: list[tuple[str, Score]]) -> None:
    place = np.arange(len(rows))
    scores = [score for _, score in rows]
    for bound in (TENTATIVE, RELIABLE):
        axes.axvline(bound, color=GREY, linestyle=":", linewidth=1, zorder=0)
    axes.plot([one.raw for one in scores], place, "|", color=GREY, markersize=11, markeredgewidth=1.6, label="raw")
    axes.plot(
        [one.kappa for one in scores], place, "o", markerfacecolor="none", color=ORANGE, markersize=9, label="kappa"
    )
    axes.plot(
        [one.alpha.estimate for one in scores], place, "o", color=BLUE, markersize=5.5, label="alpha, 95% interval"
    )
    for y, score in zip(place, scores, strict=True):
        alpha = score.alpha
        if isfinite(alpha.low) and isfinite(alpha.high):
            axes.plot([alpha.low, alpha.high], [y, y], color=BLUE, linewidth=1.6, solid_capstyle="butt")
        text = f"{alpha.estimate:.2f}" if isfinite(alpha.estimate) else "not defined"
        axes.text(1.03, float(y), text, va="center", fontsize=9, color=BLUE)
    axes.set(yticks=place, xticks=np.linspace(0, 1, 6), ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticklabels([name for name, _ in rows], fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    for tick, (name, _) in zip(axes.get_yticklabels(), rows, strict=True):
        tick.set_fontweight("bold" if name == SETS else "normal")


def _name(scores: Scores) -> str:
    return f"{scores.value} ({scores.n:,})"


def _lowest(score: Score) -> float:
    known = [one for one in (score.alpha.estimate, score.alpha.low, score.kappa) if isfinite(one)]
    return min(known, default=0.0)
