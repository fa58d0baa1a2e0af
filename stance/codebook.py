"""The codebook: the only place where the target, the tasks and their labels are listed.

A codebook is one YAML file (schema: the models below). Label order, interface, guide, validation and the
registered models' names all come from it, and its `hash` travels with every task, run and model.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stance.errors import CodebookError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(_Strict):
    """Whom the stances are toward. `names` are matched whole-word, longest first; `excluded` names that merely
    contain one of them ("Pakistani Taliban") are not the target."""

    name: str
    description: str
    names: tuple[str, ...] = Field(min_length=1)
    excluded: tuple[str, ...] = ()


class CodedExample(_Strict):
    """An example sentence for the guide: `actor` and the labels that a coder gives it."""

    text: str
    labels: tuple[str, ...] = ()
    actor: str | None = None
    note: str | None = None


class Label(_Strict):
    """One label. `roots` are the CAMEO / PLOVER root codes that it gathers; `keywords` are word stems for the
    lexicon baseline (a trailing `*` matches any ending)."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    hotkey: str = Field(min_length=1, max_length=1)
    summary: str
    definition: str
    typical: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    source: str | None = None


class Contradiction(_Strict):
    """Two labels of one set that deserve a second look. It is a prompt for a coder, not an error."""

    labels: tuple[str, str]
    why: str


class Rule(_Strict):
    """A coding rule: a number or short id, a title, its text and coded examples."""

    id: str
    title: str
    text: str
    examples: tuple[CodedExample, ...] = ()


class Task(_Strict):
    """One labelling task. `unit` says what is labelled: each actor of a sentence, or the sentence.

    `floor` is the least F1 that the gate asks of every label.
    """

    unit: Literal["actor", "sentence"]
    question: str
    labels_: tuple[Label, ...] = Field(alias="labels", min_length=2)
    none_hotkey: str = Field(min_length=1, max_length=1)
    none_summary: str
    contradictions: tuple[Contradiction, ...] = ()
    examples: tuple[CodedExample, ...] = ()

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
            raise ValueError("two labels have the same name")
        hotkeys = [label.hotkey for label in self.labels_] + [self.none_hotkey]
        if len(set(hotkeys)) < len(hotkeys):
            raise ValueError(f"two labels share a hotkey: {' '.join(hotkeys)}")
        if "none" in names:
            raise ValueError("'none' is what the empty set is called; name the label otherwise")
        used = [pair.labels for pair in self.contradictions] + [example.labels for example in self.examples]
        for label in {label for labels in used for label in labels}:
            if label not in names:
                raise ValueError(f"label '{label}' is used but not defined")
        return self


class Codebook(_Strict):
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
        """SHA-256 of the content (not of the YAML's layout), 64 hexadecimal digits."""
        content = self.model_dump(mode="json", by_alias=True)
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
    def _hotkeys_across_tasks(self) -> Self:
        seen: dict[str, str] = {}
        for name, task in self.tasks.items():
            for key in [label.hotkey for label in task.definitions] + [task.none_hotkey]:
                if key in seen:
                    raise ValueError(f"hotkey '{key}' is used by the tasks '{seen[key]}' and '{name}'")
                seen[key] = name
        return self


def load(path: str | Path | None = None) -> Codebook:
    """Return the codebook in `path`, or the shipped one.

    Raises CodebookError naming the file and every field that does not validate.
    """
    return _shipped() if path is None else parse(_read(Path(path)), str(path))


def parse(text: str, where: str = "codebook") -> Codebook:
    """Return the codebook that a YAML text holds; `where` names it in errors (CodebookError)."""
    try:
        return Codebook.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise CodebookError(f"{where}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or 'codebook'}: {e['msg']}" for e in error.errors()]
        raise CodebookError(f"{where}: not a valid codebook:\n" + "\n".join(lines)) from error


@lru_cache(maxsize=1)
def _shipped() -> Codebook:
    return parse(resources.files("stance.codebooks").joinpath("taliban.yaml").read_text("utf-8"), "shipped codebook")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CodebookError(f"{path}: cannot read the codebook: {error}") from error
