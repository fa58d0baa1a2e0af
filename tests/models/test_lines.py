"""Answers as numbers are those of the table, row by row, whatever stands between them."""

import json

import numpy as np
import pytest

from stance import codebook
from stance.models.classifier import Classifier
from stance.models.lines import answer_fields, answer_lines
from stance.predict import tabulate
from stance.records import Example

TEXT = "Norway hosted a Taliban delegation in Oslo."


@pytest.fixture
def classifier(saved):
    return Classifier.load(saved)


def test_numbers_are_those_of_the_table(classifier):
    rows = [Example(TEXT, actor="Norway"), Example(TEXT), Example("Chile spoke.", actor="Chile", index=1)]
    lines = [json.dumps(row.to_row()) for row in rows]
    found = answer_lines([classifier], [lines[0], '{"text": null}', *lines[1:], "{}"])
    table = tabulate(rows, [classifier])
    assert list(found.columns) == [field.name for field in answer_fields([classifier])]
    assert found["usable"].tolist() == [True, False, True, True, False]
    for j, label in enumerate(codebook.load().task("stance").labels):
        expected = table[f"stance.{label}"].to_numpy()
        np.testing.assert_array_equal(found[f"p0_{j}"], [expected[0], np.nan, *expected[1:], np.nan])
        given = [isinstance(own, list) and label in own for own in table["stance"]]
        assert found[f"given0_{j}"].tolist() == [given[0], False, *given[1:], False]
    assert found["sure0"].tolist() == [True, False, False, True, False]


def test_no_line_gives_a_table_without_rows(classifier):
    assert answer_lines([classifier], []).shape == (0, len(answer_fields([classifier])))
