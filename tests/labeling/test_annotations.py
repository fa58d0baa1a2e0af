import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.annotations import Annotation, read_annotations, write_annotations
from stance import codebook as codebooks
from stance.errors import DataError
from stance.records import Example

BOOK = codebooks.load()
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
LABELS = st.none() | st.sets(st.sampled_from(BOOK.task("stance").labels)).map(BOOK.task("stance").order)

ANNOTATIONS = st.builds(
    Annotation,
    id=st.integers(1, 9999),
    example=st.builds(Example, text=TEXT, actor=TEXT.filter(bool), title=st.none() | TEXT, labels=LABELS),
    annotator=TEXT,
    labels=st.fixed_dictionaries({"stance": LABELS}),
    skipped=st.booleans(),
    flags=st.sampled_from([(), ("cant-tell",), ("wrong-actor", "cant-tell")]),
    comment=TEXT,
    lead_time=st.none() | st.floats(0, 1e6),
    prediction=st.none() | TEXT,
    problems=st.sampled_from([(), ("stance: odd",)]),
)


@settings(max_examples=25, deadline=None)
@given(some=st.lists(ANNOTATIONS, max_size=4))
def test_what_is_written_is_read(some, tmp_path_factory):
    path = tmp_path_factory.mktemp("annotations") / "a.jsonl"
    assert write_annotations(some, path) == len(some)
    assert read_annotations(path, BOOK) == some


def record(**changes):
    return Annotation(**{"id": 1, "example": Example("x", "A"), "annotator": "a", "labels": {"stance": ()}} | changes)


def test_nothing_left_open_and_skipped_stay_distinct(tmp_path):
    states = [record(), record(labels={"stance": None}), record(labels={"stance": None}, skipped=True)]
    write_annotations(states, tmp_path / "a.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [(row["labels"]["stance"], row["skipped"]) for row in rows] == [([], False), (None, False), (None, True)]
    assert read_annotations(tmp_path / "a.jsonl") == states


@pytest.mark.parametrize(
    ("changes", "usable"),
    [({}, True), ({"skipped": True}, False), ({"flags": ("cant-tell",)}, False), ({"problems": ("odd",)}, False)],
)
def test_only_a_clean_answer_can_be_counted(changes, usable):
    assert record(**changes).usable is usable


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not an annotation"),
        ('{"text": "an example"}', "not an annotation"),
        (json.dumps(record(labels={"stance": ("praise",)}).to_row()), "'praise' is not in the codebook"),
        (json.dumps(record(labels={"tone": ()}).to_row()), "no task 'tone'"),
    ],
)
def test_a_line_that_is_no_annotation_is_named(line, why, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(record().to_row()) + "\n" + line + "\n")
    with pytest.raises(DataError, match=f"a.jsonl:2: .*{why}"):
        read_annotations(path, BOOK)


def test_an_answer_with_problems_is_read_whatever_it_says(tmp_path):
    odd = record(labels={"stance": ("praise",)}, problems=("stance: label 'praise' is not in the codebook",))
    write_annotations([odd], tmp_path / "a.jsonl")
    assert read_annotations(tmp_path / "a.jsonl", BOOK) == [odd]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.jsonl"):
        read_annotations(tmp_path / "none.jsonl")
