"""Rivals without a transformer. Texts enter; models, and their probabilities, leave."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.speed_clock import Clock
from experiments.benchmarks.speed_rows import Job, Score, Scores
from experiments.benchmarks.speed_texts import Text, read_material

EPOCHS = 5  # of spaCy: its score on validation no longer rises
NONE = "none"  # fastText's name for an example without a label
FIRST = Text("Moscow hosted a # Taliban # delegation on Friday.", "")


class Spacy:
    """`textcat_multilabel` as `nlp.add_pipe` makes it: words hashed and a small convolution, together."""

    def train(self, job: Job) -> dict[str, Any]:
        import spacy
        from spacy.training import Example
        from spacy.util import fix_random_seed, minibatch

        material = read_material(job.material)
        part = material.parts["train"]
        fix_random_seed(0)
        with Clock() as clock:
            nlp = spacy.blank("en")
            pipe = nlp.add_pipe("textcat_multilabel")
            for label in material.labels:
                pipe.add_label(label)
            rows = [
                Example.from_dict(
                    nlp.make_doc(text.joined), {"cats": dict(zip(material.labels, map(float, gold), strict=True))}
                )
                for text, gold in zip(part.texts, part.gold, strict=True)
            ]
            nlp.initialize(lambda: rows[:100])
            chance = random.Random(0)
            for _ in range(EPOCHS):
                chance.shuffle(rows)
                for batch in minibatch(rows, 32):
                    nlp.update(batch, drop=0.2)
        nlp.to_disk(job.folder)
        return clock.facts()

    def load(self, folder: Path) -> Score:
        import spacy

        nlp = spacy.load(folder)
        labels = nlp.get_pipe("textcat_multilabel").labels

        def score(given: Sequence[Text]) -> Scores:
            found = nlp.pipe(one.joined for one in given)
            return np.array([[document.cats[label] for label in labels] for document in found])

        return score

    def first(self, folder: Path) -> None:
        self.load(folder)([FIRST])


class FastText:
    """Supervised, one-vs-all; an example without a label is given one, as fastText leaves out what has none."""

    def train(self, job: Job) -> dict[str, Any]:
        import fasttext

        material = read_material(job.material)
        part = material.parts["train"]
        path = job.folder / "train.txt"
        lines = []
        for text, gold in zip(part.texts, part.gold, strict=True):
            own = [label for label, on in zip(material.labels, gold, strict=True) if on] or [NONE]
            lines.append(" ".join([*(f"__label__{label}" for label in own), words(text)]))
        path.write_text("\n".join(lines) + "\n", "utf-8")
        with Clock() as clock:
            options = {"loss": "ova", "epoch": 25, "lr": 0.5, "wordNgrams": 2, "verbose": 0, "seed": 0}
            model = fasttext.train_supervised(str(path), thread=len(os.sched_getaffinity(0)), **options)
        model.save_model(str(job.folder / "model.bin"))
        (job.folder / "labels.txt").write_text("\n".join(material.labels), "utf-8")
        return clock.facts()

    def load(self, folder: Path) -> Score:
        import fasttext

        model = fasttext.load_model(str(folder / "model.bin"))
        labels = (folder / "labels.txt").read_text("utf-8").split("\n")
        place = {f"__label__{label}": column for column, label in enumerate(labels)}

        def score(given: Sequence[Text]) -> Scores:
            names, values = model.predict([words(one) for one in given], k=-1)
            scores = np.zeros((len(given), len(labels)))
            for row, (own, shares) in enumerate(zip(names, values, strict=True)):
                for name, share in zip(own, shares, strict=True):
                    if name in place:
                        scores[row, place[name]] = min(share, 1.0)
            return scores

        return score

    def first(self, folder: Path) -> None:
        self.load(folder)([FIRST])


def words(text: Text) -> str:
    """Return lower-case words and marks, apart and in one line, as fastText's guide prepares them."""
    return " ".join(re.findall(r"\w+|[^\w\s]", text.joined.lower()))
