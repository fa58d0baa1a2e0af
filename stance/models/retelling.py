"""Acts retold by somebody else. Labelled examples enter; what leaves is more of them, each pair one sentence.

Who only tells of another's act takes no stance (codebook, rule 1), yet in written passages a stance word beside an
actor is mostly that actor's own. Counterfactual pairs (Kaushik et al. 2020) show the difference: of a sentence retold,
one example asks about its actor, whose labels stay, and one about the teller, who has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from statistics import mode

from stance.records import Example

# Of the words of the probe `ascribe` only "said" is here, so that the probe measures more than these words.
BEFORE = (
    "{teller} said that ",
    "{teller} stated that ",
    "{teller} told reporters that ",
    "{teller} wrote that ",
    "{teller} recalled that ",
    "A spokesman for {teller} said that ",
    "In a statement, {teller} pointed out that ",
    "In the words of {teller}, ",
)
AFTER = (", {teller} said", ", said {teller}", ", {teller} told reporters", ", a spokesman for {teller} said")
_QUOTES = frozenset("\"“”«»'‘")


def retell(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Return two more examples for about `share` of those that have labels, name their actor and can be retold.

    Tellers are actors of other examples, as often as these ask about them. A sentence with quotation marks or
    apostrophes, or without a plain beginning and end, is left out, as is a teller that the sentence is coded for or
    names. The result depends on the arguments alone; it is empty where no example has an actor.
    """
    random = Random(seed)  # noqa: S311 - a sample, not a secret
    names = _names(examples)
    tellers = [str(each.actor) for each in examples if each.actor in names]
    coded = defaultdict(set)
    for example in examples:
        coded[example.doc_id, example.text].add(example.actor)
    result = []
    for example in examples:
        if not tellers or random.random() >= share or not example.labels or not _is_plain(example):
            continue
        teller = random.choice(tellers)
        if teller not in coded[example.doc_id, example.text] and teller not in example.text:
            result += _told(example, teller, names[teller], random)
    return result


def _is_plain(example: Example) -> bool:
    """Whether the sentence names the actor, begins like one, ends in a full stop and quotes nobody."""
    text = example.text
    begins = text[:1].isupper() and text[1:2].islower()
    return example.start is not None and begins and text.endswith(".") and _QUOTES.isdisjoint(text)


def _names(examples: Sequence[Example]) -> dict[str, str]:
    """The actors that sentences name as the codebook does, each with "the" before it where most have that."""
    articled = defaultdict(list)
    for each in examples:
        if each.actor and each.mention == each.actor:
            articled[each.actor].append(each.text[: each.start].lower().endswith("the "))
    return {actor: f"the {actor}" if mode(found) else actor for actor, found in articled.items()}


def _told(example: Example, teller: str, called: str, random: Random) -> list[Example]:
    """The retold sentence, asked about its actor and about the teller, who is called so."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    text = example.text
    ends = {example.end, *(end for _, end in example.targets)}
    # Where a name ends the sentence the full stop is its own: nothing goes between.
    if random.random() * (len(BEFORE) + len(AFTER)) < len(BEFORE) or len(text) in ends:
        words = random.choice(BEFORE).format(teller=called)
        begin = text[0].lower() if text.split(maxsplit=1)[0].lower() in ENGLISH_STOP_WORDS else text[0]
        told, place, moved = words[0].upper() + words[1:] + begin + text[1:], 0, len(words)
    else:
        words = random.choice(AFTER).format(teller=called)
        told, place, moved = f"{text[:-1]}{words}.", len(text) - 1, 0
    place += words.rindex(teller)
    targets = tuple((start + moved, end + moved) for start, end in example.targets)
    start, end = (None if at is None else at + moved for at in (example.start, example.end))
    asked = replace(example, text=told, targets=targets, start=start, end=end, mention=told[start:end])
    stop = place + len(teller)
    return [asked, replace(asked, actor=teller, mention=told[place:stop], start=place, end=stop, labels=())]
