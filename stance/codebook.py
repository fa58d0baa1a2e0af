"""The codebook: the only place where the target, the tasks and their labels are listed.

A codebook is one YAML file (schema: the models below). Label order, interface, guide, validation and the
registered models' names all come from it, and its `hash` travels with every task, run and model.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self, cast

import yaml
from pydantic import Field, ValidationError, model_validator

from stance.coding import CodedExample, Contradiction, Label, Rule, Strict, Target
from stance.errors import CodebookError
from stance.minimal_pairs import MinimalPair, Probe, check_probes


class Task(Strict):
    """One labelling task. `unit` says what is labelled: each actor of a sentence, or the sentence. In an `exclusive`
    task every unit has exactly one label."""

    unit: Literal["actor", "sentence"]
    exclusive: bool = False
    question: str
    labels_: tuple[Label, ...] = Field(alias="labels", min_length=2)
    none_hotkey: str = Field(min_length=1, max_length=1)
    none_summary: str
    contradictions: tuple[Contradiction, ...] = ()
    examples: tuple[CodedExample, ...] = ()
    probes: tuple[Probe, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names in codebook order: the order of every column, vector and table in the kit."""
        return tuple(label.name for label in self.labels_)

    @property
    def definitions(self) -> tuple[Label, ...]:
        return self.labels_

    def order(self, labels: Iterable[str], where: str = "") -> tuple[str, ...]:
        """Return `labels` without repeats in codebook order.

        Raises CodebookError for a label that the task does not have, naming it, `where`, and the nearest one.
        """
        chosen = set(labels)
        for label in sorted(chosen - set(self.labels)):
            near = difflib.get_close_matches(label, self.labels, n=1, cutoff=0.5)
            hint = f"; did you mean '{near[0]}'?" if near else f"; the labels are {', '.join(self.labels)}"
            raise CodebookError(f"{where + ': ' if where else ''}label '{label}' is not in the codebook{hint}")
        return tuple(label for label in self.labels if label in chosen)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = self.labels
        if len(set(names)) < len(names):
            raise ValueError("labels: two have the same name; rename one")
        hotkeys = [label.hotkey for label in self.labels_] + [self.none_hotkey]
        if len(set(hotkeys)) < len(hotkeys):
            raise ValueError(f"labels: two share a hotkey ({' '.join(hotkeys)}); give each its own")
        if "none" in names:
            raise ValueError("labels: 'none' is what the empty set is called; name the label otherwise")
        try:
            for pair in self.contradictions:
                if len(self.order(pair.labels, "contradictions")) < 2:
                    raise ValueError(f"contradictions: '{pair.labels[0]}' cannot contradict itself; name two labels")
            for example in self.examples:
                self.order(example.labels, "examples")
                if self.unit == "actor" and example.actor is None:
                    raise ValueError(f"examples: '{example.text[:40]}' has no actor; add `actor:`")
            for probe in self.probes:
                self.order(probe.labels, f"probes: {probe.name}")
        except CodebookError as error:
            raise ValueError(str(error)) from error
        return self


class Codebook(Strict):
    """A whole codebook. Use `load()`; the constructor takes the YAML's mapping."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: str
    title: str
    description: str
    target: Target
    actor: str
    tasks: dict[str, Task] = Field(min_length=1)
    rules: tuple[Rule, ...] = ()
    settled: tuple[Rule, ...] = ()

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content (not of the YAML's layout, nor of probes: they change no label), 64 hex digits."""
        content = self.model_dump(mode="json", by_alias=True, exclude={"tasks": {"__all__": {"probes"}}})
        for task in content["tasks"].values():
            if not task["exclusive"]:  # a codebook that knows nothing of the field keeps the hash it always had
                del task["exclusive"]
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def task(self, name: str) -> Task:
        """Return a task by name; raises CodebookError listing the tasks there are."""
        if name not in self.tasks:
            raise CodebookError(f"codebook '{self.name}' has no task '{name}'; it has {', '.join(self.tasks)}")
        return self.tasks[name]

    def registered_model(self, task: str) -> str:
        """The name under which models of a task are registered, such as `<codebook>-<task>`."""
        self.task(task)
        return f"{self.name}-{task}"

    @model_validator(mode="after")
    def _tasks_together(self) -> Self:
        seen: dict[str, str] = {}
        for name, task in self.tasks.items():
            for key in [label.hotkey for label in task.definitions] + [task.none_hotkey]:
                if key in seen:
                    raise ValueError(f"hotkey '{key}' is used by the tasks '{seen[key]}' and '{name}'; change one")
                seen[key] = name
            if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
                raise ValueError(f"tasks: '{name}' is no task name; use small letters, digits, - and _")
            if name in task.labels:
                raise ValueError(f"tasks: '{name}' is also one of its labels; a table cannot hold both, rename one")
        return self

    @model_validator(mode="after")
    def _probes_follow_rules(self) -> Self:
        rules = [rule.id for rule in (*self.rules, *self.settled)]
        for name, task in self.tasks.items():
            check_probes(task.probes, rules, per_actor=task.unit == "actor", where=f"tasks.{name}.probes")
        return self

    @model_validator(mode="after")
    def _rule_examples(self) -> Self:
        for field, rules in (("rules", self.rules), ("settled", self.settled)):
            for rule in rules:
                if [other.id for other in rules].count(rule.id) > 1:
                    raise ValueError(f"{field}: rule {rule.id} stands there twice; give every rule its own id")
                for example in rule.examples:
                    tasks = [example.task] if example.task else list(self.tasks)
                    if not any(t in self.tasks and set(example.labels) <= set(self.tasks[t].labels) for t in tasks):
                        raise ValueError(
                            f"{field}: rule {rule.id}: example '{example.text[:40]}': no task {' or '.join(tasks)}"
                            f" has the labels {', '.join(example.labels) or '(none)'}; mend its `labels` or `task`"
                        )
        return self


def load(path: str | Path | None = None) -> Codebook:
    """Return the codebook in `path`, or the shipped one.

    Raises CodebookError naming the file and every field that does not validate.
    """
    return _shipped() if path is None else parse(_read(Path(path)), str(path))


def parse(text: str, where: str = "codebook") -> Codebook:
    """Return the codebook that a YAML text holds; `where` names it in errors.

    Raises CodebookError with one line for every field that does not validate: the field and how to mend it.
    """
    try:
        if isinstance(content := yaml.safe_load(text), dict):
            return Codebook.model_validate(content)
        raise CodebookError(f"{where}: not a codebook: it should be a mapping that starts with `name:`")
    except yaml.YAMLError as error:
        raise CodebookError(f"{where}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        lines = [f"  {_mend(cast(dict[str, Any], problem))}" for problem in error.errors()]
        raise CodebookError(f"{where}: not a valid codebook:\n" + "\n".join(lines)) from error


_MODELS = (Codebook, Task, Label, Rule, CodedExample, Target, Contradiction, Probe, MinimalPair)
_FIELDS = sorted({field.alias or name for model in _MODELS for name, field in model.model_fields.items()})


def _mend(problem: dict[str, Any]) -> str:
    field = ".".join(map(str, problem["loc"])) or "codebook"
    match problem["type"]:
        case "missing":
            return f"{field}: is missing; add it"
        case "extra_forbidden":
            near = difflib.get_close_matches(str(problem["loc"][-1]), _FIELDS, n=1)
            return f"{field}: is no field of a codebook; " + (f"did you mean '{near[0]}'?" if near else "remove it")
        case "string_type":
            return f"{field}: should be text, not {problem['input']!r}; put it in quotes"
        case "value_error":
            return f"{field}: {problem['ctx']['error']}"
        case _:
            return f"{field}: {problem['msg']}, not {problem['input']!r}"


@lru_cache(maxsize=1)
def _shipped() -> Codebook:
    (file,) = (file for file in resources.files("stance.codebooks").iterdir() if file.name.endswith(".yaml"))
    return parse(file.read_text("utf-8"), f"shipped codebook {file.name}")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise CodebookError(f"{path}: cannot read the codebook: {error.strerror or error}; give a YAML file") from error
    except UnicodeDecodeError as error:
        raise CodebookError(f"{path}: cannot read the codebook: not UTF-8 text; give a YAML file") from error
