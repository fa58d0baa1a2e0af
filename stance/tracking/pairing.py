"""Two runs on the same examples: logged test predictions enter; their paired difference, or why none, leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stance.tracking.rules import GateRules

if TYPE_CHECKING:
    import pandas as pd


_UNKNOWN = "logged no test predictions (its run is of an older kit), so they cannot be paired; train it again"


@dataclass(frozen=True)
class Paired:
    """Macro-F1 of both runs and their difference, candidate minus champion, with its interval over documents."""

    candidate: float
    champion: float
    estimate: float
    low: float
    high: float
    p_value: float
    n_units: int

    def numbers(self) -> dict[str, float]:
        """Return what goes into the registry's tags."""
        return {
            "champion.macro_f1": self.champion,
            "difference": self.estimate,
            "difference.low": self.low,
            "difference.high": self.high,
            "p_value": self.p_value,
        }


def pair_runs(candidate: pd.DataFrame | None, champion: pd.DataFrame | None, rules: GateRules) -> Paired | str:
    """Return the paired bootstrap over documents of two runs' predictions, or a sentence that says why it cannot be.

    Rows are matched by example id; both runs must have seen the same examples with the same gold labels.
    """
    from stance.evaluation.bootstrap import Resampling, paired_difference
    from stance.evaluation.metrics import score_overall

    if candidate is None:
        return f"the candidate {_UNKNOWN}"
    if champion is None:
        return f"the champion {_UNKNOWN}"
    ours, theirs = (frame.sort_values("id").reset_index(drop=True) for frame in (candidate, champion))
    if ours["id"].tolist() != theirs["id"].tolist():
        return "the two runs were tested on different examples; train both on the same data"
    labels = [name.removeprefix("p_") for name in ours.columns if name.startswith("p_")]
    gold, other = (_matrix(frame, "gold", labels) for frame in (ours, theirs))
    if not np.array_equal(gold, other):
        return "the gold labels of the test part differ between the two runs; train both on the same data"
    new, old = (_matrix(frame, "predicted", labels) for frame in (ours, theirs))
    resampling = Resampling(rules.resamples, rules.seed, rules.level)
    units = ours["unit"].tolist()
    found = paired_difference(gold, new.astype(bool), old.astype(bool), units, resampling)
    scores = [score_overall(gold, decided.astype(bool), decided.astype(float)).macro_f1 for decided in (new, old)]
    return Paired(scores[0], scores[1], found.estimate, found.low, found.high, found.p_value, len(set(units)))


def _matrix(frame: pd.DataFrame, column: str, labels: list[str]) -> NDArray[Any]:
    return np.array([[label in given for label in labels] for given in frame[column]], dtype=np.int8)
