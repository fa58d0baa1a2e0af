"""What a page's pieces make of values that are missing, small, or hostile."""

from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.report.rendering import show_count, show_share, show_signed, split_mention, widest
from stance.report.run_page import group_errors


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=60), mention=st.none() | st.text(max_size=8))
def test_a_marked_text_is_still_the_text(text, mention):
    parts = split_mention(text, mention)
    assert "".join(parts) == text
    assert parts[1] in ("", mention)


@pytest.mark.parametrize("value", [None, nan, inf])
def test_what_has_no_value_is_a_dash(value):
    assert {show_signed(value), show_share(value), show_count(value)} == {"–"}


def test_bars_reach_to_the_widest_bound_and_pass_over_what_is_missing():
    rows = [
        {"difference": {"estimate": 0.1, "low": -0.3, "high": 0.2}},
        {"difference": {"estimate": 0.5, "low": nan, "high": nan}},
        {"difference": None},
    ]
    assert widest(rows) == 0.5
    assert widest(rows[:1]) == 0.3
    assert widest([]) == 1.0


def test_an_example_with_two_wrong_labels_is_one_entry():
    row = {"id": "a", "text": "t", "p_x": 0.9, "p_y": 0.2}
    rows = [
        row | {"label": "x", "kind": "spurious"},
        row | {"label": "y", "kind": "missed"},
        row | {"id": "b", "label": "x", "kind": "missed"},
    ]
    entries = group_errors(rows)
    assert [entry["id"] for entry in entries] == ["a", "b"]
    assert [(w["label"], w["kind"], w["p"]) for w in entries[0]["wrong"]] == [
        ("x", "spurious", 0.9),
        ("y", "missed", 0.2),
    ]
