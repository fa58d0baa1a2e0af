"""Real news, measured and never trained on: models trained on the shipped corpus, scored on labelled real sentences.

    python -m experiments.benchmarks.realnews experiments/tfidf-linear.yaml experiments/encoder.yaml
    python -m experiments.benchmarks.realnews experiments/encoder.yaml task=frames
    python -m experiments.benchmarks.realnews models:/taliban-stance@champion

Each argument is an experiment (trained here, not tracked), a model's URI, or a bundle's folder; `key=value` changes
the experiments. FILE holds one JSON object a line: id, doc_id, prev, text, next, frames, and
actors[{actor, mention, stances}].
"""

from __future__ import annotations

import json
from pathlib import Path

import click

import stance
from stance import codebook as codebooks
from stance import config
from stance.cli import tables
from stance.cli.progress import bar
from stance.codebook import Codebook
from stance.dataset import load_examples
from stance.evaluation.result import Evaluation, evaluate
from stance.experiment import fit, read_parts
from stance.models.classifier import Classifier
from stance.models.inputs import read_inputs
from stance.records import Example

FILE = Path(__file__).parents[3] / "shared" / "realnews" / "dev.jsonl"


def read_realnews(path: Path, book: Codebook, task: str) -> list[Example]:
    """Return the file's labelled examples for a task, with mentions located as for any caller's rows."""
    rows, labels, documents = [], [], []
    for line in filter(str.strip, path.read_text("utf-8").split("\n")):  # a text may hold other line separators
        sentence = json.loads(line)
        units = sentence["actors"] if book.task(task).unit == "actor" else [{}]
        for unit in units:
            rows.append({**{key: sentence.get(key) for key in ("text", "prev", "next")}, **unit})
            labels.append(book.task(task).order(unit["stances"] if unit else sentence["frames"]))
            documents.append(sentence["doc_id"])
    examples = read_inputs(rows, book.task(task).unit, book.target).examples
    return [
        Example(**{**_fields(example), "labels": label, "doc_id": document})
        for example, label, document in zip(examples, labels, documents, strict=True)
    ]


def _fields(example: Example) -> dict[str, object]:
    return {name: getattr(example, name) for name in example.__dataclass_fields__}


def measure(model: str, overrides: list[str], file: Path) -> tuple[str, str, Evaluation, Evaluation]:
    """Return the model's name, its task, and its evaluations on the corpus's test part and on real news."""
    if model.endswith((".yaml", ".yml")):
        experiment = config.load(model, overrides)
        book = codebooks.load(experiment.codebook)
        with bar(f"{experiment.name} ({experiment.task})") as progress:
            fitted, calibration = fit(experiment, book, read_parts(experiment, book), progress)
        classifier = Classifier(fitted, calibration, book, experiment.task)
        name = experiment.name
    else:
        classifier, name = stance.load(model), model
    task = classifier.task
    parts = [load_examples(task, "test", classifier.codebook)["test"], read_realnews(file, classifier.codebook, task)]
    scores = [classifier.model.predict_proba(part) for part in parts]
    corpus, real = (
        evaluate(part, score, classifier.calibration, classifier.labels)
        for part, score in zip(parts, scores, strict=True)
    )
    return name, task, corpus, real


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--file", default=FILE, show_default=False, type=click.Path(path_type=Path), help="Labelled sentences.")
def main(models: tuple[str, ...], file: Path) -> None:
    """Print macro-F1 on the corpus's test part and on real news, with 95% intervals over documents."""
    if not file.is_file():
        click.echo(f"skipped: {file} is missing; give labelled real sentences with --file")
        return
    overrides = [one for one in models if "=" in one]
    rows = []
    for model in (one for one in models if "=" not in one):
        name, task, corpus, real = measure(model, overrides, file)
        tables.show_scores(real, f"{name}: {task} on {file.name} ({real.n_examples} examples)")
        cells = [f"{e.macro_f1.estimate:.3f} [{e.macro_f1.low:.3f}, {e.macro_f1.high:.3f}]" for e in (corpus, real)]
        rows.append((name, task, *cells))
    tables.show("Macro-F1 [95% interval]", ("model", "task", "corpus test", "real news"), rows)


if __name__ == "__main__":
    main()
