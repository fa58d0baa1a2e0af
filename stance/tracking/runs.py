"""Recording a run. What enters is a config, then metrics, evaluations and a bundle; what leaves is one MLflow run.

    with tracked_run(record) as run:
        run.log_epoch(1, {"train_loss": 0.4})
        run.log_evaluation(evaluation, figures)
        run.log_bundle(folder)

A run that raises is marked FAILED. `stance.tracking.history` reads runs back.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from stance.codebook import Codebook
from stance.records import Example
from stance.tracking.flavor import log_bundle
from stance.tracking.provenance import git_state, package_versions
from stance.tracking.store import open_experiment, open_store, wrap_errors
from stance.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from stance.evaluation.probes import Probes
    from stance.evaluation.result import Evaluation

TAG = "stance."
MODEL_TAG = f"{TAG}model_uri"
ADDED = "data/added.jsonl"
EVALUATION = "evaluation"
PREDICTIONS = "{part}_predictions.parquet"
SIZE = "bundle_bytes"
_BATCH = 100  # MLflow takes no more parameters than this in one call


@dataclass(frozen=True)
class RunRecord:
    """What is known before a run starts. `config` is the resolved configuration, JSON-ready, `split` its kind of split.

    Runs are compared and promoted only within one `split_digest`, codebook hash, and `data_digest` or `test_digest`:
    the latter is that of the test part alone. `since` is the run that training went on from.
    """

    name: str
    task: str
    kind: str
    config: Mapping[str, Any]
    codebook: Codebook
    split_digest: str = ""
    data_digest: str = ""
    split: str = "document"
    test_digest: str = ""
    since: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """What the run is found by, each under the prefix `stance.`."""
        facts = {
            "task": self.task,
            "kind": self.kind,
            "codebook": f"{self.codebook.name} {self.codebook.version}",
            "codebook_hash": self.codebook.hash,
            "split": self.split,
            "split_digest": self.split_digest,
            "data_digest": self.data_digest,
            **{name: value for name in ("test_digest", "since") if (value := getattr(self, name))},
            "kit_version": __version__,
            **git_state(),
            **{f"package.{name}": version for name, version in package_versions().items()},
        }
        return {TAG + name: value for name, value in facts.items()}


class TrackedRun:
    """An open run; every method writes to the store at once and raises StoreError when it cannot."""

    def __init__(self, run_id: str, uri: str) -> None:
        self.id = run_id
        self._uri = uri

    def log_epoch(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log metrics of one epoch or step; values that are not finite are left out, as MLflow cannot plot them."""
        import mlflow

        finite = {name: float(value) for name, value in metrics.items() if isfinite(value)}
        with wrap_errors(self._uri, writing=True):
            mlflow.log_metrics(finite, step=step)

    def log_data(self, part: str, examples: Sequence[Example]) -> None:
        """Log one part of the data ("train", "validation", "test") as an MLflow dataset: profile, schema and digest."""
        import mlflow
        import pandas as pd

        rows = [
            {"id": e.id, "actor": e.actor or "", "text": e.text, "labels": " ".join(e.labels or ())} for e in examples
        ]
        frame = pd.DataFrame(rows, columns=["id", "actor", "text", "labels"])
        data = mlflow.data.from_pandas(frame, name=part)
        with wrap_errors(self._uri, writing=True):
            try:
                mlflow.log_input(data, context=part)
            except mlflow.exceptions.MlflowException as error:
                # The store looks for a known data set before it adds one; another trainer may have added it in between.
                if error.error_code != "BAD_REQUEST":  # such as a store out of reach, which was tried long enough
                    raise
                mlflow.log_input(data, context=part)

    def log_added(self, added: Mapping[str, Sequence[Example]]) -> None:
        """Keep, as `ADDED`, the examples by part by which the run's data differ from its experiment's."""
        import mlflow

        rows = [one.to_row() | {"part": part} for part, examples in added.items() for one in examples]
        with wrap_errors(self._uri, writing=True):
            mlflow.log_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), ADDED)

    def log_evaluation(self, evaluation: Evaluation, figures: Mapping[str, Figure], part: str = "test") -> None:
        """Log the scores as metrics `<part>.…`, and tables, figures, errors and predictions as artifacts.

        docs/evaluation.md lists them. The gate compares runs by `evaluation/<part>_predictions.parquet`.
        """
        import mlflow

        tables = {
            "labels": evaluation.label_frame(),
            "calibration": evaluation.calibration_frame(),
            "steps": evaluation.step_frame(),
            "coverage": evaluation.coverage_frame(),
            "slices": evaluation.slice_frame(),
            "errors": evaluation.error_frame(),
        }
        slices = tables["slices"]
        if "kind" in slices and (slices["kind"] == "actor").any():
            tables["actors"] = slices[slices["kind"] == "actor"]
        with wrap_errors(self._uri, writing=True):
            mlflow.log_metrics(evaluation.flat(part))
            mlflow.log_dict(evaluation.to_json(), f"evaluation/{part}.json")
            with tempfile.TemporaryDirectory(prefix="stance-") as folder:
                predictions = Path(folder) / PREDICTIONS.format(part=part)
                evaluation.prediction_frame().to_parquet(predictions, index=False)
                mlflow.log_artifact(str(predictions), EVALUATION)
            for name, table in tables.items():
                mlflow.log_table(table, f"tables/{part}_{name}.json")
            for name, figure in figures.items():
                mlflow.log_figure(figure, f"plots/{part}_{name}.png")

    def log_probes(self, probes: Probes) -> None:
        """Log failure rates as metrics `probes.…`, and the tables `probes/probes.json` and `probes/failures.json`."""
        import mlflow

        with wrap_errors(self._uri, writing=True):
            mlflow.log_metrics(probes.flat())
            mlflow.log_table(probes.frame(), "probes/probes.json")
            mlflow.log_table(probes.failure_frame(), "probes/failures.json")

    def log_metrics(self, metrics: Mapping[str, float]) -> None:
        """Log single numbers, such as seconds taken."""
        self.log_epoch(0, metrics)

    def log_facts(self, facts: Mapping[str, Any]) -> None:
        """Log what `Model.describe()` says as `model.json`."""
        import mlflow

        with wrap_errors(self._uri, writing=True):
            mlflow.log_dict(dict(facts), "model.json")

    def log_bundle(self, folder: Path) -> str:
        """Log a bundle as the run's model, and its size; return its URI. Raises BundleError for one not whole."""
        import mlflow

        with wrap_errors(self._uri, writing=True):
            uri = log_bundle(folder)
            mlflow.log_metric(SIZE, sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()))
            mlflow.set_tag(MODEL_TAG, uri)
        return uri


@contextmanager
def tracked_run(record: RunRecord) -> Iterator[TrackedRun]:
    """Open a run in the experiment `<codebook>-<task>` and yield it; a store is made on first use.

    Config, tags and package versions are logged at once. An error inside marks the run FAILED and is raised again.
    """
    with open_store(create=True) as store:
        import mlflow

        experiment = open_experiment(store, record.codebook.registered_model(record.task))
        nested = mlflow.active_run() is not None
        with mlflow.start_run(
            experiment_id=experiment, run_name=record.name, tags=record.tags, nested=nested
        ) as started:
            run = TrackedRun(started.info.run_id, store.uri)
            with wrap_errors(store.uri, writing=True):
                _log_config(record)
            try:
                yield run
            except BaseException as error:
                mlflow.set_tag(f"{TAG}error", f"{type(error).__name__}: {error}"[:500])
                raise


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return a nested config with dotted keys, values as text.

    >>> flatten({"model": {"kind": "encoder", "layers": [1, 2]}, "seed": 13})
    {'model.kind': 'encoder', 'model.layers': '[1, 2]', 'seed': '13'}
    """
    flat: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value if isinstance(value, str) else json.dumps(value, default=str)
    return flat


def _log_config(record: RunRecord) -> None:
    import mlflow

    flat = list(flatten(record.config).items())
    for start in range(0, len(flat), _BATCH):
        mlflow.log_params(dict(flat[start : start + _BATCH]))
    plain = json.loads(json.dumps(record.config, default=str))
    mlflow.log_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), "config.yaml")
    content = record.codebook.model_dump(mode="json", by_alias=True)
    mlflow.log_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "codebook.yaml")
