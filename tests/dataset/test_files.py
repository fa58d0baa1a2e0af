import json
import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.codebook import load as load_codebook
from stance.dataset import iterate_examples, read_examples, replacing, write_examples, write_table
from stance.errors import DataError
from stance.records import Example

STANCE = load_codebook().task("stance")
ENDINGS = [".jsonl", ".parquet"]
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
optional = st.none() | text
odd = "one\ntwo\r\nthree\u2028four\u0085\x00 «العربية» \u202e👩‍👩‍👧"


@st.composite
def examples(draw):
    content = draw(text) + draw(st.sampled_from(["", odd, "\u200fطالبان\u200f", '"\\']))
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    mentioned = draw(st.booleans())
    return Example(
        text=content,
        actor=draw(optional),
        mention=content[start:end] if mentioned else None,
        start=start if mentioned else None,
        end=end if mentioned else None,
        targets=((start, end),) if draw(st.booleans()) else (),
        prev=draw(text),
        next=draw(text),
        doc_id=draw(text),
        index=draw(st.integers(0, 2**40)),
        title=draw(optional),
        date=draw(optional),
        genre=draw(optional),
        cluster=draw(text),
        labels=draw(st.none() | st.sampled_from([(), ("engage",), ("oppose", "sanction")])),
    )


@pytest.mark.parametrize("ending", ENDINGS)
@settings(max_examples=40, deadline=None)
@given(written=st.lists(examples(), max_size=4))
def test_what_is_written_is_what_is_read(tmp_path_factory, ending, written):
    path = tmp_path_factory.mktemp("trip") / f"examples{ending}"
    assert write_examples(written, path) == len(written)
    assert read_examples(path) == written
    assert list(iterate_examples(path, STANCE)) == written


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_chosen_and_not_labelled_stay_apart(tmp_path, ending):
    path = tmp_path / f"e{ending}"
    write_examples([Example("a", labels=()), Example("b", labels=None)], path)
    assert [one.labels for one in read_examples(path)] == [(), None]


def test_parquet_of_more_rows_than_a_batch_keeps_order(tmp_path):
    written = [Example(f"sentence {row}", index=row) for row in range(9000)]
    write_examples(iter(written), tmp_path / "many.parquet")
    assert read_examples(tmp_path / "many.parquet") == written


GOOD = {"text": "Moscow met the Taliban.", "actor": "Russia", "mention": "Moscow", "start": 0, "end": 6}
BAD = {
    "no 'text'": {"actor": "Russia"},
    "did you mean 'engage'": {**GOOD, "labels": ["engaged"]},
    "'labels' must be a list": {**GOOD, "labels": "engage"},
    "'text' must be text": {"text": 3},
    "'index' must be a whole number": {**GOOD, "index": "first"},
    "'mention' is 'Moscow' but the text has 'oscow '": {**GOOD, "start": 1, "end": 7},
    "lie outside the text": {**GOOD, "end": 99},
    "both 'start' and 'end'": {**GOOD, "end": None},
    "'targets' must be a list of": {**GOOD, "targets": [3]},
    "stored id": {**GOOD, "id": "0123456789abcdef"},
    "expected an object": ["Moscow"],
    "half of a surrogate pair at character 3": {"text": "bad\ud83d"},
}


@pytest.mark.parametrize("message", BAD)
def test_a_bad_row_is_named_with_file_and_line(tmp_path, message):
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join(map(json.dumps, [GOOD, GOOD, BAD[message]])))
    with pytest.raises(DataError, match=r"bad\.jsonl:3: ") as caught:
        read_examples(path, STANCE)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"text": ' + b"9" * 5000 + b"}", b"NaN"])
def test_a_line_that_is_no_json_is_named(tmp_path, raw):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"text": "fine"}\n\n' + raw)
    with pytest.raises(DataError, match=r"bad\.jsonl:3: "):
        read_examples(path)


def test_a_bad_parquet_row_is_named_by_its_number(tmp_path):
    path = tmp_path / "bad.parquet"
    pd.DataFrame({"text": ["fine", None]}).to_parquet(path)
    with pytest.raises(DataError, match=r"bad\.parquet:2: no 'text'"):
        read_examples(path)


def test_a_file_that_is_no_parquet_is_named(tmp_path):
    path = tmp_path / "cut.parquet"
    write_examples([Example("whole")], path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"cut\.parquet: not a readable Parquet file"):
        read_examples(path)


def test_parquet_made_with_pandas_is_read(tmp_path):
    path = tmp_path / "user.parquet"
    frame = pd.DataFrame({"text": ["Kabul."], "date": [pd.Timestamp("2021-08-15")], "labels": [["engage"]]})
    frame.to_parquet(path)
    assert read_examples(path) == [Example("Kabul.", date="2021-08-15", labels=("engage",))]


def test_labels_are_put_into_codebook_order(tmp_path):
    path = tmp_path / "e.jsonl"
    path.write_text('\ufeff{"text": "a", "labels": ["sanction", "engage", "engage"], "unknown": 1}\n', "utf-8")
    assert read_examples(path, STANCE)[0].labels == ("engage", "sanction")


def test_an_edited_row_is_refused_and_accepted_without_its_id(tmp_path):
    path = tmp_path / "e.jsonl"
    row = Example("before").to_row() | {"text": "after"}
    path.write_text(json.dumps(row))
    with pytest.raises(DataError, match="drop 'id'"):
        read_examples(path)
    del row["id"]
    path.write_text(json.dumps(row))
    assert read_examples(path)[0].text == "after"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, ending):
    path = tmp_path / f"e{ending}"
    write_examples([Example("old")], path)
    with pytest.raises(DataError, match=r"example [0-9a-f]{16}: 'title' holds half of a surrogate pair"):
        write_examples([Example("new"), Example("bad", title="\ud800")], path)
    assert read_examples(path) == [Example("old")]
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["e.txt", "e", "e.csv"])
def test_an_unknown_ending_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=r"name it \.jsonl or \.parquet"):
        write_examples([], tmp_path / name)
    with pytest.raises(DataError, match="unknown kind of file"):
        read_examples(tmp_path / name)


def test_a_missing_file_or_folder_is_one_clear_error(tmp_path):
    with pytest.raises(DataError, match=r"none\.jsonl: cannot be read"):
        read_examples(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match=r"none.e\.jsonl: cannot be written"):
        write_examples([], tmp_path / "none" / "e.jsonl")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="choose a writable folder"):
        write_examples([], tmp_path / "file" / "e.jsonl")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_one_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match="cannot be written"):
        write_examples([], tmp_path / "e.jsonl")


def test_replacing_keeps_the_old_file_when_the_block_fails(tmp_path):
    path = tmp_path / "kept"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def frame():
    return pd.DataFrame(
        {
            "text": ['a, "b"\nc', odd.replace("\x00", "")],
            "engage": np.array([0.1, np.nan], dtype="float32"),
            "stance": [["engage", "oppose"], []],
            "date": ["2021-08-15", None],
        },
        index=[7, 9],
    )


def test_a_table_keeps_its_lists_in_every_kind_of_file(tmp_path):
    table = frame()
    for ending in (".parquet", ".jsonl", ".csv"):
        write_table(table, tmp_path / f"t{ending}")
    parquet = pd.read_parquet(tmp_path / "t.parquet")
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text("utf-8").split("\n")[:-1]]
    csv = pd.read_csv(tmp_path / "t.csv")
    wanted = [["engage", "oppose"], []]
    assert [list(labels) for labels in parquet["stance"]] == wanted
    assert [line["stance"] for line in lines] == wanted
    assert [json.loads(cell) for cell in csv["stance"]] == wanted
    assert list(parquet["text"]) == [line["text"] for line in lines] == list(csv["text"]) == list(table["text"])
    assert [line["engage"] for line in lines] == [0.1, None]
    assert lines[1]["date"] is None
    assert csv["engage"].tolist()[0] == pytest.approx(0.1)
    assert list(csv.columns) == list(table.columns)


def test_an_empty_table_is_written(tmp_path):
    for ending in (".parquet", ".jsonl", ".csv"):
        write_table(frame().iloc[:0], tmp_path / f"t{ending}")
    assert len(pd.read_parquet(tmp_path / "t.parquet")) == len(pd.read_csv(tmp_path / "t.csv")) == 0


@pytest.mark.parametrize("ending", [".parquet", ".jsonl", ".csv"])
def test_a_table_with_half_a_surrogate_pair_is_refused(tmp_path, ending):
    with pytest.raises(DataError, match="half of a surrogate pair"):
        write_table(pd.DataFrame({"text": pd.Series(["bad\ud83d"], dtype=object)}), tmp_path / f"t{ending}")
    assert list(tmp_path.iterdir()) == []
