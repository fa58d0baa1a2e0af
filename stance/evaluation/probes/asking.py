"""Asking a model: a classifier and examples enter; the failure rate of every probe leaves, with examples.

Intervals are Wilson's (1927) where every case is of another document or template, and drawn over whole
documents or templates where they are not, as cases of one are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from random import Random

import numpy as np

from stance.codebook import Codebook
from stance.corpus import gazetteer as gazetteers
from stance.errors import DataError
from stance.evaluation.bootstrap import FEWEST_DOCUMENTS, bootstrap_documents
from stance.evaluation.counts import ratio
from stance.evaluation.probes.actor_changes import Scene, add_actor, invent_actor, mask_actor, swap_actor
from stance.evaluation.probes.pairs import read_pairs
from stance.evaluation.probes.records import Case, Failure, Labels, Probe, ProbeResult, Probes
from stance.evaluation.probes.wording_changes import add_typos, change_numbers, codebook_numbers
from stance.evaluation.slices import resampling_unit
from stance.models.base import Progress
from stance.models.classifier import Classifier
from stance.records import Example, Prediction

LIMIT = 100  # examples per change: with all probes under 2,000 texts, some 15 s for an encoder on two cores
BATCH = 256

Change = Callable[[Example, Scene, Random], Example | None]


@dataclass(frozen=True)
class _Invariance:
    name: str
    change: str
    apply: Change


_CHECKLIST = "CheckList (Ribeiro et al. 2020), invariance"
INVARIANCES = (
    _Invariance("swap-actor", "the actor is another state, named in the same way", swap_actor),
    _Invariance("unseen-actor", "the actor is a state that does not exist", invent_actor),
    _Invariance("mask-actor", "the actor's name is hidden", mask_actor),
    _Invariance("add-actor", "a clause adds a state that has nothing to do with it", add_actor),
    _Invariance("change-numbers", "days, months, years and numbers are others", change_numbers),
    _Invariance("typos", "two letters change places, once in 15 words", add_typos),
)


def ask(classifier: Classifier, probes: Sequence[Probe], progress: Progress = lambda _: None) -> Probes:
    """Return what a model answers to probes, the highest failure rate first."""
    asked = [one for probe in probes for case in probe.cases for one in (case.before, case.after)]
    answers: list[Prediction] = []
    progress({"done": 0, "total": len(asked)})
    for start in range(0, len(asked), BATCH):
        answers += classifier.predict_examples(asked[start : start + BATCH])
        progress({"done": len(answers), "total": len(asked)})
    given = iter(answer.labels for answer in answers)
    results = [_judge(probe, [(next(given), next(given)) for _ in probe.cases]) for probe in probes]
    return Probes(tuple(sorted(results, key=lambda each: (-each.failure_rate, each.name))))


def build_probes(
    codebook: Codebook, task: str, examples: Sequence[Example], *, seed: int = 0, only: Sequence[str] = ()
) -> list[Probe]:
    """Return the probes of a task with their cases, each change on at most `LIMIT` of the examples, labelled or not.

    Without examples there are only the codebook's pairs. The same examples, in any order, and the same seed give the
    same cases. A probe without a case is left out. `only` names the ones to build. Raises DataError for a name that is
    none, listing those there are, and for a codebook's probe with the name of a built-in one.
    """
    book = gazetteers.load()
    pairs = read_pairs(codebook, task, book, seed)
    names = [*(each.name for each in INVARIANCES), *(probe.name for probe in pairs)]
    for name in only:
        if name not in names:
            raise DataError(f"there is no probe '{name}' for the task {task}; there are {', '.join(names)}")
    for name in names:
        if names.count(name) > 1:
            raise DataError(
                f"codebook {codebook.name}: '{name}' is the name of a built-in probe; rename the codebook's"
            )
    scene = Scene(book, codebook.target, codebook_numbers(codebook))
    ordered = _in_turn(examples, seed)
    wanted = [each for each in INVARIANCES if not only or each.name in only]
    probes = [_invariance(each, ordered, scene, seed) for each in wanted]
    probes += [probe for probe in pairs if not only or probe.name in only]
    return [probe for probe in probes if probe.cases]


def _invariance(kind: _Invariance, examples: Sequence[Example], scene: Scene, seed: int) -> Probe:
    cases: list[Case] = []
    for example in examples:
        if len(cases) == LIMIT:
            break
        random = Random(f"{seed} {kind.name} {example.id}")  # noqa: S311 - a sample, not a secret
        changed = kind.apply(example, scene, random)
        if changed is not None and changed != example:
            cases.append(Case(resampling_unit(example), example, changed))
    return Probe(kind.name, kind.change, "the answer stays", _CHECKLIST, tuple(cases))


def _in_turn(examples: Sequence[Example], seed: int) -> list[Example]:
    """The examples in a random order that goes round the documents: the first of each, then the second of each."""
    ordered = sorted({example.id: example for example in examples}.values(), key=lambda example: example.id)
    Random(seed).shuffle(ordered)  # noqa: S311
    seen: dict[str, int] = {}
    rounds = []
    for example in ordered:
        unit = resampling_unit(example)
        seen[unit] = seen.get(unit, 0) + 1
        rounds.append(seen[unit])
    return [example for _, _, example in sorted(zip(rounds, range(len(ordered)), ordered, strict=True))]


def _judge(probe: Probe, answers: Sequence[tuple[Labels, Labels]]) -> ProbeResult:
    failures, unmoved, wrong = [], 0, []
    for case, (before, after) in zip(probe.cases, answers, strict=True):
        due = case.expected or (before, before)
        failed = (before, after) != due
        wrong.append(failed)
        if not failed:
            continue
        unmoved += before == after and due[0] != due[1]
        first, second = case.before, case.after
        texts = (first.text, second.text, first.actor, second.actor)
        failures.append(Failure(probe.name, *texts, before, after, *due))
    low, high = failure_interval(wrong, [case.unit for case in probe.cases])
    return ProbeResult(
        name=probe.name,
        change=probe.change,
        expectation=probe.expectation,
        source=probe.source,
        digest=probe.digest,
        n=len(wrong),
        n_units=len({case.unit for case in probe.cases}),
        failure_rate=sum(wrong) / len(wrong),
        low=low,
        high=high,
        unmoved=unmoved,
        failures=tuple(failures),
    )


def failure_interval(wrong: Sequence[bool], units: Sequence[str]) -> tuple[float, float]:
    """Return the 95% interval of the share of `wrong`, whose cases belong to `units`.

    Wilson's over cases where every unit has one; over units where all agree (no draw of units would differ); else the
    bootstrap over units. (nan, nan) for fewer than `FEWEST_DOCUMENTS` units with several cases.
    """
    from scipy.stats import binomtest

    tally: Mapping[str, list[bool]] = {unit: [] for unit in units}
    for unit, failed in zip(units, wrong, strict=True):
        tally[unit].append(failed)
    if len(tally) == len(wrong) or all(wrong) or not any(wrong):
        share = sum(wrong) / len(wrong)
        interval = binomtest(round(share * len(tally)), len(tally)).proportion_ci(method="wilson")
        return float(interval.low), float(interval.high)
    if len(tally) < FEWEST_DOCUMENTS:
        return nan, nan
    counts = np.array([[sum(each), len(each)] for each in tally.values()], dtype=np.float64)
    found = bootstrap_documents(lambda weights: _share(weights @ counts), len(counts))[0]
    return found.low, found.high


def _share(
    totals: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return ratio(totals[:, :1], totals[:, 1:])
