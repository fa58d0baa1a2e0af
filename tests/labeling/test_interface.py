import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from labeling import interface
from labeling.client import check_results
from labeling.interface import (
    CANT_TELL,
    COMMENT,
    FLAGS,
    NONE,
    WRONG_ACTOR,
    codebook_hash,
    fingerprint,
    flags_of,
    render,
)
from labeling.tasks import to_result
from stance import codebook as codebooks
from stance.errors import CodebookError

BOOKS = [None, *sorted(Path(__file__).parents[2].glob("experiments/codebooks/**/*.yaml"))]
SCREENS = [(path, task) for path in BOOKS for task in codebooks.load(path).tasks]


def plant(**changes):
    """The worked example of another codebook, with changes to its first task."""
    row = codebooks.load(Path(__file__).parents[2] / "experiments/codebooks/power-plant.yaml").model_dump(by_alias=True)
    row["tasks"]["position"] |= {"probes": ()} | changes
    row["rules"] = ()
    return codebooks.Codebook.model_validate(row)


def choices(xml, name):
    return [choice.attrib for choice in ET.fromstring(xml).iterfind(f".//Choices[@name='{name}']/Choice")]


@pytest.mark.parametrize(("path", "task"), SCREENS)
def test_every_label_has_its_key_summary_and_definition(path, task):
    book = codebooks.load(path)
    shown = choices(render(book, task), task)
    labels = book.task(task).definitions
    none = [] if book.task(task).exclusive else [(NONE, book.task(task).none_hotkey)]
    keys = [(one["value"], one["hotkey"]) for one in shown]
    assert keys == [*((label.name, label.hotkey) for label in labels), *none]
    for one, label in zip(shown, labels, strict=False):
        assert one["hint"] == label.definition
        assert label.name in one["html"]


@pytest.mark.parametrize(("path", "task"), SCREENS)
def test_no_two_choices_of_a_screen_share_a_key(path, task):
    keys = re.findall(r'hotkey="(.)"', render(codebooks.load(path), task))
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(("path", "task"), SCREENS)
def test_label_studio_takes_every_answer_that_the_codebook_allows(path, task):
    book = codebooks.load(path)
    xml = render(book, task)
    asked = {name: book.task(name) for name in interface.questions(book, task)}
    sets = [(name, [(), one.labels] if not one.exclusive else [one.labels[:1]]) for name, one in asked.items()]
    given = [{name: labels} for name, some in sets for labels in some]
    results = [to_result(answer, book, task, flags_of(book, task), "why") for answer in given]
    assert check_results(xml, results) == [""] * len(results)


def test_a_screen_per_actor_also_asks_what_is_coded_once_per_sentence():
    book = codebooks.load()
    xml = ET.fromstring(render(book, "stance"))
    required = {one.get("name"): one.get("required") for one in xml.iter("Choices")}
    assert required == {"stance": "true", "frames": None, FLAGS: None}
    assert [one.get("name") for one in xml.iter("TextArea")] == [COMMENT]
    assert list(flags_of(book, "stance")) == [WRONG_ACTOR, CANT_TELL]


def test_a_screen_per_sentence_asks_nothing_about_actors():
    book = codebooks.load()
    xml = render(book, "frames")
    assert [one.get("name") for one in ET.fromstring(xml).iter("Choices")] == ["frames", FLAGS]
    assert list(flags_of(book, "frames")) == [CANT_TELL]


def test_none_beside_a_label_and_contradictions_are_pointed_out():
    xml = ET.fromstring(render(codebooks.load(), "stance"))
    pairs = {
        (outer.get("whenChoiceValue"), inner.get("whenChoiceValue"), inner.get("className"))
        for outer in xml.iterfind(".//View[@whenTagName='stance']")
        for inner in outer.iterfind("View")
    }
    assert ("none", "engage,oppose,recognize,sanction", "notice wrong") in pairs
    assert ("recognize", "sanction", "notice") in pairs


def test_an_exclusive_task_takes_one_label_and_has_no_none():
    xml = ET.fromstring(render(plant(exclusive=True), "position"))
    assert xml.find(".//Choices[@name='position']").get("choice") == "single-radio"
    assert [one["value"] for one in choices(render(plant(exclusive=True), "position"), "position")] == [
        "support",
        "oppose",
        "delay",
    ]
    assert xml.find(".//View[@whenTagName='position']") is None


def test_the_interface_says_which_codebook_made_it():
    book = codebooks.load()
    assert codebook_hash(render(book, "stance")) == book.hash
    assert codebook_hash("<View/>") is None


def test_the_fingerprint_changes_with_the_codebook_and_the_task():
    book, other = plant(), plant(question="Which positions?")
    prints = {fingerprint(book, "position"), fingerprint(book, "topics"), fingerprint(other, "position")}
    assert len(prints) == 3
    assert fingerprint(plant(), "position") == fingerprint(book, "position")


def test_flags_take_keys_that_the_labels_left_over():
    labels = [
        {"name": f"label-{key}", "hotkey": key, "summary": "s", "definition": "d"} for key in "abcdefghijklmopqrstvw"
    ]
    book = plant(labels=labels, contradictions=(), examples=())
    keys = flags_of(book, "position")
    assert keys == {WRONG_ACTOR: "x", CANT_TELL: "y"}


def test_words_of_a_codebook_are_text_and_never_markup_or_variables():
    book = plant(question='Who pays <b>$html</b> & "why"?')
    xml = render(book, "position")
    header = ET.fromstring(xml).find(".//Header").get("value")
    assert header.replace("\u200b", "") == 'Who pays <b>$html</b> & "why"?'
    assert "$html" not in header


@pytest.mark.parametrize(("key", "why"), [("S", "case"), ("+", "no letter")])
def test_keys_that_label_studio_cannot_tell_apart_are_refused(key, why):
    with pytest.raises(CodebookError, match=why):
        render(plant(none_hotkey=key), "position")


def test_an_unknown_task_is_named():
    with pytest.raises(CodebookError, match="no task 'tone'"):
        render(codebooks.load(), "tone")
