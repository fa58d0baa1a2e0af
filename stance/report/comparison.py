"""What differs between two runs: the contents of both enter; paired differences and differing examples leave.

Differences are second minus first. That of macro-F1 is the gate's own (percentile interval, 10,000 draws), so that the
page and the gate never disagree; the others are BCa intervals of `stance.evaluation.paired`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from stance.evaluation.paired import Pair, brier_differences, score_differences
from stance.evaluation.slices import FEW, SMALL
from stance.report.restoring import read_arrays
from stance.tracking.contents import RunContents
from stance.tracking.pairing import pair_runs
from stance.tracking.rules import GateRules

if TYPE_CHECKING:
    import pandas as pd

SCORES = ("f1", "precision", "recall")


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same examples.

    `headline`, `labels` and `slices` are rows with `first`, `second` and `difference` (estimate, low, high), slices
    with the surest loss first and small ones last. `examples` are those on which the runs answered differently, where
    only the first was right first. `agreeing` counts the others, and `right` whose answers hold.
    """

    headline: tuple[dict[str, Any], ...]
    labels: tuple[dict[str, Any], ...]
    slices: tuple[dict[str, Any], ...]
    examples: tuple[dict[str, Any], ...]
    p_value: float
    n_units: int
    agreeing: int
    right: Mapping[str, int]


def compare(first: RunContents, second: RunContents) -> Comparison | str:
    """Return what differs, or a sentence that says why the two cannot be paired: other examples, or other labels."""
    found = pair_runs(second.predictions, first.predictions, GateRules())
    if isinstance(found, str):
        return found.replace("the candidate", second.run.name).replace("the champion", first.run.name)
    tables = [each.predictions for each in (first, second) if each.predictions is not None]
    frames = [table.sort_values("id").reset_index(drop=True) for table in tables]
    labels = list(second.evaluation["labels"])
    (gold, old, p_old), (_, new, p_new) = (read_arrays(frame, labels) for frame in frames)
    pair = Pair(gold, new, old, frames[1]["unit"].tolist())
    scores = score_differences(pair, labels)
    brier = brier_differences(gold, (p_new, p_old), pair.documents)
    macro = {"estimate": found.estimate, "low": found.low, "high": found.high}
    examples = _differing(frames, (first, second))
    return Comparison(
        headline=tuple(_headline(name, first, second, macro, scores) for name in first.evaluation["headline"]),
        labels=tuple(
            _label_rows(label, (first, second), {score: asdict(scores[f"{label}.{score}"]) for score in SCORES})
            | {"brier": _calibration_row(label, (first, second), asdict(brier[j]))}
            for j, label in enumerate(labels)
        ),
        slices=tuple(_slices(frames[1], pair, labels)),
        examples=tuple(examples),
        p_value=found.p_value,
        n_units=found.n_units,
        agreeing=len(gold) - len(examples),
        right={
            side: int((gold.astype(bool) == decided).all(axis=1).sum())
            for side, decided in (("first", old), ("second", new))
        },
    )


def _headline(
    name: str, first: RunContents, second: RunContents, macro: dict[str, float], scores: Mapping[str, Any]
) -> dict[str, Any]:
    one, two = (each.evaluation["headline"][name] for each in (first, second))
    if name == "macro_f1":
        difference: dict[str, Any] | None = macro
    else:
        difference = asdict(scores[name]) if name in scores else None
    return {"name": name, "first": one, "second": two, "difference": difference}


def _label_rows(
    label: str, runs: tuple[RunContents, RunContents], differences: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    one, two = (next(row for row in each.evaluation["per_label"] if row["label"] == label) for each in runs)
    rows: dict[str, Any] = {"label": label, "support": two["support"]}
    for score, difference in differences.items():
        sides = {
            side: {"estimate": row[score], "low": row.get(f"{score}_low"), "high": row.get(f"{score}_high")}
            for side, row in (("first", one), ("second", two))
        }
        rows[score] = {**sides, "difference": difference}
    return rows


def _calibration_row(label: str, runs: tuple[RunContents, RunContents], difference: dict[str, Any]) -> dict[str, Any]:
    one, two = (next(row for row in each.evaluation["calibration"] if row["label"] == label) for each in runs)
    return {"first": one, "second": two, "difference": difference}


def _slices(frame: pd.DataFrame, pair: Pair, labels: list[str]) -> list[dict[str, Any]]:
    """One row per slice; none for runs of an older kit, which did not store who belongs to which."""
    exact = {
        side: (pair.gold.astype(bool) == decided).all(axis=1)
        for side, decided in (("first", pair.baseline), ("second", pair.candidate))
    }
    found = []
    for column in (name for name in frame.columns if name.startswith("slice_")):
        for value in sorted(frame[column].unique()):
            rows = (frame[column] == value).to_numpy()
            own = pair.rows(rows)
            differences = score_differences(own, labels)
            n, units = int(rows.sum()), len(set(own.documents))
            found.append(
                {
                    "kind": column.removeprefix("slice_"),
                    "value": value,
                    "n": n,
                    "n_documents": units,
                    "too_small": n < SMALL or units < FEW,
                    **{side: float(right[rows].mean()) for side, right in exact.items()},
                    "difference": asdict(differences["exact_match"]),
                    "macro_f1": asdict(differences["macro_f1"]),
                }
            )
    return sorted(found, key=lambda row: (row["too_small"], row["difference"]["estimate"], row["kind"], row["value"]))


def _differing(frames: list[pd.DataFrame], runs: tuple[RunContents, RunContents]) -> list[dict[str, Any]]:
    """Examples with two different answers. At least one of the answers is wrong, so an error table has the text."""
    texts = {row["id"]: row for each in runs for row in each.errors}
    found = []
    for one, two in zip(frames[0].to_dict("records"), frames[1].to_dict("records"), strict=True):
        gold, before, after = (set(each) for each in (one["gold"], one["predicted"], two["predicted"]))
        if before != after:
            right = "first" if before == gold else "second" if after == gold else "neither"
            error = texts.get(one["id"], {})
            answers = {
                key: " + ".join(labels) or "none"
                for key, labels in (("gold", one["gold"]), ("first", one["predicted"]), ("second", two["predicted"]))
            }
            found.append(
                {
                    "id": one["id"],
                    "doc_id": one["doc_id"],
                    "actor": error.get("actor") or one["actor"],
                    "mention": error.get("mention"),
                    "text": error.get("text", ""),
                    "right": right,
                    "labels": sorted(before ^ after),
                    "distance": max(abs(one[name] - two[name]) for name in one if str(name).startswith("p_")),
                }
                | answers
            )
    order = ("first", "second", "neither")
    return sorted(found, key=lambda row: (order.index(row["right"]), -row["distance"], row["id"]))
