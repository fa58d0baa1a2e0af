"""The labeling interface. What enters is a codebook and a task; what leaves is Label Studio XML.

One screen asks the task's question and, for a task coded per actor, those that are coded once per sentence; each has an
explicit "none", so that *labelled with nothing* and *left open* differ.
"""

from __future__ import annotations

import re
import string
from html import escape
from importlib import resources
from xml.etree import ElementTree as ET

from stance.codebook import Codebook, Task
from stance.errors import CodebookError
from stance.records import content_id

# Task names start with a small letter, so these can never be one.
SENTENCE = "Sentence"
FLAGS = "Flags"
COMMENT = "Comment"
NONE = "none"
WRONG_ACTOR = "wrong-actor"
CANT_TELL = "cant-tell"

_FLAG_TEXTS = {WRONG_ACTOR: "Wrong actor", CANT_TELL: "Can’t tell"}
_FLAG_HINTS = {
    WRONG_ACTOR: "The actor is not in the sentence, is no actor, or the wrong words are marked.",
    CANT_TELL: "The sentence and its context do not let you decide.",
}
# First wishes for each flag; u is left out of all: Label Studio itself uses it.
_FLAG_KEYS = {WRONG_ACTOR: "wax", CANT_TELL: "ct"}
_KEYS = (string.ascii_lowercase + string.digits).replace("u", "")


def questions(book: Codebook, task: str) -> tuple[str, ...]:
    """Return the tasks that the interface asks: the task itself, then, if it is per actor, all that are per sentence.

    Raises CodebookError for a task that the codebook does not have.
    """
    if book.task(task).unit == "sentence":
        return (task,)
    return (task, *(name for name, other in book.tasks.items() if other.unit == "sentence"))


def answers(task: Task) -> tuple[str, ...]:
    """Return the choices of a task: its labels, and "none" unless the task is exclusive."""
    return task.labels if task.exclusive else (*task.labels, NONE)


def flags_of(book: Codebook, task: str) -> dict[str, str]:
    """Return the flags of the interface and their hotkeys, which no label has; "" where every key is taken."""
    taken = {key for name in questions(book, task) for key in _hotkeys(book.task(name))}
    keys: dict[str, str] = {}
    for flag in (WRONG_ACTOR, CANT_TELL) if book.task(task).unit == "actor" else (CANT_TELL,):
        keys[flag] = next((key for key in _FLAG_KEYS[flag] + _KEYS if key not in taken), "")
        taken.add(keys[flag])
    return keys


def fingerprint(book: Codebook, task: str) -> str:
    """Return 16 hexadecimal digits that change with the interface or with anything in the codebook."""
    return content_id("interface", render(book, task))


def codebook_hash(config: str) -> str | None:
    """Return the hash of the codebook that an interface was made from; None if `render` did not make it."""
    found = re.search(r"<!--[^>]*codebook hash ([0-9a-f]{64})", config)
    return found[1] if found else None


def render(book: Codebook, task: str) -> str:
    """Return the interface as Label Studio XML; the same codebook and task give the same text, and so does a server.

    Choices carry their codebook hotkeys, summary and definition. Controls are called like their task, plus `Flags` and
    `Comment`, all on the object `Sentence`. Raises CodebookError for an unknown task, or for two labels of one screen
    whose hotkeys Label Studio cannot tell apart.
    """
    _check_hotkeys(book, task)
    view = ET.Element("View", className="stance-kit")
    view.append(ET.Comment(f" made by stance label config; codebook hash {book.hash} "))
    ET.SubElement(view, "Style").text = resources.files("labeling").joinpath("interface.css").read_text("utf-8")
    ET.SubElement(view, "HyperText", name=SENTENCE, value="$html", inline="true", selectionEnabled="false")
    for name in questions(book, task):
        _question(view, name, book.task(name), main=name == task)
    _foot(view, book, task)
    ET.indent(view)
    return _printable(ET.tostring(view, encoding="unicode")).strip()


def _question(view: ET.Element, name: str, task: Task, main: bool) -> None:
    block = ET.SubElement(view, "View", className="question main" if main else "question")
    ET.SubElement(block, "Header", value=_literal(task.question if main else f"{task.question} (optional)"), size="5")
    kind = "single-radio" if task.exclusive else "multiple"
    choices = ET.SubElement(block, "Choices", name=name, toName=SENTENCE, choice=kind, showInline="true")
    if main:
        must = f"Choose {' or '.join(answers(task))} (beside a flag, too); or skip the task."
        choices.attrib |= {"required": "true", "requiredMessage": must}
    for label in task.definitions:
        _choice(choices, label.name, label.hotkey, label.summary, label.definition)
    if not task.exclusive:
        _choice(choices, NONE, task.none_hotkey, task.none_summary, f"{task.none_summary}. Excludes all the others.")
        _notices(block, name, task)


def _choice(choices: ET.Element, value: str, hotkey: str, summary: str, hint: str) -> None:
    html = f"<b>{escape(_literal(value))}</b> <i>{escape(_literal(summary))}</i>"
    ET.SubElement(choices, "Choice", value=value, hotkey=hotkey, html=html, hint=_literal(hint))


def _notices(block: ET.Element, name: str, task: Task) -> None:
    """Add what shows under the choices when they do not go together: an error for "none", a hint for contradictions."""
    others = ",".join(task.labels)
    _notice(block, name, (NONE, others), "notice wrong", f"‘{NONE}’ excludes the others: take one of the two away.")
    for pair in task.contradictions:
        text = f"Look twice: {pair.labels[0]} + {pair.labels[1]}. {pair.why}"
        _notice(block, name, pair.labels, "notice", text)


def _notice(block: ET.Element, name: str, both: tuple[str, str], style: str, text: str) -> None:
    # Label Studio has no "and": one condition inside the other.
    for choices in both:
        block = ET.SubElement(block, "View", visibleWhen="choice-selected", whenTagName=name, whenChoiceValue=choices)
    block.set("className", style)
    ET.SubElement(block, "Header", value=_literal(text), size="6")


def _foot(view: ET.Element, book: Codebook, task: str) -> None:
    foot = ET.SubElement(view, "View", className="foot")
    flags = ET.SubElement(foot, "Choices", name=FLAGS, toName=SENTENCE, choice="multiple", showInline="true")
    for flag, key in flags_of(book, task).items():
        hotkey = {"hotkey": key} if key else {}
        ET.SubElement(flags, "Choice", {"value": flag, "html": _FLAG_TEXTS[flag], "hint": _FLAG_HINTS[flag]} | hotkey)
    comment = {"rows": "1", "maxSubmissions": "1", "editable": "true", "showSubmitButton": "false"}
    ET.SubElement(foot, "TextArea", {"name": COMMENT, "toName": SENTENCE, "placeholder": "Comment"} | comment)


def _hotkeys(task: Task) -> list[str]:
    return [key.lower() for key in (*(label.hotkey for label in task.definitions), task.none_hotkey)]


def _check_hotkeys(book: Codebook, task: str) -> None:
    seen: dict[str, str] = {}
    for name in questions(book, task):
        for key in _hotkeys(book.task(name)):
            if not key.isalnum() or key in seen:
                why = (
                    f"'{seen[key]}' and '{name}' share it but for its case"
                    if key in seen
                    else "it is no letter or digit"
                )
                raise CodebookError(f"hotkey '{key}' of '{name}' does not work in Label Studio: {why}; choose another")
            seen[key] = name


def _literal(text: str) -> str:
    # Label Studio would put a task's field in the place of `$word`; a zero-width space keeps the words as they are.
    return text.replace("$", "$\u200b")


def _printable(xml: str) -> str:
    # XML 1.0 has no way to write most control characters, not even escaped.
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", xml)
