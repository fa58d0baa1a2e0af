"""Splits: what enters is examples, what leaves is which document belongs to which part.

Documents and near-duplicate clusters are never divided, and the parts hold about the same share of every label
set. The result depends on the examples and the seed alone: not on their order, nor on Python's hashing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from stance.errors import DataError
from stance.records import Example, content_id

PARTS = ("train", "validation", "test")
MOST_FOLDS = 20


@dataclass(frozen=True, slots=True)
class Split:
    """Which part each document is in. `clusters` maps each document to the near-duplicates it was kept with."""

    parts: Mapping[str, str]
    clusters: Mapping[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 over the sorted (part, document) pairs, 64 hexadecimal digits."""
        return _digest((part, document) for document, part in self.parts.items())

    def apply(self, examples: Iterable[Example]) -> dict[str, list[Example]]:
        """Return the examples by part, sorted by document and position, each with its `cluster` set.

        Serves any task over the same documents. Raises DataError for a document that the split does not have.
        """
        names = sorted(set(self.parts.values()), key=lambda part: (*PARTS, part).index(part))
        divided: dict[str, list[Example]] = {name: [] for name in names}
        for example in sorted(examples, key=_place):
            document = document_id(example)
            if document not in self.parts:
                raise DataError(f"example {example.id}: document '{document}' is not in the split; split again")
            divided[self.parts[document]].append(replace(example, cluster=self.clusters[document]))
        return divided


def document_id(example: Example) -> str:
    """Return the example's document; a sentence that came without one counts as a document of its own."""
    return example.doc_id or content_id("document", example.text)


def split(
    examples: Sequence[Example], *, seed: int, fractions: tuple[float, float, float] = (0.7, 0.15, 0.15)
) -> Split:
    """Divide documents into train, validation and test by about `fractions`, stratified over label sets.

    Near-duplicates are those of `cluster_documents`. Unlabelled examples are a stratum of their own. Raises DataError
    with fewer than three documents that are no near-duplicates.
    """
    if min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise DataError(f"the fractions of train, validation and test must be above 0 and sum to 1, not {fractions}")
    clusters = cluster_documents(examples, seed=seed)
    n_folds, n_validation, n_test = _fold_counts(fractions, len(set(clusters.values())))
    parts = {}
    for document, fold in _assign_folds(examples, clusters, n_folds, seed).items():
        parts[document] = "test" if fold < n_test else "validation" if fold < n_test + n_validation else "train"
    return Split(parts, clusters)


def folds(examples: Sequence[Example], k: int, seed: int) -> list[Split]:
    """Return `k` splits into train and test whose test parts together are every document once.

    The rules are those of `split`. Raises DataError with fewer than `k` clusters of documents.
    """
    if k < 2:
        raise DataError(f"cross-validation needs at least 2 folds, not {k}")
    clusters = cluster_documents(examples, seed=seed)
    fold_of = _assign_folds(examples, clusters, k, seed)
    return [
        Split({document: "test" if fold == held else "train" for document, fold in fold_of.items()}, clusters)
        for held in range(k)
    ]


def digest(parts: Mapping[str, Iterable[Example]]) -> str:
    """Return the digest of a divided set of examples: equal to `Split.digest` where every document is present."""
    return _digest({(part, document_id(example)) for part, examples in parts.items() for example in examples})


def document_texts(examples: Iterable[Example]) -> dict[str, str]:
    """Return each document's text as far as its examples hold it: their sentences and those beside them, once each.

    Without the neighbours, a document would lose the sentences that name no actor, and seem shorter than it is.
    """
    texts: dict[str, dict[str, None]] = {}
    for example in examples:
        sentences = texts.setdefault(document_id(example), {})
        sentences.update(dict.fromkeys(text for text in (example.prev, example.text, example.next) if text))
    return {document: " ".join(sentences) for document, sentences in texts.items()}


def cluster_documents(examples: Iterable[Example], *, seed: int) -> dict[str, str]:
    """Return each document's cluster: the first, in order of id, of the documents that it repeats or is repeated by.

    Clusters that the examples state are kept; where any document has none, near-duplicates are found by text. Where all
    have one, a document of which half stands in another is still kept with it: files that were read in one by one,
    and joined, state clusters of which none knows the other file's documents.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    from stance.corpus.duplicates import HALF, SHARED, cluster

    ordered = sorted(examples, key=_place)
    texts = document_texts(ordered)
    documents = {document: row for row, document in enumerate(sorted(texts))}
    links = {(documents[document_id(one)], one.cluster) for one in ordered if one.cluster}
    stated = len({row for row, _ in links}) == len(documents)
    found = cluster([texts[document] for document in documents], threshold=HALF if stated else SHARED, seed=seed)
    links |= {(row, f"\0{group}") for row, group in enumerate(found)}
    column = {name: len(documents) + place for place, name in enumerate(sorted({name for _, name in links}))}
    size = len(documents) + len(column)
    rows, columns = [row for row, _ in links], [column[name] for _, name in links]
    _, component = connected_components(coo_array(([1] * len(links), (rows, columns)), (size, size)), directed=False)
    first: dict[int, str] = {}
    return {document: first.setdefault(int(component[row]), document) for document, row in documents.items()}


def _assign_folds(examples: Sequence[Example], clusters: Mapping[str, str], n_folds: int, seed: int) -> dict[str, int]:
    n_groups = len(set(clusters.values()))
    if n_groups < n_folds:
        raise DataError(f"{n_groups} documents (near-duplicates counted once) cannot be divided into {n_folds} folds")
    from sklearn.model_selection import StratifiedGroupKFold

    ordered = sorted(examples, key=_place)
    groups = [clusters[document_id(example)] for example in ordered]
    divider = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    fold_of: dict[str, int] = {}
    for fold, (_, held) in enumerate(divider.split(ordered, _strata(ordered, n_folds), groups)):
        fold_of.update({document_id(ordered[row]): fold for row in held})
    return fold_of


def _strata(examples: Sequence[Example], n_folds: int) -> list[str]:
    """Name each example's label set; one rarer than the folds counts as its rarest label, and that as 'rare'."""
    names = ["unlabelled" if one.labels is None else "+".join(sorted(one.labels)) for one in examples]
    labels = Counter(label for one in examples for label in one.labels or ())
    counts = Counter(names)
    for row, example in enumerate(examples):
        if counts[names[row]] < n_folds and example.labels:
            names[row] = min(example.labels, key=lambda label: (labels[label], label))
    counts = Counter(names)
    names = [name if counts[name] >= n_folds else "rare" for name in names]
    if 0 < Counter(names)["rare"] < n_folds:
        common = Counter(names).most_common(1)[0][0]
        names = [common if name == "rare" else name for name in names]
    return names


def _fold_counts(fractions: tuple[float, float, float], n_groups: int) -> tuple[int, int, int]:
    """Return the number of folds, and how many of them are validation and test, that come nearest to `fractions`."""
    if n_groups < len(PARTS):
        raise DataError(f"{n_groups} documents (near-duplicates counted once) cannot be divided into three parts")

    def parts(n: int) -> tuple[int, int, int]:
        held = [max(1, round(fraction * n)) for fraction in fractions[1:]]
        return n, held[0], held[1]

    def miss(n: int) -> float:
        _, validation, test = parts(n)
        return abs(validation / n - fractions[1]) + abs(test / n - fractions[2]) + (validation + test >= n)

    return parts(min(range(len(PARTS), min(MOST_FOLDS, n_groups) + 1), key=lambda n: (round(miss(n), 9), n)))


def _place(example: Example) -> tuple[str, int, str, str]:
    return document_id(example), example.index, example.actor or "", example.text


def _digest(pairs: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"{part}\t{document}\n" for part, document in sorted(pairs))
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()
