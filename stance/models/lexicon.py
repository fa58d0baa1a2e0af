"""The dictionary coder. What enters is examples, and roots and keywords by label; what leaves is a score per label.

Two dictionaries, no learned words: for labels with event roots, the events of the sentence weighed by their
place beside actor and target (`stance.models.dictionary`); for labels with keywords, how many of them the sentence
has. `fit` learns only how often a label is right at a given score.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from stance.codebook import Task
from stance.dataset.arrays import label_matrix
from stance.errors import BundleError, CodebookError, DataError
from stance.models import dictionary
from stance.models.base import FitOptions
from stance.records import Example

FILE = "lexicon.json"
EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.95)
"""Upper edges of the score bins, inclusive: the first holds scores of exactly 0, a last one those above 0.95."""
CENTRES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.875, 0.975)
"""The score at which a bin's rate holds; between two centres the probability is interpolated."""
PRIOR_COUNT = 4.0
"""How many examples of the label's overall rate smooth the rate of a bin."""


class Lexicon:
    """Codes by dictionary, as event coders do: no training text is needed to understand or to change it."""

    kind = "lexicon"

    class Settings(BaseModel):
        """The codebook's side of the dictionary: from label to event roots, and to keyword stems (`*`: any ending)."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        roots: dict[str, tuple[str, ...]] = {}
        keywords: dict[str, tuple[str, ...]] = {}
        keyword_weight: float = Field(default=0.5, gt=0, le=1)  # what one keyword adds: score = 1 - (1 - weight)^n

    def __init__(self, labels: tuple[str, ...], settings: Settings, seed: int = 0) -> None:
        """Raises CodebookError for a label that is not in `labels`, or a root that is not in the dictionary."""
        self.labels = labels
        self.settings = settings
        self.seed = seed
        self.rates: NDArray[np.float64] | None = None  # (n_labels, n_bins), rising along a row
        self._dictionary = dictionary.load()
        _check("label", [*settings.roots, *settings.keywords], labels)
        _check("root", [root for roots in settings.roots.values() for root in roots], self._dictionary.roots)
        self._keywords = {
            label: dictionary.compile_phrases(words) for label, words in settings.keywords.items() if words
        }

    def score(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """Return dictionary scores before `fit`'s scale, shape `(n_examples, n_labels)`, in [0, 1]."""
        missing = np.ones((len(examples), len(self.labels)))
        for row, example in enumerate(examples):
            events = dictionary.find(example, self._dictionary) if self.settings.roots else []
            for column, label in enumerate(self.labels):
                for event in events:
                    if event.root in self.settings.roots.get(label, ()):
                        missing[row, column] *= 1.0 - min(event.weight, 0.95)
                if label in self._keywords:
                    found = {word.lower() for word in self._keywords[label].findall(example.text)}
                    missing[row, column] *= (1.0 - self.settings.keyword_weight) ** len(found)
        scores: NDArray[np.float64] = 1.0 - missing
        return scores

    @staticmethod
    def settings_from(task: Task) -> dict[str, Any]:
        """Return the settings that a codebook's task gives; the recipe lays a caller's own over them."""
        return {
            "roots": {label.name: label.roots for label in task.definitions if label.roots},
            "keywords": {label.name: label.keywords for label in task.definitions if label.keywords},
        }

    def fit(self, train: Sequence[Example], validation: Sequence[Example], **options: Unpack[FitOptions]) -> None:  # noqa: ARG002
        """Learn each label's rate per score bin, by smoothed counts made monotone; no word is learned.

        `validation` is not used. Raises DataError for an empty training set.
        """
        if not train:
            raise DataError("no training examples: the lexicon needs some to scale its scores")
        from scipy.optimize import isotonic_regression  # slow to import, and only needed here

        gold, bins = label_matrix(train, self.labels), np.digitize(self.score(train), EDGES, right=True)
        rates = np.zeros((len(self.labels), len(CENTRES)))
        for column in range(len(self.labels)):
            count = np.bincount(bins[:, column], minlength=len(CENTRES)) + PRIOR_COUNT
            right = np.bincount(bins[:, column], weights=gold[:, column], minlength=len(CENTRES))
            rate = (right + PRIOR_COUNT * gold[:, column].mean()) / count
            rates[column] = isotonic_regression(rate, weights=count).x
        self.rates = rates.round(6)  # as they are saved
        if "progress" in options:
            options["progress"]({"done": 1.0, "total": 1.0})

    def predict_proba(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        """Return probabilities, float32, shape `(n_examples, n_labels)`; raises DataError before `fit` or `load`."""
        if self.rates is None:
            raise DataError("the lexicon has not been fitted; call fit or load first")
        scores = self.score(examples)
        columns = [np.interp(scores[:, at], CENTRES, rates) for at, rates in enumerate(self.rates)]
        return np.stack(columns, axis=1).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write `lexicon.json`: labels, settings and rates. The dictionary itself ships with the kit."""
        if self.rates is None:
            raise DataError("the lexicon has not been fitted; there is nothing to save")
        rates = {
            label: [round(float(rate), 6) for rate in row] for label, row in zip(self.labels, self.rates, strict=True)
        }
        content = {"rates": rates, "settings": self.settings.model_dump(mode="json"), "seed": self.seed}
        (folder / FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises BundleError for a missing, unreadable or inconsistent file."""
        try:
            content = json.loads((folder / FILE).read_text("utf-8"))
            rates = np.array(list(content["rates"].values()), dtype=np.float64)
            if rates.shape != (len(content["rates"]), len(CENTRES)):
                raise ValueError(f"rates have the shape {rates.shape}")
            model = cls(tuple(content["rates"]), cls.Settings(**content["settings"]), int(content["seed"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, CodebookError) as error:
            raise BundleError(f"{folder / FILE}: not a saved lexicon: {error}; train it again") from error
        model.rates = rates
        return model

    def describe(self) -> dict[str, Any]:
        """Return the kind, the settings, and how many roots and keywords stand for each label."""
        sizes = {
            label: {
                "roots": len(self.settings.roots.get(label, ())),
                "keywords": len(self.settings.keywords.get(label, ())),
            }
            for label in self.labels
        }
        return {"kind": self.kind, "settings": self.settings.model_dump(mode="json"), "sizes": sizes}


def _check(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
            raise CodebookError(f"the lexicon has no {what} '{name}'; {hint}")
