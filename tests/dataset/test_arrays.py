import numpy as np
import pytest

from stance.dataset.arrays import label_matrix
from stance.errors import DataError
from stance.records import Example


def test_columns_follow_the_labels_given():
    examples = [Example("a", labels=("engage", "sanction")), Example("b", labels=())]
    matrix = label_matrix(examples, ("sanction", "oppose", "engage"))
    assert matrix.tolist() == [[1, 0, 1], [0, 0, 0]]
    assert matrix.dtype == np.int8


@pytest.mark.parametrize("labels", [None, ("endorse",)])
def test_what_cannot_be_trained_on_is_named(labels):
    example = Example("a", labels=labels)
    with pytest.raises(DataError, match=example.id):
        label_matrix([example], ("engage", "oppose"))
