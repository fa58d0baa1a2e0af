"""How far coders agreed: a task of the shipped corpus enters; kappa per label leaves, for the card."""

from __future__ import annotations

from stance.codebook import Codebook
from stance.errors import DataError


def shipped_agreement(task: str, book: Codebook) -> tuple[tuple[str, float, int], ...]:
    """Return (label, Cohen's kappa, examples) between both codings of the shipped corpus before they were judged.

    Examples that one of the two did not list are left out. Empty for a task that the corpus is not labelled for.
    """
    from sklearn.metrics import cohen_kappa_score

    from stance.dataset.shipped import codings

    try:
        found = codings(task, book)
    except DataError:
        return ()
    sets: dict[str, list[tuple[str, ...]]] = {}
    for one in found:
        if one.labels is not None:
            sets.setdefault(one.example_id, []).append(one.labels)
    pairs = [pair for pair in sets.values() if len(pair) == 2]
    rows = []
    for label in book.task(task).labels:
        first, second = ([label in pair[reader] for pair in pairs] for reader in (0, 1))
        rows.append((label, float(cohen_kappa_score(first, second)), len(pairs)))
    return tuple(rows)
