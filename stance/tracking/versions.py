"""Versions and cards, written so that nothing half done is seen: a run and a verdict enter; a version number leaves."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stance.errors import StoreError
from stance.tracking.gate import Verdict
from stance.tracking.history import RunSummary
from stance.tracking.loading import list_versions
from stance.tracking.runs import MODEL_TAG, TAG
from stance.tracking.store import Store

_LONGEST = 5000  # characters that MLflow takes in a tag of a version


def register_version(store: Store, model: str, candidate: RunSummary, verdict: Verdict, why: str | None = None) -> int:
    """Return the candidate's version with the verdict in its tags; one that it had already is used again.

    Of an older verdict nothing stays but `why`, the reason given to overrule the gate, until there is a new one.
    """
    client = store.client
    source = candidate.tags[MODEL_TAG.removeprefix(TAG)]
    if not client.search_registered_models(f"name = '{model}'"):
        client.create_registered_model(model)
    stale: dict[str, str] = {}
    known = [version for version, origin in list_versions(store, model).items() if origin == source]
    if known:
        version = known[-1]
        tags = client.get_model_version(model, str(version)).tags
        # Emptied, not deleted, for which a server may want more rights.
        stale = {key.removeprefix(TAG): "" for key in tags if key.startswith((f"{TAG}check.", f"{TAG}gate."))}
    else:
        model_id = source.removeprefix("models:/")
        version = int(client.create_model_version(model, source, run_id=candidate.id, model_id=model_id).version)
    reason = {"why": why} if why else {}
    for key, value in (stale | _tags(candidate, verdict) | reason).items():
        client.set_model_version_tag(model, str(version), TAG + key, value[:_LONGEST])
    return version


def _tags(candidate: RunSummary, verdict: Verdict) -> dict[str, str]:
    return {
        "verdict": verdict.outcome,
        "reasons": "\n".join(verdict.reasons),
        "split_digest": candidate.tags.get("split_digest", ""),
        "data_digest": candidate.tags.get("data_digest", ""),
        **{
            f"check.{check.name}": "not judged" if check.passed is None else "passed" if check.passed else "failed"
            for check in verdict.checks
        },
        **{f"gate.{name}": f"{value:.6g}" for name, value in verdict.numbers.items()},
    }


@contextmanager
def written(path: Path, text: str) -> Iterator[None]:
    """Write `text` beside `path`, and rename it into place only if the block succeeds."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise StoreError(f"{path}: cannot write the model card: {error.strerror or error}") from error
    try:
        yield
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)
