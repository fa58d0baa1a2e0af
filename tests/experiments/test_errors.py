"""The table of errors by kind of sentence."""

import numpy as np

from experiments.benchmarks.errors import table
from stance.records import Example


def _example(number: int, text: str, labels: tuple[str, ...]) -> Example:
    return Example(text, actor="X", mention="Bern", start=0, end=4, doc_id=f"d{number}", labels=labels)


def test_kinds_are_counted_apart_and_the_worst_comes_first():
    examples = [
        _example(1, "Bern did not meet the Reds.", ()),
        _example(2, "Bern may meet the Reds?", ("engage",)),
        _example(3, "Bern met the Reds.", ("engage",)),
        _example(4, "Bern met the Reds and barred them.", ("engage", "oppose")),
    ]
    gold = np.array([[0, 0], [1, 0], [1, 0], [1, 1]], dtype=bool)
    given = np.array([[1, 0], [1, 0], [1, 0], [1, 0]], dtype=bool)
    rows = {row[0]: row[1:] for row in table(examples, gold, given)}
    assert rows["negation"][0] == "1"
    assert rows["negation"][2:] == ("100", "0")
    assert rows["gold: several labels"][2:] == ("0", "100")
    assert rows["hedge, condition or plan"][2:] == ("0", "0")
    assert rows["all"][0] == "4"
    assert rows["all"][1].startswith("0.50")
    assert rows["all"][2:] == ("25", "25")
    assert "actor implied" not in rows
    shares = [float(row[2].split()[0]) for row in table(examples, gold, given)]
    assert shares == sorted(shares)


def test_sentences_with_several_actors_are_told_by_their_document_and_text():
    text = "Bern and Oslo met the Reds."
    examples = [_example(1, text, ()), _example(1, text, ()), _example(2, text, ())]
    nothing = np.zeros((3, 2), dtype=bool)
    assert {row[0]: row[1] for row in table(examples, nothing, nothing)}["several actors"] == "2"
