"""How often `stance monitor` cries wolf, and how often it sees a wolf: shipped documents enter; rates leave.

    python -m experiments.benchmarks.drift [--seeds 200] [--resamples 199]

Two halves of the corpus's train part, drawn by document anew for each seed, are compared as they are, and with a shift
planted in one. Answers are the gold labels; the confidence of a document is drawn at random. Rates stand with their 95%
intervals (Clopper and Pearson).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.stats import binomtest

from stance import codebook
from stance.dataset import load_examples
from stance.evaluation.drift import Drift, Plan, Rows, measure_drift
from stance.records import Example

Documents = list[list[Example]]
Shift = Callable[[Documents, np.random.Generator], Documents]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--resamples", type=int, default=199)
    given = parser.parse_args()
    pool = read_documents()
    plans = [Plan(resamples=given.resamples, seed=seed) for seed in range(given.seeds)]
    for size in (20, 40, 80):
        verdicts = [compare(pool, size, plan).verdict for plan in plans]
        print(f"{size} documents a side, no shift: {rates(verdicts)}", flush=True)
    for name, (measure, shift, strengths) in SHIFTS.items():
        for strength in strengths:
            found = [compare(pool, 40, plan, partial(shift, strength=strength)) for plan in plans[: len(plans) // 5]]
            verdicts = [next(m.verdict for m in each.measures if m.name == measure) for each in found]
            print(f"40 documents a side, {name} {strength:g}: {rates(verdicts)}", flush=True)


def read_documents() -> Documents:
    """The train part's near-duplicate clusters."""
    documents: dict[str, list[Example]] = {}
    for example in load_examples("stance", "train")["train"]:
        documents.setdefault(example.cluster, []).append(example)
    return [documents[name] for name in sorted(documents)]


def compare(pool: Documents, size: int, plan: Plan, shift: Shift | None = None) -> Drift:
    """Compare `size` documents with as many others, those shifted."""
    generator = np.random.default_rng([plan.seed, 11])
    order = generator.permutation(len(pool))
    old, new = ([pool[i] for i in chosen] for chosen in (order[:size], order[size:]))
    new = (shift(new, generator) if shift else new)[:size]
    labels = codebook.load().task("stance").labels
    before, after = (as_rows(each, labels, generator) for each in (old, new))
    return measure_drift(before, before, after, labels, plan)


def as_rows(documents: Documents, labels: tuple[str, ...], generator: np.random.Generator) -> Rows:
    examples = [example for own in documents for example in own]
    level = {own[0].cluster: generator.beta(5, 3) for own in documents}
    sure = np.clip([level[one.cluster] + generator.normal(0, 0.1) for one in examples], 0, 1)
    given = np.array([[label in (one.labels or ()) for label in labels] for one in examples])
    return Rows(
        tuple(one.cluster for one in examples),
        tuple(one.text for one in examples),
        tuple(one.actor or "" for one in examples),
        given,
        sure,
    )


def favour_label(documents: Documents, generator: np.random.Generator, strength: float) -> Documents:
    """A share of the documents are drawn from the quarter richest in `oppose`."""
    ranked = sorted(documents, key=lambda own: -np.mean(["oppose" in (one.labels or ()) for one in own]))
    rich = [ranked[i] for i in generator.permutation(len(ranked) // 4)][: int(40 * strength)]
    chosen = {own[0].cluster for own in rich}
    return [*rich, *(own for own in documents if own[0].cluster not in chosen)]


def rename_actors(documents: Documents, generator: np.random.Generator, strength: float) -> Documents:
    """A share of the rows are about an actor that the reference does not have."""
    return [
        [replace(one, actor="Ruritania") if generator.random() < strength else one for one in own] for own in documents
    ]


def add_words(documents: Documents, generator: np.random.Generator, strength: float) -> Documents:
    """A share of the documents speak of something else too."""
    added = (" The harbour tariff rose." if generator.random() < strength else "" for _ in documents)
    return [[replace(one, text=one.text + more) for one in own] for own, more in zip(documents, added, strict=True)]


SHIFTS: dict[str, tuple[str, Callable[..., Documents], tuple[float, ...]]] = {
    "share of documents rich in oppose": ("oppose", favour_label, (0.2, 0.4, 0.8)),
    "share of rows about a new actor": ("unseen actors", rename_actors, (0.05, 0.1, 0.2)),
    "share of documents with a new subject": ("text", add_words, (0.2, 0.4, 0.8)),
}


def rates(verdicts: list[str]) -> str:
    """How often something was said (watch or drifted), and how often drifted."""
    said = []
    for name, words in (("alarm", ("watch", "drifted")), ("drifted", ("drifted",))):
        found = binomtest(sum(each in words for each in verdicts), len(verdicts))
        bounds = found.proportion_ci()
        said.append(f"{name} {found.statistic:.3f} [{bounds.low:.3f}, {bounds.high:.3f}]")
    return ", ".join(said)


if __name__ == "__main__":
    main()
