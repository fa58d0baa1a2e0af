"""Any body gives rows or one line, and rows survive the way to the model."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from stance.errors import DataError
from stance.tracking.serving.rows import CSV, JSON, Columns, read_rows, write_rows

COLUMNS = Columns(("text", "actor"), ("mention", "date"))
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["dataframe_records", "dataframe_split", "instances", "inputs", "text", "actor", "columns"])
            | st.just("data")
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(DATA)
@settings(max_examples=200, deadline=None)
def test_any_json_gives_rows_of_strings_or_one_line(content):
    try:
        rows = read_rows(json.dumps(content).encode(), JSON, COLUMNS)
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017 - which of the two happens is what is drawn
        return
    assert all(row["text"].strip() and row["actor"].strip() for row in rows)
    assert all(isinstance(value, str | None) for row in rows for value in row.values())
    assert len(json.loads(write_rows(rows, COLUMNS))["dataframe_split"]["data"]) == len(rows)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from([JSON, CSV]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_rows_or_one_line(body, kind):
    try:
        read_rows(body, kind, COLUMNS)
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)).filter(lambda row: all(map(str.strip, row)))))
@settings(max_examples=100, deadline=None)
def test_rows_survive_being_written_and_read(pairs):
    rows = [{"text": text, "actor": actor} for text, actor in pairs]
    assert read_rows(write_rows(rows, COLUMNS), JSON, COLUMNS) == rows
