"""The model card. What enters is a bundle's manifest, its evaluation and the verdict; what leaves is Markdown with the
YAML header of the Hugging Face Hub, results as its `model-index`. Only the gate writes cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from stance.codebook import Codebook, Task
from stance.models.bundle import Manifest
from stance.tracking import card_results as results
from stance.tracking.agreement import shipped_agreement
from stance.tracking.card_results import show_number, show_table
from stance.tracking.gate import Verdict
from stance.tracking.history import RunSummary

LIBRARY = "stance-kit"
OWN_DATA = "own-labelled-examples"
SHIPPED_DATA = "stance-kit-corpus"


@dataclass(frozen=True)
class CardFacts:
    """What a card tells. `evaluation` is `Evaluation.to_json()` of the test part, empty when it was not logged."""

    model: str
    version: int
    run: RunSummary
    manifest: Manifest
    codebook: Codebook
    evaluation: Mapping[str, Any]
    verdict: Verdict

    @property
    def task(self) -> Task:
        return self.codebook.task(self.manifest.task)

    @property
    def shipped(self) -> bool:
        """Whether the data is the corpus that comes with the kit."""
        return self.run.params.get("data") == "null"


def render_card(facts: CardFacts) -> str:
    """Return the card as Markdown with a YAML header."""
    header = yaml.safe_dump(_header(facts), sort_keys=False, allow_unicode=True)
    parts = (
        _title(facts),
        _use(facts),
        _labels(facts),
        _data(facts),
        results.show_scores(facts.evaluation),
        results.show_calibration(facts.evaluation),
        results.show_slices(facts.evaluation),
        results.show_probes(facts.run.metrics),
        results.show_limits(facts.evaluation),
        _versions(facts),
        _verdict(facts),
    )
    return f"---\n{header}---\n\n" + "\n\n".join(parts) + "\n"


def _header(facts: CardFacts) -> dict[str, Any]:
    manifest = facts.manifest
    return {
        "language": "en",
        "license": "apache-2.0" if facts.shipped else "other",
        "library_name": LIBRARY,
        "pipeline_tag": "text-classification",
        "tags": ["stance-detection", manifest.task, manifest.kind, facts.codebook.name],
        "metrics": ["f1", "accuracy", "precision", "recall"],
        **({"model-index": [{"name": facts.model, "results": [_result(facts)]}]} if facts.evaluation else {}),
        "stance": {
            "model": facts.model,
            "version": facts.version,
            "verdict": facts.verdict.outcome,
            "labels": list(manifest.labels),
            "codebook": f"{manifest.codebook_name} {manifest.codebook_version}",
            "codebook_hash": manifest.codebook_hash,
            "data_digest": manifest.data_digest,
            "split_digest": manifest.split_digest,
            "run_id": facts.run.id,
            "created": manifest.created,
            "kit_version": manifest.kit_version,
        },
    }


def _result(facts: CardFacts) -> dict[str, Any]:
    """The entry of `model-index`: one dataset, its metrics, and their intervals as the metrics' `args`."""
    digest = (facts.manifest.data_digest or "")[:12]
    return {
        "task": {"type": "text-classification", "name": f"{facts.manifest.task} by the codebook {facts.codebook.name}"},
        "dataset": {
            "type": SHIPPED_DATA if facts.shipped else OWN_DATA,
            "name": "the corpus of stance-kit" if facts.shipped else "labelled examples of the model's owner",
            "split": "test",
            **({"revision": digest} if digest else {}),
        },
        "metrics": results.index_metrics(facts.evaluation),
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
    sure = ""
    if shares := facts.manifest.calibration.get("bars", {}).get("sure"):
        share = min(0.9, max(shares))  # more than was reached on validation is refused
        sure = (
            f"\n\nWith `sure={share:g}`, it leaves out what it is not sure of: about {share:.0%} of the answers "
            "it gives are right."
        )
    return (
        "## Use\n\nTo count and find who takes which position in English news text about "
        f"“{facts.codebook.target.name}”, where a person reads what matters. Not for judging a person or organisation, "
        "and not for text of another kind without measuring it there first.\n\n```python\n"
        f'model = stance.load("models:/{facts.model}/{facts.version}")  # after: import stance\n'
        f"model.predict({row})  # probabilities, and `{facts.manifest.task}`: the labels over threshold\n```{sure}"
    )


def _labels(facts: CardFacts) -> str:
    rows = [(f"`{label.name}`", label.summary) for label in facts.task.definitions]
    return "## Labels\n\n" + show_table(("label", "summary"), rows)


def _data(facts: CardFacts) -> str:
    evaluation, manifest = facts.evaluation, facts.manifest
    lines = [f"- Data digest: `{manifest.data_digest}`", f"- Split digest: `{manifest.split_digest}`"]
    if evaluation:
        lines.append(f"- Test part: {evaluation['n_examples']} examples of {evaluation['n_documents']} documents")
    lines.append(f"- Run: `{facts.run.name}` (`{facts.run.id}`), seed {manifest.seed}; its tables list every error")
    text = "## Data\n\n" + "\n".join(lines)
    agreement = shipped_agreement(manifest.task, facts.codebook) if facts.shipped else ()
    if not agreement:
        return f"{text}\n\nHow far coders agreed on these labels is not known to the kit."
    rows = [(f"`{label}`", show_number(kappa), n) for label, kappa, n in agreement]
    return (
        f"{text}\n\nThe corpus of the kit: written and labelled by a language model. Two blind codings of it agree as "
        "follows (Cohen's kappa), which says how consistently the codebook is applied, not how people differ; its "
        f"data card says more.\n\n{show_table(('label', 'kappa', 'examples'), rows)}"
    )


def _versions(facts: CardFacts) -> str:
    tags, manifest = facts.run.tags, facts.manifest
    packages = ", ".join(f"{name} {version}" for name, version in sorted(manifest.packages.items()))
    commit = tags.get("git_commit", "")
    state = " with changes" if tags.get("git_dirty") == "true" else ""
    lines = [f"- stance-kit {manifest.kit_version}, bundle of {manifest.created}, format {manifest.format}"]
    if commit:
        lines.append(f"- Trained at commit `{commit[:12]}`{state}")
    lines.append(f"- Packages: {packages}")
    return "## Versions\n\n" + "\n".join(lines)


def _verdict(facts: CardFacts) -> str:
    titles = {"promote": "Why it is champion", "forced": "Why it is champion", "refuse": "Why it is not champion"}
    lines = [f"- {reason}" for reason in facts.verdict.reasons]
    return f"## {titles[facts.verdict.outcome]}\n\n" + "\n".join(lines)
