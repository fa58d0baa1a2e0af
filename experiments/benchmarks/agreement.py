"""Agreement of the shipped corpus's two codings, before judging: alpha, kappa and raw agreement, whole and by file.

    python -m experiments.benchmarks.agreement
    python -m experiments.benchmarks.agreement --plot agreement.png --task frames

Both codings are a language model's (see the data card), so this shows how consistently the codebook is applied. Actors
that only one of the two listed have one answer and do not enter. The last table adjudicates both codings and compares
with the corpus's final labels, which a third reader gave.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import click

from labeling.adjudication import Bar, propose
from labeling.agreement import Scores, measure_agreement
from labeling.agreement_plot import draw_agreement
from labeling.annotations import Annotation
from labeling.answers import collect_answers
from stance import codebook as codebooks
from stance.cli import tables
from stance.dataset import codings, examples
from stance.dataset.shipped import FILES


def shipped_annotations(task: str) -> list[Annotation]:
    """Return both codings of the shipped corpus as annotations by "author" and "coder"."""
    coded = {example.id: example for example in examples(task)}
    return [
        Annotation(number, coded[one.example_id], one.reader, {task: one.labels}, codebook=codebooks.load().hash)
        for number, one in enumerate(codings(task))
        if one.labels is not None
    ]


def documents_by_file() -> dict[str, set[str]]:
    """Return the ids of each passage file's documents."""
    folder = resources.files("stance.dataset").joinpath("passages")
    lines = {name: folder.joinpath(name).read_text("utf-8").split("\n") for name in FILES}
    return {name: {json.loads(line)["doc_id"] for line in own if line} for name, own in lines.items()}


@click.command()
@click.option("--task", "tasks", multiple=True, default=("stance", "frames"), help="Only this task.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the (last) task's picture into this file.")
def main(tasks: tuple[str, ...], plot: Path | None) -> None:
    """Print the tables."""
    book = codebooks.load()
    for task in tasks:
        annotations = shipped_annotations(task)
        found = measure_agreement(collect_answers(annotations, book, task))
        rows = [("all", found.overall)]
        for name, documents in documents_by_file().items():
            own = [one for one in annotations if one.example.doc_id in documents]
            rows.append((name, measure_agreement(collect_answers(own, book, task)).overall))
        labels = book.task(task).labels
        tables.show(f"{task}: Cohen's kappa", ("file", "n", "identical", *labels), [_kappas(*row) for row in rows])
        tables.show(f"{task}: Krippendorff's alpha", ("label", *(name for name, _ in rows)), _alphas(rows))
        columns = ("status", "examples", "proposal is the final set")
        tables.show(f"{task}: what two codings decide", columns, _adjudicated(annotations, task))
        if plot is not None:
            draw_agreement(found).savefig(plot, dpi=150)


def _kappas(name: str, scores: Scores) -> tuple[object, ...]:
    return name, scores.n, f"{scores.sets.raw:.1%}", *(one.kappa for one in scores.labels)


def _adjudicated(annotations: list[Annotation], task: str) -> list[tuple[object, ...]]:
    """Examples by status, and the share whose proposal the judge of the corpus confirmed."""
    final = {example.id: example.labels for example in examples(task)}
    found: dict[str, list[bool]] = {}
    for one in propose(collect_answers(annotations, codebooks.load(), task), Bar()):
        found.setdefault(one.status, []).append(one.labels == final[one.item.example.id])
    return [(status, len(right), f"{sum(right) / len(right):.1%}") for status, right in sorted(found.items())]


def _alphas(rows: list[tuple[str, Scores]]) -> list[tuple[str, ...]]:
    table = []
    for found in zip(*((*scores.labels, scores.sets) for _, scores in rows), strict=True):
        cells = [f"{one.alpha.estimate:.3f} [{one.alpha.low:.3f}, {one.alpha.high:.3f}]" for one in found]
        table.append((found[0].name, *cells))
    return table


if __name__ == "__main__":
    main()
