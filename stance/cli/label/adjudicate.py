"""`stance label adjudicate`: a proposal for every example, and a review project for those that are not sure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.cli.label.agreement import read_answers

if TYPE_CHECKING:
    from labeling.adjudication import Proposal
    from labeling.answers import Answers


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
    import json

    from labeling.adjudication import Bar, for_review, propose

    answers = read_answers(file, codebook, task)
    proposals = propose(answers, Bar(bar, needed))
    rows = [json.dumps(one.to_row(), ensure_ascii=False) for one in proposals]
    if output is not None:
        from stance.dataset.files import replacing

        with replacing(output) as temporary:
            temporary.write_text("".join(f"{row}\n" for row in rows), "utf-8")
        click.echo(f"{output}: {len(rows)} proposals", err=True)
    if as_json:
        for row in rows:
            click.echo(row)
    elif output is None:
        _show(proposals, for_review(proposals), shown)
    if title is not None:
        _review(for_review(proposals), answers, title, codebook, dry_run)


def _review(proposals: list[Proposal], answers: Answers, title: str, codebook: Path | None, dry_run: bool) -> None:
    from labeling.answers import pseudonyms
    from labeling.client import Studio
    from labeling.review import plan_review, push_review, review_task
    from stance import codebook as codebooks
    from stance.cli.progress import bar

    book = codebooks.load(codebook)
    letters = pseudonyms(answer.annotator for item in answers.items for answer in item.answers)
    tasks = [review_task(one, letters, book, answers.task) for one in proposals]
    studio = Studio.connect()
    plan = plan_review(studio, title, answers.task, tasks, book)
    said = f"{len(plan.send)} to send ({len(plan.outdated)} in the place of an outdated one), {plan.there} there"
    if dry_run or not plan.send:
        click.echo(f"review '{title}' at {studio.url}: {said}", err=True)
        return
    with bar("review") as progress:
        project = push_review(studio, plan, book, progress)
    click.echo(f"review '{title}' ({studio.url}/projects/{project.id}): {said}; {project.tasks} tasks in all", err=True)


def _show(proposals: list[Proposal], unsure: list[Proposal], shown: int) -> None:
    from stance.cli import tables

    tables.show(f"{len(proposals)} examples", ("status", "examples"), _counts(one.status for one in proposals))
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
