"""How well are a sentence's actors found? Precision, recall and F1 of (sentence, actor) by canonical name.

Two tables: the shipped corpus, whose annotations the evidence weights were fitted to (read it as a fit, not as a
test), and a file of labelled real sentences. Intervals: bootstrap over documents. `--errors` lists the actors that
are most often missed and wrongly found. `--fit` refits the weights to the shipped corpus alone, after a
cross-validation by document that prints precision and recall over thresholds (the right actors of the sentences
before being known, no higher threshold for places); the file shipped was made with the defaults below.

While this was written, the errors on the file of real sentences were read three times in full and twice as a list of
mentions: its numbers are those of a development set. Names were added only where they would be without it.

    python experiments/benchmarks/actors.py [FILE] [--errors] [--fit]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stance.corpus.actor_check import ActorCheck, LabelledDocument, check_documents, read_labelled
from stance.corpus.actors import find_actors, propose
from stance.evaluation.bootstrap import bootstrap_documents

REAL = Path(__file__).resolve().parents[3] / "shared/realnews/dev.jsonl"
WEIGHTS = Path(__file__).resolve().parents[2] / "stance/corpus/gazetteer/weights.json"
INVERSE_PENALTY = 0.12
LEAST_COUNT = 6
THRESHOLD = -1.35
PLACE_THRESHOLD = 0.1
SMALLEST_WEIGHT = 0.02
THRESHOLDS = (-1.5, -1.0, -0.5, 0.0)


class Sample(NamedTuple):
    """A candidate of a sentence: its evidence, whether the annotators listed the actor, and which pair it is."""

    evidence: list[str]
    right: bool
    pair: tuple[str, str, int, str]


def read_corpus() -> list[LabelledDocument]:
    """Return the shipped corpus as documents with the actors of each sentence."""
    folder = resources.files("stance.dataset").joinpath("passages")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".jsonl")), key=lambda file: file.name)
    return [document for file in files for document in read_labelled(Path(str(file)))]


def measure(check: ActorCheck) -> str:
    """Return precision, recall and F1 with 95% intervals by document, as one line."""
    counts = np.array([row[1:] for row in check.documents], dtype=float)

    def statistic(weights: NDArray[Any]) -> NDArray[Any]:
        tp, fp, fn = (weights @ counts).T
        floor = np.finfo(float).tiny
        found, gold = np.maximum(tp + fp, floor), np.maximum(tp + fn, floor)
        return np.stack([tp / found, tp / gold, 2 * tp / (found + gold)], axis=-1)

    intervals = bootstrap_documents(statistic, len(counts))
    names = ("precision", "recall", "F1")
    return "  ".join(f"{n} {i.estimate:.3f} [{i.low:.3f}, {i.high:.3f}]" for n, i in zip(names, intervals, strict=True))


def show(name: str, check: ActorCheck, errors: bool) -> None:
    """Print one table's line, and with `errors` the actors most often missed and wrongly found."""
    print(f"{name}: {len(check.documents)} documents, {check.tp + check.fn} pairs\n  {measure(check)}")
    if errors:
        print("  missed:  ", ", ".join(f"{actor} {n}" for actor, n in check.commonest(check.missed)))
        print("  spurious:", ", ".join(f"{actor} {n}" for actor, n in check.commonest(check.spurious)))


def views(document: LabelledDocument) -> Iterator[tuple[str, Sequence[str], Sequence[Any], str | None, set[int]]]:
    """Yield a document as it is, without its date, and as pairs of neighbours: real rows are often no more."""
    texts, actors = document.sentences, document.actors
    everything = set(range(len(texts)))
    yield "dated", texts, actors, document.date, everything
    yield "undated", texts, actors, None, everything
    for i in range(len(texts)):
        first = max(0, i - 1)
        yield f"pair {i}", texts[first : i + 1], actors[first : i + 1], document.date if i % 2 else None, {i - first}


def gather(documents: Sequence[LabelledDocument]) -> tuple[list[Sample], dict[str, int]]:
    """Return every candidate of every view, and the number of labelled pairs per kind of view.

    The memory is fed the annotators' actors: the judge learns from right antecedents.
    """
    samples: list[Sample] = []
    labelled: dict[str, int] = defaultdict(int)
    for document in documents:
        for view, texts, actors, date, scored in views(document):
            for i, (candidates, memory, text) in enumerate(propose(texts, date=date)):
                gold = actors[i] or ()
                if i in scored:
                    labelled[view.split()[0]] += len(gold)
                    pair = (document.doc_id, view, i)
                    samples += [Sample(c.evidence, c.actor in gold, (*pair, c.actor)) for c in candidates]
                memory.note(text, gold)
    return samples, labelled


def fit(samples: Sequence[Sample]) -> tuple[Any, Any]:
    """Return a vectoriser and an L1 logistic regression fitted to `samples`."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = CountVectorizer(analyzer=list, min_df=LEAST_COUNT)
    matrix = vectorizer.fit_transform([sample.evidence for sample in samples])
    model = LogisticRegression(C=INVERSE_PENALTY, solver="liblinear", l1_ratio=1, intercept_scaling=10, random_state=0)
    return vectorizer, model.fit(matrix, [sample.right for sample in samples])


def cross_validate(samples: Sequence[Sample], labelled: dict[str, int]) -> None:
    """Print precision and recall per view and threshold, each document judged by weights that did not see it."""
    from sklearn.model_selection import GroupKFold

    groups = [sample.pair[0] for sample in samples]
    scores: dict[tuple[str, str, int, str], float] = {}
    truth = {sample.pair: sample.right for sample in samples}
    for train, test in GroupKFold(4).split(samples, groups=groups):
        vectorizer, model = fit([samples[i] for i in train])
        judged = model.decision_function(vectorizer.transform([samples[i].evidence for i in test]))
        for i, score in zip(test, judged, strict=True):
            scores[samples[i].pair] = max(scores.get(samples[i].pair, -np.inf), score)
    for view, pairs in labelled.items():
        for threshold in THRESHOLDS:
            found = [pair for pair, score in scores.items() if score > threshold and pair[1].split()[0] == view]
            right = sum(truth[pair] for pair in found)
            precision, recall = right / len(found), right / pairs
            print(f"  {view:8} threshold {threshold:+.1f}: precision {precision:.3f} recall {recall:.3f}")


def refit() -> None:
    """Cross-validate, fit to the whole corpus and write the weights file."""
    samples, labelled = gather(read_corpus())
    cross_validate(samples, labelled)
    vectorizer, model = fit(samples)
    pairs = zip(vectorizer.get_feature_names_out(), model.coef_[0], strict=True)
    weights = {name: round(float(w), 2) for name, w in sorted(pairs) if abs(w) >= SMALLEST_WEIGHT}
    thresholds = {"threshold": THRESHOLD, "place_threshold": PLACE_THRESHOLD}
    content = {"bias": round(float(model.intercept_[0]), 2), **thresholds, "weights": weights}
    WEIGHTS.write_text(json.dumps(content, ensure_ascii=False, indent=0) + "\n", "utf-8")
    print(f"{len(weights)} weights → {WEIGHTS.name}")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, default=REAL, help="labelled sentences (JSON lines)")
    parser.add_argument("--errors", action="store_true", help="list the commonest misses and false finds")
    parser.add_argument("--fit", action="store_true", help="refit the weights to the shipped corpus first")
    options = parser.parse_args()
    if options.fit:
        refit()
    corpus = read_corpus()
    show("shipped corpus (fitted to)", check_documents(corpus), options.errors)
    start = time.process_time()
    for document in corpus:
        find_actors(document.sentences, date=document.date)
    seconds = time.process_time() - start
    print(f"  {sum(len(document.sentences) for document in corpus) / seconds:,.0f} sentences per second of one core")
    if not options.file.exists():
        print(f"{options.file}: not here; the check on real sentences is left out")
        return
    show(str(options.file), check_documents(read_labelled(options.file)), options.errors)


if __name__ == "__main__":
    main()
