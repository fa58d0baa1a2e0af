"""Token rows: the masks stand on the actor and the sentence, what is too long is cut, and rows do not mix."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from stance.models.marking import Marked, mark
from stance.models.tokens import by_length, pad, shuffled, tokenize, width, within
from stance.models.weights import encoder_path
from stance.records import Example

pytestmark = pytest.mark.slow  # importing transformers takes seconds


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(Path(encoder_path()), use_fast=True)


def words(tokenizer, row, mask):
    return tokenizer.decode(row.ids[mask]).strip()


def test_the_masks_cover_the_actor_and_the_sentence(tokenizer):
    example = Example("Norway met the Taliban.", "Norway", "Norway", 0, 6, ((15, 22),), next="They left.")
    (row,) = tokenize([mark(example)], tokenizer.backend_tokenizer, 64)
    assert words(tokenizer, row, row.actor) == "@ norway @"
    assert words(tokenizer, row, row.sentence).replace(" ", "") == "@norway@metthe#taliban#."
    assert row.types.tolist() == sorted(row.types.tolist())
    assert "they left" in words(tokenizer, row, ~row.sentence)


def test_without_an_actor_the_sentence_stands_for_it(tokenizer):
    (row,) = tokenize([mark(Example("Envoys met the Taliban."))], tokenizer.backend_tokenizer, 64)
    assert np.array_equal(row.actor, row.sentence)


def test_a_row_does_not_depend_on_the_others(tokenizer):
    alone, beside = (mark(Example("He met them.", "Iran", prev=prev)) for prev in ("", "It rained."))
    (one,) = tokenize([alone], tokenizer.backend_tokenizer, 64)
    two = tokenize([alone, beside], tokenizer.backend_tokenizer, 64)[0]
    assert one.ids.tolist() == two.ids.tolist()


def test_the_context_is_cut_before_the_sentence(tokenizer):
    sentence = "the envoys of norway met the taliban in doha on monday " * 2
    example = Example(sentence, "Norway", "norway", 14, 20, prev="before " * 24, next="after " * 12)
    (whole,) = tokenize([mark(example)], tokenizer.backend_tokenizer, 200)
    (row,) = tokenize([mark(example)], tokenizer.backend_tokenizer, 40)
    assert len(row) == 40
    assert row.sentence.sum() == whole.sentence.sum()
    assert row.ids[-1] == tokenizer.sep_token_id


@pytest.mark.parametrize("at", [0, 60, 119])
def test_a_sentence_that_is_too_long_is_cut_away_from_its_actor(tokenizer, at):
    pieces = ["كابل"] * 120
    pieces[at] = "Iran"
    text = " ".join(pieces)
    start = text.index("Iran")
    (row,) = tokenize(
        [mark(Example(text, "Iran", "Iran", start, start + 4, prev="عاد"))], tokenizer.backend_tokenizer, 32
    )
    assert len(row) == 32
    assert words(tokenizer, row, row.actor) == "@ iran @"


def test_a_sentence_without_actor_keeps_its_beginning(tokenizer):
    (row,) = tokenize([mark(Example("first " + "word " * 300))], tokenizer.backend_tokenizer, 16)
    assert words(tokenizer, row, row.sentence).startswith("first word")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200), st.text(min_size=1, max_size=20), st.integers(16, 64))
def test_any_text_gives_a_row_of_bounded_length_with_an_actor(tokenizer, before, after, actor, limit):
    example = Example(
        before + actor + after, "A", actor, len(before), len(before) + len(actor), prev=after, next=before
    )
    (row,) = tokenize([mark(example)], tokenizer.backend_tokenizer, limit)
    assert 2 <= len(row) <= limit
    assert len(row.ids) == len(row.types) == len(row.actor) == len(row.sentence)
    assert row.actor.any()
    assert not (row.actor & ~row.sentence).any()
    assert "@" in tokenizer.decode(row.ids[row.actor])


@pytest.mark.parametrize("text", ["", " ", "\0", "x" * 100_000, "\u200f\u202e"])
def test_odd_texts_give_rows(tokenizer, text):
    rows = tokenize([mark(Example(text, "Iran")), mark(Example(text))], tokenizer.backend_tokenizer, 32)
    assert all(len(row) <= 32 and row.actor.any() and row.sentence.any() for row in rows)


def test_no_sentences_give_no_rows(tokenizer):
    assert tokenize([], tokenizer.backend_tokenizer, 32) == []


def test_padding_keeps_each_row_and_fills_the_rest(tokenizer):
    rows = tokenize([Marked("one", "", None), Marked("one two three four", "", None)], tokenizer.backend_tokenizer, 32)
    batch = pad(rows, 0)
    assert batch.ids.shape == (2, 8)  # the longest, rounded up
    assert batch.attention.sum(1).tolist() == [len(row) for row in rows]
    assert batch.ids[0, len(rows[0]) :].tolist() == [0] * (8 - len(rows[0]))
    assert batch.actor[0].sum() == rows[0].actor.sum()


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60), st.integers(1, 9), st.integers(0, 3))
def test_batches_hold_every_row_once(lengths, size, seed):
    rows = [range(length) for length in lengths]
    for batches in (by_length(rows, size), shuffled(rows, size, np.random.default_rng(seed))):
        assert sorted(index for batch in batches for index in batch) == list(range(len(rows)))
        assert max(map(len, batches)) <= size
        assert len(batches) == -(-len(rows) // size)
    longest = [max(lengths[i] for i in batch) for batch in by_length(rows, size)]
    assert longest == sorted(longest, reverse=True)


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(1, 99))
def test_pieces_keep_the_order_and_the_limit(lengths, limit):
    pieces = within([range(length) for length in lengths], limit)
    assert [index for piece in pieces for index in piece] == list(range(len(lengths)))
    assert all(len(piece) == 1 or len(piece) * width([range(lengths[i]) for i in piece]) <= limit for piece in pieces)
