"""The same with stance-kit's own loader, which needs no MLflow where the model is a bundle's folder.

python with_stance.py [models:/taliban-stance@champion | FOLDER] < rows.jsonl
"""

import json
import sys

import stance

model = stance.load(sys.argv[1] if len(sys.argv) > 1 else "models:/taliban-stance@champion")
rows = [json.loads(line) for line in sys.stdin]
model.predict(rows).to_json(sys.stdout, orient="records", lines=True, double_precision=15)
