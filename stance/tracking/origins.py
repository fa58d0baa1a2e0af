"""What a run was made from. A run's name or a model's URI enters; the run, its configuration and added data leave."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml

from stance.errors import StoreError
from stance.models.bundle import Bundle, read_bundle
from stance.records import Example
from stance.tracking.history import RunSummary, find_run
from stance.tracking.loading import fetch_model, resolve
from stance.tracking.runs import ADDED, MODEL_TAG, TAG
from stance.tracking.store import Store, wrap_errors

CONFIG = "config.yaml"


def find_origin(store: Store, wanted: str, task: str | None = None) -> RunSummary:
    """Return the run behind a model's URI (`models:/name@alias`, `runs:/id/model`), or the one that `find_run` finds.

    Raises StoreError for an unknown one, and for a run of another task than `task`.
    """
    if wanted.startswith(("models:", "runs:")):
        model = store.client.get_logged_model(resolve(store, wanted).removeprefix("models:/"))
        run = RunSummary.of(store.client.get_run(model.source_run_id))
    else:
        run = find_run(store, wanted, task)
    if task is not None and run.tags.get("task") != task:
        raise StoreError(f"{wanted} is of the task '{run.tags.get('task')}', not '{task}'; leave out --task")
    return run


def fetch_run_bundle(store: Store, run: RunSummary) -> Bundle:
    """Return the checked bundle that a run logged; raises StoreError for a run without one."""
    source = run.tags.get(MODEL_TAG.removeprefix(TAG))
    if source is None:
        raise StoreError(f"the run '{run.name}' ({run.id}, {run.status}) logged no model; choose one that finished")
    return read_bundle(fetch_model(store, source))


def read_config(store: Store, run: RunSummary) -> dict[str, Any]:
    """Return the resolved configuration that a run logged."""
    content = yaml.safe_load(_read(store, run, CONFIG) or "")
    if not isinstance(content, dict):
        raise StoreError(f"the run '{run.name}' ({run.id}) logged no {CONFIG}; choose one that `stance train` made")
    return content


def read_added(store: Store, run: RunSummary) -> dict[str, list[Example]]:
    """Return, by part, the examples that a run's data have beyond (or other than) its experiment's; often none."""
    added: dict[str, list[Example]] = {}
    for line in (_read(store, run, ADDED) or "").splitlines():
        row = json.loads(line)
        added.setdefault(row["part"], []).append(Example.from_row(row))
    return added


def _read(store: Store, run: RunSummary, path: str) -> str | None:
    """The text of an artifact; None where the run has none of that name."""
    folder = path.rpartition("/")[0] or None
    with wrap_errors(store.uri, writing=True), tempfile.TemporaryDirectory(prefix="stance-") as target:
        if path not in {each.path for each in store.client.list_artifacts(run.id, folder)}:
            return None
        return Path(store.client.download_artifacts(run.id, path, target)).read_text("utf-8")
