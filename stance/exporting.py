"""A model for another runtime: a bundle enters; the same with its encoders as ONNX graphs leaves, once both agree.

bundle → torch answers the validation part → graphs, fitted on training examples → they answer it too → the new bundle
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.dataset import fixed_split, from_file, load_examples
from stance.dataset.arrays import label_matrix
from stance.dataset.divisions import Division
from stance.errors import DataError, ExportError
from stance.models.base import Progress
from stance.models.bundle import MANIFEST, MODEL, Bundle, Manifest, package_versions, write_manifest
from stance.models.catalogue import RUNTIME_PACKAGES
from stance.models.classifier import Classifier
from stance.models.drafts import drafted
from stance.models.runtime import FACTS, GRAPH
from stance.models.runtime.choice import Precision, taking
from stance.models.runtime.export import export_encoder, find_encoders
from stance.records import Example

AGREEMENT = 0.995
"""Share of label decisions that must be the same in float32."""
MARGIN = 0.01
"""How far macro-F1 may be from the torch model's in 8-bit integers."""

Parts = Mapping[str, list[Example]]


@dataclass(frozen=True)
class Agreement:
    """How two runtimes of one model answer the same `n_examples`: the share of equal label decisions, and macro-F1."""

    n_examples: int
    labels: float
    macro_f1: float
    macro_f1_torch: float

    def check(self, precision: str) -> None:
        """Raise ExportError where the export answers too differently for its precision."""
        if precision == "fp32" and self.labels < AGREEMENT:
            raise ExportError(
                f"the export gives the torch model's labels in {self.labels:.2%} of {self.n_examples} validation "
                f"examples' decisions, below {AGREEMENT:.1%}; nothing was written: go on with the torch model"
            )
        if precision == "int8" and not abs(self.macro_f1 - self.macro_f1_torch) <= MARGIN:
            raise ExportError(
                f"its macro-F1 on validation is {self.macro_f1:.4f}, the torch model's {self.macro_f1_torch:.4f}, "
                f"more than {MARGIN} away; nothing was written: export without --int8"
            )


@dataclass(frozen=True)
class Exported:
    """A bundle that was exported, with `n_encoders` graphs of `n_bytes` in all."""

    folder: Path
    precision: Precision
    agreement: Agreement
    n_encoders: int
    n_bytes: int


def read_parts(bundle: Bundle, data: Path | None = None) -> Parts:
    """Return the examples that a bundle was made from, by part: the shipped ones, or those of its labelled file.

    Raises DataError where `data` is missing and needed, or is not what the model was trained on.
    """
    manifest = bundle.manifest
    if data is not None:
        parts = from_file(data, manifest.task, codebook=bundle.codebook, seed=manifest.seed)
        if Division("document", parts).digest != manifest.split_digest:
            raise DataError(f"{data}: not the examples that the model was trained on, or not all of them as they were")
        return parts
    if manifest.split_digest != fixed_split().digest:
        raise DataError(f"{bundle.folder}: trained on other examples than the shipped ones; give them with --data FILE")
    return load_examples(manifest.task, codebook=bundle.codebook)


def export_bundle(bundle: Bundle, output: Path, parts: Parts, precision: Precision, progress: Progress) -> Exported:
    """Write `bundle` with its encoders' graphs to `output`, which may be its own folder, and return how they answer.

    Both runtimes answer `parts["validation"]`; 8-bit integers are fitted to examples of `parts["train"]`. Raises
    ExportError for a model without an encoder, and for an export that does not answer as the model does (in float32 at
    least `AGREEMENT` equal decisions, in 8 bits macro-F1 within `MARGIN`); nothing is written then.
    """
    if not find_encoders(bundle.folder / MODEL):
        raise ExportError(f"{bundle.folder}: a model of kind '{bundle.manifest.kind}' holds no encoder to export")
    if bundle.folder.resolve() in output.resolve().parents:
        raise ExportError(f"{output}: lies inside the bundle itself; give a folder beside it")
    if not parts["validation"]:
        raise DataError("there are no validation examples to check the export on; give a file with more documents")
    with drafted(output, MANIFEST) as draft:
        shutil.copytree(bundle.folder, draft, dirs_exist_ok=True)
        encoders = find_encoders(draft / MODEL)
        total = len(encoders) + 2.0
        with taking("torch"):
            before = _open(bundle)
        expected = before.predict_proba(parts["validation"])
        for done, folder in enumerate(encoders, 1):
            progress({"done": done, "total": total})
            _forget(folder)
            export_encoder(folder, precision, parts["train"], bundle.manifest.seed)
        progress({"done": total - 1, "total": total})
        with taking("onnx"):
            after = _open(Bundle(draft, bundle.manifest, bundle.codebook))
        agreement = compare(before, parts["validation"], expected, after.predict_proba(parts["validation"]))
        agreement.check(precision)
        write_manifest(draft, _describe(bundle.manifest, precision, agreement))
        size = sum((folder / GRAPH).stat().st_size for folder in encoders)
        progress({"done": total, "total": total})
    return Exported(output, precision, agreement, len(encoders), size)


def compare(
    classifier: Classifier, examples: list[Example], expected: NDArray[np.float64], given: NDArray[np.float64]
) -> Agreement:
    """Return how two arrays of calibrated probabilities, `(n_examples, n_labels)`, decide about labelled examples."""
    from stance.evaluation.metrics import score_overall

    gold = label_matrix(examples, classifier.labels)
    decide = classifier.calibration.decide
    scores = [score_overall(gold, decide(answers), answers).macro_f1 for answers in (given, expected)]
    return Agreement(len(examples), float((decide(given) == decide(expected)).mean()), *scores)


def _open(bundle: Bundle) -> Classifier:
    return Classifier(bundle.load_model(), bundle.calibration, bundle.codebook, bundle.manifest.task, bundle.manifest)


def _forget(folder: Path) -> None:
    """Remove an earlier export."""
    for name in (GRAPH, FACTS):
        (folder / name).unlink(missing_ok=True)


def _describe(manifest: Manifest, precision: Precision, agreement: Agreement) -> Manifest:
    facts = {"runtime": "onnx", "precision": precision, **asdict(agreement)}
    packages = {**manifest.packages, **package_versions(RUNTIME_PACKAGES)}
    return manifest.model_copy(update={"export": facts, "packages": packages})
