import json
import logging
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.codebook import load as load_codebook
from stance.dataset import fixed_split, from_dataset, load, load_examples, to_dataset
from stance.errors import CodebookError, DataError
from stance.records import Example

LABELS = load_codebook().task("stance").labels


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STANCE_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("task", ["stance", "frames"])
def test_the_corpus_is_the_same_with_and_without_the_datasets_library(cache, task):
    plain = load_examples(task)
    for found in (load(task), load(task)):
        assert {part: from_dataset(rows) for part, rows in found.items()} == plain
    assert found["train"].features["labels"].feature.names == list(load_codebook().task(task).labels)
    about = json.loads(found["test"].info.description)
    assert about["split_digest"] == fixed_split().digest
    assert about["codebook_hash"] == load_codebook().hash
    assert about["task"] == task


@pytest.mark.slow
def test_a_second_load_comes_from_the_cache_and_a_damaged_one_is_rebuilt(cache):
    first = load("frames")
    files = sorted(cache.rglob("*.arrow"))
    stamps = [one.stat().st_mtime_ns for one in files]
    start = time.process_time()
    load("frames")
    assert time.process_time() - start < 1
    assert [one.stat().st_mtime_ns for one in files] == stamps
    whole = files[0].read_bytes()
    files[0].unlink()  # not overwritten in place: `first` maps the file into memory
    files[0].write_bytes(whole[: len(whole) // 2])
    assert load("frames")["train"].to_dict() == first["train"].to_dict()


@pytest.mark.slow
def test_two_processes_may_build_at_once(cache):
    code = "import stance.dataset; print(stance.dataset.load('frames').num_rows)"
    runs = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [run.communicate(timeout=100) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert outputs[0] == outputs[1]
    assert outputs[0][1] == ""
    assert len(list((cache / "datasets").glob("frames-*"))) == 1


@pytest.mark.slow
def test_an_unusable_cache_folder_only_warns(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("STANCE_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING):
        assert load("frames")["test"].num_rows == len(load_examples("frames")["test"])
    assert "STANCE_CACHE" in caplog.text


def test_an_unknown_task_is_refused(cache):
    with pytest.raises(CodebookError, match="it has stance, frames"):
        load("tone")


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
some = st.builds(
    Example,
    text=text,
    actor=st.none() | text,
    prev=text,
    doc_id=text,
    url=st.none() | text,
    labels=st.none() | st.sets(st.sampled_from(LABELS)).map(lambda chosen: tuple(x for x in LABELS if x in chosen)),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(some, max_size=4))
def test_examples_survive_a_dataset(examples):
    assert from_dataset(to_dataset(examples, LABELS)) == examples


def test_names_as_labels_and_few_columns_will_do():
    from datasets import Dataset

    rows = Dataset.from_list([{"text": "a", "labels": ["engage"]}, {"text": "b", "labels": None}])
    assert from_dataset(rows) == [Example("a", labels=("engage",)), Example("b")]


def test_what_does_not_fit_is_named():
    from datasets import Dataset

    with pytest.raises(DataError, match="label 'endorse' is not one of engage"):
        to_dataset([Example("a", labels=("endorse",))], LABELS)
    with pytest.raises(DataError, match="half of a surrogate pair"):
        to_dataset([Example("\udc00")], LABELS)
    with pytest.raises(DataError, match=r"dataset row 1: no 'text'; the fields are sentence"):
        from_dataset(Dataset.from_list([{"sentence": "a"}]))
