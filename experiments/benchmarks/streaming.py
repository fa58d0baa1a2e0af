"""Memory and rate of `stance predict` on streams, as they grow.

    python -m experiments.benchmarks.streaming [--rows N]… [--articles N]… [--model URI]

The examples are those of the shipped corpus over and over, each time with another document and another text, so that
none is scored for another's sake; the articles are their sentences, drawn anew for every article with a seed. Each
run is the command in a process of its own: its wall time, from start to exit, and its peak resident memory.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from experiments.benchmarks.startup import build
from stance.cli import tables
from stance.dataset import load_examples, write_examples
from stance.records import Example

# A small process between: Linux counts a new process's peak from that of the one which starts it.
WATCH = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
SENTENCES = 15  # of an article


def repeat(count: int) -> Iterator[Example]:
    """Yield `count` examples of different texts and ids."""
    known = [example for part in load_examples("stance").values() for example in part]
    for i in range(count):
        one, turn = known[i % len(known)], i // len(known)
        yield replace(one, text=f"{one.text} ({i})", doc_id=f"{one.doc_id}-{turn}", labels=None)


def write_articles(count: int, path: Path) -> None:
    """Write `count` articles of about 300 words, one a line."""
    chance = random.Random(0)
    known = sorted({example.text for part in load_examples("stance").values() for example in part})
    with path.open("w", encoding="utf-8") as handle:
        for i in range(count):
            text = " ".join(chance.choices(known, k=SENTENCES))
            handle.write(json.dumps({"title": f"Report {i}", "text": text}) + "\n")


def measure(arguments: list[str]) -> tuple[float, float]:
    """Run `stance …` and return its seconds and its peak memory in MiB."""
    began = time.monotonic()
    command = [sys.executable, "-c", WATCH, sys.executable, "-m", "stance.cli.main", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return time.monotonic() - began, int(done.stdout) / 1024


@click.command()
@click.option("--rows", "sizes", multiple=True, type=int, default=(10_000, 100_000, 1_000_000), show_default=True)
@click.option("--articles", "lengths", multiple=True, type=int, default=(1_000, 4_000), show_default=True)
@click.option("--model", help="A bundle's folder or URI; without, tfidf-linear is trained on the shipped corpus.")
def main(sizes: tuple[int, ...], lengths: tuple[int, ...], model: str | None) -> None:
    """Print the table."""
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = model or str(build(folder))
        source, articles, output = folder / "examples.parquet", folder / "articles.jsonl", folder / "out.parquet"
        for size in sizes:
            write_examples(repeat(size), source)
            spent, peak = measure(["predict", str(source), "-o", str(output), "--model", model])
            rows.append(
                (f"{size:,} examples", _mib(source), _mib(output), spent, f"{size / spent:,.0f}", f"{peak:,.0f}")
            )
        for length in lengths:
            write_articles(length, articles)
            for options in ([], ["--no-clusters"]):
                spent, peak = measure(
                    ["predict", str(articles), "-o", str(output), "--model", model, "--stream", *options]
                )
                what = " ".join([f"{length:,} articles", *options])
                rows.append((what, _mib(articles), _mib(output), spent, f"{length / spent:,.0f}", f"{peak:,.0f}"))
    tables.show("stance predict", ("stream", "in MiB", "out MiB", "seconds", "per second", "peak MiB"), rows)


def _mib(path: Path) -> str:
    return f"{path.stat().st_size / 2**20:,.1f}"


if __name__ == "__main__":
    main()
