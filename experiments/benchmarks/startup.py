"""How long a fresh process takes: `stance --help`, loading the corpus, loading a bundle and predicting with it.

    python -m experiments.benchmarks.startup [BUNDLE]

Without BUNDLE a `tfidf-linear` bundle is trained on the shipped corpus first. Prints the median wall time of runs.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from stance import codebook as codebooks
from stance import config
from stance.cli import tables
from stance.cli.progress import bar
from stance.experiment import fit, read_parts
from stance.models.bundle import Origin, write_bundle

EXPERIMENT = Path(__file__).parents[1] / "tfidf-linear.yaml"
CORPUS = "from stance.dataset import load_examples; load_examples()"
DATASET = "import stance.dataset; stance.dataset.load()"
LOAD = "import sys, stance; stance.load(sys.argv[1])"
PREDICT = f"{LOAD}.predict({{'text': 'Moscow hosted a delegation.', 'actor': 'Russia'}})"


def seconds(command: list[str], runs: int = 7) -> float:
    """Return the median wall time of a command, after one run that is not counted."""
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def build(folder: Path) -> Path:
    """Train the linear model and return its bundle."""
    experiment, book = config.load(EXPERIMENT), codebooks.load()
    with bar("tfidf-linear") as progress:
        model, calibration = fit(experiment, book, read_parts(experiment, book), progress)
    return write_bundle(folder / "bundle", model, calibration, book, Origin(task=experiment.task))


@click.command()
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
def main(bundle: Path | None) -> None:
    """Print the medians."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = bundle or build(Path(folder))
        rows = [
            ("stance --help", seconds([str(Path(sys.executable).with_name("stance")), "--help"])),
            ("stance.dataset.load_examples()", seconds([sys.executable, "-c", CORPUS])),
            ("stance.dataset.load(), cached", seconds([sys.executable, "-c", DATASET])),
            ("stance.load(bundle)", seconds([sys.executable, "-c", LOAD, str(bundle)])),
            ("… and the first predict", seconds([sys.executable, "-c", PREDICT, str(bundle)])),
        ]
    tables.show("Fresh process, median wall time", ("what", "seconds"), rows)


if __name__ == "__main__":
    main()
