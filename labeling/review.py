"""A third opinion: proposals that need one enter; a Label Studio project leaves that shows what each annotator chose.

Its tasks are the examples themselves, so verdicts come back by `stance label pull` as annotations of the same ids.
Annotators appear as letters, not by name: a verdict should follow the text and not the person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from xml.etree import ElementTree as ET

from labeling.adjudication import Proposal
from labeling.answers import Answer
from labeling.client import Studio
from labeling.interface import SENTENCE, render
from labeling.projects import create_project, differences, find_project, shorten
from labeling.push import SEND
from labeling.repeats import remove_repeats
from labeling.state import Project
from labeling.tasks import to_task
from stance.codebook import Codebook
from stance.errors import LabelingError
from stance.models.base import Progress

SAID = "Said"
STYLE = (
    ".said { margin: .375rem 0 0; padding: .25rem .875rem; border-left: 4px solid var(--color-neutral-border); }"
    " .said p { margin: 0; font-size: .875rem; overflow-wrap: anywhere; unicode-bidi: plaintext; }"
    " .said b { display: inline-block; min-width: 1.5rem; }"
    " .said i { color: var(--color-neutral-content-subtle); }"
)
_MISSING = {
    "flagged": "flagged it",
    "skipped": "skipped it",
    "misfit": "said what does not fit",
    "open": "left it open",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a review push will do: `send` are new, `renewed` of them replace an unjudged task that showed older answers,
    `there` are there already. `project` is None where it will be created."""

    title: str
    task: str
    project: Project | None
    send: tuple[Mapping[str, Any], ...]
    outdated: tuple[int, ...]
    there: int


def render_review(book: Codebook, task: str) -> str:
    """Return the interface of `render` with the annotators' choices above the questions.

    Raises CodebookError for an unknown task.
    """
    # Not ET.fromstring(): it would drop the comment with the codebook's hash.
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))  # noqa: S314 - our own text
    view = ET.fromstring(render(book, task), parser)  # noqa: S314 - the same
    place = next(k for k, child in enumerate(view) if child.get("name") == SENTENCE)
    said = ET.Element("HyperText", name=SAID, value="$said", inline="true", selectionEnabled="false")
    style = ET.Element("Style")
    style.text = STYLE
    view.insert(place + 1, said)
    view.insert(place, style)
    ET.indent(view)
    return ET.tostring(view, encoding="unicode").strip()


def review_task(proposal: Proposal, letters: Mapping[str, str], book: Codebook, task: str) -> dict[str, Any]:
    """Return the Label Studio task of a proposal: that of its example, and in `said` what each annotator chose."""
    made = to_task(proposal.item.example, book, task)
    rows = sorted((letters[answer.annotator], _said(answer)) for answer in proposal.item.answers)
    lines = "".join(f'<p dir="auto"><b>{letter}</b> {said}</p>' for letter, said in rows)
    made["data"]["said"] = f'<div class="said">{lines}</div>'
    return made


def plan_review(studio: Studio, title: str, task: str, tasks: Sequence[Mapping[str, Any]], book: Codebook) -> Plan:
    """Return what has to be sent so that the project has each of these tasks once; changes nothing.

    Raises LabelingError for a project of that title with another interface.
    """
    project = find_project(studio, title)
    if project is None:
        return Plan(title, task, None, tuple(tasks), (), 0)
    if found := differences(project.interface, render_review(book, task)):
        raise LabelingError(f"project '{title}' is no review of '{task}': {shorten(found)}; review in a new project")
    wanted = {str(one["data"]["example_id"]): one for one in tasks}
    there, outdated = set(), []
    for state in studio.existing(project.id, wanted):
        # A judged task stays as the judge saw it.
        if state.annotations or state.data.get("said") == wanted[state.example_id]["data"]["said"]:
            there.add(state.example_id)
        else:
            outdated.append(state.id)
    send = tuple(one for name, one in wanted.items() if name not in there)
    return Plan(title, task, project, send, tuple(outdated), len(there))


def push_review(studio: Studio, plan: Plan, book: Codebook, progress: Progress = lambda _: None) -> Project:
    """Carry out a plan and return the project. Interrupted at any point, planning and pushing again completes it."""
    project = plan.project or create_project(
        studio, plan.title, render_review(book, plan.task), {"maximum_annotations": 1}
    )
    if plan.outdated:
        studio.delete_tasks(project.id, plan.outdated)
    state = {"done": 0.0, "total": float(len(plan.send))}
    progress(dict(state))
    for start in range(0, len(plan.send), SEND):
        batch = plan.send[start : start + SEND]
        studio.import_tasks(project.id, batch)
        state["done"] += len(batch)
        progress(dict(state))
    if plan.send:
        remove_repeats(studio, project.id, [str(one["data"]["example_id"]) for one in plan.send], book.hash)
    return studio.project(project.id)


def _said(answer: Answer) -> str:
    source = answer.source
    what = ", ".join(answer.labels) or "none" if answer.labels is not None else _MISSING[answer.missing]
    if source.flags:
        what += f" ({', '.join(source.flags)})"
    comment = f" <i>“{escape(source.comment)}”</i>" if source.comment else ""
    # PostgreSQL refuses U+0000 in any form.
    return (escape(what) + comment).replace("\0", "\N{SYMBOL FOR NULL}")
