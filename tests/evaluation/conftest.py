"""Simulated systems: sentences in documents, with a document's own difficulty, and probabilities of a known quality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from stance.records import Example

LABELS = ("engage", "oppose", "recognize")
PREVALENCE = np.array([0.3, 0.2, 0.08])


@dataclass(frozen=True)
class Sample:
    gold: np.ndarray
    probabilities: np.ndarray
    documents: list[str]

    @property
    def predicted(self) -> np.ndarray:
        return self.probabilities >= 0.5


def simulate(seed: int, n_documents: int = 60, skill: float = 2.0) -> Sample:
    """Draw documents of 2–9 sentences; scores are noisy, and rows of one document share part of the noise."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(n_documents), rng.integers(2, 10, n_documents))
    shift = rng.normal(0, 0.8, (n_documents, len(LABELS)))[owner]
    gold = (rng.random((len(owner), len(LABELS))) < PREVALENCE).astype(np.int8)
    scores = skill * (2 * gold - 1) + shift + rng.normal(0, 1.2, gold.shape) - 0.3
    return Sample(gold, 1 / (1 + np.exp(-scores)), [f"doc{document:05d}" for document in owner])


def to_examples(sample: Sample) -> list[Example]:
    """Examples that carry a sample's gold labels, with two actors, two genres, two years and some negation."""
    return [
        Example(
            text=f"Sentence {i}: it {'did not meet' if i % 3 == 0 else 'met'} the envoys.",
            actor=("Russia", "China", None)[i % 3] or "Iran",
            mention="it" if i % 4 else None,
            doc_id=document,
            index=i,
            genre=("wire", None)[i % 2],
            date=("2021-08-15", "2023-01-01")[i % 2],
            labels=tuple(label for label, there in zip(LABELS, row, strict=True) if there),
        )
        for i, (document, row) in enumerate(zip(sample.documents, sample.gold, strict=True))
    ]


@pytest.fixture(name="simulate")
def _simulate():
    return simulate


@pytest.fixture(name="to_examples")
def _to_examples():
    return to_examples


@pytest.fixture
def labels():
    return LABELS
