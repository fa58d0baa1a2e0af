"""Segmentation. Cleaned text enters; the spans of its sentences leave.

Boundaries come from sentencex. On the five seed articles (82 gold sentences; experiments/benchmarks/segmenters.py)
and on 800 paragraphs of other news (2,304 sentences found by a program: a rough gold), the candidates, bare and
inside this module's rules for quotations, gave this (speed in one run, relative to pysbd):

    segmenter            seeds: precision  recall    F1    news: F1   speed
    sentencex 1.0                   0.988   1.000  0.994      0.971     107
    sentencex + rules (kept)        1.000   1.000  1.000      0.963      37
    syntok 1.4                      0.900   0.988  0.942      0.931       4
    syntok + rules                  1.000   0.988  0.994      0.963       4
    pysbd 0.3                       1.000   1.000  1.000      0.984       1
    pysbd + rules                   1.000   1.000  1.000      0.966       1

sentencex is kept for its speed: level with pysbd on the articles, whose release is of 2021, at some 40 times its
pace. The rules were written with the seeds in view; on the rough gold they cost precision, since they cut
quotations of over 600 characters, which that gold keeps whole.

Coders take a quotation and its attribution as one sentence, so a boundary inside quotation marks is dropped,
and one is put after a closing mark that ends a sentence.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from stance.records import Span

LONGEST_SENTENCE: Final = 2000
LONGEST_QUOTE: Final = 600  # characters; a longer quotation (a speech, an unclosed mark) is cut into its sentences
Splitter = Callable[[str], list[int]]
"""Takes one paragraph, returns the offsets at which a new sentence begins, ascending, without 0."""

_SPEECH: Final = "said|says|asked|asks|added|told|replied|wrote|stressed|noted|declared|warned|insisted|argued|tweeted"
_OPENS: Final = re.compile(r"\s+(?=[\"“‘'«(\[]?[^\W_a-z])")
_ATTRIBUTION: Final = re.compile(rf"\s+(?:[^\s.,;:!?]+\s+){{0,8}}(?:{_SPEECH})\b")
_TERMINATOR: Final = re.compile(r"[.!?]")
_CLEAR_STOP: Final = re.compile(r"\w\w[.!?؟۔][\"”’)]?\s+(?=[^\sa-z])")
_MARKS: Final = re.compile(r"[\"“”„«»‘]")
_CHUNK: Final = 8000
_INITIALS: Final = re.compile(r"(?<![^\W_])[A-Z]\.$")
_BREAKS: Final = tuple(re.compile(pattern) for pattern in (r"[.!?…؟۔][\"'”’»)]*\s", r"[;:،]\s", r",\s", r"\s"))
_QUOTES: Final = {"“": '”"', "«": "»", "„": "“”", '"': '"”'}
_SINGLE_OPENS: Final = re.compile(r"‘|(?<![^\s(\[“\"])'(?=\w)")
_SINGLE_CLOSES: Final = re.compile(r"(?<=[.,!?…])[’'](?!\w)|[’'](?=[.,;:!?)])")


def segment(text: str) -> list[Span]:
    """Return the sentences of `text` as ascending spans without surrounding blanks.

    No span crosses a line end, none is longer than 2,000 characters, and every non-space character is in one.

    >>> text = '"We will talk. We will not wait," Lavrov said. He left at 10:05 GMT 19.08.2021.'
    >>> [text[start:end] for start, end in segment(text)]
    ['"We will talk. We will not wait," Lavrov said.', 'He left at 10:05 GMT 19.08.2021.']
    """
    return segment_with(split_sentencex, text)


def segment_with(splitter: Splitter, text: str) -> list[Span]:
    """Return what `segment` returns, with the boundaries of another library."""
    spans: list[Span] = []
    for line in re.finditer(r"[^\n]+", text):
        paragraph, offset = line.group(), line.start()
        starts = [0, *_keep_quotes(paragraph, _boundaries(splitter, paragraph)), len(paragraph)]
        for start, end in _whole(paragraph, list(pairwise(starts))):
            spans += [(offset + a, offset + b) for a, b in _split_long(paragraph, start, end)]
    return spans


def _boundaries(splitter: Splitter, paragraph: str) -> list[int]:
    """Return the library's boundaries; it keeps quotations whole of itself, so in long pieces it sees no marks."""
    starts = splitter(paragraph)
    for begin, end in pairwise([0, *starts, len(paragraph)]):
        if end - begin > LONGEST_QUOTE and _MARKS.search(paragraph, begin, end):
            starts += [begin + start for start in splitter(_MARKS.sub(" ", paragraph[begin:end]))]
    return starts


def split_sentencex(paragraph: str) -> list[int]:
    """Return sentencex's boundaries (rules of its English table; its terminators cover other scripts)."""
    import sentencex

    if paragraph.isascii() and not _TERMINATOR.search(paragraph):
        return []
    # sentencex is written in Rust, whose strings cannot hold a lone surrogate.
    encodable = re.sub(r"[\ud800-\udfff]", "\ufffd", paragraph)
    starts: list[int] = []
    for begin, end, is_boundary in _chunks(encodable):
        found = [
            begin + int(sentence["start_index"])
            for sentence in sentencex.get_sentence_boundaries("en", encodable[begin:end])
        ]
        starts += found if is_boundary else found[1:]
    return [start for start in starts if start]


def _chunks(paragraph: str) -> Iterator[tuple[int, int, bool]]:
    """Yield (start, end, whether a sentence begins there): sentencex takes quadratic time over many quotes."""
    start, is_boundary = 0, True
    while len(paragraph) - start > _CHUNK:
        stops = [found.end() for found in _CLEAR_STOP.finditer(paragraph, start + _CHUNK // 2, start + _CHUNK)]
        blank = paragraph.rfind(" ", start + 1, start + _CHUNK)
        cut = stops[-1] if stops else blank if blank > start else start + _CHUNK
        yield start, cut, is_boundary
        start, is_boundary = cut, bool(stops)
    yield start, len(paragraph), is_boundary


def _keep_quotes(paragraph: str, starts: list[int]) -> list[int]:
    quotes = _quotations(paragraph)
    opens = [start for start, _ in quotes]

    def inside(position: int) -> bool:
        index = bisect_right(opens, position - 1) - 1
        return index >= 0 and opens[index] < position <= quotes[index][1]

    kept = {position for start in starts if (position := _mend(paragraph, start)) and not inside(position)}
    for _, close in quotes:
        mark = paragraph[max(close - 2, 0) : close].rstrip()[-1:]
        after = _OPENS.match(paragraph, close + 1) if mark and mark in ".!?…" else None
        if after and not (mark in "!?" and _ATTRIBUTION.match(paragraph, close + 1)) and not inside(after.end()):
            kept.add(after.end())
    return sorted(kept)


def _mend(paragraph: str, start: int) -> int:
    """Return a boundary with an opening mark left with what it opens, or 0 for one between the letters of "U.S."."""
    if start > 1 and paragraph[start - 2].isspace() and paragraph[start - 1] in "“‘«\"'(":
        return start if paragraph[start : start + 1].isspace() else start - 1
    return 0 if _INITIALS.search(paragraph, max(start - 3, 0), start) else start


def _quotations(paragraph: str) -> list[Span]:
    """Return (opening mark, closing mark) offsets of quotations, ascending and apart: the outer of nested ones."""
    found = sorted(
        [*_double_quotations(paragraph), *_single_quotations(paragraph)], key=lambda span: (span[0], -span[1])
    )
    outer: list[Span] = []
    for start, end in found:
        if end - start <= LONGEST_QUOTE and (not outer or start > outer[-1][1]):
            outer.append((start, end))
    return outer


def _double_quotations(paragraph: str) -> Iterator[Span]:
    opened: Span | None = None
    closers = ""
    for mark in re.finditer(r"[\"“”„«»]", paragraph):
        at, sign = mark.start(), mark.group()
        if opened and sign in closers and not (sign == '"' and _opens_straight(paragraph, at)):
            yield opened[0], at
            opened = None
        elif sign in "“„«" or (sign == '"' and _opens_straight(paragraph, at)):
            opened, closers = (at, at), _QUOTES[sign]


def _opens_straight(paragraph: str, at: int) -> bool:
    before, after = paragraph[max(at - 1, 0) : at], paragraph[at + 1 : at + 2]
    return (not before or before.isspace() or before in "([—–-‘“'") and bool(after) and not after.isspace()


def _single_quotations(paragraph: str) -> Iterator[Span]:
    """Single marks are apostrophes too: a closing one stands at punctuation, or else right at a word's end."""
    opens = [mark.start() for mark in _SINGLE_OPENS.finditer(paragraph)]
    for start, limit in pairwise([*opens, len(paragraph)]):
        window = min(limit, start + LONGEST_QUOTE + 1)
        close = _SINGLE_CLOSES.search(paragraph, start + 1, window)
        if close is None and limit == window == len(paragraph) and paragraph[-1] in "’'":
            yield start, limit - 1
        elif close:
            yield start, close.start()


def _whole(paragraph: str, spans: list[Span]) -> list[Span]:
    """Give a piece without a letter or digit (stray marks) to the sentence before it."""
    whole: list[Span] = []
    for start, end in spans:
        piece = paragraph[start:end]
        if whole and not any(character.isalnum() for character in piece):
            whole[-1] = (whole[-1][0], end)
        else:
            whole.append((start, end))
    return whole


def _split_long(paragraph: str, start: int, end: int) -> Iterator[Span]:
    """Cut a piece into spans of at most LONGEST_SENTENCE, at the strongest break in the later half of each."""
    while end - start > LONGEST_SENTENCE:
        cut = start + LONGEST_SENTENCE
        for pattern in _BREAKS:
            ends = [found.end() for found in pattern.finditer(paragraph, start + LONGEST_SENTENCE // 2, cut)]
            if ends:
                cut = ends[-1]
                break
        yield from _strip(paragraph, start, cut)
        start = cut
    yield from _strip(paragraph, start, end)


def _strip(paragraph: str, start: int, end: int) -> Iterator[Span]:
    piece = paragraph[start:end]
    if bare := piece.strip():
        begin = start + piece.index(bare[0])
        yield begin, begin + len(bare)
