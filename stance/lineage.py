"""What a model was made from: a run enters; its configuration, its model, and its data leave, checked by digest.

parts = read_parts(experiment) + what `stance train --since` added, kept in the run
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stance import config
from stance.config import Experiment
from stance.errors import DataError
from stance.experiment import Parts, data_digest, read_parts
from stance.models.bundle import Bundle
from stance.records import Example
from stance.tracking.history import RunSummary
from stance.tracking.origins import fetch_run_bundle, find_origin, read_added, read_config
from stance.tracking.store import open_store


@dataclass(frozen=True, eq=False)
class Lineage:
    """A run, its experiment and model, its data by part, and what of the data the experiment alone does not give."""

    run: RunSummary
    experiment: Experiment
    bundle: Bundle
    parts: Parts
    added: Mapping[str, Sequence[Example]]


def read_lineage(wanted: str, task: str | None = None) -> Lineage:
    """Return what a run (id, beginning of an id, name, or a model's URI) was made from.

    The data are read again as the run's configuration says and must have the digest that the run logged. Raises
    StoreError for an unknown run or one without a model, DataError for data that are gone or have changed.
    """
    with open_store() as store:
        run = find_origin(store, wanted, task)
        bundle = fetch_run_bundle(store, run)
        experiment = config.validate(read_config(store, run), f"the run '{run.name}'")
        added = read_added(store, run)
    parts = replace_rows(read_parts(experiment, bundle.codebook), added)
    before, now = run.tags.get("data_digest", ""), data_digest(parts)
    if before != now:
        what = "the shipped corpus has" if experiment.data is None else f"{experiment.data} has"
        raise DataError(
            f"the data of the run '{run.name}' cannot be rebuilt: {what} changed since (digest {before[:12]}, now "
            f"{now[:12]}); bring the data of then back, or train again"
        )
    return Lineage(run, experiment, bundle, parts, added)


def replace_rows(parts: Parts, added: Mapping[str, Sequence[Example]]) -> dict[str, list[Example]]:
    """Return the parts with `added` examples in theirs; one that is there already (by id) is replaced in its place."""
    found = {}
    for part, examples in parts.items():
        rows = {example.id: example for example in examples}
        rows |= {example.id: example for example in added.get(part, ())}
        found[part] = list(rows.values())
    return found
