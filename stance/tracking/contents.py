"""All that one run holds, read back for a page about it: a run's id, prefix or name enters; a record leaves."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.errors import StoreError
from stance.tracking.history import RunSummary, find_run, read_predictions
from stance.tracking.runs import EVALUATION, TAG
from stance.tracking.store import Store, wrap_errors

if TYPE_CHECKING:
    import pandas as pd

PAGE = "report/index.html"
COMPARISON = "report/comparison.html"


@dataclass(frozen=True)
class DataPart:
    """One logged part of the data: its name, MLflow's digest of it, and its number of examples (None: not logged)."""

    name: str
    digest: str
    n: int | None


@dataclass(frozen=True)
class Registered:
    """One version of a registered model that a run became, with what the gate said.

    `outcome` is "promote", "refuse" or "forced"; `checks` are "passed", "failed" or "not judged" by name; `reasons` are
    one sentence per check; `why` is the reason for overruling, or "".
    """

    model: str
    version: int
    aliases: tuple[str, ...]
    outcome: str
    checks: Mapping[str, str]
    reasons: tuple[str, ...]
    why: str


@dataclass(frozen=True, eq=False)
class RunContents:
    """A run with its artifacts. What it did not log is empty, or None for `predictions`.

    `evaluation` is `Evaluation.to_json()` of the test part; `errors`, `probes` and `failures` are rows of the tables of
    the same names; `facts` is `Model.describe()`.
    """

    run: RunSummary
    evaluation: Mapping[str, Any]
    predictions: pd.DataFrame | None
    errors: tuple[dict[str, Any], ...]
    probes: tuple[dict[str, Any], ...]
    failures: tuple[dict[str, Any], ...]
    facts: Mapping[str, Any]
    data: tuple[DataPart, ...]
    registered: tuple[Registered, ...]


def read_contents(store: Store, wanted: str) -> RunContents:
    """Return all that a run logged; it is named as in `find_run`. Raises StoreError for an unknown or damaged run."""
    run = find_run(store, wanted)
    with wrap_errors(store.uri, writing=True):
        found = _Artifacts(store, run.id)
        return RunContents(
            run=run,
            evaluation=found.mapping(f"{EVALUATION}/test.json"),
            predictions=read_predictions(store, run),
            errors=found.rows("tables/test_errors.json"),
            probes=found.rows("probes/probes.json"),
            failures=found.rows("probes/failures.json"),
            facts=found.mapping("model.json"),
            data=_data(store, run.id),
            registered=_registered(store, run.id),
        )


def read_probe_digests(store: Store, run_id: str) -> dict[str, str]:
    """Return, by probe, the hash of the cases that a run was asked: only rates of equal ones can be compared."""
    with wrap_errors(store.uri, writing=True):
        return {row["name"]: row["digest"] for row in _Artifacts(store, run_id).rows("probes/probes.json")}


def log_page(store: Store, run_id: str, html: str, path: str = PAGE) -> None:
    """Keep a page about a run in the run, as `path`; one that is there is replaced."""
    with wrap_errors(store.uri, writing=True):
        store.client.log_text(run_id, html, path)


class _Artifacts:
    """The JSON files of one run, each read when asked for."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._run_id = store, run_id
        self._listed: dict[str, set[str]] = {}

    def mapping(self, path: str) -> dict[str, Any]:
        content = self._load(path)
        return content if isinstance(content, dict) else {}

    def rows(self, path: str) -> tuple[dict[str, Any], ...]:
        """The rows of a table as MLflow stores it: columns once, then a list per row."""
        table = self.mapping(path)
        return tuple(dict(zip(table["columns"], row, strict=True)) for row in table.get("data", []))

    def _load(self, path: str) -> Any:
        folder = path.rpartition("/")[0]
        if folder not in self._listed:
            found = self._store.client.list_artifacts(self._run_id, folder or None)
            self._listed[folder] = {each.path for each in found}
        if path not in self._listed[folder]:
            return None
        with tempfile.TemporaryDirectory(prefix="stance-") as target:
            text = Path(self._store.client.download_artifacts(self._run_id, path, target)).read_text("utf-8")
        try:
            return json.loads(text)
        except ValueError as error:
            raise StoreError(f"run {self._run_id}: {path} is damaged: {error}; train it again") from error


def _data(store: Store, run_id: str) -> tuple[DataPart, ...]:
    inputs = store.client.get_run(run_id).inputs.dataset_inputs
    parts = (
        DataPart(each.dataset.name, each.dataset.digest, json.loads(each.dataset.profile or "{}").get("num_rows"))
        for each in inputs
    )
    order = ("train", "validation", "test")
    return tuple(sorted(parts, key=lambda part: (order.index(part.name) if part.name in order else 3, part.name)))


def _registered(store: Store, run_id: str) -> tuple[Registered, ...]:
    """The versions made from a run, newest last."""
    found = []
    for version in store.client.search_model_versions(f"run_id = '{run_id}'"):
        tags = {key.removeprefix(TAG): value for key, value in version.tags.items() if key.startswith(TAG)}
        checks = {key: value for key, value in tags.items() if key.startswith("check.")}
        aliases = store.client.get_registered_model(version.name).aliases
        found.append(
            Registered(
                model=version.name,
                version=int(version.version),
                aliases=tuple(sorted(name for name, each in aliases.items() if int(each) == int(version.version))),
                outcome=tags.get("verdict", ""),
                checks={key.removeprefix("check."): value for key, value in checks.items() if value},
                reasons=tuple(tags.get("reasons", "").splitlines()),
                why=tags.get("why", ""),
            )
        )
    return tuple(sorted(found, key=lambda each: (each.model, each.version)))
