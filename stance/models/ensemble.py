"""Several models that vote. What enters is examples; what leaves is the pooled probability of the members.

A dictionary, n-grams and an encoder fail on different sentences. Each member's probabilities are put on one scale
(Platt 1999, fitted on the validation part) and averaged as log-odds: the logarithmic opinion pool (Genest and Zidek
1986). Weights are given, not learned: learned on one kind of text they do not carry over to another, and the plain
average is hard to beat (Clemen 1989).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from stance.dataset.arrays import label_matrix
from stance.errors import BundleError, DataError
from stance.models import catalogue
from stance.models.base import FitOptions, Model, Progress
from stance.records import Example

FILE = "ensemble.json"
_CLIP = 1e-6  # probabilities are kept this far from 0 and 1, so that log-odds stay finite


class Ensemble:
    """A pool of models; fulfils `base.Model`. Member number k trains with the seed `seed + k`."""

    kind = "ensemble"

    class Settings(BaseModel):
        """`members` are mappings like an experiment's `model`: `kind`, that kind's settings, and a `weight` (1)."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        members: tuple[dict[str, Any], ...] = Field(min_length=2)

        @field_validator("members")
        @classmethod
        def _known(cls, members: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
            for number, member in enumerate(members):
                if not float(member.get("weight", 1.0)) > 0:
                    raise ValueError(f"members.{number}: a weight is above 0")
                catalogue.settings(str(member.get("kind"))).model_validate(_settings(member))
            return members

    def __init__(self, labels: tuple[str, ...], settings: Settings, seed: int = 0) -> None:
        self.labels = labels
        self.settings = settings
        self.seed = seed
        self.members: list[Model] = []
        self.scales: NDArray[np.float64] | None = None  # (n_members, n_labels, 2): slope and intercept

    def fit(self, train: Sequence[Example], validation: Sequence[Example], **options: Unpack[FitOptions]) -> None:
        """Train the members one after the other, then scale each on `validation` (on `train` where that is empty).

        Raises DataError for an empty training set.
        """
        self.members = [self._build(number, member) for number, member in enumerate(self.settings.members)]
        held = list(validation) or list(train)
        gold, scales, epochs = label_matrix(held, self.labels), [], 0.0
        for number, model in enumerate(self.members):
            model.fit(train, validation, **_share(options, number, len(self.members), epochs))
            epochs += len(model.describe().get("history", ()))
            scales.append(_platt(_log_odds(model.predict_proba(held)), gold))
        self.scales = np.stack(scales)

    def predict_proba(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        """Return pooled probabilities, float32, `(n_examples, n_labels)`; raises DataError before `fit` or `load`."""
        if self.scales is None:
            raise DataError("the ensemble has not been fitted; call fit or load first")
        if not examples:
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        weights = [float(member.get("weight", 1.0)) for member in self.settings.members]
        pooled = np.zeros((len(examples), len(self.labels)))
        for model, scale, weight in zip(self.members, self.scales, weights, strict=True):
            pooled += weight * (_log_odds(model.predict_proba(examples)) * scale[:, 0] + scale[:, 1])
        answer: NDArray[np.float32] = (1.0 / (1.0 + np.exp(-pooled / sum(weights)))).astype(np.float32)
        return answer

    def save(self, folder: Path) -> None:
        """Write `ensemble.json` and a folder `member-<k>` per member."""
        if self.scales is None:
            raise DataError("the ensemble has not been fitted; there is nothing to save")
        for number, model in enumerate(self.members):
            own = folder / f"member-{number}"
            own.mkdir()
            model.save(own)
        facts = {
            "labels": self.labels,
            "settings": self.settings.model_dump(mode="json"),
            "scales": self.scales.tolist(),
            "seed": self.seed,
        }
        (folder / FILE).write_text(json.dumps(facts, indent=1, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises BundleError for a missing, unreadable or inconsistent file."""
        try:
            facts = json.loads((folder / FILE).read_text("utf-8"))
            settings = cls.Settings.model_validate(facts["settings"])
            model = cls(tuple(facts["labels"]), settings, int(facts["seed"]))
            model.scales = np.array(facts["scales"], dtype=np.float64)
            if model.scales.shape != (len(settings.members), len(model.labels), 2):
                raise ValueError(f"the scales have the shape {model.scales.shape}")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(f"{folder / FILE}: not a saved ensemble: {error}; train it again") from error
        for number, member in enumerate(settings.members):
            model.members.append(catalogue.load(str(member["kind"]), folder / f"member-{number}"))
        return model

    def describe(self) -> dict[str, Any]:
        """Return the kind and what each member says of itself."""
        members = [model.describe() for model in self.members]
        return {"kind": self.kind, "parameters": sum(one.get("parameters", 0) for one in members), "members": members}

    def _build(self, number: int, member: Mapping[str, Any]) -> Model:
        kind = catalogue.find(str(member["kind"]))
        model: Model = kind(self.labels, kind.Settings.model_validate(_settings(member)), self.seed + number)
        return model


def _settings(member: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in member.items() if key not in ("kind", "weight")}


def _log_odds(probabilities: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    kept = np.clip(probabilities.astype(np.float64), _CLIP, 1.0 - _CLIP)
    odds: NDArray[np.float64] = np.log(kept) - np.log1p(-kept)
    return odds


def _platt(log_odds: NDArray[np.float64], gold: NDArray[np.int8]) -> NDArray[np.float64]:
    """Slope and intercept per label, shape `(n_labels, 2)`; (1, 0) for a label that is always or never given."""
    from sklearn.linear_model import LogisticRegression

    scale = np.tile([1.0, 0.0], (gold.shape[1], 1))
    for j in range(gold.shape[1]):
        if 0 < gold[:, j].sum() < len(gold):
            fitted = LogisticRegression(C=1e3).fit(log_odds[:, [j]], gold[:, j])
            scale[j] = max(0.0, float(fitted.coef_[0, 0])), float(fitted.intercept_[0])
    return scale


def _share(options: FitOptions, number: int, of: int, epochs: float) -> FitOptions:
    """The options for one member, whose progress is a share of the whole and whose epochs count on."""
    own: FitOptions = options.copy()
    if "progress" in options:
        report: Progress = options["progress"]

        def share(state: dict[str, float]) -> None:
            done = state.get("done", 0.0) / (state.get("total", 0.0) or 1.0)
            later = {"epoch": state["epoch"] + epochs} if "epoch" in state else {}
            report({**state, **later, "done": number + done, "total": float(of)})

        own["progress"] = share
    return own
