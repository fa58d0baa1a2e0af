"""`stance import`: a public data set's files become the kit's own, one per part."""

from stance.dataset import read_examples
from tests import plv

ROW = [0, 1, "Kesh fed Tarn.", "<s>Kesh</s> fed <t>Tarn</t>.", "Kesh", "Tarn", 2, "AID", 0]


def test_import_writes_a_file_per_part(tmp_path, stance_main):
    plv.write_parts(tmp_path, [ROW])
    ran = stance_main("import", "plv", tmp_path, "-o", tmp_path / "out", "--task", "quad", cwd=tmp_path)
    assert (ran.status, ran.out) == (0, "")
    assert "train.jsonl: 1 example\n" in ran.err
    (example,) = read_examples(tmp_path / "out" / "test.jsonl")
    assert (example.actor, example.labels) == ("Kesh", ("material-cooperation",))


def test_import_names_what_it_cannot_use(tmp_path, stance_main):
    plv.write_parts(tmp_path, [[*ROW[:6], 9, *ROW[7:]]])
    bad = stance_main("import", "plv", tmp_path, "-o", tmp_path / "out", "--task", "quad", cwd=tmp_path)
    assert (bad.status, bad.out) == (1, "")
    assert "plv_train.tsv:2: gold_penta is '9'" in bad.err
    assert not (tmp_path / "out").exists()
    unknown = stance_main("import", "vast", tmp_path, "-o", tmp_path / "out", cwd=tmp_path)
    assert unknown.err == "error: there is no importer for 'vast'; the sets are dse, gvfc, newsmtsc, plv, seesaw\n"
