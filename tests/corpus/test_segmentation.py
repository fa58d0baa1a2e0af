"""Segmentation loses nothing, crosses no paragraph and keeps quotations whole."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.corpus.articles import read_articles
from stance.corpus.cleaning import clean
from stance.corpus.segmentation import LONGEST_SENTENCE, segment

SHARED = Path(__file__).resolve().parents[3] / "shared"


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in segment(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Mr. A. B. Smith met U.S. envoys at 10:05 GMT 19.08.2021.", "He left."],
        ['"We will talk. We will not wait," Lavrov said.', "He left."],
        ["“We want peace. We want it now,” he said.", "Others agreed."],
        ["‘We are not mediating. Nobody is planning to’, the minister’s aide said.", "The Tajiks’ leaders agreed."],
        ['"They suffered heavy losses."', "However, the valley held."],
        ["“They lost.”", "“We did not.”"],
        ["He added: “We will wait. Time is on our side.”", "The envoy disagreed."],
        ["“Will you recognise them?” the reporter asked.", "He laughed."],
        ["The envoys’ talks, said Khan, “went well.”", "“I look forward to more.”"],
        ["آیا او رفت؟", "بله."],
        ["Они уехали.", "Переговоры прошли."],
        ["他们走了。", "谈判结束了。"],
    ],
)  # fmt: skip
def test_sentences(expected):
    separator = "" if expected[0].endswith("。") else " "
    assert sentences(separator.join(expected)) == expected


def test_a_mark_left_open_does_not_swallow_the_paragraph():
    assert sentences("“We will talk. We will wait. The door is open.") == [
        "“We will talk.",
        "We will wait.",
        "The door is open.",
    ]


def test_a_very_long_quotation_is_cut_into_its_sentences():
    text = "“" + " ".join(["The Emirate must keep its word to all of us."] * 40) + "”"
    assert len(sentences(text)) == 40


def test_lines_are_borders():
    assert sentences("A headline without a stop\nThe talks\n\n\nwent on.") == [
        "A headline without a stop",
        "The talks",
        "went on.",
    ]


@pytest.mark.parametrize("text", ["x" * 5000, "word " * 2000, "clause, " * 1000, "a\u0301" * 3000])
def test_endless_sentences_are_split(text):
    pieces = sentences(text)
    assert max(map(len, pieces)) <= LONGEST_SENTENCE
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


def test_an_endless_sentence_is_split_at_its_strongest_break():
    text = "word " * 300 + "end; " + "word " * 300
    assert sentences(text)[0].endswith("end;")


PIECES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ['"', "“", "”", "‘", "’", "'", ". ", "? ", " U.S. ", "\n", " He said. ", "«", "»", "...", "。", "؟ ", "🙂. "]
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_no_character_is_lost_and_no_line_crossed(text):
    spans = segment(text)
    covered = set()
    last = 0
    for start, end in spans:
        assert last <= start < end
        assert "\n" not in text[start:end]
        assert text[start:end] == text[start:end].strip()
        covered.update(range(start, end))
        last = end
    assert all(index in covered or character.isspace() for index, character in enumerate(text))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["The envoys met. " * 62_500, "x" * 1_000_000, "“A. b” " * 140_000, "‘A. " * 250_000, "A.\n" * 300_000]
)
def test_a_megabyte_is_segmented(text):
    assert segment(text)


@pytest.mark.skipif(not (SHARED / "seeds").is_dir(), reason="the seed articles are not at ../shared/seeds")
def test_seed_articles_are_segmented_as_the_coders_did():
    gold = defaultdict(list)
    for line in (SHARED / "realnews" / "dev.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["doc_id"].startswith("seed-"):
            gold[row["doc_id"]].append(row["text"])
    found = [sentences(clean(article.text, article.title)) for article in read_articles([SHARED / "seeds"])]
    expected = [gold[name] for name in sorted(gold)]
    agreed = sum(len(set(ours) & set(theirs)) for ours, theirs in zip(found, expected, strict=True))
    assert agreed >= 0.97 * sum(map(len, expected))
    assert agreed >= 0.97 * sum(map(len, found))
