"""On which kinds of sentence does a model err? A model and labelled real sentences enter; a table of kinds leaves.

    python -m experiments.benchmarks.errors models:/taliban-stance@champion [--file FILE]

Kinds overlap and are told by plain cues (below), none by a label but the last two: they say where to look. `false` and
`missed` are labels wrongly given and wrongly left out per 100 examples; the interval of the exact matches is by
bootstrap over documents. No sentence is printed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

import stance
from experiments.benchmarks.realnews import FILE, read_realnews
from stance.cli import tables
from stance.evaluation.bootstrap import bootstrap_documents
from stance.evaluation.result import evaluate
from stance.evaluation.slices import has_negation, resampling_unit
from stance.records import Example

LONG = 35  # words
_SAID = re.compile(r"\b(?:said|says|saying|told|added|stressed|warned|according to|noted|stated)\b|[“”\"«]", re.I)
_HEDGE = re.compile(
    r"\b(?:may|might|could|would|should|if|whether|consider\w*|possib\w+|plan\w*|ready|willing)\b", re.I
)
_PAST = re.compile(r"\b(?:19\d\d|20[01]\d|former|then-|years? ago|in the past|previously)\b", re.I)

Kind = Callable[[Example], bool]
KINDS: dict[str, Kind] = {
    "actor named": lambda e: e.mention is not None,
    "actor implied": lambda e: e.actor is not None and e.mention is None,
    "actor among the last words": lambda e: e.start is not None and e.start > 0.6 * len(e.text),
    "target named": lambda e: bool(e.targets),
    "target not named": lambda e: not e.targets,
    "speech or quotation": lambda e: bool(_SAID.search(e.text)),
    "negation": lambda e: has_negation(e.text),
    "hedge, condition or plan": lambda e: bool(_HEDGE.search(e.text)),
    "looks back": lambda e: bool(_PAST.search(e.text)),
    "question": lambda e: "?" in e.text,
    f"over {LONG} words": lambda e: len(e.text.split()) > LONG,
    "gold: no label": lambda e: not e.labels,
    "gold: several labels": lambda e: len(e.labels or ()) > 1,
}


def table(examples: list[Example], gold: NDArray[np.bool_], given: NDArray[np.bool_]) -> list[tuple[str, ...]]:
    """Return a row per kind, the worst exact match first; `gold` and `given` have shape `(n_examples, n_labels)`."""
    shared = Counter((example.doc_id, example.text) for example in examples)
    several: dict[str, Kind] = {"several actors": lambda e: shared[e.doc_id, e.text] > 1}
    kinds: dict[str, Kind] = {"all": lambda _: True, **KINDS, **several}
    documents = np.array([resampling_unit(example) for example in examples])
    exact = (gold == given).all(1)
    found = []
    for name, holds in kinds.items():
        rows = np.array([holds(example) for example in examples])
        if not rows.any():
            continue
        places = np.unique(documents[rows], return_inverse=True)[1]
        right, n = np.bincount(places, exact[rows]), np.bincount(places)
        share = bootstrap_documents(_share(right.astype(np.int64), n), len(n))[0]
        false, missed = ((given & ~gold)[rows].sum(), (gold & ~given)[rows].sum())
        cells = (f"{100 * false / rows.sum():.0f}", f"{100 * missed / rows.sum():.0f}")
        found.append((share.estimate, (name, str(rows.sum()), tables.bounded(share), *cells)))
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]


def _share(right: NDArray[np.int64], n: NDArray[np.int64]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """The share of exact matches as a function of document weights."""
    return lambda weights: ((weights @ right) / np.maximum(weights @ n, 1e-9))[..., None]


@click.command()
@click.argument("model")
@click.option("--file", default=FILE, show_default=False, type=click.Path(path_type=Path), help="Labelled sentences.")
def main(model: str, file: Path) -> None:
    """Print exact match, false and missed labels by kind of sentence."""
    if not file.is_file():
        click.echo(f"skipped: {file} is missing; give labelled real sentences with --file")
        return
    classifier = stance.load(model)
    examples = read_realnews(file, classifier.codebook, classifier.task)
    scores = classifier.model.predict_proba(examples)
    result = evaluate(examples, scores, classifier.calibration, classifier.labels)
    rows = table(examples, result.gold.astype(bool), result.predicted.astype(bool))
    columns = ("kind of sentence", "n", "exact match [95%]", "false/100", "missed/100")
    tables.show(f"{model}: {classifier.task} on {file.name}", columns, rows)


if __name__ == "__main__":
    main()
