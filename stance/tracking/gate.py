"""The gate before `champion`. What enters is two measured models; what leaves is a verdict with its reasons.

It compares point scores on one and the same test part. A difference within the noise passes here: whether it is real
needs a paired test over documents, for which this function is the place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

METRIC = "test.macro_f1"


@dataclass(frozen=True)
class Measured:
    """A run's metrics, and what they were measured on: two are comparable when all three digests agree."""

    run_id: str
    metrics: Mapping[str, float]
    split_digest: str
    data_digest: str
    codebook_hash: str


@dataclass(frozen=True)
class Verdict:
    """Whether the candidate may become champion, and why, one sentence each."""

    promote: bool
    reasons: tuple[str, ...]


def decide(candidate: Measured, champion: Measured | None) -> Verdict:
    """Return whether `candidate` may replace `champion` (None: there is none yet).

    It may when its test macro-F1 is higher on the same split, data and codebook.
    """
    score = candidate.metrics.get(METRIC)
    if score is None or not isfinite(score):
        return Verdict(False, (f"run {candidate.run_id} logged no {METRIC}; evaluate it on the test part first",))
    if champion is None:
        return Verdict(True, (f"there is no champion yet; {METRIC} is {score:.4f}",))
    differences = _differences(candidate, champion)
    if differences:
        return Verdict(False, differences)
    best = champion.metrics.get(METRIC)
    if best is None or not isfinite(best):
        return Verdict(False, (f"the champion, run {champion.run_id}, logged no {METRIC}; they cannot be compared",))
    reason = f"{METRIC} is {score:.4f}, the champion's is {best:.4f} ({score - best:+.4f}), on the same test part"
    return Verdict(score > best, (reason,))


def _differences(candidate: Measured, champion: Measured) -> tuple[str, ...]:
    mend = "train both on the same one to compare them"
    pairs = {
        "split": (candidate.split_digest, champion.split_digest),
        "data": (candidate.data_digest, champion.data_digest),
        "codebook": (candidate.codebook_hash, champion.codebook_hash),
    }
    return tuple(
        f"the {what} differs from the champion's ({ours[:12] or 'none'}, not {theirs[:12] or 'none'}); {mend}"
        for what, (ours, theirs) in pairs.items()
        if ours != theirs
    )
