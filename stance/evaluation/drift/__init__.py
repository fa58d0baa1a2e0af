"""Drift: rows that a model learnt from, rows it was tested on, and new rows enter; measures and a verdict leave."""

from __future__ import annotations

from collections.abc import Sequence

from stance.evaluation.drift.actors import measure_actors
from stance.evaluation.drift.answers import measure_confidence, measure_prevalence
from stance.evaluation.drift.permutation import Plan
from stance.evaluation.drift.records import BOUNDS, VERDICTS, Drift, Measure, Rows
from stance.evaluation.drift.wording import measure_text

__all__ = ["BOUNDS", "VERDICTS", "Drift", "Measure", "Plan", "Rows", "measure_drift"]

DEFAULT = Plan()


def measure_drift(learnt: Rows, tested: Rows, new: Rows, labels: Sequence[str], plan: Plan = DEFAULT) -> Drift:
    """Return how far `new` rows are from a model's own data.

    Answers are compared with those on `tested` rows, which the model did not learn from: on rows that it did it is
    surer than on any others, and would seem to drift at once. Texts and actors are compared with the `learnt` rows:
    what is foreign to them is what the model has no experience of. P-values are corrected over all measures (Benjamini
    and Hochberg 1995), so that where nothing drifted at most a share `plan.level` of comparisons says otherwise.
    Raises DataError for fewer than five documents on a side.
    """
    from scipy.stats import false_discovery_control

    measures = [*measure_prevalence(tested, new, labels, plan), measure_confidence(tested, new, plan)]
    if learnt.actors and new.actors:
        measures += measure_actors(learnt, new, plan)
    measures.append(measure_text(learnt, new, plan))
    corrected = false_discovery_control([each.p for each in measures])
    judged = tuple(each.judge(float(q), plan.level) for each, q in zip(measures, corrected, strict=True))
    sizes = {
        f"{side}_{what}": n
        for side, rows in (("learnt", learnt), ("tested", tested), ("new", new))
        for what, n in (("rows", len(rows.units)), ("documents", len(set(rows.units))))
    }
    return Drift(judged, sizes, plan.level, tuple(_notes(sizes, plan)))


def _notes(sizes: dict[str, int], plan: Plan) -> list[str]:
    large = [side for side in ("learnt", "tested", "new") if sizes[f"{side}_documents"] > plan.most]
    if not large:
        return []
    return [f"of the {' and '.join(large)} documents {plan.most} were drawn by lot: all figures are of those"]
