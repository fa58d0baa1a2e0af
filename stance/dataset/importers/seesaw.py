"""SEESAW (Zhang, Beauchamp and Wang 2022): a source entity's stance toward a target entity in a news sentence.

Entities are canonical names and often not the sentence's words. The source is the actor, with a span where its name
stands in the sentence; the target's span is where its name stands. A target that the sentence does not name is written
before it, as "name: …", so that a model is asked about it. A document is the article.
"""

from __future__ import annotations

from collections.abc import Iterator

from stance.dataset.importers.source import Row, choose, find, text_of
from stance.records import Example, Span

FILES = {part: f"seesaw_{part}.tsv" for part in ("train", "valid", "test")}
TASKS = ("stance",)
STANCES = {"POS": "positive", "NEG": "negative"}
UNNAMED = {"None": "the author", "Not in the list": "someone"}


def read(row: Row, part: str, number: int, task: str) -> Iterator[tuple[str, Example]]:  # noqa: ARG001 - one task
    """Yield the row's example."""
    source, target = (UNNAMED.get(name, name) for name in (text_of(row, "source"), text_of(row, "target")))
    sentence = text_of(row, "sentence")
    actor, named = _place(source, sentence), _place(target, sentence)
    if named == actor:  # "Trump" of "Trump supporters" is found for both: it is the actor's
        named = None
    if named is None:
        head = f"{target}: "
        sentence, named = head + sentence, (0, len(target))
        actor = (actor[0] + len(head), actor[1] + len(head)) if actor else None
    start, end = actor or (None, None)
    yield (
        part,
        Example(
            text=sentence,
            actor=source,
            mention=None if start is None else sentence[start:end],
            start=start,
            end=end,
            targets=(named,),
            doc_id=text_of(row, "document"),
            index=number,
            labels=(choose(row, "stance", STANCES),),
        ),
    )


def short_names(name: str) -> list[str]:
    """Return what newspapers call an entity for short, after its full name.

    >>> short_names("Barack Obama"), short_names("Democratic Party"), short_names("Internal Revenue Service")[1:]
    (['Barack Obama', 'Obama'], ['Democratic Party', 'Democrats', 'Democratic'], ['IRS', 'Service'])
    """
    words = name.split()
    if len(words) == 2 and words[1] == "Party":
        return [name, f"{words[0].removesuffix('ic') if words[0] == 'Democratic' else words[0]}s", words[0]]
    person = 2 <= len(words) <= 3 and all(word[:1].isupper() for word in words)
    initials = "".join(word[0] for word in words if word[0].isupper())
    return [name, *([initials] if len(initials) > 2 else []), *([words[-1]] if person else [])]


def _place(name: str, sentence: str) -> Span | None:
    spans = (find(one, sentence) for one in short_names(name) if name not in UNNAMED.values())
    return next((span for span in spans if span), None)
