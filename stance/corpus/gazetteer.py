"""The gazetteer: every way to write an actor's name → the actor.

Stage: the data files beside this module enter, an Aho-Corasick automaton leaves; `actors` decides which of its finds
act. One name may have several readings: offices are held for a term, and a surname is shared.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import ahocorasick
import yaml

from stance.errors import DataError

FILES = ("states", "organisations", "factions", "collectives", "persons", "decoys")
"""Data files in the order of reading: among the readings of a name that hold, the first file's wins."""

KINDS = {
    "names": "name",
    "people": "people",
    "capital": "capital",
    "offices": "office",
    "short": "short",
    "local": "local",
    "ground": "ground",
    "native": "native",
    "seat": "seat",
    "past": "past",
}
"""Lists that an actor can have in a data file → the kind of reading that they give."""


def _fold_table() -> dict[int, str]:
    table = {ord(sign): " " for sign in string.punctuation + "–—‘“”«»…\u00a0\n\t\r"} | {ord("'"): "'", ord("’"): "'"}
    for code in (*range(0x41, 0x5B), *range(0xC0, 0x180)):
        letter = unicodedata.normalize("NFD", chr(code))[0].lower()
        table[code] = {"ı": "i", "ø": "o", "đ": "d", "ł": "l"}.get(letter, letter)[0]
    return table


_FOLD = _fold_table()


def fold(text: str) -> str:
    """Return `text` in lower case without accents and punctuation, letter by letter: offsets stay valid.

    >>> fold("Türkiye's U.S. envoy")
    "turkiye's u s  envoy"
    """
    return text.translate(_FOLD)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a name can mean. `kind` is one of `KINDS`, person, surname, decoy.

    `terms` are (first, last) ISO dates of any precision, both inclusive; the empty tuple is always. `own` is the
    actor outside the terms, None where there is none.
    """

    actor: str
    kind: str
    terms: tuple[tuple[str, str], ...] = ()
    own: str | None = None

    def holds(self, date: str | None) -> bool:
        """True if some day of `date` (ISO 8601: a day, month or year, or since when: `2021/..`) lies in a term.

        Always true without a date or without terms.

        >>> Reading("NATO", "person", (("2014-10", "2024-09"),)).holds("2021")
        True
        """
        if date is None or not self.terms:
            return True
        if date.endswith("/.."):
            return any(date[: min(len(date) - 3, len(last))] <= last for _, last in self.terms)
        return any(
            date[: len(first)] >= first[: len(date)] and date[: len(last)] <= last[: len(date)]
            for first, last in self.terms
        )


class Found(NamedTuple):
    """A name in a text: 0-based half-open offsets, and its readings in the files' order."""

    start: int
    end: int
    readings: tuple[Reading, ...]


class Gazetteer:
    """Names and their readings, from (name, reading) pairs.

    A name in capitals is matched in capitals only, one in lower case in any case, any other not in lower case.
    """

    def __init__(self, entries: Iterable[tuple[str, Reading]]) -> None:
        readings: dict[str, list[Reading]] = defaultdict(list)
        shapes: dict[str, int] = {}
        self._names: dict[str, list[str]] = defaultdict(list)
        self._states: set[str] = set()
        for name, reading in entries:
            key = " " + fold(name).strip()
            if reading not in readings[key]:
                readings[key].append(reading)
            shape = 0 if name.islower() else 2 if name.isupper() else 1
            shapes[key] = min(shapes.get(key, 2), shape)
            if reading.kind != "decoy":
                self._names[reading.actor].append(name)
            if reading.kind in ("people", "capital"):
                self._states.add(reading.actor)
        self._automaton = ahocorasick.Automaton()
        for key, found in readings.items():
            self._automaton.add_word(key, (len(key) - 1, shapes[key], tuple(found)))
        self._automaton.make_automaton()

    @property
    def actors(self) -> frozenset[str]:
        """Every canonical actor that some name can mean."""
        return frozenset(self._names)

    def names(self, actor: str) -> tuple[str, ...]:
        """The names that can mean `actor`, longest first; empty for an actor that the gazetteer does not know."""
        return tuple(sorted(set(self._names.get(actor, ())), key=lambda name: (-len(name), name)))

    def sort(self, actor: str) -> str:
        """Return "state" for an actor with a people or a capital, "body" for any other known one, else "other".

        Persons who speak for themselves are known by their own name only while they hold no office: "other" or "body".
        """
        return "state" if actor in self._states else "body" if actor in self._names else "other"

    def scan(self, text: str) -> list[Found]:
        """Return the names in `text` from left to right: whole words, longest match, none overlapping."""
        folded = f" {fold(text)} "
        found = []
        for last, (length, shape, readings) in self._automaton.iter_long(folded):
            start = last - length
            if folded[last + 1] not in " '":
                continue
            surface = text[start:last]
            if shape == 0 or surface.isupper() or (shape == 1 and not surface.islower()):
                found.append(Found(start, last, readings))
        return found


def read_entries(data: Mapping[str, Any], where: str) -> Iterator[tuple[str, Reading]]:
    """Yield the (name, reading) pairs of one data file's mapping; raises DataError naming `where` and the entry."""
    for actor, value in data.items():
        try:
            if where == "decoys":
                yield from ((name, Reading("", "decoy")) for name in value)
            elif where == "persons":
                yield from _persons(actor, value)
            else:
                yield from _lists(actor, value, ())
        except (AttributeError, TypeError, ValueError, KeyError) as error:
            message = f"gazetteer/{where}.yaml: '{actor}': {error!r}; the head of the file says its form"
            raise DataError(message) from error


def _lists(actor: str, lists: Mapping[str, Any], terms: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, Reading]]:
    for key, names in lists.items():
        if key == "dated":
            for term, inner in names.items():
                yield from _lists(actor, inner, (_term(term),))
        else:
            yield from ((name, Reading(actor, KINDS[key], terms)) for name in names)


def _persons(body: str, people: Mapping[str, Any]) -> Iterator[tuple[str, Reading]]:
    for names, value in people.items():
        spellings = [names, *value] if body == "own" else names.split(" | ")
        own = spellings[0].replace("*", "")
        terms = () if body == "own" else tuple(_term(term) for term in value.split(", "))
        actor = own if body == "own" else body
        for spelling in spellings:
            full, alone = spelling.replace("*", ""), spelling.partition("*")[2]
            yield full, Reading(actor, "person", terms, own)
            yield alone or full.split()[-1], Reading(actor, "person" if alone else "surname", terms, own)


def _term(term: str) -> tuple[str, str]:
    match = re.fullmatch(r"([\d-]+)/([\d-]+|\.\.)", str(term).strip())
    if match is None:
        raise ValueError(f"'{term}' is not an interval such as 2001-12/2014-09 or 2024-10/..")
    return match[1], "9999" if match[2] == ".." else match[2]


def load(folder: Path | None = None) -> Gazetteer:
    """Return the shipped gazetteer (read once), or the one whose YAML files stand in `folder`.

    Raises DataError naming the file that is missing, not YAML, or of another form.
    """
    return _shipped() if folder is None else _read(folder)


@lru_cache(maxsize=1)
def _shipped() -> Gazetteer:
    return _read(resources.files("stance.corpus").joinpath("gazetteer"))


def _read(folder: Any) -> Gazetteer:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries: list[tuple[str, Reading]] = []
    for name in FILES:
        try:
            data = yaml.load(folder.joinpath(f"{name}.yaml").read_text("utf-8"), loader)  # noqa: S506 (a safe loader)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise DataError(f"gazetteer/{name}.yaml: cannot read: {' '.join(str(error).split())}") from error
        if not isinstance(data, dict):
            raise DataError(f"gazetteer/{name}.yaml: not a mapping of actors")
        entries.extend(read_entries(data, name))
    return Gazetteer(entries)
