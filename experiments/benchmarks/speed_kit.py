"""The kit's rows of the speed benchmark. Examples enter; bundles, and their answers, leave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.benchmarks.speed_clock import Clock
from experiments.benchmarks.speed_rows import Job, Score
from experiments.benchmarks.speed_texts import TASK, examples

if TYPE_CHECKING:
    from stance.models.classifier import Classifier
    from stance.models.runtime.choice import Precision

EXPERIMENTS = Path(__file__).parents[1]
ROW = {"text": "Moscow hosted a Taliban delegation on Friday.", "actor": "Russia"}


class _Kit:
    """A bundle, loaded as `stance.load` does: an exported one runs without torch."""

    def load(self, folder: Path) -> Score:
        return self._open(folder).predict_proba

    def first(self, folder: Path) -> None:
        self._open(folder).predict(ROW)

    def _open(self, folder: Path) -> Classifier:
        import stance

        return stance.load(folder)


class _Trained(_Kit):
    experiment = ""
    changes: tuple[str, ...] = ()

    def train(self, job: Job) -> dict[str, Any]:
        """Train by the experiment's file and `changes` to it; the clock stops before calibration."""
        from stance import codebook, config
        from stance.cli.progress import bar
        from stance.dataset.arrays import label_matrix
        from stance.evaluation.calibration import cross_fit
        from stance.experiment import build
        from stance.models.bundle import Origin, write_bundle

        book = codebook.load()
        experiment = config.load(EXPERIMENTS / f"{self.experiment}.yaml", [f"task={TASK}", *self.changes])
        parts = examples(job.limit)
        model = build(experiment, book)
        with bar(self.experiment) as progress, Clock() as clock:
            model.fit(parts["train"], parts["validation"], progress=progress)
        validation = parts["validation"]
        groups = [one.cluster or one.doc_id for one in validation]
        fitted = cross_fit(model.predict_proba(validation), label_matrix(validation, model.labels), groups)
        origin = Origin(task=TASK, settings=experiment.model, seed=experiment.seed)
        write_bundle(job.folder, model, fitted.calibration, book, origin)
        return clock.facts()


class Majority(_Trained):
    experiment = "majority"


class TfidfLinear(_Trained):
    experiment = "tfidf-linear"


class EncoderTorch(_Trained):
    experiment = "encoder-fast"
    changes = ("model.context=true", "model.retell=0")  # what the other rows read, and no more


class _Exported(_Kit):
    precision: Precision = "fp32"

    def train(self, job: Job) -> dict[str, Any]:
        """Export the torch row's bundle; that is what the seconds are of."""
        from stance.exporting import export_bundle
        from stance.models.bundle import read_bundle

        bundle = read_bundle(job.others["encoder-torch"])
        with Clock() as clock:
            done = export_bundle(bundle, job.folder, examples(job.limit), self.precision, _silent)
        return {**clock.facts(), "exported": True, "agreement": done.agreement.labels}


class EncoderOnnx(_Exported):
    precision = "fp32"


class EncoderInt8(_Exported):
    precision = "int8"


def _silent(_: dict[str, float]) -> None:
    """Progress that nobody watches."""
