"""Cleaning keeps what the article says and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.corpus.articles import read_articles
from stance.corpus.cleaning import clean
from stance.corpus.furniture import is_furniture

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"

BODY = (
    "The minister received a Taliban delegation in the capital on Monday.\n\n"
    "“We will keep talking,” he said. “Nobody gains from silence.”\n\n"
    "The visitors left without speaking to reporters, an aide told this paper."
)


@pytest.mark.parametrize(
    "line",
    [
        "Skip to content",
        "/ Subscribe",
        "Thumbnail",
        "LATEST NEWS",
        "Share this post",
        "Read more: Envoys meet again in Doha",
        "Follow us on Telegram",
        "Photo: Foreign Ministry",
        "(AFP photo)",
        "© Agency / Photographer / Go to the archive A spokesman arrives at the hall.",
        "Based on materials from TASS",
        "Reporting by Jane Roe; Editing by John Doe",
        "By Jane Roe",
        "We use cookies to give you the best experience on our website.",
        "The views expressed here are the author's own.",
        "02 September 2021",
        "10:05 GMT 19.08.2021 (Updated: 11:09 GMT 19.08.2021)",
        "* * *",
        "3 min read",
    ],
)
def test_page_furniture_goes_and_the_article_stays(line):
    assert clean(f"{line}\n\n{BODY}\n\n{line}") == BODY


@pytest.mark.parametrize(
    "line",
    [
        "The two sides agreed to share this post in the joint council.",
        "Photographers were kept out of the hall.",
        "Reuters reported on Monday that the envoy had left.",
        "He will follow us on the road to Kabul, the driver said.",
        "On 2 September 2021 the embassy closed.",
        "By Monday the embassy had closed its gates.",
        "No comment.",
        "Comments by the minister angered the Taliban.",
    ],
)
def test_a_sentence_that_only_resembles_furniture_stays(line):
    assert not is_furniture(line)
    assert line in clean(f"{BODY}\n\n{line}\n\nMore is expected tomorrow.")


def test_a_repeated_half_is_printed_once_and_what_is_new_in_it_stays():
    page = f"Talks resume\n\n{BODY}\n\nTalks resume\n\nThe envoy calls them useful.\n\nThumbnail\n\n{BODY}"
    assert clean(page, "Talks resume") == f"Talks resume\n\n{BODY}\n\nThe envoy calls them useful."


def test_a_body_repeated_on_one_line_is_printed_once():
    line = BODY.replace("\n\n", " ")
    assert clean(f"{line} {line}") == line


def test_short_answers_may_be_repeated():
    text = "Will you go?\n\nYes.\n\nWill they?\n\nYes."
    assert clean(text) == text


def test_hard_wrapped_lines_become_paragraphs():
    wrapped = (
        "The foreign minister said on Monday that Moscow would go on\n"
        "talking to the Taliban, whom it still lists as terrorists, and\n"
        "Tashkent agreed.\n"
        "\n"
        "A second paragraph is\n"
        "short."
    )
    assert clean(wrapped) == (
        "The foreign minister said on Monday that Moscow would go on talking to the Taliban, whom it still lists as "
        "terrorists, and Tashkent agreed.\n\nA second paragraph is short."
    )


def test_lists_and_headlines_are_not_joined():
    text = "Kabul falls\nGhani leaves\nEmbassies close\nThe city woke to silence."
    assert clean(text).split("\n\n") == text.split("\n")


def test_the_title_stands_first_once():
    assert clean(BODY, "Talks  resume") == f"Talks resume\n\n{BODY}"
    assert clean(f"Talks resume\n{BODY}", "Talks resume") == f"Talks resume\n\n{BODY}"


def test_characters_are_repaired_and_quotes_kept():
    assert (
        clean("The envoy\u2019s cafÃ©\u00a0talks\x00 \u201cgo on\u201d.\ud800")
        == "The envoy’s café talks “go on”.\ufffd"
    )
    assert clean("cafe\u0301.") == "café."


def test_right_to_left_text_and_numbers_stay():
    text = "قال الوزير إن 1,234 شخصا وصلوا في 19.08.2021، وأضاف: «سنستمر»."
    assert clean(text) == text


def test_signatures_after_the_last_sentence_go():
    assert clean(f"{BODY}\n\nExample News\n\nWorld Desk") == BODY
    assert clean("Only a headline") == "Only a headline"


@pytest.mark.parametrize("text", ["", " \n\t ", "\x00\x01", "\ufeff", "\n" * 50_000])
def test_nothing_gives_nothing(text):
    assert clean(text) == ""


LINES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "Skip to content",
            "Photo: AP",
            "02 September 2021",
            "Talks resume",
            "the talks went on. .",
            "Yes.",
            "&amp;lt;b",
            "a-",
        ]
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, max_size=8).map("\n".join), st.one_of(st.none(), LINES))
def test_cleaning_twice_changes_nothing(text, title):
    once = clean(text, title)
    assert clean(once, title) == once
    once.encode("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["word " * 200_000, "é" * 1_000_000, "Home\n" * 100_000, "\n" * 1_000_000, "“a. " * 250_000]
)
def test_a_megabyte_is_cleaned(text):
    assert len(clean(text)) <= len(text)


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed articles are not at ../shared/seeds")
def test_seed_articles_keep_one_copy_and_no_furniture():
    texts = [clean(article.text, article.title) for article in read_articles([SEEDS])]
    assert [text.count("\n\n") + 1 for text in texts] == [6, 10, 10, 19, 16]
    joined = "\n".join(texts)
    for furniture in ("Skip to", "Thumbnail", "Subscribe", "Photo:", "GMT", "©", "TASS", "Share this", "programmatic"):
        assert furniture not in joined
