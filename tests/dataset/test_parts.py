import subprocess
import sys
from dataclasses import replace

import pytest

from stance.dataset import check_disjoint, digest, fixed_split, from_file, load_examples, write_examples
from stance.errors import DataError
from stance.records import Example

OWN = [
    Example(f"Envoy {row} met the Taliban on day {row * row}.", "Russia", doc_id=f"d{row // 2}", labels=labels)
    for row in range(60)
    for labels in [(), ("engage",), ("oppose", "sanction")][row % 3 : row % 3 + 1]
]


def test_both_tasks_have_the_same_documents_in_each_part():
    stance, frames = load_examples("stance"), load_examples("frames")
    assert list(stance) == ["train", "validation", "test"]
    for part in stance:
        assert {one.doc_id for one in stance[part]} == {one.doc_id for one in frames[part]}
    assert digest(stance) == digest(frames) == fixed_split().digest


def test_one_part_alone():
    assert load_examples("frames", "test") == {"test": load_examples("frames")["test"]}
    with pytest.raises(DataError, match="there is no part 'dev'; the parts are train, validation, test"):
        load_examples("frames", "dev")


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, stance.dataset as d; d.load_examples('frames');"
        "print({'datasets', 'sklearn', 'pandas', 'torch', 'scipy', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_own_examples_are_divided_alike_every_time(tmp_path, ending):
    path = tmp_path / f"own{ending}"
    write_examples(OWN, path)
    parts = from_file(path, "stance")
    check_disjoint(parts)
    assert sorted(one.id for part in parts.values() for one in part) == sorted(one.id for one in OWN)
    write_examples(reversed(OWN), path)
    assert from_file(path, "stance") == parts
    assert all(one.cluster for one in parts["train"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": None}, "has no 'labels'"),
        ({"actor": None}, "has no 'actor', which the task stance needs; 1 in all"),
        ({"labels": ("endorse",)}, r"own\.jsonl:1: label 'endorse' is not in the codebook"),
    ],
)
def test_what_cannot_be_trained_on_is_named(tmp_path, change, message):
    path = tmp_path / "own.jsonl"
    write_examples([replace(OWN[0], **change), *OWN[1:]], path)
    with pytest.raises(DataError, match=message) as caught:
        from_file(path, "stance")
    assert str(path) in str(caught.value)


def test_an_empty_file_and_too_few_documents_are_named(tmp_path):
    path = tmp_path / "own.jsonl"
    path.touch()
    with pytest.raises(DataError, match=r"own\.jsonl: holds no example"):
        from_file(path)
    write_examples(OWN[:4], path)
    with pytest.raises(DataError, match=r"own\.jsonl: 2 documents"):
        from_file(path)
