"""Examples as Label Studio tasks, and answers as Label Studio results, both ways without loss.

What enters is an example or an answer; what leaves is the JSON that the server keeps. A task's data holds the whole
example in `example`; every other field is there to be shown, and is never read back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, NamedTuple

from labeling.annotations import Labels
from labeling.interface import COMMENT, FLAGS, NONE, SENTENCE, answers, flags_of, questions
from stance.codebook import Codebook
from stance.dataset.rows import parse_row
from stance.errors import DataError
from stance.records import Example


class Answer(NamedTuple):
    """What one annotation says: labels per task, flags, the comment, and what in it does not fit the codebook."""

    labels: Labels
    flags: tuple[str, ...] = ()
    comment: str = ""
    problems: tuple[str, ...] = ()


def to_task(example: Example, book: Codebook, task: str) -> dict[str, Any]:
    """Return the task that shows an example: `{"data": {…}}`, every value text that any Label Studio store can hold.

    `data` has `example_id`, `task`, `codebook` (its hash), `actor`, `html` (what the annotator sees, all of the
    example's own text escaped) and `example` (the whole record as JSON). Raises DataError for an example that no file
    could store or without the actor that the task is about, CodebookError for an unknown task.
    """
    where = f"example {example.id}"
    if book.task(task).unit == "actor" and not example.actor:
        raise DataError(f"{where}: no actor, and '{task}' is coded for each actor; give it one, or drop the example")
    row = parse_row(example.to_row(), where).to_row()
    data = {
        "example_id": example.id,
        "task": task,
        "codebook": book.hash,
        "actor": _visible(example.actor or ""),
        "html": _html(example, book.task(task).unit == "actor"),
        "example": json.dumps(row, ensure_ascii=False),
    }
    return {"data": data}


def from_task(data: Mapping[str, Any]) -> Example:
    """Return the example in a task's data, exactly as `to_task` was given it.

    Raises DataError for data that `to_task` did not write, or that was changed on the server.
    """
    where = f"task of example {data.get('example_id')}"
    try:
        row = json.loads(data["example"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{where}: holds no example; it was not made by `stance label push`, delete it") from error
    example = parse_row(row, where)
    if example.id != data.get("example_id"):
        raise DataError(f"{where}: holds example {example.id}; its data was changed on the server, push it again")
    return example


def to_result(
    labels: Labels, book: Codebook, task: str, flags: Iterable[str] = (), comment: str = ""
) -> list[dict[str, Any]]:
    """Return an answer as Label Studio results; a task that is None in `labels` or not in it is left open, and so is an
    exclusive one without a label.

    Raises CodebookError for a label that is not in the codebook, or a task that the interface does not ask.
    """
    asked = questions(book, task)
    results = []
    for name, given in labels.items():
        if given is None:
            continue
        if name not in asked:
            raise DataError(f"labels of '{name}': the interface of '{task}' asks only {', '.join(asked)}")
        none = () if book.task(name).exclusive else (NONE,)
        if choices := book.task(name).order(given) or none:
            results.append(_choices(name, choices))
    if chosen := tuple(flags):
        results.append(_choices(FLAGS, chosen))
    if comment:
        results.append(_result(COMMENT, "textarea", {"text": [comment]}))
    return results


def from_result(result: Iterable[Mapping[str, Any]], book: Codebook, task: str) -> Answer:
    """Return what an annotation's results say; the order of choices and of results means nothing.

    Labels stand in codebook order. What does not fit (an unknown label, "none" beside a label) is named in
    `problems` and left out of the labels; "none" beside a label gives way to the label.
    """
    labels: Labels = dict.fromkeys(questions(book, task))
    flags: set[str] = set()
    comments: list[str] = []
    problems: list[str] = []
    for one in result:
        name, value = one.get("from_name"), one.get("value") or {}
        if name in labels:
            labels[name], found = _read_choices(value, book, str(name))
            problems += found
        elif name == FLAGS:
            flags |= set(value.get("choices") or ())
        elif name == COMMENT:
            text = value.get("text") or []
            comments += [text] if isinstance(text, str) else text
        else:
            problems.append(f"an answer to '{name}', which the interface does not ask")
    known = flags_of(book, task)
    problems += [f"unknown flag '{flag}'" for flag in sorted(flags - set(known))]
    return Answer(labels, tuple(f for f in known if f in flags), "\n".join(comments), tuple(problems))


def _read_choices(value: Mapping[str, Any], book: Codebook, name: str) -> tuple[tuple[str, ...], list[str]]:
    given = set(value.get("choices") or ())
    task, problems = book.task(name), []
    if unknown := sorted(given - set(answers(task))):
        problems.append(f"{name}: label {', '.join(map(repr, unknown))} is not in the codebook")
    if not task.exclusive and NONE in given and len(given) > 1:
        problems.append(f"{name}: 'none' stands beside {', '.join(sorted(given - {NONE}))}")
    if task.exclusive and len(given) != 1:
        problems.append(f"{name}: {len(given)} labels, and the task takes exactly one")
    return task.order(given & set(task.labels)), problems


def _choices(name: str, chosen: Iterable[str]) -> dict[str, Any]:
    return _result(name, "choices", {"choices": list(chosen)})


def _result(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"from_name": name, "to_name": SENTENCE, "type": kind, "value": value}


def _html(example: Example, per_actor: bool) -> str:
    source = " · ".join(_shown(part) for part in (example.title, example.outlet, example.date) if part)
    lines = [f'<p class="source" dir="auto">{source}</p>'] if source else []
    if per_actor:
        implied = "" if example.start is not None else " <i>(not named in the sentence)</i>"
        lines.append(f'<p class="actor">Actor <b dir="auto">{_shown(example.actor or "")}</b>{implied}</p>')
    for kind, text in (
        ("prev", _shown(example.prev)),
        ("now", _marked(example, per_actor)),
        ("next", _shown(example.next)),
    ):
        if text:
            lines.append(f'<p class="{kind}" dir="auto">{text}</p>')
    return f'<div class="unit">{"".join(lines)}</div>'


def _marked(example: Example, per_actor: bool) -> str:
    text, start, end = example.text, example.start, example.end
    if not per_actor or start is None or end is None or start == end:
        return _shown(text)
    return f"{_shown(text[:start])}<mark>{_shown(text[start:end])}</mark>{_shown(text[end:])}"


def _shown(text: str) -> str:
    return escape(_visible(text))


def _visible(text: str) -> str:
    # PostgreSQL refuses U+0000 in any form, and a browser drops it; `example` holds it as an escape sequence.
    return text.replace("\0", "\N{SYMBOL FOR NULL}")
