import sys
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from stance.evaluation.plots import draw_confusion, draw_cooccurrence, draw_label_f1, draw_reliability, figures
from stance.evaluation.result import evaluate
from stance.models.thresholds import Calibration
from stance.records import Example

FRAMES = ("security", "legitimacy", "diplomacy", "geopolitics", "humanitarian", "rights", "economy")


@pytest.fixture(name="evaluation", scope="module")
def _evaluation():
    """Seven labels, the last without a single gold row."""
    rng = np.random.default_rng(0)
    gold = rng.random((200, 7)) < [0.4, 0.3, 0.3, 0.1, 0.1, 0.05, 0.0]
    examples = [
        Example(text=f"s{i}", doc_id=f"d{i // 5}", labels=tuple(np.array(FRAMES)[row])) for i, row in enumerate(gold)
    ]
    probabilities = np.clip(0.35 * gold + 0.65 * rng.random(gold.shape), 0, 1)
    return evaluate(examples, probabilities, Calibration.identity(7), FRAMES, resamples=50)


@pytest.fixture(name="drawn", scope="module")
def _drawn(evaluation):
    return figures(evaluation)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def visible_texts(figure):
    """All texts that are drawn; a tick outside the limits of its axis has a label that is not."""
    yield from figure.texts
    for axes in filter(lambda each: each.get_visible(), figure.axes):
        yield from [*axes.texts, axes.title, axes.xaxis.label, axes.yaxis.label]
        for axis, bounds in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            inside = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
            yield from (label for place, label in inside if min(bounds) <= place <= max(bounds))


@pytest.mark.slow
def test_all_figures_are_written_as_images(drawn, tmp_path):
    assert set(drawn) == {"confusion", "cooccurrence", "precision_recall", "reliability", "label_f1", "coverage"}
    for name, figure in drawn.items():
        figure.savefig(tmp_path / f"{name}.png", dpi=60)
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_confusion_tables_hold_the_counts(evaluation):
    panel = draw_confusion(evaluation).axes[0]
    gold, given = evaluation.gold[:, 0].astype(bool), evaluation.predicted[:, 0]
    counts = [int(text.split("\n")[0]) for text in texts(panel)]
    assert counts == [(gold & given).sum(), (gold & ~given).sum(), (~gold & given).sum(), (~gold & ~given).sum()]
    assert panel.get_title() == "security"


def test_cooccurrence_counts_the_empty_set_as_none(evaluation):
    axes = draw_cooccurrence(evaluation).axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [*FRAMES, "none"]
    counts = np.array([int(text.split("\n")[0]) for text in texts(axes)]).reshape(8, 8)
    nothing = ~evaluation.gold.any(axis=1)
    assert counts[-1, -1] == (nothing & ~evaluation.predicted.any(axis=1)).sum()
    assert counts[0, 0] == (evaluation.gold[:, 0].astype(bool) & evaluation.predicted[:, 0]).sum()


@pytest.mark.slow
def test_no_text_overlaps_another(drawn):
    for name, figure in drawn.items():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [(t.get_text(), t.get_window_extent(canvas.get_renderer())) for t in visible_texts(figure)]
        boxes = [(text, box) for text, box in boxes if text.strip() and box.width and box.height]
        assert len(boxes) > 10
        clashes = {(a, b) for (a, one), (b, two) in combinations(boxes, 2) if one.overlaps(two)}
        if name == "cooccurrence":  # boxes of slanted labels overlap where their letters do not
            clashes = {pair for pair in clashes if not set(pair) <= {*FRAMES, "none", "predicted"}}
        assert not clashes, name


def test_pyplot_is_left_alone(evaluation):
    before = "matplotlib.pyplot" in sys.modules
    draw_label_f1(evaluation)
    draw_reliability(evaluation)
    assert ("matplotlib.pyplot" in sys.modules) == before
