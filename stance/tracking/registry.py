"""The registry. What enters is a finished run; what leaves is a registered version: `champion` when the gate agrees,
`challenger` when it does not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from stance import codebook
from stance.codebook import Codebook
from stance.errors import GateRefusal, StoreError
from stance.models.bundle import Bundle, read_bundle
from stance.tracking.card import CardFacts, render_card
from stance.tracking.contents import read_probe_digests
from stance.tracking.gate import METRIC, Check, Measured, Verdict, decide
from stance.tracking.history import RunSummary, find_run, read_evaluation, read_predictions, search_runs
from stance.tracking.loading import fetch_model, list_aliases
from stance.tracking.lock import Lock, hold_lock
from stance.tracking.rules import GateRules, check_names
from stance.tracking.runs import MODEL_TAG, TAG
from stance.tracking.store import Store, open_store
from stance.tracking.versions import register_version, written

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS = "previous"
CARD = "card.md"
CHOICE = "validation.macro_f1"

_MODEL = MODEL_TAG.removeprefix(TAG)


@dataclass(frozen=True)
class Terms:
    """How `promote` goes about it: the gate's rules, where cards go, whether to decide only, and to break a lock."""

    rules: GateRules = field(default_factory=GateRules)
    cards: Path = Path("models")
    dry_run: bool = False
    break_lock: bool = False


@dataclass(frozen=True)
class Promotion:
    """What `promote` did, or with `dry_run` would do. `changed` is False when the run was champion already.

    `version` is the run's (0: not registered), `previous` the version that was champion before. `card` is None where
    none was written in the working directory: a challenger's is in its run only.
    """

    model: str
    version: int
    run_id: str
    run_name: str
    previous: int | None
    verdict: Verdict
    card: Path | None
    changed: bool


class Refused(GateRefusal):
    """The gate said no; `promotion` tells what was registered and why."""

    def __init__(self, promotion: Promotion) -> None:
        self.promotion = promotion
        kept = "keeps its champion" if promotion.previous is not None else "gets no champion"
        where = f"version {promotion.version} is its challenger" if promotion.version else "nothing was registered"
        reasons = "; ".join(check.text for check in promotion.verdict.checks if check.passed is False)
        super().__init__(f"{promotion.model} {kept}: {reasons}; {where}; overrule it with --force --why REASON")


def promote(
    task: str,
    run: str | None = None,
    force: str | None = None,
    book: Codebook | None = None,
    terms: Terms | None = None,
) -> Promotion:
    """Make a run (by id, prefix or name; None: the best of its task) champion of `<codebook>-<task>`.

    The best has the highest macro-F1 on validation (on test where not all logged it) among the finished runs that share
    split, data and codebook with the newest one. The old champion becomes `previous`, and the card is written to
    `<cards>/<model>.md`. `force` is the reason to promote against the gate. Until the last step the old champion stays
    in place; a repeated call takes up what a failed one left. Raises Refused when the gate says no (the run is then
    registered as `challenger`), ConfigError for bounds of labels or probes that are none, StoreError for no such
    run, one without a model, or while another promotes.
    """
    book, terms = book or codebook.load(), terms or Terms()
    check_names(terms.rules, book)
    name = book.registered_model(task)
    with open_store() as store:
        candidate = _candidate(store, book, task, run)
        bundle = read_bundle(fetch_model(store, candidate.tags[_MODEL]))
        if terms.dry_run:
            done = _plan(store, name, candidate, force, terms)
        else:
            with hold_lock(store, name, terms.break_lock) as lock:
                done = _apply(lock, _plan(store, name, candidate, force, terms), candidate, bundle, force)
    if not done.verdict.promote:
        raise Refused(done)
    return done


def _plan(store: Store, name: str, candidate: RunSummary, force: str | None, terms: Terms) -> Promotion:
    champion = _champion(store, name)
    same = champion is not None and champion[1].id == candidate.id
    if same:
        text = f"run {candidate.name} ({candidate.id[:8]}) is the champion already"
        verdict = Verdict(True, (Check("difference", True, text),))
    else:
        rival = None if champion is None else _measured(store, champion[1])
        verdict = decide(_measured(store, candidate), rival, terms.rules)
        if force and not verdict.promote:
            verdict = replace(verdict, promote=True, why=force)
    before = None if champion is None else champion[0]
    return Promotion(
        model=name,
        version=(before or 0) if same else 0,
        run_id=candidate.id,
        run_name=candidate.name,
        previous=before,
        verdict=verdict,
        card=terms.cards / f"{name}.md" if verdict.promote else None,
        changed=not same,
    )


def _apply(lock: Lock, plan: Promotion, candidate: RunSummary, bundle: Bundle, why: str | None) -> Promotion:
    """Register, write the card aside, move the aliases, and only then put the card in place."""
    store, client = lock.store, lock.store.client
    if plan.changed:
        # First of all, so that a server where we may only read refuses before anything is registered.
        client.set_tag(candidate.id, f"{TAG}verdict", plan.verdict.outcome)
        plan = replace(plan, version=register_version(store, plan.model, candidate, plan.verdict, why))
    aliases = list_aliases(store, plan.model)
    if not plan.changed:
        plan = replace(plan, previous=aliases.get(PREVIOUS))
        if plan.card is not None and plan.card.is_file():
            return plan
    version = str(plan.version)
    verdict = plan.verdict if plan.changed else _recall(store, plan)
    facts = CardFacts(
        model=plan.model,
        version=plan.version,
        run=candidate,
        manifest=bundle.manifest,
        codebook=bundle.codebook,
        evaluation=read_evaluation(store, candidate),
        verdict=verdict,
    )
    text = render_card(facts)
    client.log_text(candidate.id, text, CARD)
    if plan.card is None:
        client.set_registered_model_alias(plan.model, CHALLENGER, version)
        return plan
    with written(plan.card, text):
        if plan.changed:
            _check_champion(lock, plan)
            if plan.previous is not None:
                client.set_registered_model_alias(plan.model, PREVIOUS, str(plan.previous))
            # Before the last step, as a server may let us set an alias but not take one away.
            if aliases.get(CHALLENGER) == plan.version:
                client.delete_registered_model_alias(plan.model, CHALLENGER)
            client.set_registered_model_alias(plan.model, CHAMPION, version)
    return plan


def _recall(store: Store, plan: Promotion) -> Verdict:
    """The verdict of a champion whose card has gone, with the reasons that were stored when it was promoted."""
    tags = store.client.get_model_version(plan.model, str(plan.version)).tags
    stored = tuple(Check("stored", None, line) for line in tags.get(f"{TAG}reasons", "").splitlines())
    return replace(plan.verdict, checks=stored or plan.verdict.checks)


def _check_champion(lock: Lock, plan: Promotion) -> None:
    """The verdict is about one champion: refuse to act on it when someone put another one there by hand meanwhile."""
    lock.check()
    now = list_aliases(lock.store, plan.model).get(CHAMPION)
    if now != plan.previous:
        raise StoreError(
            f"the champion of {plan.model} changed from version {plan.previous} to {now} while this promotion ran; "
            "nothing was promoted: try again"
        )


def _candidate(store: Store, book: Codebook, task: str, wanted: str | None) -> RunSummary:
    """The run to promote, checked to be of this task and codebook and to have finished with a model."""
    if wanted is not None:
        ours = (each for each in search_runs(store, task) if wanted in (each.id, each.name))
        run = next(ours, None) or find_run(store, wanted)  # recipes of several tasks may share a name
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
        raise StoreError(f"no finished run of the task '{task}' with a model and {METRIC} in {store}; train first")
    same = [run for run in runs if _digests(run) == _digests(runs[0])]
    # Chosen on validation, as a winner of the test part would face the gate with a score that its luck had raised.
    choice = CHOICE if all(CHOICE in run.metrics for run in same) else METRIC
    return max(same, key=lambda run: run.metrics[choice])


def _promotable(run: RunSummary) -> bool:
    return run.status == "FINISHED" and _MODEL in run.tags


def _digests(run: RunSummary) -> tuple[str, str, str]:
    return run.tags.get("split_digest", ""), run.tags.get("data_digest", ""), run.tags.get("codebook_hash", "")


def _measured(store: Store, run: RunSummary) -> Measured:
    return Measured(
        run.id,
        run.metrics,
        *_digests(run),
        predictions=read_predictions(store, run),
        test_digest=run.tags.get("test_digest", ""),
        probes=read_probe_digests(store, run.id),
    )


def _champion(store: Store, name: str) -> tuple[int, RunSummary] | None:
    """The champion's version and run; None before the first promotion."""
    if not store.client.search_registered_models(f"name = '{name}'"):
        return None
    version = list_aliases(store, name).get(CHAMPION)
    if version is None:
        return None
    run_id = store.client.get_model_version(name, str(version)).run_id
    return version, RunSummary.of(store.client.get_run(run_id))
