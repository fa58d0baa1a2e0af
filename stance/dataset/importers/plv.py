"""PLV (Hu et al. 2024): the PLOVER code of what a source does to a target, in an English news sentence.

The source is the actor, the target's spans are `targets`. An actor that the sentence does not name ("An actor", "a
recipient") has no span. A document is a sentence, as the set does not say which article one comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stance.dataset.importers.source import Row, choose, text_of
from stance.records import Example, Span

FILES = {"train": "plv_train.tsv", "test": "plv_test.tsv"}
TASKS = ("root", "quad", "binary")

ROOTS = (
    "AGREE", "CONSULT", "SUPPORT", "COOPERATE", "AID", "YIELD", "REQUEST", "ACCUSE", "REJECT", "THREATEN", "PROTEST",
    "SANCTION", "MOBILIZE", "COERCE", "ASSAULT",
)  # fmt: skip
QUADS = {
    "1": "verbal-cooperation",
    "2": "material-cooperation",
    "3": "verbal-conflict",
    "4": "material-conflict",
}
COLUMNS = {
    "root": ("gold_root", {root: root.lower() for root in ROOTS}),
    "quad": ("gold_penta", QUADS),
    "binary": ("gold_binary", {"0": "cooperation", "1": "conflict"}),
}
MARKER = re.compile(r"<(/?)([st])>")


def read(row: Row, part: str, number: int, task: str) -> Iterator[tuple[str, Example]]:
    """Yield the row's example; raises ValueError for markers that do not pair up or a code that there is not."""
    text, sources, targets = unmark(text_of(row, "marked_sentence"))
    if text != row["sentence"]:
        raise ValueError("marked_sentence without its markers is not the sentence")
    start, end = sources[0] if sources else (None, None)
    yield (
        part,
        Example(
            text=text,
            actor=text_of(row, "source").strip(),
            mention=None if start is None else text[start:end],
            start=start,
            end=end,
            targets=tuple(targets),
            doc_id=f"plv-{part}-{row['sentence_id']}",
            index=number,
            labels=(choose(row, *COLUMNS[task]),),
        ),
    )


def unmark(marked: str) -> tuple[str, list[Span], list[Span]]:
    """Return the text without markers, the spans of the source and those of the target, without outer blanks.

    >>> unmark("<s>Iran </s>met <t>envoys</t>.")
    ('Iran met envoys.', [(0, 4)], [(9, 15)])
    """
    pieces: list[str] = []
    spans: dict[str, list[Span]] = {"s": [], "t": []}
    open_at: dict[str, int] = {}
    done = length = 0
    for found in MARKER.finditer(marked):
        pieces.append(marked[done : found.start()])
        length, done = length + found.start() - done, found.end()
        closing, kind = found.groups()
        if closing:
            if kind not in open_at:
                raise ValueError(f"</{kind}> closes nothing in marked_sentence")
            spans[kind].append((open_at.pop(kind), length))
        else:
            open_at[kind] = length
    if open_at:
        raise ValueError(f"<{next(iter(open_at))}> is not closed in marked_sentence")
    text = "".join([*pieces, marked[done:]])
    sources, targets = ([_trim(text, one) for one in spans[kind] if text[slice(*one)].strip()] for kind in "st")
    return text, sources, targets


def _trim(text: str, span: Span) -> Span:
    words = text[slice(*span)]
    return span[0] + len(words) - len(words.lstrip()), span[1] - len(words) + len(words.rstrip())
