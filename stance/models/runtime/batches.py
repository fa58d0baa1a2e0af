"""The order of work. What enters is tokenised rows; what leaves is batches without padding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from stance.models.tokens import Row

Given = TypeVar("Given")
Made = TypeVar("Made")


def by_tokens(rows: Sequence[Row], limit: int) -> list[list[int]]:
    """Return batches of indices into `rows`, longest rows first.

    A batch holds rows of one length alone, and at most `limit` tokens unless it is a single row.
    """
    batches: list[list[int]] = []
    # Rows with as many actor tokens stand together too: the last layer is computed at those alone.
    for i in sorted(range(len(rows)), key=lambda i: (-len(rows[i]), int(rows[i].actor.sum()), i)):
        last = batches[-1] if batches else []
        if last and len(rows[last[0]]) == len(rows[i]) and len(rows[i]) * (len(last) + 1) <= limit:
            last.append(i)
        else:
            batches.append([i])
    return batches


def distinct(rows: Sequence[Row]) -> tuple[list[Row], list[int]]:
    """Return the rows without repeats, and for each row given its place among them."""
    places: dict[tuple[bytes, ...], int] = {}
    first: list[Row] = []
    inverse = []
    for row in rows:
        place = places.setdefault((row.ids.tobytes(), row.types.tobytes(), row.actor.tobytes()), len(first))
        if place == len(first):
            first.append(row)
        inverse.append(place)
    return first, inverse


def ahead(make: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """Yield `make` of each thing given, in order; the next is made in a thread while the caller works on this one."""
    with ThreadPoolExecutor(1, "stance-read-ahead") as thread:
        coming: Future[Made] | None = None
        for one in given:
            ready, coming = coming, thread.submit(make, one)
            if ready is not None:
                yield ready.result()
        if coming is not None:
            yield coming.result()
