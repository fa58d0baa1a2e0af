"""Figures of an evaluation: an `Evaluation` enters; matplotlib figures leave, for the run and the card.

Figures are made without pyplot, so nothing global changes and no display is needed; save them with `savefig`. Colours
are those of Okabe & Ito (2008) and a ramp of blues, told apart with any colour vision and in grey.
"""

from __future__ import annotations

from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.reliability import reliability
from stance.evaluation.result import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#6e6e6e"
PANELS_ACROSS = 4
PANEL = 2.9  # inches


def figures(evaluation: Evaluation) -> dict[str, Figure]:
    """Return all figures by name: `confusion`, `cooccurrence`, `precision_recall`, `reliability` and so on."""
    return {
        "confusion": draw_confusion(evaluation),
        "cooccurrence": draw_cooccurrence(evaluation),
        "precision_recall": draw_precision_recall(evaluation),
        "reliability": draw_reliability(evaluation),
        "label_f1": draw_label_f1(evaluation),
        "coverage": draw_coverage(evaluation),
    }


def draw_confusion(evaluation: Evaluation) -> Figure:
    """Draw one 2x2 table per label: gold down, predicted across; colour is the share of the gold row."""
    figure, panels = _panels(evaluation, "Given or not, by label")
    for j, axes in enumerate(panels):
        gold, given = evaluation.gold[:, j].astype(bool), evaluation.predicted[:, j]
        table = np.array([[(a & b).sum() for b in (given, ~given)] for a in (gold, ~gold)])
        _draw_table(axes, table, table.sum(axis=1), ["yes", "no"], ["yes", "no"])
        axes.set(title=evaluation.labels[j], xlabel="predicted", ylabel="gold")
    return figure


def draw_cooccurrence(evaluation: Evaluation) -> Figure:
    """Draw how often a gold label met each predicted label, "none" for the empty set.

    A row is counted once for every pair of its gold and predicted labels, so sets of several enter several cells;
    colour is the share of the examples with that gold label.
    """
    from matplotlib.figure import Figure

    gold, given = _with_none(evaluation.gold.astype(bool)), _with_none(evaluation.predicted)
    table = gold.astype(int).T @ given.astype(int)
    names = [*evaluation.labels, "none"]
    side = 2.6 + 0.72 * len(names)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    _draw_table(axes, table, gold.sum(axis=0), names, names)
    axes.tick_params(axis="x", labelrotation=45)
    for text in axes.get_xticklabels():
        text.set(ha="right", rotation_mode="anchor")
    axes.set(title="Examples by gold and predicted label", xlabel="predicted", ylabel="gold")
    return figure


def draw_precision_recall(evaluation: Evaluation) -> Figure:
    """Draw precision over recall per label, with the operating point of the threshold and the prevalence."""
    from sklearn.metrics import precision_recall_curve

    figure, panels = _panels(evaluation, "Precision over recall (point: threshold in use; dotted: prevalence)")
    for j, axes in enumerate(panels):
        score, gold = evaluation.label_scores[j], evaluation.gold[:, j]
        axes.axhline(score.prevalence, color=GREY, linestyle=":", linewidth=1)
        if score.support:
            precision, recall, _ = precision_recall_curve(gold, evaluation.probabilities[:, j])
            axes.step(recall, precision, where="post", color=BLUE, linewidth=1.5)
            axes.plot(score.recall, score.precision, "o", color=ORANGE, markersize=8, markeredgecolor="white")
            found = f"average precision {score.average_precision:.2f}, n gold {score.support}"
        else:
            found = "no gold example"
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
        _entitle(axes, score.label, found)
    return figure


def draw_reliability(evaluation: Evaluation) -> Figure:
    """Draw the share that is gold over the calibrated probability, in bins of equal size; the diagonal is perfect,
    the dashed line the threshold.

    Bars are 95% Wilson intervals, as if examples were independent.
    """
    figure, panels = _panels(evaluation, "Calibrated probability and what came true (equal bins; dashed: threshold)")
    for j, axes in enumerate(panels):
        found = reliability(evaluation.probabilities[:, j], evaluation.gold[:, j])
        x, y = np.array([each.probability for each in found]), np.array([each.rate for each in found])
        low, high = _wilson(y, np.array([each.n for each in found]))
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
        axes.errorbar(x, y, yerr=[y - low, high - y], color=BLUE, marker="o", markersize=4, linewidth=1.2, capsize=2)
        row = evaluation.calibration[j]
        threshold = ""
        if isfinite(row.threshold):
            axes.axvline(row.threshold, color=ORANGE, linestyle="--", linewidth=1.2)
            threshold = f", threshold {row.threshold:.2f}"
        axes.set(xlabel="probability", ylabel="share gold", xlim=(0, 1), ylim=(0, 1.02))
        _entitle(axes, row.label, f"ECE {row.ece_before:.3f} → {row.ece_after:.3f}{threshold}")
    return figure


def draw_label_f1(evaluation: Evaluation) -> Figure:
    """Draw F1 per label and their mean as bars with intervals over documents."""
    from matplotlib.figure import Figure

    names = [*evaluation.labels, "macro-F1"]
    found = [*(evaluation.intervals[f"{label}.f1"] for label in evaluation.labels), evaluation.macro_f1]
    support = [f"\nn gold {score.support}" for score in evaluation.label_scores] + [f"\n{len(names) - 1} labels"]
    figure = Figure(figsize=(7.5, 1.4 + 0.55 * len(names)), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(names))
    colours = [BLUE] * (len(names) - 1) + [ORANGE]
    axes.barh(place, [each.estimate for each in found], color=colours, height=0.6, alpha=0.85)
    for y, each in zip(place, found, strict=True):
        known = np.isfinite([each.low, each.high]).all()
        if known:
            axes.plot([each.low, each.high], [y, y], color="black", linewidth=1.4, marker="|", markersize=8)
        end = max(each.high, each.estimate) if known else each.estimate
        spread = f"  [{each.low:.2f}, {each.high:.2f}]" if known else ""
        axes.text(end + 0.015, float(y), f"{each.estimate:.2f}{spread}", va="center", fontsize=9)
    axes.set(yticks=place, xlim=(0, 1.28), xticks=np.linspace(0, 1, 6), xlabel="F1, with 95% interval over documents")
    axes.set_yticklabels([name + extra for name, extra in zip(names, support, strict=True)], fontsize=9)
    axes.invert_yaxis()
    axes.set_title(f"F1 by label ({evaluation.n_examples:,} examples, {evaluation.n_documents:,} documents)")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_coverage(evaluation: Evaluation) -> Figure:
    """Draw how often a whole label set is right over the share of examples answered, surest first.

    Points are what asking to be that sure gives, with their intervals over documents.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 4.2), layout="constrained")
    axes = figure.subplots()
    coverage = [point.coverage for point in evaluation.coverage]
    axes.plot(coverage, [point.accuracy for point in evaluation.coverage], color=BLUE, linewidth=1.6)
    for each in evaluation.abstaining:
        if each.n:
            accuracy = each.accuracy
            axes.plot([each.coverage] * 2, [accuracy.low, accuracy.high], color=ORANGE, linewidth=1.4, marker="_")
            axes.plot(each.coverage, accuracy.estimate, "o", color=ORANGE, markersize=7, markeredgecolor="white")
            axes.text(each.coverage + 0.02, accuracy.estimate, f"sure {each.sure:g}", va="bottom", fontsize=9)
    axes.set(xlabel="share of examples answered", ylabel="whole label set right", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.set_title("Answering only where sure (points: bars fixed on validation)")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _panels(evaluation: Evaluation, title: str) -> tuple[Figure, list[Axes]]:
    """A figure with one square panel per label, at most `PANELS_ACROSS` in a row."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    count = len(evaluation.labels)
    across = min(count, PANELS_ACROSS)
    down = ceil(count / across)
    figure = Figure(
        figsize=(PANEL * across, (PANEL + 0.3) * down + 0.4), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.06)
    )
    grid = list(figure.subplots(down, across, squeeze=False).flat)
    for axes in grid[count:]:
        axes.set_visible(False)
    for axes in grid[:count]:
        axes.set_box_aspect(1)
    figure.suptitle(title)
    return figure, grid[:count]


def _entitle(axes: Axes, label: str, facts: str) -> None:
    axes.set_title(label, pad=20)
    axes.text(0.5, 1.04, facts, transform=axes.transAxes, ha="center", fontsize=8.5)


def _draw_table(axes: Axes, table: NDArray[Any], rows: NDArray[Any], down: list[str], across: list[str]) -> None:
    """Counts as numbers, and the share of each row's examples (`rows`) as colour and in percent."""
    share = table / np.maximum(rows, 1)[:, None]
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (i, k), count in np.ndenumerate(table):
        ink = "white" if share[i, k] > 0.55 else "black"
        percent = f"\n{share[i, k]:.0%}" if rows[i] else ""
        axes.text(k, i, f"{count:,}{percent}", ha="center", va="center", color=ink, fontsize=9)
    axes.set(xticks=range(len(across)), yticks=range(len(down)))
    axes.set_xticklabels(across)
    axes.set_yticklabels(down)
    axes.set_box_aspect(len(down) / len(across))


def _with_none(chosen: NDArray[Any]) -> NDArray[Any]:
    return np.column_stack([chosen, ~chosen.any(axis=1)])


def _wilson(rate: NDArray[Any], n: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    z = 1.96
    centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return np.minimum(centre - half, rate), np.maximum(centre + half, rate)
