"""A project per title, that fits the codebook. What enters is a title and an interface; what leaves is a project.

Label Studio lets projects share a title, and lets everybody change an interface; here neither goes unseen.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from labeling.client import Studio, check_results
from labeling.interface import codebook_hash
from labeling.state import Project
from stance.errors import LabelingError

SHORTEST, LONGEST = 3, 50  # characters of a title that Label Studio takes
SETTLING = 3.0  # seconds for two pushes that create the same project at once to agree on one
NAMED = 5  # differences that a message names

Elements = dict[tuple[str, ...], dict[str, str]]


def find_project(studio: Studio, title: str) -> Project | None:
    """Return the project of exactly this title, or None.

    Raises LabelingError if several have it, or the title is one that Label Studio does not take.
    """
    if not SHORTEST <= len(title) <= LONGEST:
        raise LabelingError(f"project '{title}': a title has {SHORTEST} to {LONGEST} characters; choose another")
    if title != title.strip():
        raise LabelingError(f"project '{title}': Label Studio drops blanks at the ends of a title; leave them out")
    deadline = time.monotonic() + SETTLING
    while len(found := studio.projects(title)) > 1:
        if time.monotonic() > deadline:
            ids = ", ".join(str(each.id) for each in found)
            raise LabelingError(f"{len(found)} projects are called '{title}' (ids {ids}); rename or delete all but one")
        time.sleep(0.3)
    return found[0] if found else None


def create_project(studio: Studio, title: str, interface: str, settings: Mapping[str, Any]) -> Project:
    """Create a project, or return the one that somebody else created in the same moment.

    The older one wins; the younger is deleted by the push that made it, before anything is in it.
    """
    made = studio.create_project(title, interface, **settings)
    first = studio.projects(title)[0]
    if first.id != made.id:
        studio.delete_project(made.id)
    return first


def differences(there: str, here: str) -> list[str]:
    """Return in words what differs between the interface of a project and ours; empty if annotators see the same.

    >>> differences('<View><Choice value="a" hotkey="x"/></View>', '<View><Choice value="a" hotkey="y"/></View>')
    ["Choice 'a': hotkey is 'x' there, 'y' here"]
    """
    if there == here:
        return []
    theirs, ours = _elements(there), _elements(here)
    hashes = (codebook_hash(there) or "none", codebook_hash(here) or "none")
    found = [f"codebook: there {hashes[0][:12]}, here {hashes[1][:12]}"] if hashes[0] != hashes[1] else []
    named = [key for key in ours if _is_named(key)]
    found += [f"{_called(key)}: not there" for key in named if key not in theirs]
    found += [f"{_called(key)}: only there" for key in theirs if _is_named(key) and key not in ours]
    for key in named:
        for name in sorted({*ours[key], *theirs.get(key, {})} if key in theirs else ()):
            old, new = theirs[key].get(name, ""), ours[key].get(name, "")
            if old != new:
                found.append(f"{_called(key)}: {name} is {_quoted(old)} there, {_quoted(new)} here")
    layouts = [[(key, each[key]) for key in each if not _is_named(key)] for each in (theirs, ours)]
    if layouts[0] != layouts[1] or (not found and list(theirs) != list(ours)):
        found.append("the layout, or the words around the choices")
    return found


def check_migration(studio: Studio, project: Project, interface: str) -> None:
    """Raise LabelingError naming the annotations that would hold what the new interface does not have."""
    broken = []
    for task in studio.annotated_tasks(project.id):
        made = [each for each in task["annotations"] if not each["was_cancelled"]]
        for annotation, problem in zip(made, check_results(interface, [a["result"] for a in made]), strict=True):
            if problem:
                broken.append(f"annotation {annotation['id']} of task {task['id']}: {problem}")
    if broken:
        raise LabelingError(
            f"project '{project.title}' cannot be migrated: {shorten(broken)}; push to a new project instead"
        )


def shorten(texts: list[str]) -> str:
    """Return texts as one line that names the first few and counts the rest."""
    more = f"; and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
    return "; ".join(texts[:NAMED]) + more


def _elements(interface: str) -> Elements:
    found: Elements = {}

    def walk(element: ET.Element, path: tuple[str, ...]) -> None:
        attributes = dict(element.attrib)
        own = attributes.pop("name", "") or (attributes.pop("value", "") if element.tag == "Choice" else "")
        key = (*path, f"{element.tag} '{own}'" if own else element.tag)
        while key in found:
            key = (*key[:-1], f"{key[-1]} again")
        if text := (element.text or "").strip():
            attributes["text"] = " ".join(text.split())
        found[key] = attributes
        for child in element:
            walk(child, key)

    try:
        walk(ET.fromstring(interface), ())  # noqa: S314 - expat refuses entity bombs
    except ET.ParseError:
        found[("the interface",)] = {"text": interface}
    return found


def _is_named(key: tuple[str, ...]) -> bool:
    return "'" in key[-1]


def _called(key: tuple[str, ...]) -> str:
    return " ".join(part for part in key if "'" in part)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…") if text else "missing"
