"""The part of a codebook that asks a model, not a coder: pairs of sentences whose labels follow from a rule.

What enters is a codebook's YAML; what leaves is templates that the evaluation fills with actors' names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from stance.coding import Strict


class MinimalPair(Strict):
    """Two sentences that differ in one thing, and the labels of `{actor}` in each: `labels` before, `then` after.

    Both hold the place of `{actor}`; either may hold that of a second actor, `{other}`.
    """

    before: str
    labels: tuple[str, ...] = ()
    after: str
    then: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fillable(self) -> Self:
        for text in (self.before, self.after):
            if "{actor}" not in text or set(re.findall(r"{\w*}|[{}]", text)) - {"{actor}", "{other}"}:
                raise ValueError(f"'{text:.60}' needs {{actor}}, and can hold {{other}} beside it; mend the sentence")
        if self.before == self.after:
            raise ValueError(f"'{self.before:.60}' stands on both sides; change the one after")
        return self


class Probe(Strict):
    """A question to a model, not to a coder: minimal pairs whose labels follow from one `rule` (its id).

    `change` says what differs. After CheckList's templates (Ribeiro et al. 2020) and the contrast sets of Gardner et
    al. (2020).
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    rule: str
    change: str
    pairs: tuple[MinimalPair, ...] = Field(min_length=1)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that a pair names, with repeats."""
        return tuple(label for pair in self.pairs for label in (*pair.labels, *pair.then))


def check_probes(probes: Sequence[Probe], rules: Sequence[str], *, per_actor: bool, where: str) -> None:
    """Raise ValueError for two probes of one name, a rule that is not in `rules`, or a task not coded per actor."""
    names = [probe.name for probe in probes]
    for probe in probes:
        if names.count(probe.name) > 1:
            raise ValueError(f"{where}: '{probe.name}' stands there twice; put its pairs together")
        if probe.rule not in rules:
            raise ValueError(f"{where}: {probe.name}: there is no rule '{probe.rule}'; name the id of one")
        if not per_actor:
            raise ValueError(f"{where}: {probe.name}: pairs are seen from an actor, this task is not; remove them")
