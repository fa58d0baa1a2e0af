"""What a program pays that only predicts: size of a fresh environment, and the time to its first answer.

    python -m experiments.benchmarks.downstream [--store mlflow.db] [--runs 5]

Installs this project with the extra `inference` into a new virtual environment, runs the programs in
`experiments/downstream` there, and prints sizes and median wall times. Without --store the linear model is trained
first.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from experiments.benchmarks.service import find_store
from stance.cli import tables

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "experiments" / "downstream"
ROW = '{"text": "Moscow hosted a Taliban delegation.", "actor": "Russia"}\n'
LONGEST = 1200  # seconds for pip: about 45 on a quiet machine, 200 on one with five times as much to do as cores
UNREACHABLE = re.compile("connection broken by|Could not fetch URL|ConnectionError|NameResolutionError|TimeoutError")


class IndexUnreachableError(RuntimeError):
    """pip could not reach a package index; the message is what it said."""


def install(folder: Path, *options: str) -> Path:
    """Make a virtual environment with the extra `inference`, and return its interpreter.

    Versions are those of constraints.txt: a later MLflow may refuse the store of the one that wrote it. Raises
    IndexUnreachableError without a package index, RuntimeError with pip's words for any other failure, and
    subprocess.TimeoutExpired after `LONGEST` seconds.
    """
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=LONGEST)
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *options]
    command += ["--constraint", ROOT / "constraints.txt", f"{ROOT}[inference]"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, timeout=LONGEST)
    if done.returncode:
        kind = IndexUnreachableError if UNREACHABLE.search(done.stderr) else RuntimeError
        raise kind(done.stderr[-2000:])
    return python


def ask(python: Path, store: Path, program: str, *arguments: str) -> str:
    """Run one of the programs on `ROW` and return what it prints; raises CalledProcessError with its traceback."""
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{store}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment.pop("PYTHONPATH", None)
    command = [python, PROGRAMS / program, *arguments]
    # Not in the checkout, whose packages would then be imported in place of the installed ones.
    done = subprocess.run(
        command, input=ROW, capture_output=True, text=True, check=True, env=environment, cwd=store.parent
    )
    return done.stdout


def seconds(python: Path, store: Path, runs: int, *command: str) -> float:
    """Return the median wall time of a program, after one run that is not counted."""
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        ask(python, store, *command)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def mebibytes(folder: Path) -> float:
    """Return the size of all files under a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 2**20


@click.command()
@click.option("--store", type=click.Path(path_type=Path, exists=True), help="An mlflow.db with a linear champion.")
@click.option("--runs", default=5, show_default=True)
def main(store: Path | None, runs: int) -> None:
    """Print the sizes and the medians."""
    with find_store(store) as found, tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        python = install(Path(folder) / "venv")
        taken = time.perf_counter() - started
        bundle = next(found.parent.glob("mlartifacts/**/bundle/manifest.json")).parent
        packages = next((Path(folder) / "venv").glob("lib/python*/site-packages"))
        sizes = {each.name: mebibytes(each) for each in packages.iterdir() if each.is_dir()}
        rows = [
            ("with_mlflow.py, champion", seconds(python, found, runs, "with_mlflow.py")),
            ("with_stance.py, champion", seconds(python, found, runs, "with_stance.py")),
            ("with_stance.py, folder", seconds(python, found, runs, "with_stance.py", str(bundle))),
        ]
    tables.show(f"Fresh process to first answer, median of {runs}", ("program", "seconds"), rows)
    largest = sorted(sizes.items(), key=lambda each: -each[1])[:8]
    click.echo(f"installed in {taken:.0f} s, {sum(sizes.values()):,.0f} MiB:", nl=False)
    click.echo(", ".join(f" {name} {size:.0f}" for name, size in largest))


if __name__ == "__main__":
    main()
