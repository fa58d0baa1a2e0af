"""The file that MLflow copies into a logged model and runs to load it: a bundle behind MLflow's pyfunc interface.

It imports no training code; the bundle's own loader checks the hashes and reads safetensors, JSON and text.
"""

from typing import Any

import mlflow
import pandas as pd
from mlflow.models import set_model


class BundleModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Answers what `stance.load` on the same bundle answers."""

    def load_context(self, context: Any) -> None:
        from stance.models.classifier import Classifier

        self.classifier = Classifier.load(context.artifacts["bundle"])

    def predict(self, context: Any, model_input: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG002 (MLflow's signature)
        return self.classifier.predict(model_input)


set_model(BundleModel())
