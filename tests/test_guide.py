"""The guide holds what a coder needs, in the codebook's order."""

import re
from pathlib import Path

import pytest

from stance import codebook, guide
from stance.errors import CodebookError

EXAMPLE = Path(__file__).parents[1] / "experiments" / "codebooks" / "power-plant.yaml"


@pytest.mark.parametrize("path", [None, EXAMPLE])
def test_the_guide_shows_every_label_rule_and_the_hash(path: Path | None) -> None:
    book = codebook.load(path)
    text = guide.render(book)
    assert book.hash in text
    assert text.endswith("\n")
    for task in book.tasks.values():
        rows = re.findall(r"^\| `([\w-]+)` \| `(.)` \|", text, re.MULTILINE)
        shown = [row for row in rows if row[0] in task.labels]
        assert shown == [(label.name, label.hotkey) for label in task.definitions]
        for example in task.examples:
            assert example.text in text
        for pair in task.contradictions:
            assert pair.why in text
    for rule in (*book.rules, *book.settled):
        assert f"**{rule.title}.**" in text


def test_one_task_leaves_the_other_out() -> None:
    text = guide.render(codebook.load(), "frames")
    assert "## Task `frames`" in text
    assert "## Task `stance`" not in text
    assert "Two powers are arming rival camps" in text
    assert "Danish gunners" not in text


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(CodebookError, match="has no task 'frame'"):
        guide.render(codebook.load(), "frame")


def test_a_bar_in_a_definition_does_not_break_the_table() -> None:
    task = codebook.load(EXAMPLE).task("topics")
    first = task.definitions[0].model_copy(update={"definition": "a|b\nc"})
    broken = task.model_copy(update={"labels_": (first, *task.definitions[1:])})
    lines = guide.table(broken).splitlines()
    assert len(lines) == 2 + len(task.labels) + 1
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 4 for line in lines)
