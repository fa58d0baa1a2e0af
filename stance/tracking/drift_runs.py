"""Recording a comparison. Measures of drift enter; an MLflow run of its own, that names the reference, leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stance.codebook import Codebook
from stance.evaluation.drift import Drift
from stance.tracking.history import RunSummary
from stance.tracking.provenance import git_state
from stance.tracking.runs import TAG
from stance.tracking.store import open_experiment, open_store, wrap_errors
from stance.version import __version__

PAGE = "report/index.html"


def log_drift(drift: Drift, reference: RunSummary, book: Codebook, facts: Mapping[str, Any], page: str) -> str:
    """Log a comparison to the experiment `<codebook>-<task>-drift` and return the id of its run.

    Metrics are those of `Drift.flat`; `drift/measures.json` is the table, `drift/drift.json` everything, and `PAGE` the
    page. `facts` become parameters. The run has no `stance.task` tag, so that it is never taken for a training.
    """
    task = reference.tags["task"]
    tags = {
        "reference_run": reference.id,
        "reference_name": reference.name,
        "monitored_task": task,
        "verdict": drift.verdict,
        "codebook_hash": book.hash,
        "kit_version": __version__,
        **git_state(),
    }
    with open_store(create=True) as store:
        import mlflow

        experiment = open_experiment(store, f"{book.registered_model(task)}-drift")
        with (
            wrap_errors(store.uri, writing=True),
            mlflow.start_run(
                experiment_id=experiment,
                run_name=f"drift-{drift.verdict}",
                tags={TAG + name: value for name, value in tags.items()},
            ) as started,
        ):
            mlflow.log_params({**facts, "level": drift.level})
            mlflow.log_metrics(drift.flat())
            mlflow.log_table(drift.frame(), "drift/measures.json")
            mlflow.log_dict(drift.to_json(), "drift/drift.json")
            mlflow.log_text(page, PAGE)
            mlflow.set_tag("mlflow.note.content", "\n".join(drift.reasons) or "nothing drifted")
            return str(started.info.run_id)
