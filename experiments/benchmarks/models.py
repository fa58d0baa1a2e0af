"""Every model on the shipped corpus: score, margin over the model before it, training time, scoring rate, memory.

    python -m experiments.benchmarks.models
    python -m experiments.benchmarks.models --task frames majority lexicon tfidf-linear encoder

Each model is trained in a process of its own, so that time and peak memory are its alone. The margin is the
difference in macro-F1 to the model in the line above on the same test rows, with its 95% interval by paired bootstrap
over documents.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from experiments.benchmarks.realnews import FILE, read_realnews
from stance import codebook as codebooks
from stance import config
from stance.cli import tables
from stance.cli.progress import bar
from stance.dataset import load_examples
from stance.evaluation.bootstrap import Interval, Resampling, paired_difference
from stance.evaluation.slices import resampling_unit
from stance.experiment import evaluate_part, fit, read_parts

EXPERIMENTS = Path(__file__).parents[1]
MODELS = ("majority", "lexicon", "tfidf-linear", "embedding-linear", "encoder-fast", "encoder")


def measure(name: str, task: str, folder: Path) -> None:
    """Train and score one model; leave its predictions and figures in `folder`."""
    experiment = config.load(EXPERIMENTS / f"{name}.yaml", [f"task={task}"])
    book = codebooks.load()
    parts = read_parts(experiment, book)
    started = time.perf_counter()
    with bar(f"{name} ({task})") as progress:
        model, calibration = fit(experiment, book, parts, progress)
    trained = time.perf_counter() - started
    model.predict_proba(parts["test"][:64])  # the first call also pays for imports and caches
    started = time.perf_counter()
    model.predict_proba(parts["test"])
    rate = len(parts["test"]) / (time.perf_counter() - started)
    result = evaluate_part(model, calibration, parts["test"])
    np.savez(folder / f"{name}.npz", predicted=result.predicted, gold=result.gold)
    score = result.macro_f1
    real = "not given"
    if FILE.is_file():
        sentences = read_realnews(FILE, book, task)
        real = cell(evaluate_part(model, calibration, sentences).macro_f1)
    facts = {
        "macro_f1": cell(score),
        "real_news": real,
        "train_seconds": round(trained, 1),
        "examples_per_second": round(rate),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    (folder / f"{name}.json").write_text(json.dumps(facts))


def cell(score: Interval) -> str:
    """Return an estimate with its interval."""
    return f"{score.estimate:.3f} [{score.low:.3f}, {score.high:.3f}]"


def margin(folder: Path, name: str, before: str, documents: list[str]) -> str:
    """Return the paired difference in macro-F1 of two measured models, with its interval."""
    new, old = (np.load(folder / f"{one}.npz") for one in (name, before))
    found = paired_difference(new["gold"], new["predicted"], old["predicted"], documents, Resampling())
    return f"{found.estimate:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


@click.command()
@click.argument("models", nargs=-1)
@click.option("--task", default="stance", show_default=True)
@click.option("--only-into", type=click.Path(path_type=Path), hidden=True)
def main(models: tuple[str, ...], task: str, only_into: Path | None) -> None:
    """Train MODELS (all of them by default), one after the other, and print the table."""
    models = models or MODELS
    if only_into is not None:
        measure(models[0], task, only_into)
        return
    documents = [resampling_unit(example) for example in load_examples(task, "test")["test"]]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for position, name in enumerate(models):
            command = [
                sys.executable,
                "-m",
                "experiments.benchmarks.models",
                name,
                "--task",
                task,
                "--only-into",
                folder,
            ]
            subprocess.run(command, check=True)
            facts = json.loads((Path(folder) / f"{name}.json").read_text())
            over = margin(Path(folder), name, models[position - 1], documents) if position else ""
            rows.append((name, facts.pop("macro_f1"), over, *facts.values()))
            click.echo(f"{rows[-1]}", err=True)
    columns = (
        "model",
        "test macro-F1 [95%]",
        "over the line above",
        "real news [95%]",
        "train s",
        "examples/s",
        "peak MiB",
    )
    tables.show(f"{task} on the shipped corpus's test part", columns, rows)


if __name__ == "__main__":
    main()
