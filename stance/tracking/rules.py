"""The gate's rules: a small YAML file, or nothing, enters; bounds leave (docs/evaluation.md explains them)."""

from __future__ import annotations

import difflib
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stance.codebook import Codebook
from stance.errors import ConfigError

STEADY = {
    "swap-actor": 0.3,
    "unseen-actor": 0.3,
    "mask-actor": 0.3,
    "change-numbers": 0.2,
    "add-actor": 0.3,
    "typos": 0.3,
}
"""Bounds of probes that must not change an answer: what the models of today keep, not what one would wish. Those that
must change it (negate, hedge, swap-roles, …) no present model passes, so by default they are held against the
champion's rate alone; a rules file may bound them too."""


class GateRules(BaseModel):
    """What a candidate must show. All shares and scores are in [0, 1]."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: float = Field(default=0.95, gt=0, lt=1, description="of the interval of the difference")
    resamples: int = Field(default=10_000, ge=100, description="draws of documents")
    seed: int = Field(default=0, ge=0, description="of the draws")
    non_inferior: float | None = Field(default=None, gt=0, lt=1, description="macro-F1 that a cheaper model may lose")
    cheaper: float = Field(default=1.1, gt=1, description="times faster, or smaller, that counts as cheaper")
    floor: float = Field(default=0.2, ge=0, le=1, description="least F1 of every label")
    floors: dict[str, float] = Field(default={}, description="least F1 of single labels, by name")
    floor_support: int = Field(default=10, ge=1, description="gold examples from which a label is judged")
    ece_excess: float = Field(default=0.05, ge=0, description="calibration error beyond chance that a label may show")
    ece_examples: int = Field(default=200, ge=1, description="test examples from which calibration is judged")
    probe: float = Field(default=1.0, ge=0, le=1, description="failure rate that a probe may show")
    probes: dict[str, float] = Field(default={}, description="failure rate that single probes may show, by name")
    probe_rise: float = Field(default=0.2, ge=0, description="by how much it may be above the champion's")
    require_probes: bool = Field(default=False, description="refuse a run without probes")

    def probe_bound(self, name: str) -> float:
        """Return the failure rate that a probe may show: its own bound, else that of `STEADY`, else `probe`."""
        return self.probes.get(name, min(self.probe, STEADY.get(name, 1.0)))

    def label_floor(self, label: str) -> float:
        """Return the least F1 of a label."""
        return self.floors.get(label, self.floor)


def load_rules(path: str | Path | None = None) -> GateRules:
    """Return the rules in a YAML file, or the defaults; raises ConfigError naming the file and the field."""
    if path is None:
        return GateRules()
    try:
        content = yaml.safe_load(Path(path).read_text("utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise ConfigError(f"{path}: cannot read the gate's rules: {reason}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: the gate's rules are a mapping, such as `floor: 0.3`")
    try:
        return GateRules.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(_mend([str(part) for part in each["loc"]], each["msg"]) for each in error.errors())
        raise ConfigError(f"{path}: {problems}") from error


def check_names(rules: GateRules, book: Codebook) -> None:
    """Raise ConfigError for a bound of a label or probe that no task of the codebook has; a file may serve them all."""
    tasks = book.tasks.values()
    labels = [label for task in tasks for label in task.labels]
    probes = [*STEADY, *(probe.name for task in tasks for probe in task.probes)]
    for field, given, known in (("floors", rules.floors, labels), ("probes", rules.probes, probes)):
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
                raise ConfigError(f"the gate's rules: {field}: '{name}' is none of the codebook {book.name}; {hint}")


def _mend(place: list[str], message: str) -> str:
    near = difflib.get_close_matches(place[0], GateRules.model_fields, n=1)
    hint = f"; did you mean {near[0]}?" if near and place[0] not in GateRules.model_fields else ""
    return f"{'.'.join(place)}: {message}{hint}"
