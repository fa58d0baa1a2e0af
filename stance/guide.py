"""The codebook as a guide for coders. What enters is a codebook; what leaves is Markdown.

The same text serves the terminal, the annotators' instructions and a model's card, so a coder and a reader of
the card see the same definitions.
"""

from __future__ import annotations

from collections.abc import Iterable

from stance.codebook import Codebook, Task
from stance.coding import CodedExample, Label, Rule


def render(codebook: Codebook, task: str | None = None) -> str:
    """Return the whole codebook, or one task of it, as Markdown that ends with a newline.

    Labels stand in codebook order with their hotkeys. With `task`, rule examples of other tasks are left out.
    Raises CodebookError for a task that the codebook does not have.
    """
    names = list(codebook.tasks) if task is None else [task]
    tasks = {name: codebook.task(name) for name in names}
    blocks = [
        f"# {codebook.title}",
        f"Codebook `{codebook.name}`, version {codebook.version}, hash `{codebook.hash}`.",
        codebook.description,
        *_target(codebook),
        f"## Actor\n\n{codebook.actor}",
    ]
    for name, each in tasks.items():
        blocks += _task(name, each)
    blocks += _rules("Rules", codebook.rules, tasks)
    blocks += _rules("Settled points", codebook.settled, tasks)
    return "\n\n".join(blocks) + "\n"


def table(task: Task) -> str:
    """Return a task's labels as a Markdown table: label, hotkey and definition, in codebook order."""
    rows = [(f"`{label.name}`", f"`{label.hotkey}`", _cell(label)) for label in task.definitions]
    rows.append(("(none)", f"`{task.none_hotkey}`", f"{task.none_summary}."))
    head = ["| label | key | code it when |", "| --- | --- | --- |"]
    return "\n".join(head + [f"| {' | '.join(escape(cell) for cell in row)} |" for row in rows])


def escape(text: str) -> str:
    r"""Return text that cannot break out of a table cell.

    >>> escape("a|b\nc")
    'a\\|b c'
    """
    return " ".join(text.split()).replace("|", "\\|")


def _cell(label: Label) -> str:
    return f"**{label.summary}.** {label.definition}"


def _target(codebook: Codebook) -> Iterable[str]:
    target = codebook.target
    yield f"## Target: {target.name}\n\n{target.description}"
    yield f"Names: {', '.join(target.names)}."
    if target.excluded:
        yield f"Not the target: {', '.join(target.excluded)}."


def _task(name: str, task: Task) -> Iterable[str]:
    unit = "each actor of a sentence" if task.unit == "actor" else "each sentence"
    yield f"## Task `{name}`\n\n{task.question} Coded once for {unit}; a set, which may be empty."
    yield table(task)
    details = [line for label in task.definitions for line in _details(label)]
    if details:
        yield "\n".join(details)
    if task.contradictions:
        pairs = [f"- `{pair.labels[0]}` + `{pair.labels[1]}`: {pair.why}" for pair in task.contradictions]
        yield "### Look twice\n\n" + "\n".join(pairs)
    if task.examples:
        yield "### Examples\n\n" + "\n".join(map(_example, task.examples))


def _details(label: Label) -> Iterable[str]:
    if label.typical:
        yield f"- `{label.name}`, typically: {', '.join(f'“{phrase}”' for phrase in label.typical)}"
    if label.roots:
        yield f"- `{label.name}`, event roots: {', '.join(label.roots)}{f' ({label.source})' if label.source else ''}"
    elif label.source:
        yield f"- `{label.name}`, after {label.source}"


def _rules(title: str, rules: Iterable[Rule], tasks: dict[str, Task]) -> Iterable[str]:
    blocks = []
    for rule in rules:
        examples = [example for example in rule.examples if _belongs(example, tasks)]
        head = f"{rule.id}. " if rule.id.isdigit() else "- "
        lines = [f"{head}**{rule.title}.** {rule.text}"]
        blocks.append("\n".join(lines + [f"    {_example(example)}" for example in examples]))
    if blocks:
        yield f"## {title}\n\n" + "\n".join(blocks)


def _belongs(example: CodedExample, tasks: dict[str, Task]) -> bool:
    if example.task is not None:
        return example.task in tasks
    unit = "sentence" if example.actor is None else "actor"
    return any(task.unit == unit and set(example.labels) <= set(task.labels) for task in tasks.values())


def _example(example: CodedExample) -> str:
    who = f"{example.actor}: " if example.actor else ""
    labels = " + ".join(f"`{label}`" for label in example.labels) or "(none)"
    note = f" ({example.note.rstrip('.')})" if example.note else ""
    return f"- “{example.text}” → {who}{labels}{note}"
