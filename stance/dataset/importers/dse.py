"""DSE (Park, Pan and Joo 2021): which of two bracketed political entities is positive or negative toward the other.

The first bracketed entity is the actor and the second the target; labels say the sign and the direction. 400 of the
1,623 test rows repeat a training row: `genre` is "seen" for a test row that stands in train or valid and "unseen" for
the others, so that scores can be reported apart.
"""

from __future__ import annotations

from collections.abc import Iterator

from stance.dataset.importers.source import Row, choose, text_of
from stance.records import Example, content_id

FILES = {part: f"dse_{part}.tsv" for part in ("train", "valid", "test")}
TASKS = ("sentiment",)
LABELS = {
    "0": "neutral",
    "1": "positive-forward",
    "2": "positive-backward",
    "3": "negative-forward",
    "4": "negative-backward",
}


def read(row: Row, part: str, number: int, task: str) -> Iterator[tuple[str, Example]]:  # noqa: ARG001 - one task
    """Yield the row's example; raises ValueError unless the sentence has two bracketed entities."""
    pieces = text_of(row, "sentence").replace("]", "[").split("[")
    if len(pieces) != 5 or not pieces[1] or not pieces[3]:
        raise ValueError("the sentence does not have two entities in square brackets")
    first = len(pieces[0])
    second = first + len(pieces[1]) + len(pieces[2])
    text = "".join(pieces)
    yield (
        part,
        Example(
            text=text,
            actor=pieces[1],
            mention=pieces[1],
            start=first,
            end=first + len(pieces[1]),
            targets=((second, second + len(pieces[3])),),
            doc_id=f"dse-{content_id(text)}",
            index=number,
            genre=_seen(row) if part == "test" else None,
            labels=(choose(row, "label", LABELS),),
        ),
    )


def _seen(row: Row) -> str:
    return "seen" if "1" in (row["seen_in_train"], row["seen_in_valid"]) else "unseen"
