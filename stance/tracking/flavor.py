"""The bundle as an MLflow model. What enters is a bundle's folder; what leaves is a pyfunc logged from code.

"From code" means that MLflow stores `pyfunc_model.py` and the bundle, and no pickled object: the model also loads where
`MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false` is set.
"""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from stance.codebook import Codebook, Task
from stance.errors import StoreError
from stance.models.bundle import Bundle, read_bundle
from stance.version import __version__

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

NAME = "model"
ARTIFACT = "bundle"
CODE = Path(__file__).with_name("pyfunc_model.py")
OPTIONAL = ("mention", "context", "prev", "next", "title", "date")

_DISTRIBUTION = "stance-kit"


def log_bundle(folder: Path) -> str:
    """Log a bundle to MLflow's active run as the model `model` and return its URI, `models:/<id>`.

    Raises BundleError for a bundle that is not whole.
    """
    import mlflow

    bundle = read_bundle(folder)
    logged = mlflow.pyfunc.log_model(
        name=NAME,
        python_model=str(CODE),
        artifacts={ARTIFACT: str(bundle.folder)},
        signature=build_signature(bundle.codebook.task(bundle.manifest.task), bundle.manifest.task),
        input_example=build_example(bundle.codebook, bundle.manifest.task),
        pip_requirements=pin_requirements(bundle),
        metadata={"kind": bundle.manifest.kind, "task": bundle.manifest.task, "kit_version": __version__},
    )
    return str(logged.model_uri)


def find_bundle(model: Path) -> Path:
    """Return the bundle's folder inside a downloaded model; raises StoreError for a model of another make."""
    try:
        content: dict[str, Any] = yaml.safe_load((model / "MLmodel").read_text("utf-8"))
        path = content["flavors"]["python_function"]["artifacts"][ARTIFACT]["path"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise StoreError(f"{model}: not a model of stance-kit, it logs no bundle; load it with MLflow") from error
    return model / str(path)


def build_signature(task: Task, name: str) -> ModelSignature:
    """Return the columns that enter (`text`, `actor` for a task coded per actor, `OPTIONAL`) and those that leave."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import Array, DataType

    required = ("text", "actor") if task.unit == "actor" else ("text",)
    enters = [ColSpec(DataType.string, column) for column in required]
    enters += [ColSpec(DataType.string, column, required=False) for column in OPTIONAL]
    leaves = [ColSpec(DataType.double, label) for label in task.labels]
    leaves.append(ColSpec(Array(DataType.string), name))
    return ModelSignature(inputs=Schema(enters), outputs=Schema(leaves))


def build_example(codebook: Codebook, task: str) -> dict[str, list[str]]:
    """Return one input row, by columns, from the codebook's own coded examples."""
    per_actor = codebook.task(task).unit == "actor"
    coded = [example for example in codebook.task(task).examples if example.actor or not per_actor]
    row = {"text": [coded[0].text if coded else f"Norway spoke of {codebook.target.name}."]}
    if per_actor:
        row["actor"] = [(coded[0].actor if coded else None) or "Norway"]
    return row


def pin_requirements(bundle: Bundle) -> list[str]:
    """Return what an environment needs to predict: the kit, its own requirements and the kind's, at these versions."""
    own = [line for line in importlib.metadata.requires(_DISTRIBUTION) or [] if "extra ==" not in line]
    names = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in own]
    names += bundle.packages
    pinned = {name: importlib.metadata.version(name).split("+")[0] for name in names}
    return [f"{_DISTRIBUTION}=={__version__}", *(f"{name}=={version}" for name, version in sorted(pinned.items()))]
