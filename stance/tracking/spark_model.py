"""The file that MLflow copies into a model for Spark: bundles behind one column of examples as JSON.

One row enters per example, as a line of `examples.jsonl`; one row of numbers leaves (see `stance.tracking.spark`).
"""

from typing import Any

import mlflow
import pandas as pd
from mlflow.models import set_model


class RowModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Answers what a stream on one machine answers, example by example."""

    def load_context(self, context: Any) -> None:
        from pathlib import Path

        from stance.models.classifier import Classifier

        folders = sorted(Path(context.artifacts["bundles"]).iterdir())
        self.classifiers = [Classifier.load(folder) for folder in folders]

    def predict(self, context: Any, model_input: pd.DataFrame) -> pd.DataFrame:
        from stance.models.lines import answer_lines

        return answer_lines(self.classifiers, model_input["example"], context.model_config["sure"])


set_model(RowModel())
