"""Planted leaks are refused and named; the shipped split holds none."""

from dataclasses import replace

import pytest

from stance.dataset import check_overlap, load_examples
from stance.errors import DataError
from stance.records import Example

STORY = (
    "The foreign minister told reporters in the capital on Monday that the talks would go on through the winter months"
)


def parts():
    """Parts without anything in common."""

    def one(number, text, actor):
        return Example(
            text,
            actor,
            doc_id=f"d{number}",
            date=f"20{20 + number}-05",
            genre=f"genre {number}",
            outlet=f"paper {number}",
        )

    return {
        "train": [one(0, "Oslo kept its embassy open.", "Norway"), one(1, "A harvest failed in the north.", "Chile")],
        "validation": [one(2, "Quite another matter was settled at noon.", "Peru")],
        "test": [one(3, "Rain fell upon the valley roads.", "Kenya"), one(4, "Trains ran late all week.", "Nepal")],
    }


@pytest.mark.parametrize("kind", ["document", "time", "outlet", "genre", "unseen-actor"])
def test_parts_with_nothing_in_common_pass(kind):
    check_overlap(parts(), kind)


LEAKS = {
    "example": ("document", {"doc_id": "d0", "text": "Oslo kept its embassy open.", "actor": "Norway"}, "example '"),
    "document": ("document", {"doc_id": "d0"}, "document 'd0' is in both train and test"),
    "cluster": ("document", {"cluster": "wire-7"}, "near-duplicate cluster 'wire-7' is in both train and test"),
    "copy": ("document", {"text": f"{STORY}, he said."}, r"near-duplicate 'd9 \(d3\)' is in both train and test"),
    "outlet": ("outlet", {"outlet": "Paper-1"}, "outlet 'paper 1' is in both train and test"),
    "genre": ("genre", {"genre": "genre 2"}, "genre 'genre 2' is in both validation and test"),
    "actor": ("unseen-actor", {"actor": "Chile"}, "actor 'Chile' is in both train and test"),
    "older": ("time", {"date": "2021"}, r"date of document 'd1 \(2021-05\)' is in both train and test"),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_planted_leak_is_named(leak):
    kind, change, message = LEAKS[leak]
    leaky = parts()
    leaky["train"].append(Example(STORY, "Fiji", doc_id="d9", cluster="wire-7", date="2020", genre="x", outlet="y"))
    leaky["test"][0] = replace(leaky["test"][0], **change)
    with pytest.raises(DataError, match=message) as caught:
        check_overlap(leaky, kind)
    assert leaky["test"][0].id in str(caught.value) or leak == "older"


def test_no_more_than_five_offenders_are_named():
    leaky = parts()
    leaky["train"] = [Example(f"before{number}", doc_id=f"x{number}") for number in range(9)]
    leaky["test"] = [Example(f"after{number}", doc_id=f"x{number}") for number in range(9)]
    with pytest.raises(DataError, match=r"'x4' is in both train and test .*; and 4 more"):
        check_overlap(leaky)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["stance", "frames"])
def test_the_shipped_split_holds_no_copy_on_two_sides(task):
    check_overlap(load_examples(task))
