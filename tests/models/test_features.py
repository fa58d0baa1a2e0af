"""Marking, units and the features that know their side of actor and target."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.models.features import BLOCKS, read_blocks, read_context, read_tokens
from stance.models.units import ACTOR, TARGET, TOKEN, mark, stem, units
from stance.models.vocabulary import Vocabulary
from stance.records import Example

SIZES = (4, 5)


def keys(examples, blocks=BLOCKS):
    """One set of feature keys per example, over a vocabulary of everything in the examples."""
    words = {word for example in examples for word in TOKEN.findall(mark(example))}
    numbers = {unit: i for i, unit in enumerate(sorted({u for word in words for u in units(word, SIZES)}), start=1)}
    found = [set() for _ in examples]
    for _, rows, row_keys in read_blocks(read_tokens(examples, Vocabulary(numbers, SIZES)), blocks):
        for row, key in zip(rows.tolist(), row_keys.tolist(), strict=True):
            found[row].add(key)
    return found


def about(text, actor, targets=("Taliban",)):
    start = text.index(actor)
    spans = tuple((text.index(name), text.index(name) + len(name)) for name in targets)
    return Example(text, actor, actor, start, start + len(actor), spans)


def test_the_name_of_the_actor_leaves_no_trace():
    here, there = about("Iran met Taliban envoys.", "Iran"), about("Norway met Taliban envoys.", "Norway")
    assert mark(here) == mark(there)
    assert keys([here, there])[0] == keys([here, there])[1]


def test_two_actors_of_one_sentence_get_different_features():
    text = "China said Russia had recognised the Taliban."
    china, russia = keys([about(text, "China"), about(text, "Russia")])
    assert china != russia


def test_side_features_tell_before_from_after_the_target():
    forth, back = about("Iran praised the Taliban.", "Iran"), about("The Taliban praised Iran.", "Iran")
    assert keys([forth, back], ["zone"])[0].isdisjoint(keys([forth, back], ["zone"])[1])


def test_an_actor_inside_a_target_span_wins():
    example = Example("The Taliban's foes met.", "NRF", "Taliban's foes", 4, 18, ((4, 11),))
    assert TARGET not in mark(example)
    assert mark(example).count(ACTOR) == 1


def test_markers_in_the_text_itself_are_not_taken_for_marks():
    assert TOKEN.findall(mark(Example(f"a {ACTOR} b {TARGET} c"))) == ["a", "b", "c"]


def test_negated_words_are_features_of_their_own():
    plain, negated = Example("It will meet envoys."), Example("It will not meet envoys.")
    assert len(keys([plain, negated], ["negated"])[0]) == 0
    assert len(keys([plain, negated], ["negated"])[1]) == 6


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "…", "العربية: طالبان در کابل", "שלום", "İstanbul’da", "x" * 5000, "\ud800", "1,000.5"]
)
def test_any_text_can_be_read(text):
    assert all(isinstance(found, set) for found in keys([Example(text), Example("ok", targets=((0, 2),))]))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.integers(0, 80), st.integers(0, 80))
def test_marking_keeps_every_other_character(text, first, second):
    text = text.replace(ACTOR, "").replace(TARGET, "")
    start, end = sorted((min(first, len(text)), min(second, len(text))))
    marked = mark(Example(text, "A", text[start:end], start, end))
    assert marked == f"{text[:start]} {ACTOR} {text[end:]}".lower()


@settings(max_examples=100, deadline=None)
@given(st.from_regex(r"[a-z]{1,14}", fullmatch=True))
def test_a_stem_is_a_beginning_of_its_word_or_of_a_respelling(word):
    assert 0 < len(stem(word)) <= len(word)
    assert stem(word)[: max(1, len(word) - 7)] == word[: max(1, len(word) - 7)][: len(stem(word))]


def test_keys_are_distinct_for_distinct_features():
    example = about("Iran and the Taliban agreed to agree to agree on trade.", "Iran")
    tokens = read_tokens(
        [example], Vocabulary({u: i for i, w in enumerate(["agree", "trade"], 1) for u in units(w, ())})
    )
    packed = np.concatenate([found for _, _, found in read_blocks(tokens, ["word", "stem", "side", "zone"])])
    assert packed.min() > 0
    assert len(set(packed.tolist())) >= 4


def test_context_tells_the_sentence_before_from_the_one_after():
    numbers = {"s:talk": 1}
    rows, before = read_context(
        [Example("x", prev="They talked."), Example("x"), Example("x", next="Talks.")], Vocabulary(numbers)
    )
    assert rows.tolist() == [0, 2]
    assert before[0] != before[1]
