"""Labels that look wrong: what is found, what is suggested, and the queue it becomes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from labeling.suspects import FOLDS, find_issues, find_suspects, predict_out_of_fold, rank_suspects, suspect_task
from labeling.tasks import from_task
from stance import codebook, config
from stance.dataset import read_examples, write_examples
from stance.dataset.splits import folds
from stance.errors import DataError
from stance.records import Example

LABELS = ("engage", "oppose", "recognize", "sanction")
VERBS = {
    "hosted talks with": ("engage",),
    "condemned the rule of": ("oppose",),
    "formally recognised": ("recognize",),
    "imposed sanctions on": ("sanction",),
    "said nothing about": (),
}


@pytest.fixture(scope="module")
def book():
    return codebook.load()


@pytest.fixture(scope="module")
def experiment():
    return config.validate({"name": "t", "task": "stance", "model": {"kind": "tfidf-linear"}}, "test")


@pytest.fixture(scope="module")
def clean():
    """Two hundred easy sentences in forty documents; the verb says the label."""
    made = []
    words = np.random.default_rng(3)
    for number in range(200):
        verb, labels = list(VERBS.items())[number % 5]
        actor = ("Norway", "Chile", "Japan")[number % 3]
        rest = " ".join(f"w{each}" for each in words.integers(0, 400, 6))
        text = f"{actor} {verb} the Taliban while {rest}."
        span = {
            "mention": actor,
            "start": 0,
            "end": len(actor),
            "targets": ((text.index("Taliban"), text.index("Taliban") + 7),),
        }
        document = f"doc{number // 5}"
        # The clusters are stated: by their few words these sentences would all be copies of each other.
        made.append(Example(text, actor, doc_id=document, cluster=document, index=number % 5, labels=labels, **span))
    return made


@pytest.fixture(scope="module")
def spoiled(clean):
    """The same with eight labels swapped, and the ids of those."""
    rows = [3, 40, 76, 98, 111, 137, 165, 199]
    copy = list(clean)
    for row in rows:
        copy[row] = replace(copy[row], labels=("engage",) if "engage" not in copy[row].labels else ("oppose",))
    return copy, {copy[row].id for row in rows}


def test_planted_mistakes_come_first_with_the_right_labels(spoiled, clean, experiment, book):
    examples, wrong = spoiled
    found = find_suspects(examples, experiment, book)
    assert {one.example.id for one in found[: len(wrong)]} == wrong
    right = {one.id: one.labels for one in clean}
    for one in found[: len(wrong)]:
        assert one.issue
        assert one.suggested == right[one.example.id]
        assert one.given == one.example.labels != one.suggested
    assert [one.score for one in found if one.issue] == sorted(one.score for one in found if one.issue)
    assert len(found) == len(examples)


def test_nobody_is_judged_by_a_model_that_saw_the_document(clean, experiment, book):
    # One document says the opposite of all others: were it trained on, its labels would look right.
    odd = [replace(one, labels=("sanction",)) for one in clean if one.doc_id == "doc7"]
    examples = [one for one in clean if one.doc_id != "doc7"] + odd
    probabilities = predict_out_of_fold(examples, experiment, book)
    assert probabilities[-len(odd) :, LABELS.index("sanction")].mean() < 0.5
    assert len(folds(examples, FOLDS, experiment.seed)) == FOLDS


def test_the_same_seed_finds_the_same(spoiled, experiment, book):
    first, second = (find_suspects(spoiled[0], experiment, book) for _ in range(2))
    assert first == second


def test_an_unlabelled_example_is_named(clean, experiment, book):
    examples = [*clean[:50], replace(clean[50], labels=None)]
    with pytest.raises(DataError, match=clean[50].id):
        find_suspects(examples, experiment, book)


def test_a_label_that_all_or_none_have_is_never_in_doubt():
    gold = np.zeros((50, 2), dtype=bool)
    gold[:, 1] = True
    assert not find_issues(gold, np.full((50, 2), 0.5)).any()


def test_probabilities_of_another_shape_are_refused(clean):
    with pytest.raises(DataError, match="shape"):
        rank_suspects(clean, np.zeros((3, 4)), LABELS)


def test_the_review_task_holds_the_example_and_escapes_what_it_shows(spoiled, experiment, book):
    found = find_suspects(spoiled[0], experiment, book)[0]
    hostile = replace(found, example=replace(found.example, actor="<img src=x>", mention=None, start=None, end=None))
    data = suspect_task(hostile, book, "stance")["data"]
    assert from_task(data) == replace(hostile.example, labels=from_task(data).labels)
    assert "<img" not in data["html"] + data["said"]
    assert "given:" in data["said"]
    assert "suggested:" in data["said"]


@pytest.fixture(scope="module")
def file(spoiled, tmp_path_factory):
    path = tmp_path_factory.mktemp("spoiled") / "labels.jsonl"
    write_examples(spoiled[0], path)
    return path


@pytest.mark.slow
def test_the_command_lists_what_looks_wrong(file, spoiled, tmp_path, stance_main):
    ran = stance_main("label", "suspects", file, "--n", 8, "--json", "-o", tmp_path / "out.jsonl", cwd=tmp_path)
    assert ran.status == 0, ran.err
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert {row["id"] for row in rows} == spoiled[1]
    assert all(row["suspect"]["suggested"] != row["labels"] for row in rows)
    assert {one.id for one in read_examples(tmp_path / "out.jsonl")} == spoiled[1]
    table = stance_main("label", "suspects", file, "--kind", "lexicon", cwd=tmp_path)
    assert table.status == 0, table.err
    assert "look wrong" in table.out


@pytest.mark.slow
def test_an_unknown_kind_is_refused(file, tmp_path, stance_main):
    ran = stance_main("label", "suspects", file, "--kind", "tfidf", cwd=tmp_path)
    assert ran.status == 1
    assert "tfidf-linear" in ran.err


@pytest.mark.slow
@pytest.mark.usefixtures("studio_environment")
def test_suspects_become_a_review_queue_once(file, spoiled, studio, title, stance_main):
    command = ("label", "suspects", file, "--n", 8, "--push", title)
    dry = stance_main(*command, "--dry-run", cwd=file.parent)
    assert dry.status == 0, dry.err
    assert "8 to send" in dry.err
    assert studio.projects(title) == []
    for expected in ("8 to send, 0 there", "0 to send, 8 there"):
        ran = stance_main(*command, cwd=file.parent)
        assert ran.status == 0, ran.err
        assert expected in ran.err
    (project,) = studio.projects(title)
    assert {state.example_id for state in studio.all_tasks(project.id)} == spoiled[1]
