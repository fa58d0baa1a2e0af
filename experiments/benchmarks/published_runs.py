"""Runs on the published sets: a set's protocol and a model enter; decisions on its test rows leave, kept in files.

Training is that of the main job (`stance.experiment.fit_model`); only the parts, the decision and the metric are the
set's. A finished round is kept under a name and a fingerprint of data and settings, so what was interrupted goes on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from experiments.benchmarks.published_scores import MultiScores, SingleScores, decide
from stance import codebook as codebooks
from stance import config
from stance.codebook import Codebook
from stance.config import Experiment
from stance.dataset import import_set, replacing
from stance.dataset.arrays import label_matrix
from stance.dataset.splits import document_id, folds
from stance.experiment import data_digest, fit_model
from stance.models.base import Progress
from stance.records import Example, content_id

HERE = Path(__file__).parent
CODEBOOKS = HERE.parent / "codebooks" / "published"
VALIDATION_FOLDS = 4
Watch = Callable[[str], Any]
"""Called with a label; gives a context manager that yields a `Progress`, such as `stance.cli.progress.bar`."""


@dataclass(frozen=True)
class Round:
    """One training and what it is scored on: `tests` by the name under which scores are reported."""

    train: list[Example]
    validation: list[Example]
    tests: dict[str, list[Example]]


@dataclass(frozen=True)
class Plan:
    """A set, one of its tasks, and a model: what is run once per seed."""

    name: str
    task: str
    kind: str
    settings: dict[str, Any]
    rounds: list[Round]

    @property
    def book(self) -> Codebook:
        return codebooks.load(CODEBOOKS / f"{self.name}.yaml")

    def changed(self, changes: dict[str, Any]) -> Plan:
        """Return the plan with other settings; of the linear model's blocks those that `changes` does not name stay."""
        settings = {**self.settings, **changes}
        if "blocks" in changes:
            settings["blocks"] = {**self.settings.get("blocks", {}), **changes["blocks"]}
        return replace(self, settings=settings)


def protocols() -> dict[str, Any]:
    """Return what published.yaml says of each set."""
    content: dict[str, Any] = yaml.safe_load((HERE / "published.yaml").read_text("utf-8"))
    return content


def plan(name: str, task: str, kind: str, data: Path, *, validate: bool = False) -> Plan:
    """Return the runs of a task; with `validate` they are scored on development rows, or by cross-validation on
    training rows where the set has no development part, and no test row is read for anything."""
    protocol = protocols()[name]
    parts = import_set(name, data / name, task)
    make = _validation_rounds if validate else _rounds
    recipe = Plan(name, task, kind, {}, list(make(protocol, parts))).changed(protocol["models"].get(kind, {}))
    return recipe.changed(protocol["tasks"][task].get("models", {}).get(kind, {}))


def run(work: Plan, seed: int, results: Path, watch: Watch) -> list[dict[str, list[list[int]]]]:
    """Return the decisions of each round by test name, one row of 0 and 1 per example; trains what is not kept yet."""
    results.mkdir(parents=True, exist_ok=True)
    found = []
    for number, one in enumerate(work.rounds):
        label = f"{work.name}-{work.task}-{work.kind}-seed{seed}-round{number}"
        facts = {"settings": work.settings, "data": data_digest({"train": one.train, "validation": one.validation})}
        facts["test"] = data_digest(one.tests)
        path = results / f"{label}-{content_id(json.dumps(facts, sort_keys=True))}.json"
        if not path.is_file():
            with watch(label) as progress:
                content = {**facts, **_train(work, one, seed, progress)}
            with replacing(path) as draft:
                draft.write_text(json.dumps(content), "utf-8")
        found.append(json.loads(path.read_text("utf-8")))
    return [{**content["decisions"], "seconds": content["seconds"]} for content in found]


def statistics(work: Plan, decisions: list[dict[str, Any]]) -> dict[str, SingleScores | MultiScores]:
    """Return by test name the scores of one seed's decisions, as a function of document weights."""
    task = work.book.task(work.task)
    scores: dict[str, SingleScores | MultiScores] = {}
    for test in work.rounds[0].tests:
        examples = [example for one in work.rounds for example in one.tests[test]]
        gold = label_matrix(examples, task.labels)
        given = np.concatenate([np.array(given[test], dtype=np.bool_) for given in decisions])
        fold = [number for number, one in enumerate(work.rounds) for _ in one.tests[test]]
        documents = [document_id(example) for example in examples]
        if task.exclusive:
            neutral = task.labels.index("neutral") if "neutral" in task.labels else -1
            scores[test] = SingleScores(gold, given, documents, fold, neutral)
        else:
            scores[test] = MultiScores(gold, given, documents, fold)
    return scores


def _train(work: Plan, one: Round, seed: int, progress: Progress) -> dict[str, Any]:
    content = {"name": work.name, "task": work.task, "seed": seed, "model": {"kind": work.kind, **work.settings}}
    experiment: Experiment = config.validate(content, f"published.yaml: {work.name}")
    started = time.perf_counter()
    model = fit_model(experiment, work.book, {"train": one.train, "validation": one.validation}, progress)
    seconds = time.perf_counter() - started
    exclusive = work.book.task(work.task).exclusive
    given = {test: decide(model.predict_proba(rows), exclusive) for test, rows in one.tests.items()}
    return {"seconds": seconds, "decisions": {test: rows.astype(int).tolist() for test, rows in given.items()}}


def _rounds(protocol: dict[str, Any], parts: dict[str, list[Example]]) -> Iterator[Round]:
    if protocol.get("folds"):
        for held, rows in parts.items():
            yield Round(_others(parts, held), [], {"test": rows})
        return
    validation = [one for part in protocol.get("validation", []) for one in parts[part]]
    unseen = [one for one in parts.get("test", []) if one.genre == "unseen"]
    available = {**parts, "test-unseen": unseen}
    yield Round(parts["train"], validation, {test: available[test] for test in protocol["tests"]})


def _validation_rounds(protocol: dict[str, Any], parts: dict[str, list[Example]]) -> Iterator[Round]:
    development = {part: parts[part] for part in protocol.get("validation", [])}
    if development:
        yield Round(parts["train"], [one for rows in development.values() for one in rows], development)
        return
    held_out = next(iter(parts)) if protocol.get("folds") else "test"
    training = _others(parts, held_out)
    for division in folds(training, VALIDATION_FOLDS, seed=0):
        divided = division.apply(training)
        yield Round(divided["train"], [], {"validation": divided["test"]})


def _others(parts: dict[str, list[Example]], held: str) -> list[Example]:
    return [one for part, rows in parts.items() if part != held for one in rows]
