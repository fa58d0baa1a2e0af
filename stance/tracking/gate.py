"""The gate before `champion`. What enters is two measured runs and the rules; what leaves is a verdict with numbers.

A candidate passes when the interval of its paired difference to the champion excludes 0, no label is below its floor,
probabilities can be taken at their word, and no probe fails too often. What could not be judged is said, not hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING

from stance.tracking.pairing import Paired, pair_runs
from stance.tracking.rules import GateRules
from stance.tracking.runs import SIZE
from stance.wording import counted

if TYPE_CHECKING:
    import pandas as pd

METRIC = "test.macro_f1"
RATE = "examples_per_second"

_LABEL = re.compile(r"test\.([^.]+)\.f1")
_PROBE = re.compile(r"probes\.(.+)\.failure_rate")


@dataclass(frozen=True, eq=False)
class Measured:
    """A run's metrics and test predictions (None: not logged), and what they were measured on: two runs are comparable
    when all three digests agree, or the test parts' where training data were added (`stance train --since`).
    `predictions` has the columns of `Evaluation.prediction_frame`, `probes` the digest of each probe's cases."""

    run_id: str
    metrics: Mapping[str, float]
    split_digest: str
    data_digest: str
    codebook_hash: str
    predictions: pd.DataFrame | None = None
    test_digest: str = ""
    probes: Mapping[str, str] = field(default_factory=dict)

    def asked_alike(self, other: Measured, probe: str) -> bool:
        """Whether both were asked the same cases of a probe, as far as they say."""
        ours, theirs = self.probes.get(probe), other.probes.get(probe)
        return ours is None or theirs is None or ours == theirs


@dataclass(frozen=True)
class Check:
    """One point of the verdict. `passed` is None where it could not be judged, which holds nothing up."""

    name: str
    passed: bool | None
    text: str


@dataclass(frozen=True)
class Verdict:
    """Whether the candidate may become champion, and why. `why` is the reason for overruling a refusal."""

    promote: bool
    checks: tuple[Check, ...]
    numbers: Mapping[str, float] = field(default_factory=dict)
    why: str | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """One sentence per check, what failed first."""
        ordered = sorted(self.checks, key=lambda check: check.passed is not False)
        overruled = () if self.why is None else (f"overruled: {self.why}",)
        return (*(check.text for check in ordered), *overruled)

    @property
    def outcome(self) -> str:
        """ "promote", "refuse", or "forced"."""
        return "forced" if self.why is not None else "promote" if self.promote else "refuse"


DEFAULT = GateRules()


def decide(candidate: Measured, champion: Measured | None, rules: GateRules = DEFAULT) -> Verdict:
    """Return whether `candidate` may replace `champion` (None: there is none yet) under `rules`."""
    score = candidate.metrics.get(METRIC)
    if score is None or not isfinite(score):
        text = f"run {candidate.run_id} logged no {METRIC}; evaluate it on the test part first"
        return Verdict(False, (Check("score", False, text),))
    numbers = {METRIC: score}
    if champion is None:
        checks = [Check("difference", True, f"there is no champion yet; {METRIC} is {score:.4f}")]
    elif differences := _differences(candidate, champion):
        checks = [Check("comparable", False, text) for text in differences]
    else:
        found = pair_runs(candidate.predictions, champion.predictions, rules)
        if isinstance(found, str):
            checks = [Check("difference", False, found)]
        else:
            numbers |= found.numbers()
            checks = list(_judge_difference(found, candidate, champion, rules))
    checks.append(_judge_floors(candidate, rules))
    checks.append(_judge_calibration(candidate, rules))
    checks.append(_judge_probes(candidate, champion, rules))
    return Verdict(all(check.passed is not False for check in checks), tuple(checks), numbers)


def _judge_difference(found: Paired, candidate: Measured, champion: Measured, rules: GateRules) -> Iterator[Check]:
    text = (
        f"macro-F1 {found.candidate:.3f} against the champion's {found.champion:.3f} on the same test part: difference "
        f"{found.estimate:+.3f} [{found.low:+.3f}, {found.high:+.3f}], {_chance(found.p_value)}, paired over "
        f"{found.n_units} documents"
    )
    if not isfinite(found.low):
        yield Check("difference", False, f"{text}; too few documents for an interval")
    elif found.low > 0:
        yield Check("difference", True, f"{text}; the interval excludes 0")
    elif rules.non_inferior is None:
        end = "the candidate is worse" if found.high < 0 else "the interval does not exclude 0"
        yield Check("difference", False, f"{text}; {end}")
    else:
        margin = rules.non_inferior
        holds = found.low > -margin
        yield Check("difference", holds, f"{text}; {'' if holds else 'not '}all of it above -{margin:g}, as asked")
        yield _judge_cost(candidate, champion, rules)


def _chance(p_value: float) -> str:
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _judge_cost(candidate: Measured, champion: Measured, rules: GateRules) -> Check:
    """A model that is not better must at least be faster or smaller, by the runs' own logs."""
    said = []
    cheaper = False
    for name, unit, more_is_better in ((RATE, "examples/s", True), (SIZE, "bytes", False)):
        ours, theirs = candidate.metrics.get(name), champion.metrics.get(name)
        if not ours or not theirs:
            said.append(f"{unit} not logged by both")
            continue
        gain = ours / theirs if more_is_better else theirs / ours
        cheaper |= gain >= rules.cheaper
        said.append(f"{ours:,.0f} {unit} against {theirs:,.0f}")
    verdict = "cheaper" if cheaper else f"not cheaper by a factor of {rules.cheaper:g}"
    return Check("cost", cheaper, f"{verdict}: {', '.join(said)}")


def _judge_floors(candidate: Measured, rules: GateRules) -> Check:
    scores, few = _label_scores(candidate, "f1", rules)
    low = [f"{label} {f1:.3f} < {floor:g}" for label, f1 in scores.items() if f1 < (floor := rules.label_floor(label))]
    if low:
        return Check("floors", False, f"F1 below its floor: {', '.join(low)}{few}")
    if not scores:
        return Check("floors", None, f"no label's F1 could be judged{few}")
    label = min(scores, key=lambda each: scores[each])
    return Check("floors", True, f"no label below its floor; the lowest F1 is {label} {scores[label]:.3f}{few}")


def _judge_calibration(candidate: Measured, rules: GateRules) -> Check:
    n = candidate.metrics.get("test.n_examples", 0.0)
    if n < rules.ece_examples:
        text = f"calibration is not judged on {n:.0f} test examples; it takes {rules.ece_examples}"
        return Check("calibration", None, text)
    found, few = _label_scores(candidate, "ece_excess", rules)
    if not found:
        return Check("calibration", None, f"no label's calibration could be judged{few}")
    label = max(found, key=lambda each: found[each])
    holds = found[label] <= rules.ece_excess
    text = f"calibration error beyond chance is {found[label]:.3f} at most ({label}), {'within' if holds else 'above'}"
    return Check("calibration", holds, f"{text} {rules.ece_excess:g}{few}")


def _label_scores(candidate: Measured, score: str, rules: GateRules) -> tuple[dict[str, float], str]:
    """One test score of every label that has gold examples enough to be judged, and a remark on those that have not."""
    scores, few = {}, []
    for name in sorted(candidate.metrics):
        if match := _LABEL.fullmatch(name):
            support = candidate.metrics.get(f"test.{match[1]}.support", 0.0)
            if support < rules.floor_support:
                few.append(f"{match[1]} ({support:.0f})")
            elif (value := candidate.metrics.get(f"test.{match[1]}.{score}")) is not None:
                scores[match[1]] = value
    remark = f"; under {rules.floor_support} gold examples, not judged: {', '.join(few)}" if few else ""
    return scores, remark


def _judge_probes(candidate: Measured, champion: Measured | None, rules: GateRules) -> Check:
    rates = {match[1]: value for name, value in candidate.metrics.items() if (match := _PROBE.fullmatch(name))}
    if not rates:
        text = "no probes were run on it" + ("; they are required" if rules.require_probes else ", so none is judged")
        return Check("probes", False if rules.require_probes else None, text)
    failed = []
    bounds = {name: rules.probe_bound(name) for name in rates}
    before = {}
    if champion is not None:
        rated = {name: champion.metrics.get(f"probes.{name}.failure_rate") for name in rates}
        before = {n: rate for n, rate in rated.items() if rate is not None and candidate.asked_alike(champion, n)}
    for name, rate in sorted(rates.items()):
        low = candidate.metrics.get(f"probes.{name}.low", rate)
        if rate > bounds[name]:
            failed.append(f"{name} fails {rate:.0%} of the time, bound {bounds[name]:.0%}")
        # Probes have few cases, so a rise must also be one that chance does not explain.
        elif bounds[name] == 1 and name in before and rate > before[name] + rules.probe_rise and low > before[name]:
            failed.append(f"{name} fails {rate:.0%} of the time, the champion's {before[name]:.0%}")
    if failed:
        return Check("probes", False, f"probes: {', '.join(failed)}")
    return Check("probes", True, "; ".join(_tell_probes(rates, bounds, before)))


def _tell_probes(rates: Mapping[str, float], bounds: Mapping[str, float], before: Mapping[str, float]) -> Iterator[str]:
    """The probes by what holds them: a bound, the champion's rate, or nothing; the highest failure rate first."""
    kinds = ("within bounds", "held against the champion alone", "without a bound, only reported")
    held: dict[str, list[str]] = {kind: [] for kind in kinds}
    for name in sorted(rates, key=lambda name: (-rates[name], name)):
        kind, limit = kinds[2], ""
        if bounds[name] < 1:
            kind, limit = kinds[0], f" (bound {bounds[name]:.0%})"
        elif name in before:
            kind, limit = kinds[1], f" (champion {before[name]:.0%})"
        held[kind].append(f"{name} fails {rates[name]:.0%}{limit}")
    for kind, told in held.items():
        if told:
            yield f"{counted(len(told), 'probe')} {kind}: {', '.join(told)}"


def _differences(candidate: Measured, champion: Measured) -> tuple[str, ...]:
    mend = "train both on the same one to compare them"
    pairs = {
        "split": (candidate.split_digest, champion.split_digest),
        "data": (candidate.data_digest, champion.data_digest),
        "codebook": (candidate.codebook_hash, champion.codebook_hash),
    }
    if candidate.test_digest and candidate.test_digest == champion.test_digest:
        del pairs["data"]
    return tuple(
        f"the {what} differs from the champion's ({ours[:12] or 'none'}, not {theirs[:12] or 'none'}); {mend}"
        for what, (ours, theirs) in pairs.items()
        if ours != theirs
    )
