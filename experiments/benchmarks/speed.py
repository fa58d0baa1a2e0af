"""The kit's models beside what a user would pick instead: the same texts, the same cores, one run.

    python -m experiments.benchmarks.speed
    python -m experiments.benchmarks.speed --quick --only tfidf-linear,fasttext
    python -m experiments.benchmarks.speed --anew rates          # measure again, with the models that are there

Rows, and what each needs, are in `speed_rows`; every measurement runs in a fresh process on the same number of threads,
the rows in turn and several times over, and the median counts. Results are kept, so what was interrupted goes on.
The load of the machine is printed beside the figures: other work on it makes them worse.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from experiments.benchmarks.speed_rows import ROWS
from experiments.benchmarks.speed_runs import Bench, Facts, lacks
from experiments.benchmarks.speed_table import COLUMNS, common_size, draw, figures, growth, verdicts
from stance.cli import tables
from stance.dataset.cache import cache_root
from stance.models.device import threads as all_threads

SIZES = "1000,10000,100000,1000000"
QUICK_SIZES = "200,1000"
QUICK_LIMIT = 400


@click.command()
@click.option("--only", help="Rows to measure, with commas between; all by default.")
@click.option("--sizes", help=f"How many texts are scored, with commas between.  [default: {SIZES}]")
@click.option("--repeat", default=3, show_default=True, help="Measurements of which the median counts.")
@click.option("--threads", type=int, default=all_threads, help="Threads and cores of every row.  [default: all cores]")
@click.option("--minutes", default=5.0, show_default=True, help="A size that would take longer is extrapolated.")
@click.option("--train-minutes", default=120.0, show_default=True, help="When Trainer is stopped short of the score.")
@click.option("--examples", "limit", type=int, help="The most examples of each part; all of the corpus by default.")
@click.option("--quick", is_flag=True, help=f"{QUICK_LIMIT} examples of each part, small sizes, one measurement.")
@click.option("--python", "pythons", multiple=True, metavar="ROW=PATH", help="Another interpreter for a row.")
@click.option("--results", type=click.Path(path_type=Path), help="Where measurements and models are kept.")
@click.option("--anew", type=click.Choice(["rates", "all"]), help="Forget what was measured; with all, models too.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The plot, as PNG or SVG.")
def main(  # noqa: PLR0913, PLR0917 - one parameter per option
    only: str | None,
    sizes: str | None,
    repeat: int,
    threads: int,
    minutes: float,
    train_minutes: float,
    limit: int | None,
    quick: bool,
    pythons: tuple[str, ...],
    results: Path | None,
    anew: str | None,
    output: Path | None,
) -> None:
    """Measure what is not measured yet, and print the tables."""
    names = only.split(",") if only else [name for name in ROWS if name != "majority"]
    if unknown := [name for name in names if name not in ROWS]:
        raise click.BadParameter(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}", param_hint="--only")
    counts = [int(size) for size in (sizes or (QUICK_SIZES if quick else SIZES)).split(",")]
    limit = limit or (QUICK_LIMIT if quick else None)
    bench = Bench(
        folder=(results or cache_root() / "benchmarks" / f"speed-{limit or 'all'}-{threads}").resolve(),
        threads=threads,
        limit=limit,
        minutes=minutes,
        train_minutes=train_minutes,
        pythons=dict(one.split("=", 1) for one in pythons),
    )
    for name in names if anew else ():
        bench.forget(name, models=anew == "all")
    material = bench.prepare()
    if limit and max(len(part.texts) for part in material.parts.values()) > limit:
        raise click.BadParameter(f"{bench.folder} was begun with more; give another folder", param_hint="--examples")
    trained = measure(bench, names, sorted(counts), 1 if quick else repeat)
    show(bench, names, sorted(counts), trained)
    if output:
        draw(bench, names, sorted(counts), output)


def measure(bench: Bench, names: Sequence[str], sizes: Sequence[int], repeat: int) -> dict[str, Facts]:
    """Train each row, then measure the rows in turn; returns what training said of each."""
    trained = {}
    for name in names:
        _say(f"{name}: training")
        trained[name] = bench.train(name)
    able = [name for name in names if not lacks(trained[name])]
    for turn in range(repeat):
        for name in able:
            _say(f"{name}: first result, {turn + 1} of {repeat}")
            _check(trained, name, bench.first(name, turn))
        for size in sizes:
            for name in able:
                _say(f"{name}: {size:,} texts, {turn + 1} of {repeat}")
                _check(trained, name, bench.rate(name, size, turn))
            if size == sizes[0] and "encoder-int8" in able:
                _say(f"8-bit peak, {turn + 1} of {repeat}")
                bench.peak(min(size, 1000), turn)
    return trained


def show(bench: Bench, names: Sequence[str], sizes: Sequence[int], trained: dict[str, Facts]) -> None:
    """Print the tables and what the goals came to."""
    size = common_size(bench, names)
    rows = [figures(bench, name, size or 0, trained[name]) for name in names]
    of = f", rates at {size:,} texts" if size else ""
    known = {name: len(part.texts) for name, part in bench.prepare().parts.items()}
    title = f"{known['train']:,} training examples, {bench.threads} threads{of}"
    tables.show(title, COLUMNS, rows)
    able = [name for name in names if bench.sizes(name)]
    if able:
        columns = ("row", *(f"{one:,}" for one in sizes))
        tables.show("Seconds to score", columns, [growth(bench, name, sizes) for name in able])
    for verdict in verdicts(bench, size) if size else ():
        click.echo(str(verdict))
    _say(f"results are kept in {bench.folder}")


def _check(trained: dict[str, Facts], name: str, facts: Facts) -> None:
    """A row that fails at one measurement says so in the table."""
    if lacks(facts):
        trained[name] = facts


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
