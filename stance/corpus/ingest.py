"""Ingestion, the whole way: articles enter, unlabelled examples leave.

article → clean text → sentences → actors → one example per sentence and actor (or per sentence), with context,
target spans, and the near-duplicate cluster of its document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from stance.codebook import Codebook
from stance.coding import Target
from stance.corpus.actors import find_actors
from stance.corpus.cleaning import clean
from stance.corpus.duplicates import cluster
from stance.corpus.segmentation import segment
from stance.corpus.targets import find_targets
from stance.records import Article, Example, Mention, Sentence, Span


def ingest(articles: Iterable[Article], codebook: Codebook, task: str = "stance") -> Iterator[Example]:
    """Yield the unlabelled examples of a task, in order of article, sentence and mention.

    For a task of unit `actor` a sentence without an actor gives none. An article whose title and text were there
    before gives none either: its examples would have the same ids. Clusters need all articles, so these are read
    to the end first and held in memory, cleaned. Raises CodebookError for a task that the codebook does not have.
    """
    if codebook.task(task).unit == "sentence":
        return _ingest(articles, codebook.target, find=False)
    return (example for example in _ingest(articles, codebook.target) if example.actor is not None)


def ingest_all(articles: Iterable[Article], codebook: Codebook) -> Iterator[Example]:
    """Yield an example per sentence and actor, and one with `actor` None for a sentence without; see `ingest`."""
    return _ingest(articles, codebook.target)


def examples_of(article: Article, codebook: Codebook) -> Iterator[Example]:
    """Yield what `ingest_all` yields of one article, which is all that is held in memory; `cluster` is left empty."""
    return _examples(article, clean(article.text, article.title), codebook.target)


def sentences_of(article: Article) -> list[Sentence]:
    """Return the sentences of an article, the title first; offsets are into `clean(article.text, article.title)`.

    >>> [sentence.text for sentence in sentences_of(Article("They met. They left.", title="Talks in Doha"))]
    ['Talks in Doha', 'They met.', 'They left.']
    """
    return _split(clean(article.text, article.title), article.doc_id)


class _Document(NamedTuple):
    article: Article
    text: str


def _ingest(articles: Iterable[Article], target: Target, find: bool = True) -> Iterator[Example]:
    documents: dict[str, _Document] = {}
    for article in articles:
        if article.doc_id not in documents:
            documents[article.doc_id] = _Document(article, clean(article.text, article.title))
    names: dict[int, str] = {}
    groups = cluster([document.text for document in documents.values()])
    for (doc_id, document), group in zip(documents.items(), groups, strict=True):
        name = names.setdefault(group, doc_id)
        yield from _examples(document.article, document.text, target, find=find, group=name)


def _examples(article: Article, text: str, target: Target, *, find: bool = True, group: str = "") -> Iterator[Example]:
    sentences = _split(text, article.doc_id)
    mentions: list[tuple[Mention, ...]] = [()] * len(sentences)
    if find:
        mentions = [*find_actors([sentence.text for sentence in sentences], date=article.date)]
    for sentence, found in zip(sentences, mentions, strict=True):
        targets = find_targets(sentence.text, target)
        for mention in found or (None,):
            yield _example(article, sentence, mention, targets, group)


def _split(text: str, doc_id: str) -> list[Sentence]:
    spans = segment(text)
    texts = ["", *(text[start:end] for start, end in spans), ""]
    return [
        Sentence(doc_id, index, texts[index + 1], start, end, prev=texts[index], next=texts[index + 2])
        for index, (start, end) in enumerate(spans)
    ]


def _example(
    article: Article, sentence: Sentence, mention: Mention | None, targets: tuple[Span, ...], group: str
) -> Example:
    actor = mention or Mention(actor="")
    return Example(
        text=sentence.text,
        actor=actor.actor or None,
        mention=actor.text,
        start=actor.start,
        end=actor.end,
        targets=targets,
        prev=sentence.prev,
        next=sentence.next,
        doc_id=sentence.doc_id,
        index=sentence.index,
        title=article.title,
        date=article.date,
        outlet=article.outlet,
        url=article.url,
        cluster=group,
    )
