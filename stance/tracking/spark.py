"""MLflow's Spark function. Bundles enter; a function of a column of examples leaves, which Spark runs on its workers.

A registered model knows rows as people write them: a text, an actor, perhaps a mention. Examples know more (offsets
of the mention, spans of the target), and a stream on one machine shows models all of it. So that Spark gives the same
answers, the bundles are packed into an MLflow model of their own, which takes whole examples, and sends nothing to a
tracking server: the workers need none.
"""

from __future__ import annotations

import logging
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stance.models.classifier import Classifier
from stance.models.lines import Field, answer_fields
from stance.tracking.store import import_quietly

CODE = Path(__file__).with_name("spark_model.py")
NOWHERE = "sqlite:///not-used.db"


def make_row_function(spark: Any, bundles: Sequence[Path], folder: Path, sure: float | None = None) -> Any:
    """Return a Spark function: a column of examples, each as a line of JSON, to a struct of `answer_fields`.

    It is `mlflow.pyfunc.spark_udf` of a model written to `folder`, an empty one, with copies of the bundles; MLflow
    sends it to the workers. They compute in the Python that they run in, which holds stance-kit.
    """
    mlflow = import_quietly()
    with _no_store(mlflow), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas 3, and that no example of the input is stored
        for number, bundle in enumerate(bundles):
            shutil.copytree(bundle, folder / "bundles" / f"{number:03d}")
        mlflow.pyfunc.save_model(
            folder / "model",
            python_model=str(CODE),
            artifacts={"bundles": str(folder / "bundles")},
            model_config={"sure": sure},
            pip_requirements=[],
            signature=_signature(),
        )
        function = mlflow.pyfunc.spark_udf(
            spark,
            str(folder / "model"),
            result_type=_struct(answer_fields([Classifier.load(bundle) for bundle in bundles])),
            env_manager="local",
            extra_env={"OMP_NUM_THREADS": "1"},
        )
    # To Spark, what is deterministic may be computed again wherever it is used: once to filter, once to write.
    return function.asNondeterministic()


def _signature() -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    return ModelSignature(inputs=Schema([ColSpec(DataType.string, "example")]))


def _struct(fields: Sequence[Field]) -> Any:
    from pyspark.sql import types

    kinds: dict[type, Any] = {float: types.DoubleType(), bool: types.BooleanType()}
    return types.StructType([types.StructField(field.name, kinds[field.kind]) for field in fields])


@contextmanager
def _no_store(mlflow: Any) -> Iterator[None]:
    """The function carries the store's address to the workers, perhaps with a password in it: give it none."""
    name = mlflow.environment_variables.MLFLOW_TRACKING_URI.name
    before, variable = mlflow.get_tracking_uri(), os.environ.get(name)
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it warns that the environment is not restored
    mlflow.set_tracking_uri(NOWHERE)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)
        logger.setLevel(level)
        os.environ.pop(name, None)
        if variable is not None:
            os.environ[name] = variable
