"""The fast linear model. What enters is labelled examples; what leaves is a weight per label and text feature.

One-vs-rest logistic regression over the feature blocks of `stance.models.features`, each weighted by inverse document
frequency and scaled to unit length. Training uses scikit-learn; predicting needs numpy alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, Unpack

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from stance.dataset.arrays import label_matrix
from stance.errors import BundleError, DataError
from stance.models.base import FitOptions
from stance.models.columns import Columns
from stance.models.features import Block, read_blocks, read_context, read_events, read_names, read_tokens
from stance.models.units import TOKEN, mark, names, units
from stance.models.vocabulary import Integers, Vocabulary
from stance.records import Example

BATCH = 1024
WEIGHTS, VOCABULARY, SETTINGS = "tfidf.safetensors", "vocabulary.json", "tfidf.json"


class Entries(NamedTuple):
    """A sparse matrix in coordinates: entries with the same row and column add up."""

    rows: Integers
    columns: Integers
    values: NDArray[np.float64]


def _ignore(_: dict[str, float]) -> None: ...


class TfidfLinear:
    """Logistic regression over words, stems, pairs and character n-grams that know their side of actor and target."""

    kind = "tfidf-linear"

    class Settings(BaseModel):
        """`blocks` weighs the groups of features (0 or absent: not used); `c` is the inverse of the penalty."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        c: float = Field(default=2.0, gt=0)
        idf_power: float = Field(default=2.0, ge=0, description="1 is plain tf-idf; more favours rare features.")
        min_examples: int = Field(default=2, ge=1, description="Features seen in fewer training examples are dropped.")
        loss: Literal["log", "squared-hinge"] = Field(
            default="log", description="The second is a support vector machine."
        )
        balanced: bool = Field(default=False, description="Rare labels' examples weigh as much in all as the others.")
        char_sizes: tuple[int, ...] = (4, 5)
        blocks: Mapping[Block, float] = {
            "word": 0.5, "stem": 0.5, "pair": 1.0, "skip": 0.8, "char": 0.7, "zone": 0.7, "side": 0.7, "side-pair": 1.0,
            "near-pair": 1.0, "negated": 0.5, "flag": 0.3, "context": 0.5,
        }  # fmt: skip

        @field_validator("blocks")
        @classmethod
        def _some_block(cls, blocks: Mapping[Block, float]) -> Mapping[Block, float]:
            if min(blocks.values(), default=0) < 0 or not any(blocks.values()):
                raise ValueError("block weights must be 0 or more, and at least one above 0")
            return blocks

    def __init__(self, labels: tuple[str, ...], settings: Settings, seed: int = 0) -> None:
        self.labels = labels
        self.settings = settings
        self.seed = seed
        self.units: list[str] = []
        self.keys: Integers = np.zeros(0, dtype=np.int64)
        self.idf: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self.weights: NDArray[np.float32] | None = None
        self.intercept: NDArray[np.float32] = np.zeros(len(labels), dtype=np.float32)
        self._vocabulary = Vocabulary({})
        self._columns: Columns | None = None  # made when first asked, and anew after `fit`

    def fit(self, train: Sequence[Example], validation: Sequence[Example], **options: Unpack[FitOptions]) -> None:  # noqa: ARG002
        """Learn vocabulary and weights; `validation` is not used. Raises DataError for an empty training set.

        A label that no training example has, or that all have, gets its smoothed rate as a constant; so do all labels
        where no feature is frequent enough.
        """
        if not train:
            raise DataError("no training examples: the linear model needs at least one")
        gold = label_matrix(train, self.labels)
        progress = options.get("progress", _ignore)
        total = float(len(self.labels) + 1)
        self._learn_vocabulary(train)
        progress({"done": 1.0, "total": total})
        matrix = self._matrix(train)
        self.weights = np.zeros((len(self.keys), len(self.labels)), dtype=np.float32)
        for column in range(len(self.labels)):
            self.weights[:, column], self.intercept[column] = self._fit_label(matrix, gold[:, column])
            progress({"done": column + 2.0, "total": total})

    def predict_proba(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        """Return probabilities, float32, shape `(n_examples, n_labels)`; each row depends on its example alone."""
        if self.weights is None:
            raise DataError("the linear model has not been fitted; call fit or load first")
        parts = [self._scores(examples[start : start + BATCH]) for start in range(0, len(examples), BATCH)]
        scores = np.concatenate(parts) if parts else np.zeros((0, len(self.labels)))
        return (1 / (1 + np.exp(-scores))).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write `tfidf.safetensors` (keys, idf, weights, intercept), `vocabulary.json` (units) and `tfidf.json`."""
        from safetensors.numpy import save_file

        if self.weights is None:
            raise DataError("the linear model has not been fitted; there is nothing to save")
        arrays: dict[str, NDArray[Any]] = {
            "keys": self.keys,
            "idf": self.idf,
            "weights": self.weights,
            "intercept": self.intercept,
        }
        save_file(arrays, folder / WEIGHTS)
        (folder / VOCABULARY).write_text(json.dumps(self.units, ensure_ascii=False, indent=0) + "\n", "utf-8")
        content = {"labels": self.labels, "seed": self.seed, "settings": self.settings.model_dump(mode="json")}
        (folder / SETTINGS).write_text(json.dumps(content, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises BundleError for files that are missing, damaged or do not fit each other."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            content = json.loads((folder / SETTINGS).read_text("utf-8"))
            model = cls(tuple(content["labels"]), cls.Settings(**content["settings"]), int(content["seed"]))
            arrays = load_file(folder / WEIGHTS)
            model.keys, model.idf = arrays["keys"], arrays["idf"]
            model.weights, model.intercept = arrays["weights"], arrays["intercept"]
            model._set_units(json.loads((folder / VOCABULARY).read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError, ValidationError) as error:
            raise BundleError(f"{folder}: not a saved tfidf-linear model: {error}; train it again") from error
        if model.weights.shape != (len(model.keys), len(model.labels)):
            raise BundleError(f"{folder}: the weights do not fit the vocabulary and labels; train it again")
        return model

    def describe(self) -> dict[str, Any]:
        """Return the settings and the number of units, features and parameters."""
        return {
            "kind": self.kind,
            "settings": self.settings.model_dump(mode="json"),
            "units": len(self.units),
            "features": len(self.keys),
            "parameters": (len(self.keys) + 1) * len(self.labels),
        }

    def _set_units(self, units: list[str]) -> None:
        self.units = units
        self._vocabulary = Vocabulary({unit: n for n, unit in enumerate(units, 1)}, self.settings.char_sizes)

    def _learn_vocabulary(self, train: Sequence[Example]) -> None:
        least, sizes = self.settings.min_examples, self.settings.char_sizes
        counts: Counter[str] = Counter()
        for example in train:
            words = set(TOKEN.findall(mark(example)))
            if self.settings.blocks.get("name"):
                words.update(*names(example))
            counts.update({unit for word in words for unit in units(word, sizes)})
        self._set_units(sorted(unit for unit, count in counts.items() if count >= least))
        found: list[Integers] = []
        for start in range(0, len(train), BATCH):
            batch = self._read(train[start : start + BATCH])
            keys, columns = np.unique(np.concatenate([keys for _, _, keys in batch]), return_inverse=True)
            rows = np.concatenate([rows for _, rows, _ in batch])
            distinct = np.unique(rows * len(keys) + columns)
            found.append(keys[distinct % len(keys)] if len(keys) else keys)
        keys, examples = np.unique(np.concatenate(found), return_counts=True)
        self.keys, self._columns = keys[examples >= least], None
        frequency = examples[examples >= least]
        idf = 1 + np.log((len(train) + 1) / (frequency + 1))
        self.idf = (idf**self.settings.idf_power).astype(np.float32)

    def _read(self, examples: Sequence[Example]) -> list[tuple[str, Integers, Integers]]:
        chosen = [block for block, weight in self.settings.blocks.items() if weight]
        tokens = read_tokens(examples, self._vocabulary)
        found = list(read_blocks(tokens, chosen))
        if "context" in chosen:
            found.append(("context", *read_context(examples, self._vocabulary)))
        if "name" in chosen:
            found.append(("name", *read_names(examples, self._vocabulary.numbers)))
        if "event" in chosen:
            found.append(("event", *read_events(examples)))
        return found

    def _entries(self, examples: Sequence[Example]) -> Entries:
        """Look the features up, weigh them by idf and scale each block of each example to its weight."""
        rows, columns, values = [], [], []
        places = self._columns = self._columns or Columns(self.keys)
        merged: dict[str, list[tuple[Integers, Integers]]] = {}
        for block, block_rows, keys in self._read(examples):
            merged.setdefault(block, []).append((block_rows, keys))
        for block, parts in merged.items():
            row = np.concatenate([part[0] for part in parts])
            key = np.concatenate([part[1] for part in parts])
            column, known = places.find(block, key)
            row, column = row[known], column[known]
            idf = self.idf[column].astype(np.float64)
            length = np.sqrt(np.bincount(row, weights=idf * idf, minlength=len(examples)))
            rows.append(row)
            columns.append(column)
            values.append(idf * (self.settings.blocks[block] / length[row]))  # type: ignore[index]
        return Entries(np.concatenate(rows), np.concatenate(columns), np.concatenate(values))

    def _scores(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        entries = self._entries(examples)
        scores = np.zeros((len(examples), len(self.labels)))
        assert self.weights is not None
        weighted = self.weights[entries.columns] * entries.values[:, None]
        for column in range(len(self.labels)):
            scores[:, column] = np.bincount(entries.rows, weights=weighted[:, column], minlength=len(examples))
        return scores + self.intercept

    def _matrix(self, examples: Sequence[Example]) -> Any:
        from scipy.sparse import csr_matrix, vstack

        parts = []
        for start in range(0, len(examples), BATCH):
            batch = examples[start : start + BATCH]
            entries = self._entries(batch)
            shape = (len(batch), len(self.keys))
            parts.append(csr_matrix((entries.values, (entries.rows, entries.columns)), shape=shape))
        return vstack(parts).tocsr()

    def _fit_label(self, matrix: Any, gold: NDArray[np.int8]) -> tuple[NDArray[np.float32], float]:
        from sklearn.linear_model import LogisticRegression
        from sklearn.svm import LinearSVC

        positives = int(gold.sum())
        if positives in (0, len(gold)) or matrix.shape[1] == 0:
            rate = (positives + 0.5) / (len(gold) + 1)
            return np.zeros(len(self.keys), dtype=np.float32), float(np.log(rate / (1 - rate)))
        weights = "balanced" if self.settings.balanced else None
        options = {"C": self.settings.c, "class_weight": weights, "dual": True, "random_state": self.seed}
        if self.settings.loss == "log":
            machine = LogisticRegression(solver="liblinear", tol=1e-2, **options)
        else:  # its margin is not a log-odds, but 0.5 is still where it decides, and calibration mends the rest
            machine = LinearSVC(**options)
        machine.fit(matrix, gold)
        return machine.coef_[0].astype(np.float32), float(np.ravel(machine.intercept_)[0])
