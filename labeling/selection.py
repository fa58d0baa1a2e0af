"""What to label next. A pool and a model's probabilities enter; picks leave, each with the reason why.

    random share ─► quotas per label ─► least margin ─► one per cluster before a second ─► quotas per actor

The margin is the distance of a calibrated probability from its label's threshold (of exclusive labels: from the
likeliest other), in log-odds: what is decided by a hair changes the model most (uncertainty sampling, Lewis & Gale
1994; per label as in Li & Guo 2013). Taken alone it picks one kind of sentence again and again, so the shortlist is
clustered and clusters take turns (as in Zhdanov 2019).
The random share is drawn first and from everything, so that estimates from it hold for the whole pool.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.scores import Scores
from stance.dataset.files import replacing
from stance.errors import ConfigError, DataError
from stance.models.base import Progress
from stance.records import Example

Embed = Callable[[Sequence[Example]], NDArray[Any]]
"""Takes examples, returns one vector each, shape `(n_examples, width)`."""

RANDOM, UNCERTAIN = "random", "uncertain"
SHORTLIST = 3  # candidates per pick: enough to choose from, and embedding stays a matter of seconds
PER_CLUSTER = 4  # picks per cluster, about


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many to pick (`n`), the `random` share, and the most of `n` that one actor may have (`per_actor`, a share).

    `rarity` divides the picks among labels by `1 / prevalence ** rarity`: 0 equally, 1 as rare as they are. Raises
    ConfigError for values out of range.
    """

    n: int = 200
    random: float = 0.1
    per_actor: float = 0.2
    rarity: float = 0.5
    seed: int = 13

    def __post_init__(self) -> None:
        if self.n < 1 or not 0 <= self.random <= 1 or not 0 < self.per_actor <= 1 or not 0 <= self.rarity <= 2:
            raise ConfigError(
                f"cannot pick {self.n} with random {self.random}, per actor {self.per_actor}, rarity {self.rarity}:"
                " give at least 1, shares from 0 to 1, and a rarity from 0 to 2"
            )


@dataclass(frozen=True, slots=True)
class Pick:
    """One example to label next, `row` its place in the pool.

    `by` is "random" or "uncertain", `why` says it in words. `label` is the one whose quota it fills, with its
    `probability`, `threshold` and `margin`; None for a random pick, which instead has `inclusion`, the chance that any
    example of the pool had to be drawn: estimates from random picks alone are unbiased.
    """

    row: int
    example: Example
    by: str
    why: str
    label: str | None = None
    probability: float | None = None
    threshold: float | None = None
    margin: float | None = None
    cluster: int | None = None
    inclusion: float | None = None

    def to_row(self, model: str) -> dict[str, Any]:
        """Return the example's row with the reasons and the model under `picked`; `Example.from_row` takes it as is."""
        names = ("by", "why", "label", "probability", "threshold", "margin", "cluster", "inclusion")
        values = {name: getattr(self, name) for name in names}
        rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
        rounded |= {"inclusion": self.inclusion, "model": model}
        return {**self.example.to_row(), "picked": rounded}


def select(examples: Sequence[Example], scores: Scores, embed: Embed, quotas: Quotas = Quotas()) -> list[Pick]:
    """Return `quotas.n` picks from a pool (all of it where it is smaller), shuffled; the same seed gives the same.

    `scores` are the model's on these examples. Only a shortlist is embedded. Raises DataError for an empty pool or
    scores of another length.
    """
    if not examples or scores.probabilities.shape != (len(examples), len(scores.labels)):
        raise DataError(f"{len(examples)} examples with scores of shape {scores.probabilities.shape} cannot be picked")
    rng = np.random.default_rng(quotas.seed)
    n = min(quotas.n, len(examples))
    drawn = rng.choice(len(examples), size=round(n * quotas.random), replace=False)
    picks = [_random_pick(int(row), examples, len(drawn)) for row in drawn]
    picks += _Chooser(examples, scores, quotas, [int(row) for row in drawn]).choose(n - len(drawn), embed)
    # Shuffled, so that annotators meet no block of one label, and cannot tell the random ones.
    return [picks[place] for place in rng.permutation(len(picks))]


def write_picks(picks: Sequence[Pick], path: str | Path, model: str) -> None:
    """Write picks as a .jsonl file of examples that `stance label push` takes, `model` being what chose them.

    Raises DataError for another ending or a folder that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".jsonl":
        raise DataError(f"{path}: the picks are written with their reasons as JSON Lines; name it .jsonl")
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for pick in picks:
            file.write(json.dumps(pick.to_row(model), ensure_ascii=False) + "\n")


def label_quotas(probabilities: NDArray[Any], n: int, rarity: float) -> NDArray[np.int64]:
    """Return how many of `n` picks each label gets: the rarer by the model's own expectation, the more.

    Largest remainders are rounded up, so that the sum is `n`.

    >>> label_quotas(np.tile([0.4, 0.1], (20, 1)), 30, 0.5).tolist()
    [10, 20]
    """
    prevalence: NDArray[np.float64] = np.maximum(probabilities.mean(axis=0), 1 / (len(probabilities) + 1))
    shares = prevalence**-rarity
    wanted = shares / shares.sum() * n
    quotas = np.floor(wanted).astype(np.int64)
    quotas[np.argsort(quotas - wanted, kind="stable")[: n - int(quotas.sum())]] += 1
    return np.asarray(quotas)


def embedder(progress: Progress | None = None) -> Embed:
    """Return a function that gives an example the frozen MiniLM vectors of its sentence and its actor's mention.

    Both are scaled to length 1, so that what is said and of whom weigh alike; an implied actor has zeros.
    """
    from stance.models.embedding import EmbeddingLinear

    encoder = EmbeddingLinear((), EmbeddingLinear.Settings(layers=(-1,)))

    def embed(examples: Sequence[Example]) -> NDArray[np.float64]:
        vectors = encoder.embed(examples, progress)
        parts = np.split(vectors[:, : vectors.shape[1] // 3 * 3], 3, axis=1)[:2]  # sentence, actor; not the target
        return np.concatenate(
            [part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9) for part in parts], 1
        )

    return embed


def _random_pick(row: int, examples: Sequence[Example], drawn: int) -> Pick:
    chance = drawn / len(examples)
    why = f"drawn at random, {drawn} of {len(examples)}: for honest estimates"
    return Pick(row, examples[row], RANDOM, why, inclusion=chance)


class _Chooser:
    """Fills the label quotas by margin, clusters taking turns, no actor above its quota."""

    def __init__(self, examples: Sequence[Example], scores: Scores, quotas: Quotas, drawn: Sequence[int]) -> None:
        self.examples, self.scores, self.quotas = examples, scores, quotas
        self.bars, self.margins = scores.bars(), scores.margins()
        self.taken = set(drawn)
        self.actors = Counter(examples[row].actor for row in drawn)
        self.most = max(1, math.ceil(quotas.per_actor * min(quotas.n, len(examples))))
        self.used: Counter[int] = Counter()  # picks per cluster

    def choose(self, n: int, embed: Embed) -> list[Pick]:
        if n < 1:
            return []
        wanted = label_quotas(self.scores.probabilities, n, self.quotas.rarity)
        lists = [self._order(column)[: SHORTLIST * size] for column, size in enumerate(wanted)]
        shortlist = sorted({int(row) for each in lists for row in each})
        clusters = dict(zip(shortlist, self._cluster(embed([self.examples[row] for row in shortlist]), n), strict=True))
        picks: list[Pick] = []
        for column in np.argsort(-wanted, kind="stable"):  # the rarest first: what suits it may suit a common one too
            for _ in range(int(wanted[column])):
                if (row := self._best(int(column), lists[column], clusters)) is not None:
                    picks.append(self._pick(row, int(column), clusters[row], ""))
        # Where quotas left places open: by the least margin of any label, at last without the quota per actor.
        for capped in (True, False):
            for row in np.argsort(self.margins.min(axis=1), kind="stable"):
                if len(picks) < n and self._free(int(row), capped):
                    column = int(self.margins[row].argmin())
                    why = "" if capped else "; beyond its actor's quota, as nothing else was left"
                    picks.append(self._pick(int(row), column, clusters.get(int(row)), why))
        return picks

    def _order(self, column: int) -> list[int]:
        order = np.argsort(self.margins[:, column], kind="stable")
        return [int(row) for row in order if int(row) not in self.taken]

    def _cluster(self, vectors: NDArray[Any], n: int) -> list[int]:
        from sklearn.cluster import KMeans

        count = max(1, min(len(vectors), n // PER_CLUSTER))
        found = KMeans(count, n_init=1, max_iter=50, random_state=self.quotas.seed).fit_predict(vectors)
        return [int(each) for each in found]

    def _free(self, row: int, capped: bool = True) -> bool:
        actor = self.examples[row].actor
        return row not in self.taken and not (capped and actor is not None and self.actors[actor] >= self.most)

    def _best(self, column: int, rows: Sequence[int], clusters: dict[int, int]) -> int | None:
        free = [row for row in rows if self._free(row)]
        return min(free, key=lambda row: (self.used[clusters[row]], self.margins[row, column], row), default=None)

    def _pick(self, row: int, column: int, cluster: int | None, more: str) -> Pick:
        example = self.examples[row]
        self.taken.add(row)
        self.actors[example.actor] += 1
        if cluster is not None:
            self.used[cluster] += 1
        label, threshold = self.scores.labels[column], float(self.bars[row, column])
        p, margin = float(self.scores.probabilities[row, column]), float(self.margins[row, column])
        limit = "the likeliest other" if self.scores.exclusive else "threshold"
        turn = f"; pick {self.used[cluster]} of cluster {cluster}" if cluster is not None else ""
        why = f"unsure about '{label}': p {p:.2f}, {limit} {threshold:.2f}{turn}{more}"
        return Pick(row, example, UNCERTAIN, why, label, p, threshold, margin, cluster)
