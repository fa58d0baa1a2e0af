"""Ingestion gives examples that point into their sentence, stand in order, and know their near-duplicates."""

from __future__ import annotations

from pathlib import Path

import pytest

from stance import codebook as codebooks
from stance.corpus.articles import read_articles
from stance.corpus.cleaning import clean
from stance.corpus.ingest import ingest, sentences_of
from stance.errors import CodebookError
from stance.records import Article

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"

ARTICLE = Article(
    text=(
        "Skip to content\n\nRussia received a Taliban delegation in Moscow on Thursday. "
        "It rained all day. China welcomed the talks with the Taliban."
    ),
    title="Moscow hosts Taliban envoys",
    date="2021-09-02",
    outlet="The Example",
    url="https://example.org/a",
)
OTHER = Article(text="The museum reopened after two years. Visitors queued from dawn.")


def test_sentences_have_offsets_into_the_clean_text_and_their_neighbours():
    text = clean(ARTICLE.text, ARTICLE.title)
    sentences = sentences_of(ARTICLE)
    assert [sentence.text for sentence in sentences] == [
        "Moscow hosts Taliban envoys",
        "Russia received a Taliban delegation in Moscow on Thursday.",
        "It rained all day.",
        "China welcomed the talks with the Taliban.",
    ]
    assert all(text[sentence.start : sentence.end] == sentence.text for sentence in sentences)
    assert [sentence.index for sentence in sentences] == [0, 1, 2, 3]
    assert (sentences[0].prev, sentences[3].next) == ("", "")
    assert sentences[2].prev == sentences[1].text
    assert sentences[2].next == sentences[3].text


def test_one_example_per_sentence_and_actor():
    examples = list(ingest([ARTICLE, OTHER], codebooks.load()))
    assert {(example.index, example.actor) for example in examples} >= {(0, "Russia"), (1, "Russia"), (3, "China")}
    assert {example.doc_id for example in examples} == {ARTICLE.doc_id}
    for example in examples:
        assert example.labels is None
        assert (example.title, example.date, example.outlet, example.url) == (
            ARTICLE.title,
            ARTICLE.date,
            ARTICLE.outlet,
            ARTICLE.url,
        )
        assert all(example.text[start:end] == "Taliban" for start, end in example.targets)
        if example.mention is not None:
            assert example.text[example.start : example.end] == example.mention
    assert len({example.id for example in examples}) == len(examples)


def test_one_example_per_sentence_for_frames():
    examples = list(ingest([ARTICLE], codebooks.load(), "frames"))
    assert [example.text for example in examples] == [sentence.text for sentence in sentences_of(ARTICLE)]
    assert {example.actor for example in examples} == {None}
    assert [len(example.targets) for example in examples] == [1, 1, 0, 1]


def test_near_duplicates_share_the_cluster_of_the_first():
    copy = Article(text=f"{ARTICLE.text} More is expected tomorrow.", title=ARTICLE.title)
    examples = list(ingest([OTHER, ARTICLE, copy], codebooks.load(), "frames"))
    clusters = {example.doc_id: example.cluster for example in examples}
    assert clusters == {
        OTHER.doc_id: OTHER.doc_id,
        ARTICLE.doc_id: ARTICLE.doc_id,
        copy.doc_id: ARTICLE.doc_id,
    }


def test_the_same_article_twice_gives_each_example_once():
    once = list(ingest([ARTICLE], codebooks.load()))
    assert list(ingest([ARTICLE, ARTICLE], codebooks.load())) == once


@pytest.mark.parametrize("text", ["\x00", "Photo: AP", "\n", "…"])
def test_an_article_of_which_nothing_remains_gives_nothing(text):
    assert list(ingest([Article(text=text)], codebooks.load(), "frames")) == []


def test_an_unknown_task_is_refused_at_once():
    with pytest.raises(CodebookError, match="no task 'mood'"):
        ingest([ARTICLE], codebooks.load(), "mood")


@pytest.mark.slow
def test_a_megabyte_on_one_line_is_ingested():
    line = " ".join(f"Russia received {number} envoys of the Taliban." for number in range(23_000))
    assert len(list(ingest([Article(text=line)], codebooks.load(), "frames"))) > 20_000


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed articles are not at ../shared/seeds")
def test_seed_articles():
    examples = list(ingest(read_articles([SEEDS]), codebooks.load()))
    clusters = list(dict.fromkeys((example.doc_id, example.cluster) for example in examples))
    assert len(clusters) == 5
    assert clusters[3][1] == clusters[0][0]
    assert len({cluster for _, cluster in clusters}) == 4
    assert {"Russia", "China", "Iran"} <= {example.actor for example in examples}
