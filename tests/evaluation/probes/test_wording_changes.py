"""Other dates and numbers, and slips of the keyboard."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance import codebook
from stance.corpus.gazetteer import load
from stance.evaluation.probes.actor_changes import Scene
from stance.evaluation.probes.wording_changes import add_typos, change_numbers, codebook_numbers
from stance.records import Example

SCENE = Scene(load(), codebook.load().target, codebook_numbers(codebook.load()))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_dates_and_numbers_become_others_of_their_make(seed):
    text = "On Monday, March 17, 2014, some 3,000 families left; 12 came back in June."
    changed = change_numbers(Example(text), SCENE, Random(seed)).text
    assert len(changed.split()) == len(text.split())
    for old, new in zip(text.split(), changed.split(), strict=True):
        same = any(sign.isdigit() for sign in old) or old.strip(".,") in ("Monday", "June")
        assert (old != new) == same
    assert changed.split()[4] in ("2013,", "2015,")
    assert 2 <= int(changed.split()[3].strip(",")) <= 28


@pytest.mark.parametrize(
    "text", ["Resolution 1267 stands.", "One came.", "It was 1996 again.", "By General License 20, F-16s."]
)
def test_numbers_that_are_names_or_that_the_codebook_knows_stay(text):
    assert change_numbers(Example(text), SCENE, Random(0)) is None


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_a_slip_swaps_letters_inside_common_words_only(seed):
    text = "Norway condemned the Taliban's decision about schooling in the strongest terms on Thursday."
    before = Example(text, "Norway", "Norway", 0, 6, ((21, 28),))
    changed = add_typos(before, SCENE, Random(seed)).text
    pairs = [(old, new) for old, new in zip(text.split(), changed.split(), strict=True) if old != new]
    assert len(pairs) == 1
    old, new = pairs[0]
    assert sorted(old) == sorted(new)
    assert (old[0], old[-1]) == (new[0], new[-1])
    assert old in ("condemned", "decision", "about", "schooling", "strongest", "terms")


def test_a_sentence_without_long_words_has_no_slip():
    assert add_typos(Example("Oslo met Rome."), SCENE, Random(0)) is None
