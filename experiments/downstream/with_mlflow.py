"""Stances from the registry, by a program that knows MLflow and nothing of stance-kit.

    MLFLOW_TRACKING_URI=sqlite:////srv/mlflow.db python with_mlflow.py < rows.jsonl

Each line of the input is one row, {"text": …, "actor": …}; each line of the output is its answer.
"""

import json
import sys

import mlflow
import pandas as pd

model = mlflow.pyfunc.load_model("models:/taliban-stance@champion")
rows = pd.DataFrame([json.loads(line) for line in sys.stdin])
model.predict(rows).to_json(sys.stdout, orient="records", lines=True, double_precision=15)
