"""Changes of wording that say nothing about a stance: another date, another number, a slip of the keyboard."""

from __future__ import annotations

import json
import re
from random import Random

from stance.codebook import Codebook
from stance.evaluation.probes.actor_changes import Scene
from stance.evaluation.probes.edits import Replacement, edit, overlaps
from stance.records import Example, Span

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Without March and May, which are words too.
_MONTHS = ("January", "February", "April", "June", "July", "August", "September", "October", "November", "December")
_DATED = "|".join((*_DAYS, *_MONTHS))
_DATE_WORD = re.compile(rf"\b(?:{_DATED})\b")
_NUMBER = re.compile(r"(?<![\w.,/:–-])\d+(?:,\d{3})*(?![\w/:–-]|[.,]\w)")
# Behind a capital, a number is part of a name ("Resolution 1988"), unless the word is a month or opens the sentence.
_NUMBERED = re.compile(rf"\w\W* (?!(?:{_DATED}|March|May)\b)[A-Z][\w.]* $")
_WORD = re.compile(r"(?<![\w'’-])[a-z]{5,}(?![\w'’-])")
_WORDS_PER_SLIP = 15


def codebook_numbers(codebook: Codebook) -> frozenset[str]:
    """Return the numbers of three digits or more that the codebook names, such as a resolution's or a decisive year."""
    content = codebook.model_dump(mode="json", by_alias=True, exclude={"version"})
    return frozenset(re.findall(r"\d{3,}", json.dumps(content, ensure_ascii=False)))


def change_numbers(example: Example, scene: Scene, random: Random) -> Example | None:
    """Put another day, month, year or number for each; None where the sentence has none that can change.

    A year moves by one, another number keeps its digits. Numbers that the codebook or the gazetteer names stay.
    """
    kept = _kept(example, scene)
    replacements = []
    for match in _DATE_WORD.finditer(example.text):
        choices = _DAYS if match[0] in _DAYS else _MONTHS
        replacements.append((match, random.choice([word for word in choices if word != match[0]])))
    for match in _NUMBER.finditer(example.text):
        named = match[0] in scene.known_numbers or _NUMBERED.search(example.text[: match.start()])
        if not named and int(match[0].replace(",", "")) > 1:
            replacements.append((match, _other_number(match[0], random)))
    made = [
        Replacement(match.start(), match.end(), words)
        for match, words in replacements
        if not overlaps(match.span(), kept)
    ]
    return edit(example, made, scene.target) if made else None


def add_typos(example: Example, scene: Scene, random: Random) -> Example | None:
    """Swap two neighbouring letters inside a word, one for every 15 words; names stay. None without such a word."""
    kept = _kept(example, scene)
    words = [match for match in _WORD.finditer(example.text) if not overlaps(match.span(), kept)]
    words = [match for match in words if len(set(match[0][1:-1])) > 1]
    wanted = 1 + len(example.text.split()) // _WORDS_PER_SLIP
    made = []
    for match in random.sample(words, min(wanted, len(words))):
        word = match[0]
        at = random.choice([i for i in range(1, len(word) - 2) if word[i] != word[i + 1]])
        swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        made.append(Replacement(match.start(), match.end(), swapped))
    return edit(example, made, scene.target) if made else None


def _kept(example: Example, scene: Scene) -> list[Span]:
    spans = [(found.start, found.end) for found in scene.gazetteer.scan(example.text)]
    if example.start is not None and example.end is not None:
        spans.append((example.start, example.end))
    return [*spans, *example.targets]


def _other_number(number: str, random: Random) -> str:
    """A number of the same make.

    >>> _other_number("2019", Random(1)) in ("2018", "2020"), len(_other_number("3,000", Random(1)))
    (True, 5)
    """
    if len(number) == 4 and number.startswith(("19", "20")):
        return str(int(number) + random.choice((-1, 1)))
    if len(number) < 3 and int(number) <= 31:  # it may be a day of the month
        return str(random.choice([day for day in range(2, 29) if str(day) != number]))
    while True:
        drawn = "".join(random.choice("23456789") if sign.isdigit() else sign for sign in number)
        if drawn != number:
            return drawn
