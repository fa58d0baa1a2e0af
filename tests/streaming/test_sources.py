"""What kind of input files hold, where reading goes on, and when an input is another one."""

import json
import os

import pytest

from stance.corpus.articles import SkippedInput
from stance.dataset import write_examples
from stance.errors import DataError
from stance.records import Article, Example
from stance.streaming.sources import Place, open_source

EXAMPLES = [Example(f"Russia hosted envoy {i}.", "Russia", "Russia", 0, 6, doc_id=f"d{i}") for i in range(30)]


@pytest.fixture
def mixed(tmp_path):
    """Two files of examples, one with bad lines, and three files of articles."""
    write_examples(EXAMPLES[:10], tmp_path / "a.parquet")
    write_examples(EXAMPLES[10:], tmp_path / "b.jsonl")
    with (tmp_path / "b.jsonl").open("a") as handle:
        handle.write('\nbroken\n{"text": 3}\n')
    folder = tmp_path / "news"
    folder.mkdir()
    rows = [{"headline": f"Talks {i}", "body": f"They met for the {i}th time in Doha."} for i in range(12)]
    (folder / "a.jsonl").write_text("\n".join([*map(json.dumps, rows), '{"body": ""}']) + "\n")
    (folder / "b.txt").write_text("They left on Monday.")
    (folder / "c.csv").write_text('text,title\n"They came back,\nlate.",Late\n')
    return tmp_path


def test_examples_are_known_by_their_columns(mixed):
    assert open_source([mixed / "a.parquet", mixed / "b.jsonl"]).kind == "examples"
    assert open_source([mixed / "news"]).kind == "articles"
    assert open_source([mixed / "a.parquet"], "articles").kind == "articles"
    assert open_source([mixed / "news" / "a.jsonl"], "examples").kind == "examples"
    with pytest.raises(DataError, match="predict them apart"):
        open_source([mixed / "a.parquet", mixed / "news"])


@pytest.mark.parametrize("name", ["a.parquet", "b.jsonl"])
def test_a_broken_file_or_pipe_is_not_taken_for_examples(tmp_path, name):
    (tmp_path / name).write_bytes(b"PAR1")
    assert open_source([tmp_path / name]).kind == "articles"
    os.mkfifo(tmp_path / f"pipe-{name}")
    assert open_source([tmp_path / f"pipe-{name}"]).kind == "articles"
    ((item,),) = [list(open_source([tmp_path / f"pipe-{name}"], "examples").read())]
    assert item.record == SkippedInput(str(tmp_path / f"pipe-{name}"), "not a regular file")


@pytest.mark.parametrize("kind", ["examples", "articles"])
def test_reading_goes_on_from_every_place(mixed, kind):
    source = open_source([mixed / "news"] if kind == "articles" else [mixed / "a.parquet", mixed / "b.jsonl"])
    items = list(source.read())
    good = [item.record for item in items if not isinstance(item.record, SkippedInput)]
    if kind == "examples":
        assert good == EXAMPLES
    else:
        assert [type(one) for one in good] == [Article] * 14
    assert len(items) == len(good) + (2 if kind == "examples" else 1)
    for number, item in enumerate(items, 1):
        assert [*source.read(item.next)] == items[number:]
    assert [*source.read(Place(0, 0))] == items
    done = [item.done for item in items]
    assert done == sorted(done)
    assert 0.9 * source.bytes < done[-1] <= source.bytes + 1


def test_articles_that_are_all_bad_are_named_before_the_error(tmp_path):
    (tmp_path / "bad.jsonl").write_text("{\n[]\n")
    found = []
    with pytest.raises(DataError, match="no article could be read"):
        found.extend(item.record.where for item in open_source([tmp_path / "bad.jsonl"]).read())
    with pytest.raises(DataError, match=r"bad\.jsonl:1"):
        next(open_source([tmp_path / "bad.jsonl"]).read(strict=True))


def test_an_input_is_another_one_when_a_file_is(mixed):
    def fingerprint():
        return open_source([mixed / "news"]).fingerprint

    before = fingerprint()
    assert fingerprint() == before
    (mixed / "news" / "notes.pdf").write_text("not read")
    assert fingerprint() == before
    state = (mixed / "news" / "b.txt").stat()
    (mixed / "news" / "b.txt").write_text("They left on Friday.")
    os.utime(mixed / "news" / "b.txt", ns=(state.st_atime_ns, state.st_mtime_ns))
    changed = fingerprint()
    assert changed != before
    (mixed / "news" / "c.csv").unlink()
    assert fingerprint() != changed


def test_a_path_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        open_source([tmp_path / "nothing.jsonl"])
    with pytest.raises(DataError, match="no file of examples"):
        open_source([tmp_path], "examples")
