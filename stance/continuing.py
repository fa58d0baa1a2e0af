"""Training on: a run and newly labelled examples enter; a run on the old data and the new, scored on the old test part,
leaves.

    run → its recipe, its data, its encoder's weights ┐
    new gold → train and validation, never test       ┴→ `stance.experiment.track`, tagged with the run
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stance import config
from stance.config import Experiment
from stance.dataset import check_disjoint, read_labelled
from stance.dataset.additions import Additions, place_gold
from stance.dataset.divisions import Division
from stance.errors import ConfigError
from stance.experiment import Parent, Trained, track
from stance.lineage import Lineage, read_lineage, replace_rows
from stance.models.base import Progress
from stance.records import Example

KEPT = ("task", "codebook", "data")


@dataclass(frozen=True, eq=False)
class Plan:
    """What will be trained: the recipe, its origin, what joins the data, and the data by part."""

    experiment: Experiment
    lineage: Lineage
    additions: Additions
    division: Division


def plan_since(wanted: str, gold: Sequence[Path], overrides: Sequence[str] = ()) -> Plan:
    """Return how training goes on from a run (id, name or a model's URI) with the labelled examples of `gold` files.

    The recipe is the run's with `overrides`; an encoder starts from the run's weights, every other kind is fitted anew
    on old and new data. Raises ConfigError for overrides that would change the task or the data, DataError for gold
    that adds nothing, and what `read_lineage` does.
    """
    lineage = read_lineage(wanted)
    experiment = _recipe(lineage, overrides)
    book = lineage.bundle.codebook
    examples: list[Example] = []
    for file in gold:
        examples += read_labelled(file, experiment.task, book)
    additions = place_gold(lineage.parts, examples, seed=lineage.experiment.seed)
    parts = replace_rows(lineage.parts, additions.parts)
    check_disjoint(parts)
    return Plan(experiment, lineage, additions, Division("document", parts, base=lineage.run.tags["split_digest"]))


def train_since(plan: Plan, progress: Progress) -> Trained | None:
    """Train and track what `plan_since` planned; None in the helper processes of `accelerate launch`."""
    lineage = plan.lineage
    added = {
        part: list({one.id: one for one in (*lineage.added.get(part, ()), *plan.additions.parts[part])}.values())
        for part in plan.additions.parts
    }
    parent = Parent(lineage.run.id, added)
    return track(plan.experiment, lineage.bundle.codebook, plan.division, progress, parent)


def _recipe(lineage: Lineage, overrides: Sequence[str]) -> Experiment:
    old = lineage.experiment
    if old.kind == "encoder":
        content = {**old.model_dump(mode="json"), "model": {**old.model, "name": f"runs:/{lineage.run.id}/model"}}
        old = config.validate(content, f"the run '{lineage.run.name}'")
    new = config.change(old, overrides, f"the run '{lineage.run.name}'")
    for key in KEPT:
        if getattr(new, key) != getattr(old, key):
            raise ConfigError(f"'{key}=' cannot be changed with --since: the run's is kept; name new gold with --gold")
    if new.kind != old.kind:
        raise ConfigError(f"model.kind is {old.kind} in the run; train another kind anew, on all the data in one file")
    return new
