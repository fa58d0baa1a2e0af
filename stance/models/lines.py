"""Answers as numbers alone, for engines that hold the rows themselves. Lines of JSON enter; a table of numbers leaves.

No column holds a null, which engines' conversions of tables mistake for a value: where a model is not asked, every
probability is NaN, and nothing else of it means anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stance.dataset.rows import parse_row
from stance.errors import DataError
from stance.models.answers import answer_rows
from stance.models.classifier import Classifier
from stance.records import Example

if TYPE_CHECKING:
    import pandas as pd

USABLE = "usable"
"""The column that says whether a line held an example at all."""


class Field(NamedTuple):
    """A column of numbers, `kind` being float or bool."""

    name: str
    kind: type


def probability(model: int, label: int) -> str:
    """Return the column of a label's calibrated probability; models and labels are counted from 0."""
    return f"p{model}_{label}"


def given(model: int, label: int) -> str:
    """Return the column that says whether a label reaches its threshold."""
    return f"given{model}_{label}"


def sure_enough(model: int) -> str:
    """Return the column that says whether a model is as sure as asked; True where nobody asked."""
    return f"sure{model}"


def answer_fields(classifiers: Sequence[Classifier]) -> list[Field]:
    """Return the columns of `answer_lines`, in order."""
    fields = [Field(USABLE, bool)]
    for k, classifier in enumerate(classifiers):
        labels = range(len(classifier.labels))
        fields += [Field(probability(k, j), float) for j in labels]
        fields += [Field(given(k, j), bool) for j in labels]
        fields.append(Field(sure_enough(k), bool))
    return fields


def answer_lines(classifiers: Sequence[Classifier], lines: Iterable[str], sure: float | None = None) -> pd.DataFrame:
    """Return one row of `answer_fields` per line of JSON, with a plain index; lines that hold no example get no answer.

    What a line may hold is what a line of a file of examples may; `sure` as in `Classifier.predict`.
    """
    import pandas as pd

    read = [read_line(line) for line in lines]
    usable = np.array([isinstance(one, Example) for one in read], dtype=bool)
    examples = [one for one in read if isinstance(one, Example)]
    columns: dict[str, NDArray[Any]] = {
        field.name: np.full(len(read), np.nan if field.kind is float else False) for field in answer_fields(classifiers)
    }
    columns[USABLE] = usable
    rows = np.flatnonzero(usable)
    for k, classifier in enumerate(classifiers):
        for row, answer in zip(rows, answer_rows(classifier, examples, sure), strict=True):
            if answer is not None:
                columns[sure_enough(k)][row] = answer.sure
                for j, label in enumerate(classifier.labels):
                    columns[probability(k, j)][row] = answer.probabilities[j]
                    columns[given(k, j)][row] = label in answer.labels
    return pd.DataFrame(columns)


def read_line(line: str) -> Example | str:
    """Return the example that a line of JSON holds, or why it holds none.

    >>> read_line('{"text": "Norway spoke.", "start": 3}')
    "give both 'start' and 'end', or neither"
    """
    where = "row"
    try:
        return parse_row(json.loads(line), where)
    except DataError as error:
        return str(error).removeprefix(f"{where}: ")
