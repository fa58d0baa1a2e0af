"""From answers and verdicts to gold: what was decided leaves as examples to train on, each with its provenance.

A verdict wins over everything. Without one, what `propose` decided above the bar is gold. All else is left out and
counted by its reason; nothing is guessed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from labeling.adjudication import DECIDED, Proposal, decision_row
from labeling.answers import Answer, Answers, Item, latest
from stance.dataset.files import replacing
from stance.dataset.rows import check_unicode
from stance.errors import DataError
from stance.records import Example

VERDICT = "verdict"


@dataclass(frozen=True, slots=True)
class Gold:
    """The gold examples in the order of the annotations, with their `provenance`; what was left out by reason, what was
    decided by its way, and how many verdicts belong to no annotated unit."""

    task: str
    examples: tuple[Example, ...]
    provenance: tuple[dict[str, Any], ...]
    left_out: dict[str, int]
    decided: dict[str, int]
    strays: int = 0


def make_gold(proposals: Sequence[Proposal], answers: Answers, verdicts: Answers | None = None) -> Gold:
    """Return the gold of one task from its proposals and the verdicts of the review project.

    `answers` are those that the proposals come from. A verdict that was skipped, flagged or does not fit the codebook
    leaves its unit out. Where several reviewers judged a unit, the latest verdict wins.
    """
    judged = {} if verdicts is None else {item.example.id: item for item in verdicts.items}
    examples, provenance = [], []
    left_out: Counter[str] = Counter()
    for proposal in proposals:
        item = proposal.item
        verdict = judged.pop(item.example.id, None)
        if verdict is not None and latest(verdict).missing == "open":  # judged for another task of the interface
            verdict = None
        if verdict is None and proposal.status != DECIDED:
            left_out["undecided" if proposal.status == "review" else proposal.status] += 1
        elif verdict is not None and (why := latest(verdict).missing):
            left_out[f"verdict {why}"] += 1
        else:
            labels, origin = _of_verdict(proposal, verdict, answers) if verdict else _of_proposal(proposal)
            examples.append(replace(item.example, labels=labels))
            provenance.append({"task": answers.task, **origin})
    decided = Counter(str(one["how"]) for one in provenance)
    return Gold(answers.task, tuple(examples), tuple(provenance), dict(left_out), dict(decided), len(judged))


def write_gold(gold: Gold, path: str | Path) -> int:
    """Write gold to a .jsonl file that `stance train data=…` reads, and return how many examples it holds.

    Every row has one more key, `provenance`, which readers of examples pass over. Raises DataError for another ending,
    a folder that cannot be written, or nothing to write.
    """
    path = Path(path)
    if path.suffix.lower() != ".jsonl":
        raise DataError(f"{path}: gold keeps its provenance, for which it has to be .jsonl; name it {path.stem}.jsonl")
    if not gold.examples:
        raise DataError(f"{path}: nothing is decided yet ({count(gold.left_out)}); not written")
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for example, origin in zip(gold.examples, gold.provenance, strict=True):
            check_unicode(example, f"example {example.id}")
            file.write(json.dumps(example.to_row() | {"provenance": origin}, ensure_ascii=False) + "\n")
    return len(gold.examples)


def count(reasons: dict[str, int]) -> str:
    """Return counts by reason in words.

    >>> count({"undecided": 2, "skipped": 1})
    '2 undecided, 1 skipped'
    """
    return ", ".join(f"{number} {reason}" for reason, number in reasons.items())


def _of_proposal(proposal: Proposal) -> tuple[tuple[str, ...], dict[str, Any]]:
    return proposal.labels, {
        "how": proposal.how,
        "confidence": round(proposal.confidence, 4),
        "labels": [decision_row(one) for one in proposal.decisions],
        **_sources(proposal.item.given),
    }


def _of_verdict(proposal: Proposal, verdict: Item, answers: Answers) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The verdict with its own provenance and, per label, what the annotators had said."""
    judge = latest(verdict)
    chosen = judge.labels or ()
    said = {one.label: one for one in proposal.decisions}
    rows = []
    for label in answers.labels:
        before = said.get(label)
        votes = {"yes": list(before.yes), "no": list(before.no)} if before else {"yes": [], "no": []}
        rows.append({"label": label, "chosen": label in chosen, "how": VERDICT, "confidence": 1.0, **votes})
    origin = {"how": VERDICT, "confidence": 1.0, "judge": judge.annotator, "labels": rows}
    return chosen, origin | _sources([*proposal.item.given, judge])


def _sources(answers: Iterable[Answer]) -> dict[str, Any]:
    """The annotations that a decision rests on, and the codebook hashes that the annotators saw."""
    found = list(answers)
    return {
        "annotations": [one.source.id for one in found],
        "codebooks": sorted({one.source.codebook for one in found if one.source.codebook}),
    }
