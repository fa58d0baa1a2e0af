"""What the comparison of new data with a reference says: one measure per question, and a verdict over them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

VERDICTS = ("stable", "watch", "drifted")

BOUNDS = {"prevalence": 0.2, "confidence": 0.2, "actors": 0.2, "unseen actors": 0.1, "text": 0.2}
"""The effect from which a change counts as drift, half of it as worth watching. In their order: Cohen's h of a share
(0.30 → 0.40), the greatest distance of two distribution functions, the population stability index beyond chance (0.1
and 0.2 are its customary marks), the difference of two shares, and what a classifier's AUC is above 0.5."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The examples of one side, one entry each; what the comparison does not ask of a side stays empty.

    `units` names what is drawn as a whole: the near-duplicate cluster, else the document. `actors` is empty for a task
    coded per sentence. `given` says which labels were given, bool, shape `(n, n_labels)`; `confidence` is in [0, 1].
    """

    units: Sequence[str]
    texts: Sequence[str] = ()
    actors: Sequence[str] = ()
    given: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    confidence: NDArray[Any] = field(default_factory=lambda: np.zeros(0))

    def take(self, keep: NDArray[np.bool_]) -> Rows:
        """Return the rows where `keep` is true."""
        at = np.flatnonzero(keep).tolist()
        units, texts, actors = (tuple(each[i] for i in at) if each else () for each in self._columns)
        given, confidence = (each[keep] if len(each) else each for each in (self.given, self.confidence))
        return Rows(units, texts, actors, given, confidence)

    @property
    def _columns(self) -> tuple[Sequence[str], ...]:
        return self.units, self.texts, self.actors


@dataclass(frozen=True)
class Measure:
    """One question and its answer.

    `reference` and `new` are the two sides' values, nan where a side has none of its own. `effect` is on the scale of
    `BOUNDS`; `chance` is what it reaches in one of twenty draws without any drift. `p` is the permutation test's, `q`
    is corrected for the number of measures (Benjamini and Hochberg 1995). `detail` says in words what changed most.
    """

    family: str
    name: str
    reference: float
    new: float
    effect: float
    bound: float
    chance: float
    p: float
    q: float = float("nan")
    verdict: str = "stable"
    detail: str = ""

    @property
    def title(self) -> str:
        """The measure in words, such as "prevalence of engage"."""
        return f"prevalence of {self.name}" if self.family == "prevalence" else self.name

    @property
    def reason(self) -> str:
        """One line: what was found, how large, how likely by chance."""
        values = f" {self.reference:.3f} → {self.new:.3f}" if isfinite(self.reference + self.new) else ""
        effect = f"effect {self.effect:.2f} (drift from {self.bound:g}, by chance up to {self.chance:.2f})"
        return f"{self.title}{values}: {effect}, q = {self.q:.3f}{f'; {self.detail}' if self.detail else ''}"

    def judge(self, q: float, level: float) -> Measure:
        """Return the measure with its corrected p-value and its verdict.

        Drift must be both more than chance (`q` ≤ `level`) and large: with documents enough, every difference is more
        than chance.
        """
        found = q <= level
        verdict = VERDICTS[found * (int(self.effect >= self.bound / 2) + int(self.effect >= self.bound))]
        return replace(self, q=q, verdict=verdict)


@dataclass(frozen=True)
class Drift:
    """All measures in the order of their families. `sizes` counts rows and documents on each side."""

    measures: tuple[Measure, ...]
    sizes: dict[str, int]
    level: float
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The worst verdict of any measure."""
        return max((each.verdict for each in self.measures), key=VERDICTS.index)

    @property
    def reasons(self) -> tuple[str, ...]:
        """One line per measure that is not stable, the worst first."""
        found = [each for each in self.measures if each.verdict != "stable"]
        return tuple(f"{m.verdict}: {m.reason}" for m in sorted(found, key=lambda m: -VERDICTS.index(m.verdict)))

    def flat(self) -> dict[str, float]:
        """Return metrics by names legal in MLflow, such as `drift.prevalence.engage.effect`; `drift.verdict` is 0–2."""
        values: dict[str, float] = {"drift.verdict": VERDICTS.index(self.verdict)}
        for each in self.measures:
            name = f"drift.{each.family}.{each.name}".replace(" ", "_")
            for key in ("reference", "new", "effect", "chance", "p", "q"):
                values[f"{name}.{key}"] = getattr(each, key)
        values |= {f"drift.{name}": float(n) for name, n in self.sizes.items()}
        return {name: value for name, value in values.items() if isfinite(value)}

    def frame(self) -> pd.DataFrame:
        """Return one row per measure."""
        import pandas as pd

        return pd.DataFrame([asdict(each) for each in self.measures])

    def to_json(self) -> dict[str, Any]:
        """Return everything as a JSON-ready mapping; a value that a side does not have is None."""
        rows = [{key: _plain(value) for key, value in asdict(each).items()} for each in self.measures]
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "level": self.level,
            "sizes": self.sizes,
            "notes": list(self.notes),
            "measures": rows,
        }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value
