"""The registry. What enters is a finished run; what leaves is a registered version, `champion` when the gate agrees."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stance import codebook
from stance.codebook import Codebook
from stance.errors import GateRefusal, StoreError
from stance.models.bundle import Bundle, read_bundle
from stance.tracking.card import CardFacts, render_card
from stance.tracking.gate import METRIC, Measured, Verdict, decide
from stance.tracking.history import RunSummary, find_run, search_runs
from stance.tracking.loading import fetch_model, list_aliases, list_versions
from stance.tracking.runs import MODEL_TAG, TAG
from stance.tracking.store import Store, open_store, wrap_errors

CHAMPION = "champion"
PREVIOUS = "previous"
CARDS = Path("models")

_MODEL = MODEL_TAG.removeprefix(TAG)


@dataclass(frozen=True)
class Promotion:
    """What `promote` did. `changed` is False when the run was champion already; `previous` is the version before."""

    model: str
    version: int
    run_id: str
    run_name: str
    previous: int | None
    verdict: Verdict
    card: Path
    changed: bool


def promote(
    task: str,
    run: str | None = None,
    force: str | None = None,
    book: Codebook | None = None,
    cards: Path = CARDS,
) -> Promotion:
    """Make a run (by id, prefix or name; None: the best of its task) champion of `<codebook>-<task>`.

    The best has the highest test macro-F1 among the finished runs that share split, data and codebook with the newest
    one. The old champion becomes `previous`, and the card is written to `<cards>/<model>.md`. `force` is the reason to
    promote against the gate. Until the last step the old champion stays in place; a repeated call takes up what a
    failed one left. Raises GateRefusal when the gate says no, and StoreError for no such run or one without a model.
    """
    book = book or codebook.load()
    name = book.registered_model(task)
    with open_store() as store:
        candidate = _candidate(store, book, task, run)
        bundle = read_bundle(fetch_model(store, candidate.tags[_MODEL]))
        champion = _champion(store, name)
        verdict = decide(_measured(candidate), None if champion is None else _measured(champion[1]))
        if champion is not None and champion[1].id == candidate.id:
            verdict = Verdict(True, (f"run {candidate.name} ({candidate.id[:8]}) is the champion already",))
        elif not verdict.promote:
            verdict = _overrule(name, verdict, force)
        done = Promotion(
            model=name,
            version=0 if champion is None else champion[0],
            run_id=candidate.id,
            run_name=candidate.name,
            previous=None if champion is None else champion[0],
            verdict=verdict,
            card=Path(cards) / f"{name}.md",
            changed=champion is None or champion[1].id != candidate.id,
        )
        return _apply(store, done, candidate, bundle)


def _apply(store: Store, plan: Promotion, candidate: RunSummary, bundle: Bundle) -> Promotion:
    """Register, write the card aside, move the aliases, and only then put the card in place."""
    if not plan.changed:
        plan = replace(plan, previous=list_aliases(store, plan.model).get(PREVIOUS))
        if plan.card.is_file():
            return plan
    else:
        plan = replace(plan, version=_register(store, plan, candidate))
    facts = CardFacts(
        model=plan.model,
        version=plan.version,
        run_id=candidate.id,
        run_name=candidate.name,
        manifest=bundle.manifest,
        codebook=bundle.codebook,
        evaluation=_evaluation(store, candidate),
        verdict=plan.verdict,
    )
    with _written(plan.card, render_card(facts)):
        if plan.changed:
            if plan.previous is not None:
                store.client.set_registered_model_alias(plan.model, PREVIOUS, str(plan.previous))
            store.client.set_registered_model_alias(plan.model, CHAMPION, str(plan.version))
    return plan


def _candidate(store: Store, book: Codebook, task: str, wanted: str | None) -> RunSummary:
    """The run to promote, checked to be of this task and codebook and to have finished with a model."""
    if wanted is not None:
        run = find_run(store, wanted)
        if run.tags.get("task") != task or run.tags.get("codebook", "").split(" ")[0] != book.name:
            raise StoreError(
                f"run '{run.name}' is of the task '{run.tags.get('task')}', not '{task}'; see: stance runs"
            )
        if not _promotable(run):
            raise StoreError(f"run '{run.name}' ({run.id[:8]}) is {run.status} without a model; train it again")
        return run
    runs = [
        run
        for run in search_runs(store, task)
        if run.tags.get("codebook", "").split(" ")[0] == book.name and _promotable(run) and METRIC in run.metrics
    ]
    if not runs:
        raise StoreError(f"no finished run of the task '{task}' with a model and {METRIC} in {store.uri}; train first")
    same = [run for run in runs if _digests(run) == _digests(runs[0])]
    return max(same, key=lambda run: run.metrics[METRIC])


def _promotable(run: RunSummary) -> bool:
    return run.status == "FINISHED" and _MODEL in run.tags


def _digests(run: RunSummary) -> tuple[str, ...]:
    return tuple(run.tags.get(name, "") for name in ("split_digest", "data_digest", "codebook_hash"))


def _measured(run: RunSummary) -> Measured:
    return Measured(run.id, run.metrics, *_digests(run))


def _overrule(name: str, verdict: Verdict, force: str | None) -> Verdict:
    if not force:
        reasons = "; ".join(verdict.reasons)
        raise GateRefusal(f"{name} keeps its champion: {reasons}; overrule it with --force --why REASON")
    return Verdict(True, (*verdict.reasons, f"overruled: {force}"))


def _champion(store: Store, name: str) -> tuple[int, RunSummary] | None:
    """The champion's version and run; None before the first promotion."""
    if not store.client.search_registered_models(f"name = '{name}'"):
        return None
    version = list_aliases(store, name).get(CHAMPION)
    if version is None:
        return None
    run_id = store.client.get_model_version(name, str(version)).run_id
    return version, RunSummary.of(store.client.get_run(run_id))


def _register(store: Store, plan: Promotion, candidate: RunSummary) -> int:
    """Return the candidate's version; one left by a promotion that failed, or was champion once, is used again."""
    client = store.client
    source = candidate.tags[_MODEL]
    if not client.search_registered_models(f"name = '{plan.model}'"):
        client.create_registered_model(plan.model)
    known = [version for version, origin in list_versions(store, plan.model).items() if origin == source]
    if known:
        version = known[-1]
    else:
        model_id = source.removeprefix("models:/")
        version = int(client.create_model_version(plan.model, source, run_id=candidate.id, model_id=model_id).version)
    tags = {
        "verdict": "promote",
        "reasons": "\n".join(plan.verdict.reasons),
        "split_digest": candidate.tags.get("split_digest", ""),
        "data_digest": candidate.tags.get("data_digest", ""),
        METRIC: str(candidate.metrics.get(METRIC, "")),
    }
    for key, value in tags.items():
        client.set_model_version_tag(plan.model, str(version), TAG + key, value)
    return version


def _evaluation(store: Store, run: RunSummary) -> dict[str, Any]:
    import mlflow

    path = "evaluation/test.json"
    with wrap_errors(store.uri, writing=True):
        if not any(each.path == path for each in store.client.list_artifacts(run.id, "evaluation")):
            return {}
        return dict(mlflow.artifacts.load_dict(f"runs:/{run.id}/{path}"))


@contextmanager
def _written(path: Path, text: str) -> Iterator[None]:
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
