"""The shipped codebook, the worked example of another one, and what a broken one says."""

import ast
import json
import re
from pathlib import Path

import pytest
import yaml

import stance
from stance import codebook
from stance.errors import CodebookError
from stance.records import Example

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "experiments" / "codebooks"
SMALL = """
name: dam
version: "1"
title: The dam
description: Sentences.
target: {name: Dam, description: The dam., names: [the dam]}
actor: Anyone.
tasks:
  position:
    unit: actor
    question: Which?
    none_hotkey: "n"
    none_summary: Nothing
    labels:
      - {name: build, hotkey: b, summary: Builds, definition: Builds it.}
      - {name: stop, hotkey: s, summary: Stops, definition: Stops it.}
rules:
  - {id: "1", title: One, text: Text., examples: [{text: They built., actor: A, labels: [build]}]}
"""


def test_the_shipped_codebook_is_complete() -> None:
    book = codebook.load()
    assert book.task("stance").labels == ("engage", "oppose", "recognize", "sanction")
    assert len(book.task("frames").labels) == 7
    assert [rule.id for rule in book.rules] == [str(number) for number in range(1, 12)]
    assert len(book.settled) == 12
    assert all(label.roots for label in book.task("stance").definitions)
    assert all(label.keywords for label in book.task("frames").definitions)
    assert all(rule.examples for rule in (*book.rules, *book.settled))


def test_the_shipped_examples_show_every_label_and_the_empty_set() -> None:
    for task in codebook.load().tasks.values():
        shown = {label for example in task.examples for label in example.labels}
        assert shown == set(task.labels)
        assert any(not example.labels for example in task.examples)


@pytest.mark.parametrize("name", ["IEA", "interim government", "Afghan authorities", "Mottaki", "the movement"])
def test_names_that_mean_others_too_are_not_the_target(name: str) -> None:
    target = codebook.load().target
    assert name not in target.names
    assert len(set(target.names)) == len(target.names)


def test_every_excluded_name_contains_a_name_of_the_target() -> None:
    target = codebook.load().target
    for name in target.excluded:
        assert any(re.search(rf"\b{re.escape(inner)}\b", name) for inner in target.names), name


def _code(path: Path) -> ast.Module:
    """A module without its docstrings: these may show an example of use."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [
                part for part in body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
            ] or [ast.Pass()]
    return tree


@pytest.mark.parametrize("path", sorted(Path(stance.__file__).parent.rglob("*.py")), ids=lambda path: path.stem)
def test_no_code_knows_the_target_or_a_label(path: Path) -> None:
    book, code = codebook.load(), _code(path)
    assert book.target.name.lower() not in ast.unparse(code).lower()
    labels = set(book.task("stance").labels)
    strings = {node.value for node in ast.walk(code) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert not strings & labels


def test_order_sorts_and_names_the_nearest_label() -> None:
    task = codebook.load().task("stance")
    assert task.order(["sanction", "engage", "sanction"]) == ("engage", "sanction")
    with pytest.raises(CodebookError, match=r"row 3: label 'recognise'.*did you mean 'recognize'"):
        task.order(["recognise"], "row 3")


def test_the_hash_follows_the_content_and_not_the_layout() -> None:
    book = codebook.parse(SMALL)
    reordered = codebook.parse(yaml.safe_dump(yaml.safe_load(SMALL), sort_keys=True))
    assert reordered.hash == book.hash
    assert codebook.parse(SMALL.replace("Stops it.", "Halts it.")).hash != book.hash


def test_the_hash_knows_exclusive_only_where_a_task_is() -> None:
    book = codebook.parse(SMALL)
    said = codebook.parse(SMALL.replace("    unit: actor\n", "    unit: actor\n    exclusive: false\n", 1))
    exclusive = codebook.parse(SMALL.replace("    unit: actor\n", "    unit: actor\n    exclusive: true\n", 1))
    assert said.hash == book.hash != exclusive.hash


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hotkey: s", "hotkey: b", r"tasks.position: labels: two share a hotkey \(b b n\); give each its own"),
        ("hotkey: s, ", "", r"tasks\.position\.labels\.1\.hotkey: is missing; add it"),
        ("hotkey: s,", "hotkeys: s, hotkey: t,", r"labels\.1\.hotkeys: is no field .*did you mean 'hotkey'"),
        ('version: "1"', "version: 1", r"version: should be text, not 1; put it in quotes"),
        ("labels: [build]", "labels: [bild]", r"rules: rule 1: example 'They built\.': .*labels bild; mend"),
        ("labels: [build]", "labels: [build], task: topics", r"rules: rule 1: .*no task topics has the labels build"),
        ("name: stop", "name: position", r"'position' is also one of its labels"),
        ("name: stop", "name: none", r"'none' is what the empty set is called"),
        ("name: stop", "name: build", r"two have the same name; rename one"),
        ("names: [the dam]", "names: []", r"target\.names: .*at least 1"),
    ],
)
def test_a_broken_codebook_names_the_file_the_field_and_the_mend(old: str, new: str, message: str) -> None:
    assert old in SMALL
    with pytest.raises(CodebookError, match=rf"(?s)^dam\.yaml: not a valid codebook:.*{message}"):
        codebook.parse(SMALL.replace(old, new), "dam.yaml")


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("contradictions: [{labels: [build, stip], why: X}]", "contradictions: label 'stip'.*did you mean 'stop'"),
        ("contradictions: [{labels: [build, build], why: X}]", "cannot contradict itself; name two labels"),
        ("examples: [{text: T, labels: [stop]}]", "'T' has no actor; add `actor:`"),
    ],
)
def test_a_task_is_checked_against_its_own_labels(field: str, message: str) -> None:
    with pytest.raises(CodebookError, match=message):
        codebook.parse(SMALL.replace("    labels:\n", f"    {field}\n    labels:\n"))


@pytest.mark.parametrize("text", ["", "- a list", "name: [", "just words"])
def test_what_is_no_codebook_is_refused(text: str) -> None:
    with pytest.raises(CodebookError, match=r"^x\.yaml: not "):
        codebook.parse(text, "x.yaml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match=r"gone\.yaml: cannot read the codebook: No such file"):
        codebook.load(tmp_path / "gone.yaml")


def test_what_is_no_text_file_is_named_in_one_plain_line(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    for path, said in ((tmp_path, "Is a directory"), (tmp_path / "binary.yaml", "not UTF-8 text")):
        with pytest.raises(CodebookError, match=f"cannot read the codebook: {said}; give a YAML file$") as caught:
            codebook.load(path)
        assert not re.search(r"Errno|codec|byte|\n", str(caught.value).removeprefix(str(path)))


def test_a_task_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(CodebookError, match="no task 'topics'; it has stance, frames"):
        codebook.load().task("topics")


@pytest.mark.parametrize("task", ["position", "topics"])
def test_the_worked_example_labels_its_own_sentences(task: str) -> None:
    book = codebook.load(EXAMPLES / "power-plant.yaml")
    rows = (EXAMPLES / f"power-plant-{task}.jsonl").read_text("utf-8").splitlines()
    examples = [Example.from_row(json.loads(row)) for row in rows]
    assert len(examples) >= 50
    assert len({example.doc_id for example in examples}) >= 20
    for example in examples:
        assert example.labels is not None
        assert book.task(task).order(example.labels) == example.labels
        assert (example.actor is None) == (task == "topics")
        assert example.start is None or example.text[example.start : example.end] == example.mention
        assert {example.text[start:end] for start, end in example.targets} <= set(book.target.names)
