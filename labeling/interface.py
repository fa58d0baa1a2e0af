"""The labeling interface. What enters is a codebook and a task; what leaves is Label Studio XML.

One screen asks the task's question and, for a task coded per actor, those that are coded once per sentence; each has an
explicit "none", so that *labelled with nothing* and *left open* differ.
"""

from __future__ import annotations

import re
import string
from importlib import resources
from xml.etree import ElementTree as ET

from stance.codebook import Codebook, Task
from stance.records import content_id

# Task names start with a small letter, so these can never be one.
SENTENCE = "Sentence"
FLAGS = "Flags"
COMMENT = "Comment"
NONE = "none"
WRONG_ACTOR = "wrong-actor"
CANT_TELL = "cant-tell"


def questions(book: Codebook, task: str) -> tuple[str, ...]:
    """Return the tasks that the interface asks: the task itself, then, if it is per actor, all that are per sentence.

    Raises CodebookError for a task that the codebook does not have.
    """
    if book.task(task).unit == "sentence":
        return (task,)
    return (task, *(name for name, other in book.tasks.items() if other.unit == "sentence"))


def flags_of(book: Codebook, task: str) -> dict[str, str]:
    """Return the flags of the interface and their hotkeys, which no label of the interface has."""
    asked = [book.task(name) for name in questions(book, task)]
    taken = {key.lower() for one in asked for key in [one.none_hotkey, *(label.hotkey for label in one.definitions)]}
    wanted = {WRONG_ACTOR: "wax", CANT_TELL: "ctu"} if asked[0].unit == "actor" else {CANT_TELL: "ctu"}
    keys = {}
    for flag, likes in wanted.items():
        keys[flag] = next((key for key in likes + string.ascii_lowercase + string.digits if key not in taken), "")
        taken.add(keys[flag])
    return keys


def fingerprint(book: Codebook, task: str) -> str:
    """Return 16 hexadecimal digits that change with the interface or the codebook."""
    return content_id("interface", render(book, task))


def codebook_hash(config: str) -> str | None:
    """Return the hash of the codebook that an interface was made from; None if `render` did not make it."""
    found = re.search(r"<!--[^>]*codebook hash ([0-9a-f]{64})", config)
    return found[1] if found else None


def render(book: Codebook, task: str) -> str:
    """Return the interface as Label Studio XML; the same codebook and task give the same text.

    Choices carry their codebook hotkeys, summary and definition. Controls are called like their task, plus `Flags` and
    `Comment`, all on the object `Sentence`. Raises CodebookError for an unknown task.
    """
    view = ET.Element("View", className="stance-kit")
    view.append(ET.Comment(f" made by stance label config; codebook hash {book.hash} "))
    ET.SubElement(view, "Style").text = resources.files("labeling").joinpath("interface.css").read_text("utf-8")
    ET.SubElement(view, "HyperText", name=SENTENCE, value="$html", inline="true", selectionEnabled="false")
    for name in questions(book, task):
        _question(view, name, book.task(name), required=name == task)
    foot = ET.SubElement(view, "View", className="foot")
    flags = ET.SubElement(foot, "Choices", name=FLAGS, toName=SENTENCE, choice="multiple", showInline="true")
    for flag, key in flags_of(book, task).items():
        ET.SubElement(flags, "Choice", value=flag, hotkey=key)
    ET.SubElement(
        foot, "TextArea", name=COMMENT, toName=SENTENCE, rows="1", maxSubmissions="1", editable="true",
        placeholder="Comment",
    )  # fmt: skip
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def _question(view: ET.Element, name: str, task: Task, required: bool) -> None:
    block = ET.SubElement(view, "View", className="question main" if required else "question")
    ET.SubElement(block, "Header", value=task.question, size="5")
    choices = ET.SubElement(block, "Choices", name=name, toName=SENTENCE, choice="multiple", showInline="true")
    for label in task.definitions:
        ET.SubElement(choices, "Choice", value=label.name, hotkey=label.hotkey, hint=label.definition)
    ET.SubElement(choices, "Choice", value=NONE, hotkey=task.none_hotkey, hint=task.none_summary)
