"""What Spark makes of the cores: sentences per second of `stance predict --engine spark`, and what a million costs.

    python -m experiments.benchmarks.spark --price PRICE_PER_CORE_HOUR [--rows N]… [--cores N]… [--model URI]

The price is yours to give: what a core costs in an hour where you compute. Each run is the command in a process of
its own on a local master, so that its time holds the start of Java and of the workers; with two sizes the rate of a
long job, in which starting does not count, is told from the difference. A stream in one process is the yardstick.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import click

from experiments.benchmarks.startup import build
from experiments.benchmarks.streaming import measure, repeat
from stance.cli import tables
from stance.dataset import write_examples

MILLION = 1_000_000
FILES = 8


def cost(rate: float, cores: int, price: float) -> float:
    """Return what a million sentences cost at `rate` per second on `cores` cores at `price` per core and hour.

    >>> cost(1000, 2, 0.5)
    0.2777777777777778
    """
    return MILLION / rate / 3600 * cores * price


@click.command()
@click.option("--price", type=float, required=True, help="What one core costs in one hour, in any currency.")
@click.option("--rows", "sizes", multiple=True, type=int, default=(20_000, 100_000), show_default=True)
@click.option("--cores", "widths", multiple=True, type=int, default=(1, 2), show_default=True)
@click.option("--model", help="A bundle's folder or URI; without, tfidf-linear is trained on the shipped corpus.")
def main(price: float, sizes: tuple[int, ...], widths: tuple[int, ...], model: str | None) -> None:
    """Print the table."""
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = model or str(build(folder))
        for size in sizes:
            (folder / str(size)).mkdir()
            for part in range(FILES):
                turn = (one for i, one in enumerate(repeat(size)) if i % FILES == part)
                write_examples(turn, folder / str(size) / f"{part}.parquet")
        for width in (0, *widths):
            engine = ["--engine", "spark", "--master", f"local[{width}]"] if width else []
            spent = {size: run(folder, size, [*engine, "--model", model]) for size in sizes}
            low, high = min(sizes), max(sizes)
            rate = (high - low) / (spent[high] - spent[low]) if high > low else high / spent[high]
            what = f"local[{width}]" if width else "one process, no Spark"
            seconds = ", ".join(f"{size:,}: {spent[size]:.1f} s" for size in sizes)
            rows.append((what, seconds, f"{rate:,.0f}", f"{cost(rate, max(width, 1), price):.4f}"))
    title = f"stance predict, at {price} per core and hour"
    tables.show(title, ("engine", "sentences and seconds", "sentences/s", "cost of a million"), rows)


def run(folder: Path, size: int, options: list[str]) -> float:
    """Predict once and return the seconds."""
    output = folder / ("out" if "spark" in options else "out.parquet")
    spent, _ = measure(["predict", str(folder / str(size)), *options, "-o", str(output)])
    shutil.rmtree(output) if output.is_dir() else output.unlink()
    return spent


if __name__ == "__main__":
    main()
