"""The codebook's minimal pairs as cases: templates enter, filled with actors' names; pairs of examples leave."""

from __future__ import annotations

from random import Random

from stance.codebook import Codebook
from stance.corpus.gazetteer import Gazetteer
from stance.corpus.targets import find_targets
from stance.evaluation.probes.names import read_roster
from stance.evaluation.probes.records import Case, Probe
from stance.records import Example

FILLINGS = 5  # actors per template: templates differ more than names do


def read_pairs(codebook: Codebook, task: str, gazetteer: Gazetteer, seed: int) -> list[Probe]:
    """Return the probes of a task's minimal pairs, each template filled with `FILLINGS` pairs of names.

    Names are the gazetteer's states if the codebook's own examples have states for actors, else those examples' actors.
    """
    names = _names(codebook, task, gazetteer)
    rules = {rule.id: rule for rule in (*codebook.rules, *codebook.settled)}
    probes = []
    for each in codebook.task(task).probes:
        cases = []
        for number, pair in enumerate(each.pairs):
            random = Random(f"{seed} {each.name} {number}")  # noqa: S311 - a sample, not a secret
            expected = codebook.task(task).order(pair.labels), codebook.task(task).order(pair.then)
            for _ in range(FILLINGS):
                actor, other = random.sample(names, 2)
                before, after = (_fill(text, actor, other, codebook) for text in (pair.before, pair.after))
                cases.append(Case(f"{each.name} {number}", before, after, expected))
        title = rules[each.rule].title
        expectation = "both answers as the rule says"
        source = f"codebook {codebook.name}, rule {each.rule} ({title})"
        probes.append(Probe(each.name, each.change, expectation, source, tuple(dict.fromkeys(cases))))
    return probes


def _fill(template: str, actor: str, other: str, codebook: Codebook) -> Example:
    text = template.format(actor=actor, other=other)
    start = template.format(actor="\0", other=other).index("\0")
    span = {"mention": actor, "start": start, "end": start + len(actor)}
    return Example(text, actor, **span, targets=find_targets(text, codebook.target))  # type: ignore[arg-type]


def _names(codebook: Codebook, task: str, gazetteer: Gazetteer) -> list[str]:
    rules = (*codebook.rules, *codebook.settled)
    coded = [*codebook.task(task).examples, *(example for rule in rules for example in rule.examples)]
    shown = list(dict.fromkeys(example.actor for example in coded if example.actor))
    states = list(read_roster(gazetteer).states)
    usual = states if set(shown) & set(states) else shown
    return usual if len(usual) > 1 else states
