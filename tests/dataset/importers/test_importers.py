"""Importers of public sets: on invented rows in each set's format, and on the real files where they are."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from stance import codebook
from stance.dataset import import_set, read_examples, write_examples
from stance.dataset.importers import SETS, tasks
from stance.errors import DataError

ROOT = Path(__file__).parents[3]
BENCHMARKS = ROOT.parent / "shared" / "benchmarks"
ALL = [(name, task) for name in SETS for task in tasks(name)]


def book(name):
    return codebook.load(ROOT / "experiments" / "codebooks" / "published" / f"{name}.yaml")


@pytest.mark.parametrize(("name", "task"), ALL)
def test_examples_fit_the_sets_codebook_and_the_kits_files(name, task, tiny, tmp_path):
    parts = import_set(name, tiny(name), task)
    definition = book(name).task(task)
    for part, examples in parts.items():
        for example in examples:
            assert definition.order(example.labels) == example.labels
            assert len(example.labels) == 1 or not definition.exclusive
            assert (example.actor is None) == (definition.unit == "sentence")
        write_examples(examples, tmp_path / f"{part}.jsonl")
        assert read_examples(tmp_path / f"{part}.jsonl", definition) == examples
        assert len({example.id for example in examples}) == len(examples)


@pytest.mark.parametrize("name", SETS)
def test_the_first_task_is_the_default_and_the_codebook_has_all(name, tiny):
    assert tuple(book(name).tasks) == tasks(name)
    assert import_set(name, tiny(name)) == import_set(name, tiny(name), tasks(name)[0])


def test_plv_marks_source_and_target(tiny):
    named, unnamed = import_set("plv", tiny("plv"))["train"]
    assert (named.mention, named.labels, named.text[slice(*named.targets[0])]) == (
        "Marovia",
        ("yield",),
        "Ostrian sailors",
    )
    assert (unnamed.actor, unnamed.start, unnamed.targets) == ("An actor", None, ())


def test_newsmtsc_has_an_example_per_target_of_one_article(tiny):
    first, second = import_set("newsmtsc", tiny("newsmtsc"))["rw_test"]
    assert (first.mention, first.labels, second.mention, second.labels) == (
        "Ada Rook",
        ("negative",),
        "Bo Finch",
        ("neutral",),
    )
    assert first.doc_id == second.doc_id == "allsides_1_22"


def test_seesaw_asks_about_a_target_that_the_sentence_does_not_name(tiny):
    named, unnamed, author = import_set("seesaw", tiny("seesaw"))["train"]
    assert (named.actor, named.mention, named.text[slice(*named.targets[0])]) == ("Ada Rook", "Rook", "harbour tax")
    assert unnamed.text.startswith("Harbour Party: “It")
    assert (unnamed.actor, unnamed.start, unnamed.text[slice(*unnamed.targets[0])]) == (
        "someone",
        None,
        "Harbour Party",
    )
    assert author.actor == "the author"


def test_dse_tells_seen_test_rows_from_unseen_ones(tiny):
    seen, unseen = import_set("dse", tiny("dse"))["test"]
    assert (seen.text, seen.mention, seen.labels) == (
        "Rook scolded the Harbour Party.",
        "Rook",
        ("negative-forward",),
    )
    assert seen.text[slice(*seen.targets[0])] == "Harbour Party"
    assert (seen.genre, unseen.genre) == ("seen", "unseen")


def test_gvfc_comes_in_folds(tiny):
    frames = import_set("gvfc", tiny("gvfc"))
    assert list(frames) == [f"fold-{number}" for number in range(5)]
    assert [frames[fold][0].labels for fold in ("fold-0", "fold-1")] == [("gun-control",), ("gun-control", "politics")]
    assert import_set("gvfc", tiny("gvfc"), "first-frame")["fold-1"][0].labels == ("gun-control",)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("YIELD", "YELD", r"plv_train.tsv.gz:2: gold_root is 'YELD', which is none of AGREE"),
        ("</t>.", ".", r"plv_train.tsv.gz:2: <t> is not closed"),
        ("\t8\t", "\t8\t9\t", r"plv_train.tsv.gz:3: 10 fields where the header has 9"),
        ("gold_root", "root", r"plv_train.tsv.gz:2: no field 'gold_root'; is this a file of the set plv\?"),
        ("freed Ostrian", "held Ostrian", r"plv_train.tsv.gz:2: marked_sentence without its markers"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(tiny, old, new, message):
    folder = tiny("plv")
    path = folder / "plv_train.tsv.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    assert old in text
    path.write_bytes(gzip.compress(text.replace(old, new, 1).encode()))
    with pytest.raises(DataError, match=message):
        import_set("plv", folder)


def test_a_bad_offset_is_named_with_file_and_line(tiny):
    folder = tiny("newsmtsc")
    row = json.loads((folder / "mt_dev.jsonl").read_text())
    row["targets"][1]["from"] = 17
    (folder / "mt_dev.jsonl").write_text("\n" + json.dumps(row))
    with pytest.raises(DataError, match=r"mt_dev.jsonl:2: the text has ' Bo Finch' at 17:26, not the mention"):
        import_set("newsmtsc", folder)


def test_plain_files_serve_like_packed_ones(tiny):
    packed = import_set("plv", tiny("plv"))
    for path in tiny("plv").glob("*.gz"):
        path.unlink()
    assert import_set("plv", tiny("plv", packed=False)) == packed


def test_what_is_missing_or_damaged_is_named(tiny, tmp_path):
    with pytest.raises(DataError, match="no importer for 'vast'; the sets are dse"):
        import_set("vast", tmp_path)
    with pytest.raises(DataError, match="the set plv has no task 'leaf'; it has root, quad, binary"):
        import_set("plv", tmp_path, "leaf")
    with pytest.raises(DataError, match=r"holds no plv_train.tsv.gz or plv_train.tsv; give the folder"):
        import_set("plv", tmp_path)
    path = tiny("plv") / "plv_train.tsv.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"plv_train.tsv.gz: cannot be read"):
        import_set("plv", path.parent)


SIZES = {
    "plv": {"train": 1050, "test": 1033},
    "newsmtsc": {"train": 8739, "rw_dev": 343, "mt_dev": 442, "rw_test": 803, "mt_test": 1034},
    "seesaw": {"train": 6263, "valid": 2436, "test": 1920},
    "dse": {"train": 13144, "valid": 1461, "test": 1623},
    "gvfc": {"fold-0": 263, "fold-1": 262, "fold-2": 260, "fold-3": 258, "fold-4": 257},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_the_real_files_have_the_stated_sizes(name):
    if not (BENCHMARKS / name).is_dir():
        pytest.skip(f"{BENCHMARKS / name} is not there; the public sets are not part of the project")
    parts = import_set(name, BENCHMARKS / name)
    assert {part: len(examples) for part, examples in parts.items()} == SIZES[name]
    for part, examples in parts.items():
        assert len({example.id for example in examples}) == len(examples), part
    if name == "dse":
        assert Counter(one.genre for one in parts["test"]) == {"unseen": 1181, "seen": 442}
