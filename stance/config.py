"""Experiment configuration: a YAML file and `key=value` overrides in, one frozen validated record out."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stance.errors import ConfigError
from stance.models import catalogue

# Values that look like a date or a number and are none, and brackets nested without end, leave PyYAML as these.
_NOT_YAML = (yaml.YAMLError, ValueError, RecursionError, AttributeError)


class Experiment(BaseModel):
    """What one training run does. `model` holds the `kind` and that kind's own settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="the run's name in MLflow")
    task: str = Field(default="stance", description="a task of the codebook")
    seed: int = Field(default=13, ge=0, description="fixes every random choice")
    codebook: Path | None = Field(default=None, description="a codebook file; none means the shipped one")
    data: Path | None = Field(default=None, description="labelled examples; none means the shipped corpus")
    model: dict[str, Any] = Field(description="`kind` and the settings of that kind")

    @property
    def kind(self) -> str:
        return str(self.model["kind"])

    @property
    def settings(self) -> dict[str, Any]:
        return {key: value for key, value in self.model.items() if key != "kind"}


def load(path: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """Return the experiment in a YAML file, with dotted `key=value` overrides applied.

    A value is read as YAML (`model.epochs=3`, `model.lora=true`). A section named after a task under `tasks` in
    the file holds what differs for that task. Relative paths inside the file are relative to the file. Raises
    ConfigError naming the file, the key and the nearest key that exists.
    """
    path = Path(path)
    content = _read(path)
    per_task = _section(content.pop("tasks", None), f"{path}: tasks")
    chosen: dict[str, Any] = {}
    for override in overrides:
        _assign(chosen, override)
    task = str(chosen.get("task", content.get("task", "stance")))
    _merge(content, _section(per_task.get(task), f"{path}: tasks.{task}"))
    for key in ("codebook", "data"):
        if content.get(key):
            content[key] = str(path.parent / str(content[key]))
    _merge(content, chosen)
    return validate(content, str(path))


def change(experiment: Experiment, overrides: Sequence[str], where: str) -> Experiment:
    """Return an experiment with dotted `key=value` overrides applied; raises ConfigError like `load`."""
    content, chosen = experiment.model_dump(mode="json"), dict[str, Any]()
    for override in overrides:
        _assign(chosen, override)
    _merge(content, chosen)
    return validate(content, where)


def validate(content: dict[str, Any], where: str) -> Experiment:
    """Return the checked experiment; `where` names its origin in the ConfigError."""
    try:
        experiment = Experiment.model_validate(content)
    except ValidationError as error:
        raise ConfigError(_explain(error, where, Experiment, "")) from error
    if "kind" not in experiment.model:
        raise ConfigError(f"{where}: model.kind is missing; the kinds are {', '.join(catalogue.KINDS)}")
    settings = catalogue.find(experiment.kind).Settings
    try:
        settings.model_validate(experiment.settings)
    except ValidationError as error:
        raise ConfigError(_explain(error, where, settings, "model.")) from error
    return experiment


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the experiment: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text; an experiment is a YAML file") from error
    except _NOT_YAML as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: an experiment is a mapping of keys, such as `name` and `model`")
    return content


def _section(content: Any, where: str) -> dict[str, Any]:
    if not isinstance(content or {}, dict):
        raise ConfigError(f"{where}: a mapping is expected, not {content!r:.60}")
    return content or {}


def _assign(content: dict[str, Any], override: str) -> None:
    """Set one dotted `key=value` in a nested mapping."""
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"'{override}' is not an override; write key=value, such as model.epochs=3")
    *parents, last = key.split(".")
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            raise ConfigError(f"'{override}': '{parent}' holds a value, not a section")
    try:
        content[last] = yaml.safe_load(value)
    except _NOT_YAML as error:
        raise ConfigError(f"'{override}': the value is not YAML; put it in quotes to mean the text itself") from error


def _merge(base: dict[str, Any], change: dict[str, Any]) -> None:
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value


def _explain(error: ValidationError, where: str, model: type[BaseModel], prefix: str) -> str:
    return "\n".join(f"{where}: {line}" for line in _lines(error, model, prefix))


def _lines(error: ValidationError, model: type[BaseModel], prefix: str) -> Iterable[str]:
    known = list(model.model_fields)
    for problem in error.errors():
        key = ".".join(map(str, problem["loc"]))
        if problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
            mend = f"did you mean '{prefix}{near[0]}'?" if near else f"the keys are {', '.join(known)}"
            yield f"unknown key '{prefix}{key}'; {mend}"
        elif problem["type"] == "missing":
            yield f"key '{prefix}{key}' is missing"
        else:
            yield f"{prefix}{key}: {problem['msg']} (got {problem['input']!r})"
