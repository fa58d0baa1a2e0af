import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.errors import DataError
from stance.models.inputs import find_mention, read_inputs, split_context

TEXT = "Norway hosted a Taliban delegation, and Norway kept its embassy."


@pytest.fixture
def read(book):
    return lambda data, unit="actor": read_inputs(data, unit, book.target)


def one(inputs):
    (example,) = inputs.examples
    return example


def test_one_mapping_a_list_and_a_frame_are_the_same(read):
    row = {"text": TEXT, "actor": "Norway", "mention": "Norway", "prev": "It rained."}
    forms = (row, [row], (row,), pd.DataFrame([row]), pd.DataFrame([row], index=["a"]))
    assert len({one(read(form)) for form in forms}) == 1


def test_the_target_is_marked(read):
    example = one(read({"text": TEXT, "actor": "Norway"}))
    assert [TEXT[slice(*span)] for span in example.targets] == ["Taliban"]


def test_the_frames_task_has_no_actor(read):
    example = one(read({"text": TEXT, "actor": "Norway", "mention": "Norway"}, "sentence"))
    assert (example.actor, example.mention, example.start) == (None, None, None)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"mention": "Norway"}, (0, 6)),
        ({"mention": "NORWAY"}, (0, 6)),
        ({"mention": "Norway", "start": 40, "end": 46}, (40, 46)),
        ({"mention": "Norway", "start": 41, "end": 46}, (0, 6)),  # offsets that do not fit are not used
        ({"mention": "Norway", "start": float("nan"), "end": None}, (0, 6)),
        ({"mention": "Oslo"}, (0, 6)),  # not in the text: looked up under the actor's names
        ({}, (0, 6)),
        ({"mention": float("nan")}, (0, 6)),
        ({"actor": "China"}, (None, None)),
        ({"actor": "China", "mention": "Beijing"}, (None, None)),
    ],
)
def test_where_the_actor_is_mentioned(read, row, expected):
    example = one(read({"text": TEXT, "actor": "Norway"} | row))
    assert (example.start, example.end) == expected
    assert example.mention == (None if expected[0] is None else TEXT[slice(*expected)])


def test_a_whole_word_is_preferred_to_a_part_of_one():
    text = "The USSR left; the US came. Trust us."
    assert text[slice(*find_mention(text, "US"))] == "US"
    assert find_mention(text, "US") == (19, 21)
    assert find_mention("Trust no one.", "US") is None
    assert find_mention("Trust no one.", "  ") is None


@given(st.text(), st.text(min_size=1))
@settings(max_examples=100, deadline=None)
def test_a_mention_that_is_there_is_found_as_it_stands(text, mention):
    whole = f"{text}{mention}{text}"
    span = find_mention(whole, mention)
    assert span is None or whole[slice(*span)].casefold() == mention.strip().casefold()
    assert (span is None) == (not mention.strip())


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (f"It rained. {TEXT} They left.", ("It rained.", "They left.")),
        ("It rained.", ("It rained.", "")),
        ({"prev": "It rained.", "next": "They left."}, ("It rained.", "They left.")),
        ({"next": "They left."}, ("", "They left.")),
        (("It rained.", "They left."), ("It rained.", "They left.")),
        (["It rained.", None], ("It rained.", "")),
        (np.array(["It rained.", "They left."], dtype=object), ("It rained.", "They left.")),
        (None, ("", "")),
        (float("nan"), ("", "")),
        (pd.NA, ("", "")),
    ],
)
def test_context_in_every_form(read, context, expected):
    example = one(read({"text": TEXT, "actor": "Norway", "context": context}))
    assert (example.prev, example.next) == expected


def test_columns_of_their_own_outrank_the_context(read):
    row = {"text": TEXT, "actor": "Norway", "context": ("a", "b"), "prev": "It rained.", "title": "T"}
    example = one(read(row))
    assert (example.prev, example.next, example.title) == ("It rained.", "b", "T")


@given(st.text(), st.text(min_size=1), st.text())
@settings(max_examples=100, deadline=None)
def test_context_around_a_text_loses_nothing_but_space(before, text, after):
    prev, following = split_context(before + text + after, text)
    whole = "".join((before + text + after).split())
    assert "".join(f"{prev}{text}{following}".split()) == whole


@pytest.mark.parametrize("date", ["2021-08-15", datetime.date(2021, 8, 15), pd.Timestamp("2021-08-15 10:00")])
def test_dates_become_iso_text(read, date):
    assert one(read({"text": TEXT, "actor": "Norway", "date": date})).date == "2021-08-15"
    assert one(read({"text": TEXT, "actor": "Norway", "date": pd.NaT})).date is None


BAD = {
    "no text": ([{"actor": "A"}], r"row 0: 'text' is missing \(the row has actor\)"),
    "None as text": ([{"text": "a", "actor": "A"}, {"text": None, "actor": "A"}], "row 1: 'text' is empty"),
    "NaN as text": (pd.DataFrame({"text": ["a", float("nan")], "actor": "A"}, index=["x", "y"]), "row 'y': 'text'"),
    "NA as text": (pd.DataFrame({"text": ["a", pd.NA], "actor": "A"}, index=[7, 8]), "row 8: 'text' is empty"),
    "blank text": ({"text": " \n", "actor": "A"}, "row 0: 'text' is empty"),
    "number as text": ({"text": 4, "actor": "A"}, "row 0: 'text' must be a string, not int"),
    "list as text": ({"text": ["a", "b"], "actor": "A"}, "'text' must be a string, not list"),
    "bytes as text": ({"text": b"a", "actor": "A"}, "'text' must be a string, not bytes"),
    "no actor": ({"text": "a"}, "row 0: 'actor' is missing.*always some actor's"),
    "NaN as actor": ({"text": "a", "actor": float("nan")}, "row 0: 'actor' is empty"),
    "number as actor": ({"text": "a", "actor": 3}, "'actor' must be a string, not int"),
    "no actor column": (pd.DataFrame({"text": ["a"], "who": "A"}), "no 'actor' column; the columns are text, who"),
    "no text column": (pd.DataFrame({"Text": ["a"], "actor": "A"}), "no 'text' column; the columns are Text, actor"),
    "number as mention": ({"text": "a", "actor": "A", "mention": 1}, "'mention' must be a string"),
    "words as offsets": ({"text": "a", "actor": "A", "mention": "a", "start": "x", "end": "y"}, "whole numbers"),
    "number as context": ({"text": "a", "actor": "A", "context": 1}, "'context' must be a string, or"),
    "three as context": ({"text": "a", "actor": "A", "context": ("a", "b", "c")}, "'context' must be a string, or"),
    "number as date": ({"text": "a", "actor": "A", "date": 2021}, "'date' must be a string, not int"),
    "a string": ("Norway met the Taliban", "cannot predict from a str; give a mapping"),
    "a number": (3, "cannot predict from a int"),
    "None": (None, "cannot predict from a NoneType"),
    "a list of strings": (["a"], "row 0: a str; every row must be a mapping"),
}


@pytest.mark.parametrize("name", BAD)
def test_unusable_rows_are_named(read, name):
    data, message = BAD[name]
    with pytest.raises(DataError, match=message):
        read(data)


@pytest.mark.parametrize("text", ["\x00", "سلام", "a" * 1_000_000, "👩‍🚀", "\ud800"])
def test_odd_text_is_text(read, text):
    assert one(read({"text": text, "actor": "Norway"})).text == text
