"""How many planted mistakes does `stance label suspects` find? Wrong labels in a copy of the corpus, several seeds.

    python -m experiments.benchmarks.suspects [--share 0.05] [--seeds 3] [--task stance]

A planted mistake gives an example the label set of another, drawn at random among those that differ: label frequencies
stay, and mistakes are as likely as confusable ones. Precision and recall are counted among as many suspects as mistakes
were planted, where they are equal; the list's own are those of all that confident learning calls an issue. The corpus
has mistakes of its own, which count as false alarms here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import click
import numpy as np

from labeling.suspects import find_suspects
from stance import codebook as codebooks
from stance import config
from stance.cli import tables
from stance.cli.progress import bar
from stance.dataset import load_examples
from stance.records import Example

EXPERIMENT = Path(__file__).parents[1] / "tfidf-linear.yaml"


def plant(examples: Sequence[Example], share: float, seed: int) -> tuple[list[Example], set[str]]:
    """Return a copy with a share of label sets replaced, and the ids of the examples that were."""
    rng = np.random.default_rng(seed)
    spoiled, wrong = list(examples), set()
    for row in rng.permutation(len(examples))[: round(share * len(examples))]:
        example = examples[row]
        while (other := examples[int(rng.integers(len(examples)))].labels) == example.labels:
            pass
        spoiled[row] = replace(example, labels=other)
        wrong.add(example.id)
    return spoiled, wrong


@click.command()
@click.option("--share", default=0.05, show_default=True, type=click.FloatRange(0, 0.5, min_open=True))
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--task", default="stance", show_default=True)
def main(share: float, seeds: int, task: str) -> None:
    """Plant mistakes in the train and validation parts, look for them, and print the table."""
    book, experiment = codebooks.load(), config.load(EXPERIMENT, [f"task={task}"])
    parts = load_examples(task)
    examples = parts["train"] + parts["validation"]
    rows = []
    for seed in range(seeds):
        spoiled, wrong = plant(examples, share, seed)
        with bar(f"seed {seed}") as progress:
            found = find_suspects(spoiled, experiment, book, progress)
        ids = [one.example.id for one in found]
        at = len(wrong & set(ids[: len(wrong)])) / len(wrong)
        issues = {one.example.id for one in found if one.issue}
        hits = len(wrong & issues)
        right = {one.id: one.labels for one in examples}
        mended = sum(one.suggested == right[one.example.id] for one in found[: len(wrong)] if one.example.id in wrong)
        first = len(wrong & set(ids[:100])) / 100
        rows.append(
            (seed, len(wrong), at, first, len(issues), hits / len(issues), hits / len(wrong), mended / len(wrong))
        )
    rows.append(("mean", *(fmean(float(row[k]) for row in rows) for k in range(1, len(rows[0])))))
    columns = (
        "seed",
        "planted",
        "P = R at planted",
        "P at 100",
        "issues",
        "P of issues",
        "R of issues",
        "mended at planted",
    )
    tables.show(f"{share:.0%} wrong labels in {len(examples)} examples ({task}, {experiment.name})", columns, rows)
    click.echo(f"by chance: {share:.3f}")


if __name__ == "__main__":
    main()
