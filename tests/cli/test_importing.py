"""`stance import`: a public data set's files become the kit's own, one per part."""

import csv

from stance.dataset import read_examples

HEADER = [
    "uid",
    "sentence_id",
    "sentence",
    "marked_sentence",
    "source",
    "target",
    "gold_penta",
    "gold_root",
    "gold_binary",
]
ROW = [0, 1, "Kesh fed Tarn.", "<s>Kesh</s> fed <t>Tarn</t>.", "Kesh", "Tarn", 2, "AID", 0]


def write_set(folder, row=ROW):
    for part in ("train", "test"):
        with (folder / f"plv_{part}.tsv").open("w", newline="") as file:
            csv.writer(file, delimiter="\t").writerows([HEADER, row])


def test_import_writes_a_file_per_part(tmp_path, stance_main):
    write_set(tmp_path)
    ran = stance_main("import", "plv", tmp_path, "-o", tmp_path / "out", "--task", "quad", cwd=tmp_path)
    assert (ran.status, ran.out) == (0, "")
    assert "train.jsonl: 1 example\n" in ran.err
    (example,) = read_examples(tmp_path / "out" / "test.jsonl")
    assert (example.actor, example.labels) == ("Kesh", ("material-cooperation",))


def test_import_names_what_it_cannot_use(tmp_path, stance_main):
    write_set(tmp_path, [*ROW[:6], 9, *ROW[7:]])
    bad = stance_main("import", "plv", tmp_path, "-o", tmp_path / "out", "--task", "quad", cwd=tmp_path)
    assert (bad.status, bad.out) == (1, "")
    assert "plv_train.tsv:2: gold_penta is '9'" in bad.err
    assert not (tmp_path / "out").exists()
    unknown = stance_main("import", "vast", tmp_path, "-o", tmp_path / "out", cwd=tmp_path)
    assert unknown.err == "error: there is no importer for 'vast'; the sets are dse, gvfc, newsmtsc, plv, seesaw\n"
