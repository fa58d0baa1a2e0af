"""The model card. What enters is a bundle's manifest, its evaluation and the verdict; what leaves is Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from stance.codebook import Codebook, Task
from stance.models.bundle import Manifest
from stance.tracking.gate import Verdict

_FEW = 30  # gold examples of a label in the test part, below which its score says little
_SHOWN_SLICES = 5


@dataclass(frozen=True)
class CardFacts:
    """What a card tells. `evaluation` is `Evaluation.to_json()` of the test part, empty when it was not logged."""

    model: str
    version: int
    run_id: str
    run_name: str
    manifest: Manifest
    codebook: Codebook
    evaluation: Mapping[str, Any]
    verdict: Verdict

    @property
    def task(self) -> Task:
        return self.codebook.task(self.manifest.task)


def render_card(facts: CardFacts) -> str:
    """Return the card as Markdown with a YAML header."""
    header = yaml.safe_dump(_header(facts), sort_keys=False, allow_unicode=True)
    parts = (_title(facts), _use(facts), _labels(facts), _data(facts), _results(facts), _limits(facts), _why(facts))
    return f"---\n{header}---\n\n" + "\n\n".join(parts) + "\n"


def _header(facts: CardFacts) -> dict[str, Any]:
    manifest = facts.manifest
    return {
        "model_name": facts.model,
        "version": facts.version,
        "library_name": "stance-kit",
        "pipeline_tag": "text-classification",
        "tags": [manifest.task, manifest.kind, facts.codebook.name],
        "labels": list(manifest.labels),
        "codebook": {
            "name": manifest.codebook_name,
            "version": manifest.codebook_version,
            "hash": manifest.codebook_hash,
        },
        "data_digest": manifest.data_digest,
        "split_digest": manifest.split_digest,
        "run_id": facts.run_id,
        "created": manifest.created,
        "kit_version": manifest.kit_version,
        "metrics": {
            f"test.{name}": {key: _rounded(row[key]) for key in ("estimate", "low", "high")}
            for name, row in facts.evaluation.get("headline", {}).items()
        },
    }


def _title(facts: CardFacts) -> str:
    unit = "each actor named in a sentence" if facts.task.unit == "actor" else "a sentence"
    question = facts.task.question.strip()
    return (
        f"# {facts.model}, version {facts.version}\n\n"
        f"A `{facts.manifest.kind}` model that labels {unit} by the codebook “{facts.codebook.title}”"
        f" ({facts.manifest.codebook_version}): {question}"
    )


def _use(facts: CardFacts) -> str:
    row = '{"text": "…", "actor": "…"}' if facts.task.unit == "actor" else '{"text": "…"}'
    return (
        "## Use\n\n```python\n"
        f'model = stance.load("models:/{facts.model}/{facts.version}")  # after: import stance\n'
        f"model.predict({row})  # probabilities, and `{facts.manifest.task}`: the labels over threshold\n```"
    )


def _labels(facts: CardFacts) -> str:
    rows = [(f"`{label.name}`", label.summary) for label in facts.task.definitions]
    return "## Labels\n\n" + _table(("label", "summary"), rows)


def _data(facts: CardFacts) -> str:
    evaluation = facts.evaluation
    lines = [f"- Data digest: `{facts.manifest.data_digest}`", f"- Split digest: `{facts.manifest.split_digest}`"]
    if evaluation:
        lines.append(f"- Test part: {evaluation['n_examples']} examples of {evaluation['n_documents']} documents")
    lines.append(
        f"- Run: `{facts.run_name}` (`{facts.run_id}`), seed {facts.manifest.seed}; its tables list every error"
    )
    return "## Data\n\n" + "\n".join(lines)


def _results(facts: CardFacts) -> str:
    if not facts.evaluation:
        return "## Results on the test part\n\nThe run logged no evaluation of the test part."
    overall = [(name, _interval(row, "estimate")) for name, row in facts.evaluation["headline"].items()]
    thresholds = dict(zip(facts.manifest.labels, facts.manifest.calibration["thresholds"], strict=True))
    labels = [
        (
            f"`{row['label']}`",
            _interval(row, "f1"),
            _number(row["precision"]),
            _number(row["recall"]),
            row["support"],
            _number(thresholds[row["label"]]),
        )
        for row in facts.evaluation["per_label"]
    ]
    return (
        "## Results on the test part\n\nIn brackets 95% bootstrap intervals over documents.\n\n"
        + _table(("score", "value"), overall)
        + "\n\n"
        + _table(("label", "F1", "precision", "recall", "gold", "threshold"), labels)
    )


def _limits(facts: CardFacts) -> str:
    lines = [
        "- Measured on one kind of text only, that of its test part; other genres, languages and targets are not.",
        "- It codes what a sentence says, not whether it is true, and sees the neighbouring sentences at most.",
    ]
    rows = facts.evaluation.get("per_label", [])
    if rows:
        worst = min(rows, key=lambda row: row["f1"])
        lines.append(f"- Weakest label: `{worst['label']}`, F1 {_interval(worst, 'f1')}.")
    few = [f"`{row['label']}` ({row['support']})" for row in rows if row["support"] < _FEW]
    if few:
        lines.append(f"- Under {_FEW} gold examples in the test part, so that the score says little: {', '.join(few)}.")
    slices = [each for each in facts.evaluation.get("slices", []) if not each["too_small"]]
    slices = [each for each in slices if each["macro_f1"]["estimate"] is not None]
    for each in sorted(slices, key=lambda each: each["macro_f1"]["estimate"])[:_SHOWN_SLICES]:
        score = _interval(each["macro_f1"], "estimate")
        lines.append(f"- Among the lowest slices: {each['kind']} {each['value']}, macro-F1 {score} (n = {each['n']}).")
    return "## Limits\n\n" + "\n".join(lines)


def _why(facts: CardFacts) -> str:
    return "## Why it is champion\n\n" + "\n".join(f"- {reason}" for reason in facts.verdict.reasons)


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in cells])


def _interval(row: Mapping[str, Any], name: str) -> str:
    prefix = "" if name == "estimate" else f"{name}_"
    low, high = row.get(f"{prefix}low"), row.get(f"{prefix}high")
    bounds = "" if low is None or high is None else f" [{_number(low)}, {_number(high)}]"
    return _number(row[name]) + bounds


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
