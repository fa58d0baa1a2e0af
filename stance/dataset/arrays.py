"""Label sets as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stance.errors import DataError
from stance.records import Example


def label_matrix(examples: Sequence[Example], labels: Sequence[str]) -> npt.NDArray[np.int8]:
    """Return the gold labels as int8, shape `(n_examples, n_labels)`, columns in the order of `labels`.

    Raises DataError for an example that nobody labelled, or with a label outside `labels`, naming its id.
    """
    column = {label: index for index, label in enumerate(labels)}
    matrix = np.zeros((len(examples), len(labels)), dtype=np.int8)
    for row, example in enumerate(examples):
        if example.labels is None:
            raise DataError(f"example {example.id} is not labelled; drop it or label it before training")
        for label in example.labels:
            if label not in column:
                raise DataError(f"example {example.id}: label '{label}' is not one of {', '.join(labels)}")
            matrix[row, column[label]] = 1
    return matrix
