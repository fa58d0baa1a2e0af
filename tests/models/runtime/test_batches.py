import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.models.runtime.batches import ahead, by_tokens, distinct
from stance.models.tokens import Row


def row(length, actors=1, first=1):
    mask = np.arange(length) < actors
    return Row(np.full(length, first, np.int32), np.zeros(length, np.int8), mask, mask)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 3)), max_size=80), st.integers(1, 200))
def test_batches_hold_every_row_once_and_need_no_padding(shapes, limit):
    rows = [row(*shape) for shape in shapes]
    batches = by_tokens(rows, limit)
    assert sorted(i for batch in batches for i in batch) == list(range(len(rows)))
    for batch in batches:
        lengths = {len(rows[i]) for i in batch}
        assert len(lengths) == 1
        assert len(batch) == 1 or lengths.pop() * len(batch) <= limit
    longest = [len(rows[batch[0]]) for batch in batches]
    assert longest == sorted(longest, reverse=True)


def test_equal_lengths_share_a_batch():
    rows = [row(10, actors) for actors in (3, 1, 2, 1)] + [row(9)]
    assert by_tokens(rows, 40) == [[1, 3, 2, 0], [4]]
    assert by_tokens(rows, 20) == [[1, 3], [2, 0], [4]]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2)), max_size=30))
def test_rows_come_back_from_what_is_distinct(shapes):
    rows = [row(*shape) for shape in shapes]
    first, inverse = distinct(rows)
    seen = [(len(r), r.actor.tolist(), r.ids.tolist()) for r in rows]
    assert [(len(first[i]), first[i].actor.tolist(), first[i].ids.tolist()) for i in inverse] == seen
    assert len(first) == len({str(one) for one in seen})


def test_what_is_made_ahead_comes_in_order_while_the_caller_works():
    asked = []

    def make(number):
        asked.append(number)
        return number * 2

    made = ahead(make, range(5))
    assert next(made) == 0
    for _ in range(200):
        if len(asked) > 1:
            break
        time.sleep(0.01)
    assert asked == [0, 1]  # the next one, and no more
    assert list(made) == [2, 4, 6, 8]
    assert list(ahead(make, [])) == []


def test_a_failure_ahead_reaches_the_caller():
    def make(number):
        if number == 2:
            raise ValueError("two")
        return number

    made = ahead(make, range(5))
    assert [next(made), next(made)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(made)
