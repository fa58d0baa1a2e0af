"""What is asked of the service in these tests, and what makes two answers the same."""

import pytest

ROWS = [
    {"text": "Norway hosted talks with the Taliban.", "actor": "Norway"},
    {"text": "Chile condemned the Taliban.", "actor": "Chile", "mention": None, "title": "Im Süden, ‚neu‘"},
]


def same(answer, wanted):
    assert answer.status_code == 200, answer.text
    found = answer.json()["predictions"]
    assert [row["stance"] for row in found] == [row["stance"] for row in wanted]
    for row, other in zip(found, wanted, strict=True):
        assert row.keys() == other.keys()
        assert all(row[label] == pytest.approx(other[label], abs=1e-12) for label in row if label != "stance")
