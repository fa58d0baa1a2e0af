"""`stance label adjudicate`: a proposal for every example, and a review project for those that are not sure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stance.cli.label.agreement import read_answers
from stance.cli.label.reviews import send_tasks, write_rows
from stance.wording import counted

if TYPE_CHECKING:
    from labeling.adjudication import Proposal
    from labeling.answers import Answers
    from stance.codebook import Codebook


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--task", default="stance", show_default=True, help="The task of the codebook.")
@click.option("--codebook", type=click.Path(path_type=Path), help="Another codebook than the shipped one.")
@click.option("--bar", default=0.8, show_default=True, help="The confidence below which an example is reviewed.")
@click.option("--answers", "needed", default=2, show_default=True, help="How many annotators an example needs.")
@click.option("--review", "title", metavar="PROJECT", help="Send what needs a verdict to this review project.")
@click.option("--dry-run", is_flag=True, help="Only say what --review would send.")
@click.option("--list", "shown", default=10, show_default=True, help="How many of the least sure to print.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per example.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write one JSON object per example to a file.")
def adjudicate(
    file: Path,
    task: str,
    codebook: Path | None,
    bar: float,
    needed: int,
    title: str | None,
    dry_run: bool,
    shown: int,
    as_json: bool,
    output: Path | None,
) -> None:
    """Propose labels from the annotations in FILE by majority and Dawid–Skene; let a third person judge the rest."""
    from labeling.adjudication import Bar, for_review, propose

    answers = read_answers(file, codebook, task)
    proposals = propose(answers, Bar(bar, needed))
    unsure = for_review(proposals)
    if not write_rows((one.to_row() for one in proposals), "proposal", output, as_json):
        _show(proposals, unsure, shown)
    if title is not None:
        from stance import codebook as codebooks

        book = codebooks.load(codebook)
        send_tasks(title, task, _review_tasks(unsure, answers, book), book, dry_run)


def _review_tasks(proposals: list[Proposal], answers: Answers, book: Codebook) -> list[dict[str, Any]]:
    from labeling.answers import pseudonyms
    from labeling.review import review_task

    letters = pseudonyms(answer.annotator for item in answers.items for answer in item.answers)
    return [review_task(one, letters, book, answers.task) for one in proposals]


def _show(proposals: list[Proposal], unsure: list[Proposal], shown: int) -> None:
    from stance.cli import tables

    tables.show(counted(len(proposals), "example"), ("status", "examples"), _counts(one.status for one in proposals))
    decided = [one.how for one in proposals if one.status == "decided"]
    tables.show(f"{len(decided)} decided", ("by", "examples"), _counts(decided))
    if unsure:
        tables.show(
            f"The {min(shown, len(unsure))} least sure of {len(unsure)} to review",
            ("confidence", "actor", "text", "proposal", "why"),
            map(_row, unsure[:shown]),
            lines=True,
        )


def _row(one: Proposal) -> tuple[object, ...]:
    return one.confidence, one.item.example.actor or "", one.item.example.text, ", ".join(one.labels) or "none", one.why


def _counts(values: Iterable[str]) -> list[tuple[str, int]]:
    return Counter(values).most_common()
