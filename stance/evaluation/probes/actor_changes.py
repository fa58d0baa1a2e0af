"""Changes of who acts: examples enter, with the actor renamed, hidden, or another one set beside it.

Whose name stands in a sentence does not change what it says that the actor does: the answer must stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from stance.coding import Target
from stance.corpus.gazetteer import Found, Gazetteer
from stance.corpus.targets import find_targets
from stance.evaluation.probes.edits import Replacement, edit, overlaps, rewrite
from stance.evaluation.probes.names import KINDS, invent, own_kind, read_roster
from stance.records import Example

MASK = "the actor"
_TITLED = re.compile(r"(?:\b(?:[Ii]n|[Aa]t|[Nn]ear|[Oo]utside|[Ff]rom|[Tt]o) |\w [A-Z][\w.]+ |^(?:[A-Z][\w.]+ )+)$")

# Clauses about anything but politics: each adds an actor of whom nothing is asked.
ASIDES = (
    ", as {name} marked a public holiday",
    ", while the president of {name} watched a football match",
    ", on the day that {name} opened a museum of music",
)


@dataclass(frozen=True)
class Scene:
    """What a change needs to know beside the example."""

    gazetteer: Gazetteer
    target: Target
    known_numbers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    kind: str
    words: str


def swap_actor(example: Example, scene: Scene, random: Random) -> Example | None:
    """Name another state wherever the actor is named, by a name of the same kind; None where that is not possible."""
    actor, found = _who(example, scene)
    if actor is None or not found or actor not in read_roster(scene.gazetteer).states:
        return None
    named = {reading.actor for each in _everywhere(example, scene) for reading in each.readings}
    chosen = read_roster(scene.gazetteer).fill({place.kind for place in found}, named | {actor}, random)
    if chosen is None:
        return None
    name, forms = chosen
    return _rename(example, actor, scene, lambda _text, place: _like(place, forms[place.kind]), name)


def invent_actor(example: Example, scene: Scene, random: Random) -> Example | None:
    """Name a state that does not exist wherever the actor is named; None where that is not possible."""
    actor, found = _who(example, scene)
    if actor is None or not found:
        return None
    forms = invent(random, scene.gazetteer)
    return _rename(example, actor, scene, lambda _text, place: _like(place, forms[place.kind]), forms["name"][0])


def mask_actor(example: Example, scene: Scene, random: Random) -> Example | None:  # noqa: ARG001 - one signature
    """Hide the actor behind `MASK` wherever it is named; None where it is not, or as part of another word."""
    actor, found = _who(example, scene)
    if actor is None or not found or any(_is_part(example.text, place) for place in found):
        return None
    return _rename(example, actor, scene, _masked, MASK)


def add_actor(example: Example, scene: Scene, random: Random) -> Example | None:
    """Add a clause about another state at the sentence's end; None where it has no plain end."""
    text = example.text
    if len(text) < 2 or text[-1] != "." or not text[-2].isalnum():
        return None
    named = {reading.actor for each in _everywhere(example, scene) for reading in each.readings}
    chosen = read_roster(scene.gazetteer).fill(("name",), named | {example.actor or ""}, random)
    if chosen is None:
        return None
    aside = random.choice(ASIDES).format(name=chosen[0])
    return edit(example, [Replacement(len(text) - 1, len(text), f"{aside}.")], scene.target)


def _is_part(text: str, place: _Place) -> bool:
    """Tell whether a name stands where "the actor" cannot: as an adjective, after a title, or as a mere place."""
    return place.kind == "people" or _TITLED.search(text[: place.start]) is not None


def _who(example: Example, scene: Scene) -> tuple[str | None, list[_Place]]:
    """The actor to change, and where the sentence names it; of a sentence coded as a whole, the first it names."""
    if example.actor is not None:
        found = _places(example.text, example.actor, example.date, scene)
        return example.actor, _checked(example, found)
    for each in scene.gazetteer.scan(example.text):
        actor = each.readings[0].actor
        found = _places(example.text, actor, example.date, scene)
        if found:
            return actor, found
    return None, []


def _checked(example: Example, found: list[_Place] | None) -> list[_Place]:
    """No places unless the coded mention is among them, so that the words asked about are the words changed."""
    if not found or example.start is None or example.end is None:
        return []
    inside = any(example.start <= place.start and place.end <= example.end for place in found)
    return found if inside else []


def _places(text: str, actor: str, date: str | None, scene: Scene) -> list[_Place]:
    """Where `text` names the actor; empty where one of the names has no counterpart or is part of the target's."""
    places = []
    targets = find_targets(text, scene.target)
    for found in scene.gazetteer.scan(text):
        kind = own_kind(found, actor, date)
        if kind is None:
            if any(reading.actor == actor for reading in found.readings):
                return []  # it may mean the actor or another: better no case than a wrong one
            continue
        words = text[found.start : found.end]
        # Names in capitals serve as adjectives too ("a US envoy"); one behind an article asks for one that has it.
        articled = text[: found.start].lower().endswith("the ") and kind != "people"
        if kind not in KINDS or words.isupper() or articled or overlaps((found.start, found.end), targets):
            return []
        places.append(_Place(found.start, found.end, kind, words))
    return places


def _everywhere(example: Example, scene: Scene) -> list[Found]:
    return [found for text in (example.prev, example.text, example.next) for found in scene.gazetteer.scan(text)]


def _rename(
    example: Example, actor: str, scene: Scene, words: Callable[[str, _Place], str], name: str
) -> Example | None:
    """Rename the actor in sentence and context; None if the context names it in a way that cannot be renamed."""
    context: dict[str, str] = {}
    for side in ("prev", "next"):
        text = getattr(example, side)
        found = _places(text, actor, example.date, scene)
        if not found and any(own_kind(each, actor, example.date) for each in scene.gazetteer.scan(text)):
            return None
        try:
            context[side] = rewrite(text, [Replacement(at.start, at.end, words(text, at)) for at in found])
        except KeyError:  # the context names it by a kind that the stand-in lacks
            return None
    text = example.text
    found = _places(text, actor, example.date, scene)
    changed = edit(example, [Replacement(at.start, at.end, words(text, at)) for at in found], scene.target)
    renamed = None if example.actor is None else name
    return None if changed is None else replace(changed, actor=renamed, prev=context["prev"], next=context["next"])


def _like(place: _Place, names: tuple[str, ...]) -> str:
    """The name of the same make: a plural for a plural, as many words for as many, else the first."""

    def make(words: str) -> tuple[bool, int]:
        return words.endswith("s"), len(words.split())

    same = [name for name in names if make(name) == make(place.words)]
    return (same or list(names))[0]


def _masked(text: str, place: _Place) -> str:
    first = not text[: place.start].strip(" \"'“‘") or text[: place.start].rstrip(" \"'“‘").endswith(
        (".", "?", "!", ":")
    )
    return MASK[0].upper() + MASK[1:] if first else MASK
