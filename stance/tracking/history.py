"""Reading runs back. What enters is the store; what leaves is tables of runs, one beside the other."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stance.errors import StoreError
from stance.tracking.runs import EVALUATION, PREDICTIONS, TAG
from stance.tracking.store import Store, open_store, wrap_errors

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run

COLUMNS = (
    "name",
    "task",
    "kind",
    "status",
    "started",
    "minutes",
    "validation.macro_f1",
    "test.macro_f1",
    "split_digest",
    "run_id",
)
_LIMIT = 1000
_SHORTEST_PREFIX = 4


@dataclass(frozen=True)
class RunSummary:
    """One run as stored. `tags` are the kit's own, without their prefix; `started` and `ended` are ms since 1970."""

    id: str
    name: str
    status: str
    started: int
    ended: int | None
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]

    @classmethod
    def of(cls, run: Run) -> RunSummary:
        info = run.info
        tags = {key.removeprefix(TAG): value for key, value in run.data.tags.items() if key.startswith(TAG)}
        return cls(
            id=info.run_id,
            name=info.run_name or info.run_id[:8],
            status=info.status,
            started=info.start_time,
            ended=info.end_time,
            tags=tags,
            params=dict(run.data.params),
            metrics=dict(run.data.metrics),
        )


def list_runs(task: str | None = None) -> pd.DataFrame:
    """Return one row per run of the kit (of one task), newest first, with the columns `COLUMNS`.

    `started` is UTC; a metric that a run did not log is nan. Raises StoreError where there is no store.
    """
    import pandas as pd

    with open_store() as store:
        runs = search_runs(store, task)
    rows = [{column: _cell(run, column) for column in COLUMNS} for run in runs]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["started"] = pd.to_datetime(frame["started"], unit="ms", utc=True).dt.floor("s")
    return frame


def compare_runs(first: str, second: str) -> pd.DataFrame:
    """Return two runs side by side: the tags and parameters that differ, then every metric that either logged.

    Columns: `what` ("tag", "param", "metric"), `name`, one per run, and `difference` (second minus first, nan but for
    metrics). Runs are given as in `find_run`, whose StoreError is raised.
    """
    import pandas as pd

    with open_store() as store:
        a, b = find_run(store, first), find_run(store, second)
    rows: list[tuple[Any, ...]] = []
    for what in ("tag", "param"):
        one, two = getattr(a, what + "s"), getattr(b, what + "s")
        rows += [
            (what, name, one.get(name), two.get(name), None)
            for name in sorted(one.keys() | two.keys())
            if one.get(name) != two.get(name)
        ]
    for name in sorted(a.metrics.keys() | b.metrics.keys()):
        left, right = a.metrics.get(name), b.metrics.get(name)
        rows.append(("metric", name, left, right, None if left is None or right is None else right - left))
    titles = [a.name, b.name] if a.name != b.name else [f"{run.name} ({run.id[:8]})" for run in (a, b)]
    frame = pd.DataFrame(rows, columns=["what", "name", *titles, "difference"])
    frame["difference"] = frame["difference"].astype(float)
    return frame


def search_runs(store: Store, task: str | None = None) -> list[RunSummary]:
    """Return the kit's runs, newest first (at most 1000)."""
    experiments = [each.experiment_id for each in store.client.search_experiments()]
    if not experiments:
        return []
    quoted = (task or "").replace("'", "")
    found = store.client.search_runs(
        experiments,
        filter_string=f"tags.`{TAG}task` = '{quoted}'" if task else f"tags.`{TAG}task` LIKE '%'",
        max_results=_LIMIT,
        order_by=["attributes.start_time DESC"],
    )
    return [RunSummary.of(run) for run in found]


def find_run(store: Store, wanted: str, task: str | None = None) -> RunSummary:
    """Return a run (of one task) by id, a prefix of the id (four characters or more), or name (the newest so named).

    Raises StoreError for an unknown run, naming the nearest, and for a prefix that several ids share.
    """
    runs = search_runs(store, task)
    named = [run for run in runs if wanted in (run.id, run.name)]
    if named:
        return named[0]
    started = [run for run in runs if len(wanted) >= _SHORTEST_PREFIX and run.id.startswith(wanted)]
    if len(started) == 1:
        return started[0]
    if started:
        raise StoreError(f"several runs start with '{wanted}': {', '.join(run.id for run in started)}; give more of it")
    known = {key: run for run in reversed(runs) for key in (run.name, run.id)}
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4) or [run.name for run in runs[:3]]
    choice = ", ".join(dict.fromkeys(f"{known[key].name} ({known[key].id[:8]})" for key in near))
    hint = f"; the nearest are {choice}" if near else "; the store holds no runs: train first"
    raise StoreError(f"there is no run '{wanted}' in {store}{hint}")


def locate_run(wanted: str) -> str:
    """Return the id of the run that `find_run` finds; raises its StoreError."""
    with open_store() as store:
        return find_run(store, wanted).id


def read_evaluation(store: Store, run: RunSummary) -> dict[str, Any]:
    """Return what a run logged of its test part (`Evaluation.to_json`), empty where it logged none."""
    import mlflow

    path = f"{EVALUATION}/test.json"
    with wrap_errors(store.uri, writing=True):
        if path not in _listed(store, run):
            return {}
        return dict(mlflow.artifacts.load_dict(f"runs:/{run.id}/{path}"))


def read_predictions(store: Store, run: RunSummary) -> pd.DataFrame | None:
    """Return a run's test predictions (`Evaluation.prediction_frame`), None where it logged none."""
    import mlflow
    import pandas as pd

    path = f"{EVALUATION}/{PREDICTIONS.format(part='test')}"
    with wrap_errors(store.uri, writing=True):
        if path not in _listed(store, run):
            return None
        return pd.read_parquet(mlflow.artifacts.download_artifacts(artifact_uri=f"runs:/{run.id}/{path}"))


def _listed(store: Store, run: RunSummary) -> list[str]:
    return [each.path for each in store.client.list_artifacts(run.id, EVALUATION)]


def _cell(run: RunSummary, column: str) -> Any:
    values = {
        "name": run.name,
        "status": run.status,
        "started": run.started,
        "minutes": None if run.ended is None else round((run.ended - run.started) / 60_000, 2),
        "run_id": run.id,
    }
    if column in values:
        return values[column]
    return run.metrics.get(column, float("nan")) if "." in column else run.tags.get(column)
