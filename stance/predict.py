"""From raw articles to who takes which stance. Articles enter; a row per sentence and actor leaves, then a summary."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from stance.corpus.ingest import ingest_all
from stance.errors import DataError
from stance.models.answers import answer_rows, per_actor, without_actor
from stance.models.classifier import Classifier
from stance.records import Article, Example

if TYPE_CHECKING:
    import pandas as pd

ORIGIN = ("doc_id", "cluster", "title", "date", "outlet", "url", "index", "text", "actor", "mention", "start", "end")

_DTYPES = {"index": "int64", "start": "Int64", "end": "Int64"}


def predict_articles(
    articles: Iterable[Article], classifiers: Sequence[Classifier], sure: float | None = None
) -> pd.DataFrame:
    """Return one row per (sentence, actor), and one with `actor` None for a sentence without actors.

    The columns are ORIGIN, then for every classifier a float column `<task>.<label>` per label in codebook order (the
    calibrated probability) and a column `<task>` with the list of labels given. A task coded per actor has None in rows
    without an actor; a task coded per sentence repeats its answer on every row of the sentence. With `sure` (see
    `Classifier.predict`) a further column `<task>.sure` is True, False or None, and the list None where it is False.
    All classifiers must come from one codebook, each for a task of its own; DataError is raised where they do not.
    """
    check_together(classifiers)
    rows = list(ingest_all(articles, classifiers[0].codebook))
    if not per_actor(classifiers):
        rows = sentences_alone(rows)
    return tabulate(rows, classifiers, sure)


def tabulate(rows: Sequence[Example], classifiers: Sequence[Classifier], sure: float | None = None) -> pd.DataFrame:
    """Return the table of `predict_articles` with one row per example given, in the same order."""
    import pandas as pd

    columns = {
        name: pd.Series([getattr(row, name) for row in rows], dtype=_DTYPES.get(name, object)) for name in ORIGIN
    }
    frame = pd.DataFrame(columns)
    for classifier in classifiers:
        given = answer_rows(classifier, rows, sure)
        for j, label in enumerate(classifier.labels):
            column = [None if one is None else one.probabilities[j] for one in given]
            frame[f"{classifier.task}.{label}"] = pd.Series(column, dtype=float)
        if sure is not None:
            frame[f"{classifier.task}.sure"] = pd.Series([one and one.sure for one in given], dtype=object)
        labels = [list(one.labels) if one is not None and one.sure else None for one in given]
        frame[classifier.task] = pd.Series(labels, dtype=object)
    return frame


def sentences_alone(rows: Iterable[Example]) -> list[Example]:
    """Return one example per sentence, without its actor, in order of first appearance."""
    return list({(row.doc_id, row.index): without_actor(row) for row in rows}.values())


def summarize(frame: pd.DataFrame, task: str, labels: Sequence[str]) -> pd.DataFrame:
    """Return one row per actor and label of a task coded per actor: `actor`, `label`, `n` sentences that carry it,
    the `probability` of the surest, and that sentence as `evidence` with its `title` and `date`.

    Actors with most sentences come first; labels stand in codebook order.
    """
    import pandas as pd

    given = frame.loc[[isinstance(value, list) and bool(value) for value in frame[task]]]
    rows = []
    for actor, own in given.groupby("actor", sort=False):
        for rank, label in enumerate(labels):
            with_label = own.loc[[label in value for value in own[task]]]
            if len(with_label):
                best = with_label.iloc[int(with_label[f"{task}.{label}"].astype(float).to_numpy().argmax())]
                sure = float(best[f"{task}.{label}"])
                rows.append(
                    (len(own), actor, rank, label, len(with_label), sure, best["text"], best["title"], best["date"])
                )
    rows.sort(key=lambda row: (-row[0], row[1], row[2]))
    columns = ["actor", "label", "n", "probability", "evidence", "title", "date"]
    return pd.DataFrame([(row[1], *row[3:]) for row in rows], columns=columns)


def check_together(classifiers: Sequence[Classifier]) -> None:
    """Raise DataError unless all classifiers are of one codebook, each for a task of its own."""
    tasks = [classifier.task for classifier in classifiers]
    names = sorted({classifier.codebook.name for classifier in classifiers})
    if len(names) > 1:
        raise DataError(f"the models come from several codebooks ({', '.join(names)}); predict with one at a time")
    if len(set(tasks)) < len(tasks):
        raise DataError(f"several models for one task ({', '.join(tasks)}); give one model for each task")
