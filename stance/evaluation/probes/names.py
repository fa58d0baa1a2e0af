"""Names to put in an actor's place. The gazetteer enters; names by kind leave, real ones and invented ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from stance.corpus.gazetteer import Found, Gazetteer

KINDS = ("name", "people", "capital", "person")
"""Kinds of reading that one actor's name can stand for another's. An office has no counterpart elsewhere."""

# Names of states that need "the" in a sentence: put where another stood, they would read as a slip.
_ARTICLE = re.compile(r"(?:States|Kingdom|Republic|Emirates|Islands|Netherlands|Philippines|Bahamas|Maldives)$")
_SYLLABLES = ("ba", "dre", "fin", "go", "ka", "lu", "mer", "no", "pel", "ras", "so", "tor", "ve", "zan")
_Forms = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Roster:
    """The gazetteer's states by name, with the names that mean nobody else, by kind and sorted."""

    states: Mapping[str, _Forms]

    def fill(self, kinds: Collection[str], taken: Collection[str], random: Random) -> tuple[str, _Forms] | None:
        """Return a random state that has a name of every kind and is not `taken`, with its forms; None without one."""
        fit = [actor for actor, forms in self.states.items() if actor not in taken and set(kinds) <= forms.keys()]
        actor = random.choice(fit) if fit else None
        return None if actor is None else (actor, self.states[actor])


@lru_cache(maxsize=4)
def read_roster(gazetteer: Gazetteer) -> Roster:
    """Return the states of a gazetteer (its actors with a capital) that can stand in for each other."""
    states: dict[str, dict[str, list[str]]] = {}
    for actor in sorted(gazetteer.actors):
        forms: dict[str, list[str]] = {}
        for name in gazetteer.names(actor):
            found = gazetteer.scan(name)
            if len(found) == 1 and found[0].end - found[0].start == len(name) and not name.isupper():
                readings = [each for each in found[0].readings if each.kind != "surname"]
                if len(readings) == 1 and readings[0].kind in KINDS and readings[0].actor == actor:
                    forms.setdefault(readings[0].kind, []).append(name)
        if "capital" in forms and "name" in forms and not _ARTICLE.search(actor) and actor in forms["name"]:
            states[actor] = {**forms, "name": [actor]}
    return Roster({actor: {kind: tuple(names) for kind, names in forms.items()} for actor, forms in states.items()})


def own_kind(found: Found, actor: str, date: str | None) -> str | None:
    """Return the kind of name by which `found` means `actor` on that date; None where it means another or nobody."""
    for reading in found.readings:
        if reading.kind == "decoy":
            return None
        if reading.holds(date):
            return reading.kind if reading.actor == actor else None
    return None


def invent(random: Random, known: Gazetteer) -> dict[str, tuple[str, ...]]:
    """Return the names of a state that no gazetteer holds, by kind: the same random numbers give the same state."""
    while True:
        stem, city, given, family = ("".join(random.sample(_SYLLABLES, size)).capitalize() for size in (2, 3, 2, 3))
        if not known.scan(f"{stem}ia, {stem}ian, {city}, {given} {family}"):
            people = (f"{stem}ian", f"{stem}ians")
            return {"name": (f"{stem}ia",), "people": people, "capital": (city,), "person": (f"{given} {family}",)}
