"""Cleaning. An article's raw text enters; its paragraphs leave, one a line, with a blank line between them.

Characters are repaired by ftfy; lines that belong to the page and not to the article (menus, credits, cookie
notices, date lines) go, lines broken in mid-sentence are joined, and what the page printed twice stays once.
Quotation marks, numbers and right-to-left text are kept as they are.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from stance.corpus.furniture import is_furniture

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

_PASSES: Final = 12
_LINE_ENDS: Final = re.compile(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_BLANKS: Final = re.compile(r"[^\S\n]+")
_BLANK_LINES: Final = re.compile(r"\n[^\S\n]*\n\s*")
_DETACHED_MARK: Final = re.compile(r"(?<=[.!?,]) (?=[”»](?:\s|$))", re.MULTILINE)
_ENDED: Final = re.compile(r"[.!?…。！？؟۔।][\"'”’»)\]]*$")
_STRAY_STOPS: Final = re.compile(r"(?<=\w[.!?])(?: \.)+$")
_WIDEST_WRAP: Final = 120  # no text is hard-wrapped wider; longer lines are paragraphs
_NARROWEST_WRAP: Final = 40


def clean(text: str, title: str | None = None) -> str:
    """Return the article's paragraphs, separated by a blank line; a `title` stands first, once. Idempotent.

    >>> clean("Skip to content\\nTalks in Moscow\\n\\nThe envoys met\\non Monday.\\n\\nPhoto: AP", "Talks in Moscow")
    'Talks in Moscow\\n\\nThe envoys met on Monday.'
    """
    headline = _settle_line(title) if title else ""
    for _ in range(_PASSES):
        paragraphs = _paragraphs(_normalise(text), headline)
        before, text = text, "\n\n".join([headline, *paragraphs] if headline else paragraphs)
        if text == before:
            break
    return text


def has_ended(line: str) -> bool:
    """Say whether a line ends as a sentence does, closing quotes and brackets aside.

    >>> has_ended('"They left."'), has_ended("Talks in Moscow")
    (True, False)
    """
    return bool(_ENDED.search(line[-8:]))


def _settle_line(line: str) -> str:
    for _ in range(_PASSES):
        settled = " ".join(_normalise(line).split())
        if settled == line:
            break
        line = settled
    return line


@lru_cache(maxsize=1)
def _repairs() -> TextFixerConfig:
    from ftfy import TextFixerConfig

    return TextFixerConfig(uncurl_quotes=False, fix_character_width=False)


def _normalise(text: str) -> str:
    text = _BLANK_LINES.sub("\n\n", _LINE_ENDS.sub("\n", text))
    text = _LINE_ENDS.sub("\n", "\n".join(map(_repair, text.split("\n"))))
    text = _BLANKS.sub(" ", unicodedata.normalize("NFC", _INVISIBLE.sub("", text)))
    return _DETACHED_MARK.sub("", text)


def _repair(line: str) -> str:
    # ftfy leaves plain ASCII alone, at 20 µs a line: a page of a million short lines would take a minute.
    if line.isascii() and "&" not in line and "\x1b" not in line:
        return line
    from ftfy import fix_text

    return str(fix_text(line, _repairs()))


def _paragraphs(text: str, headline: str) -> list[str]:
    lines = _without_furniture([line.strip() for line in text.split("\n")])
    paragraphs: list[str] = []
    block: list[str] = []
    for line in [*lines, ""]:
        if line:
            block.append(line)
        elif block:
            paragraphs += _join_broken(block, headline)
            block = []
    return _without_tail(_without_repeats(paragraphs, headline))


def _without_furniture(lines: list[str]) -> list[str]:
    """Blank out page furniture; the blank keeps what stood around it apart."""
    kept: list[str] = []
    for line in lines:
        continues = bool(kept and kept[-1]) and line[:1].islower() and not has_ended(kept[-1])
        kept.append("" if is_furniture(line) and not continues else line)
    return kept


def _join_broken(block: list[str], headline: str) -> list[str]:
    """Join the lines of a block that were broken in mid-sentence, or wrapped at a fixed width."""
    full = _wrapped_lines(block)
    joined = [block[0]]
    for index, line in enumerate(block[1:]):
        last = block[index]
        broken = full[index] or (line[0].islower() and not has_ended(last))
        if broken and last != headline:
            hyphenated = last.endswith("-") and len(last) > 1 and last[-2].isalpha() and line[0].islower()
            joined[-1] += line if hyphenated else f" {line}"
        else:
            joined.append(line)
    return joined


def _wrapped_lines(block: list[str]) -> list[bool]:
    """Say of each line whether it is full: the next line's first word would not have fitted into the block's width.

    A block is taken as wrapped only when most of its lines are full, so that lists and headlines stay apart.
    """
    width = max(map(len, block))
    fits = [len(line) + 1 + len(after.split(" ", 1)[0]) <= width for line, after in pairwise(block)]
    if len(block) < 3 or not _NARROWEST_WRAP <= width <= _WIDEST_WRAP or sum(fits) > 0.3 * len(fits):
        return [False] * len(block)
    return [not fit for fit in fits] + [False]


def _without_repeats(paragraphs: list[str], headline: str) -> list[str]:
    """Drop what was printed before: whole bodies repeated, the headline again, a line that is twice the same text."""
    seen = {_key(headline)} if headline else set()
    kept = []
    for paragraph in map(_halve, paragraphs):
        text = _STRAY_STOPS.sub("", paragraph)
        key = _key(text)
        # Short lines ("Yes.", "No comment.") may well be said twice.
        if not key or (key in seen and (len(text.split()) >= 5 or key == _key(headline))):
            continue
        seen.add(key)
        kept.append(text)
    return kept


def _halve(paragraph: str) -> str:
    middle = len(paragraph) // 2
    for cut in (middle, middle + 1):
        first, second = paragraph[:cut].strip(), paragraph[cut:].strip()
        if first == second and len(first.split()) >= 5:
            return first
    return paragraph


def _without_tail(paragraphs: list[str]) -> list[str]:
    """Drop short lines without a full stop that follow the last paragraph: signatures, site names, tags."""
    end = len(paragraphs)
    while end and not has_ended(paragraphs[end - 1]) and len(paragraphs[end - 1].split()) <= 8:
        end -= 1
    return paragraphs[:end] if end else paragraphs


def _key(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
