"""Reading what `stance predict -o` writes, and what is wrong with a file."""

import pandas as pd
import pytest

from stance import codebook
from stance.dataset.files import write_table
from stance.errors import CodebookError, DataError
from stance.report.analysis.predictions import prepare, read_predictions

BOOK = codebook.load()


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
def test_every_form_reads_the_same(row, table, tmp_path, ending):
    frame = table(
        row("a", 0), row("a", 1, None, None, ()), row("b", 0, "Iran", ("engage", "oppose"), date=None, outlet=None)
    )
    path = tmp_path / f"p.{ending}"
    write_table(frame, path)
    found = read_predictions(path, BOOK)
    assert [(task.name, task.per_actor) for task in found.tasks] == [("stance", True), ("frames", False)]
    assert found.frame["stance"].tolist() == [["engage"], None, ["engage", "oppose"]]
    assert found.frame["frames"].tolist() == [["diplomacy"], [], ["diplomacy"]]
    assert found.frame["month"].tolist() == ["2024-05", "2024-05", None]
    assert found.frame["actor"].tolist() == ["Russia", None, "Iran"]
    assert found.notes == (
        "1 of 2 documents have no date; what they say is counted in no month.",
        "1 of 2 documents have no outlet; what they say is counted under no outlet.",
    )


def test_a_folder_of_parquet_reads_as_one_file(row, table, tmp_path):
    """As Spark writes it: several files, some without rows, and marks beside them."""
    frame = table(row("a", 0), row("a", 1, None, None, ()), row("b", 0, "Iran", ("engage", "oppose"), date=None))
    folder = tmp_path / "stances"
    folder.mkdir()
    for number, rows in enumerate((frame.iloc[:0], frame.iloc[:2], frame.iloc[2:])):
        write_table(rows, folder / f"part-{number}.parquet")
    (folder / "_SUCCESS").touch()
    whole = prepare(frame, BOOK)
    found = read_predictions(folder, BOOK)
    assert (found.tasks, found.notes) == (whole.tasks, whole.notes)
    pd.testing.assert_frame_equal(found.frame, whole.frame)
    (folder / "_temporary").mkdir()
    with pytest.raises(DataError, match="Spark has not finished this folder"):
        read_predictions(folder)


def test_the_first_document_of_a_cluster_is_counted(row, table):
    frame = table(
        row("late", cluster="c", date="2024-06-01"),
        row("early", cluster="c", date="2024-05-30"),
        row("undated", cluster="c", date=None),
        row("own", cluster=None),
    )
    found = prepare(frame, BOOK).frame
    assert found["counted"].tolist() == [False, True, False, True]
    assert found["unit"].tolist() == ["c", "c", "c", "own"]


def test_without_a_codebook_the_answers_say_what_is_coded_per_actor(row, table):
    alone = table(row("a", 0), row("a", 1, None, None))
    together = table(row("a", 0), row("a", 0, "Iran", ("oppose",)))
    for frame in (alone, together):
        assert [(task.name, task.per_actor) for task in prepare(frame).tasks] == [("stance", True), ("frames", False)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("p.txt", "", "unknown kind of file '.txt'"),
        ("p.jsonl", '{"doc_id": "a"}\nnonsense\n', "p.jsonl:2: not a JSON object"),
        ("p.jsonl", "[1]\n", "p.jsonl:1: not a JSON object"),
        ("p.jsonl", '{"doc_id": "a", "index": 0, "actor": null}\n', "has no column text"),
        ("p.jsonl", '{"doc_id": "a", "index": 0, "actor": null, "text": "x"}\n', "holds no task"),
        ("p.parquet", "nonsense", "not a readable Parquet file"),
        ("p.csv", 'a,"b\n', "p.csv: "),
    ],
)
def test_an_unusable_file_is_one_clear_error(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match="stance predict") as caught:
        read_predictions(tmp_path / name, BOOK)
    assert words in str(caught.value)
    with pytest.raises(DataError, match="cannot be read"):
        read_predictions(tmp_path / "absent.parquet")
    with pytest.raises(DataError, match="not a readable Parquet file" if name == "p.parquet" else "holds no Parquet"):
        read_predictions(tmp_path)


def test_labels_of_another_codebook_are_refused(row, table):
    frame = table(row("a")).rename(columns={"stance.engage": "stance.support"})
    with pytest.raises(CodebookError, match=r"support.* are not those of the codebook"):
        prepare(frame, BOOK)


def test_nothing_is_no_error(tmp_path, row, table):
    (tmp_path / "p.jsonl").write_text("")
    for found in (read_predictions(tmp_path / "p.jsonl", BOOK), prepare(table(row("a")).iloc[:0], BOOK)):
        assert len(found.frame) == 0
        assert found.notes == ("The file holds no predictions, so there is nothing to count.",)


def test_answers_left_open_are_told(row, table):
    frame = table(row("a", 0), row("a", 1)).assign(**{"stance.sure": [True, False]})
    frame["stance"] = pd.Series([["engage"], None], dtype=object)
    assert prepare(frame, BOOK).notes == (
        "Left open, as the model was not sure, and not counted: 1 answer for 'stance'.",
    )
