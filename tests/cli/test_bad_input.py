"""Bad input on the command line: one clear error or a counted skip, never a traceback or a half-written output."""

import json
import shutil
import sqlite3

import pytest

from stance import samples

pytestmark = pytest.mark.slow

GOOD = "Russia hosted a Taliban delegation in Moscow on Tuesday. Tajikistan condemned the visit."
HEBREW = "רוסיה אירחה משלחת של הטליבאן במוסקבה. \u202eטג'יקיסטן גינתה את הביקור.\u202c"
BROKEN = {
    "empty.txt": b"",
    "blank.txt": b" \n\n\t\n",
    "binary.txt": bytes(range(256)) * 40,
    "nothing.csv": b"",
    "no-text.csv": b"id,headline\n1,Talks in Doha\n",
    "broken.jsonl": b'{"text": "unfinished',
    "not-a-list.jsonl": b"[1, 2]\n",
    "zero.parquet": b"PAR1",
    "empty.html": b"<html><body></body></html>",
    "notes.docx": b"PK",
}
READABLE = {
    "line.txt": b"Russia met the Taliban " * 45_000,
    "no-spaces.txt": b"x" * 1_000_000,
    "rtl.txt": HEBREW.encode(),
    "nul.txt": GOOD.replace("Taliban", "Tali\0ban").encode(),
    "latin.txt": "Jos\u00e9 said Russia met the Taliban in Bogot\u00e1.".encode("latin-1"),
}


@pytest.fixture
def predict(stance_main, linear, tmp_path):
    """Runs `stance predict … -o out.jsonl` in an empty folder with the workspace's linear model."""

    def run(*paths, output="out.jsonl"):
        return stance_main("predict", *paths, "--model", linear, "-o", output, cwd=tmp_path)

    return run


@pytest.fixture(scope="module")
def linear(workspace):
    """The folder of the linear model's bundle."""
    (manifest,) = [
        path
        for path in workspace.glob("mlartifacts/**/bundle.json")
        if json.loads(path.read_text())["kind"] == "tfidf-linear"
        and json.loads(path.read_text())["codebook_name"] == "taliban"
    ]
    return manifest.parent


@pytest.fixture
def bundle(linear, tmp_path_factory):
    """A copy of that bundle, to be spoilt."""
    return shutil.copytree(linear, tmp_path_factory.mktemp("spoilt") / "bundle")


def contents(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".cache")


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_alone_is_one_error_and_no_output(predict, assert_refused, tmp_path, name):
    (tmp_path / name).write_bytes(BROKEN[name])
    assert_refused(predict(name), name)
    assert contents(tmp_path) == [name]


def test_broken_files_beside_good_ones_are_counted_and_passed_over(predict, assert_refused, tmp_path, stance_main):
    folder = tmp_path / "news"
    folder.mkdir()
    for name, content in {**BROKEN, "good.txt": GOOD.encode()}.items():
        (folder / name).write_bytes(content)
    ran = predict(folder)
    assert ran.status == 0, ran.err
    assert f"1 article read, {len(BROKEN) - 1} inputs skipped" in ran.err  # a .docx in a folder is no input
    assert sum(line.startswith("skipped ") for line in ran.err.splitlines()) == len(BROKEN) - 1
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) > 1
    ran = stance_main("ingest", folder, "-o", "strict.jsonl", "--strict", cwd=tmp_path)
    assert_refused(ran, "news/")
    assert contents(tmp_path) == ["news", "out.jsonl"]


@pytest.mark.parametrize("name", READABLE)
def test_odd_but_readable_text_is_read(predict, tmp_path, name):
    (tmp_path / name).write_bytes(READABLE[name])
    ran = predict(name)
    assert ran.status == 0, ran.err
    assert "1 article read, 0 inputs skipped" in ran.err
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert rows
    assert not any("\0" in row["text"] for row in rows)


DATED = [{"text": GOOD, "date": "sometime in spring"}, {"text": f"{GOOD} Iran stayed away.", "date": "2021-09-02"}]


@pytest.mark.parametrize("way", [[], ["--stream"]], ids=["at-once", "streamed"])
def test_a_date_that_cannot_be_read_is_told_and_its_article_stays(stance_main, linear, assert_refused, tmp_path, way):
    (tmp_path / "news.jsonl").write_text("".join(json.dumps(row) + "\n" for row in DATED))
    command = ["predict", "news.jsonl", "--model", linear, "-o", "out.jsonl", *way]
    assert_refused(stance_main(*command, "--strict", cwd=tmp_path), "news.jsonl:1", "'sometime in spring'")
    ran = stance_main(*command, cwd=tmp_path)
    assert ran.status == 0, ran.err
    assert "without a date: news.jsonl:1: the date 'sometime in spring' cannot be read; write it as YYYY" in ran.err
    assert "2 articles read, 0 inputs skipped, 1 date not read" in ran.err
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {row["date"] for row in rows} == {None, "2021-09-02"}


def test_ingest_tells_of_such_dates_too(stance_main, assert_refused, tmp_path):
    (tmp_path / "news.csv").write_text(f'text,date\n"{GOOD}",08/09/2021\n')
    ran = stance_main("ingest", "news.csv", "-o", "out.jsonl", cwd=tmp_path)
    assert ran.status == 0, ran.err
    assert "news.csv:2: the date '08/09/2021' cannot be read" in ran.err
    assert "1 article read, 0 inputs skipped, 1 date not read" in ran.err
    assert_refused(stance_main("ingest", "news.csv", "-o", "o.jsonl", "--strict", cwd=tmp_path), "news.csv:2", "date")
    assert contents(tmp_path) == ["news.csv", "out.jsonl"]


def test_a_path_that_is_not_there_is_one_error(predict, assert_refused, tmp_path):
    assert_refused(predict("none.txt"), "none.txt: no such file")
    assert_refused(predict(tmp_path), "no file with a known ending")
    assert contents(tmp_path) == []


@pytest.mark.parametrize("output", ["no/such/folder/out.jsonl", "out.xlsx", "file/out.csv", "folder.jsonl"])
def test_an_output_that_cannot_be_written_is_one_error(predict, assert_refused, tmp_path, output):
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder.jsonl").mkdir()
    assert_refused(predict(samples.paths()[0], output=output), output)
    assert contents(tmp_path) == ["file", "folder.jsonl"]
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("arguments", [["ingest"], ["predict"]])
def test_an_output_is_left_as_it_was_when_the_input_fails(predict, stance_main, assert_refused, tmp_path, arguments):
    (tmp_path / "out.jsonl").write_text("from before")
    (tmp_path / "bad.txt").write_bytes(b"")
    if arguments == ["predict"]:
        assert_refused(predict("bad.txt"))
    else:
        assert_refused(stance_main("ingest", "bad.txt", "-o", "out.jsonl", cwd=tmp_path))
    assert (tmp_path / "out.jsonl").read_text() == "from before"
    assert contents(tmp_path) == ["bad.txt", "out.jsonl"]


def spoil_manifest(bundle):
    path = bundle / "bundle.json"
    path.write_bytes(path.read_bytes()[:100])
    return "bundle.json"


def spoil_weights(bundle):
    (path,) = (bundle / "model").glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    return path.name


def truncate_weights(bundle):
    (path,) = (bundle / "model").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-50])
    return path.name


def remove_hashes(bundle):
    (bundle / "SHA256SUMS").unlink()
    return "SHA256SUMS"


def remove_all(bundle):
    shutil.rmtree(bundle)
    return bundle.name


@pytest.mark.parametrize("spoil", [spoil_manifest, spoil_weights, truncate_weights, remove_hashes, remove_all])
def test_a_spoilt_bundle_is_one_error_that_names_the_file(stance_main, assert_refused, bundle, tmp_path, spoil):
    name = spoil(bundle)
    ran = stance_main("predict", samples.paths()[0], "--model", bundle, "-o", "out.csv", cwd=tmp_path)
    assert_refused(ran, name)
    assert contents(tmp_path) == []


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("models:/taliban-stance@champoin", "champion"),
        ("models:/taliban-stence@champion", "taliban-stance"),
        ("models:/taliban-stance/99", "versions: 1"),
        ("runs:/0000000000000000/model", "there is no run"),
        ("models:/", "not a model's address"),
    ],
)
def test_a_wrong_address_is_one_error_that_says_what_there_is(stance_main, assert_refused, workspace, uri, words):
    assert_refused(stance_main("predict", samples.paths()[0], "--model", uri, cwd=workspace), words)


def test_without_a_champion_the_next_step_is_named(stance_main, assert_refused, tmp_path):
    assert_refused(stance_main("predict", samples.paths()[0], cwd=tmp_path), "make demo")
    assert contents(tmp_path) == []


@pytest.mark.parametrize("verb", [["runs"], ["compare", "a", "b"], ["promote"], ["train", "e.yaml"]])
def test_a_store_that_cannot_be_opened_is_one_error(stance_main, assert_refused, tmp_path, tiny_file, verb):
    (tmp_path / "e.yaml").write_text(f"name: e\ndata: {tiny_file}\nmodel: {{kind: majority}}\n")
    (tmp_path / "mlflow.db").mkdir()
    assert_refused(stance_main(*verb, cwd=tmp_path), "mlflow.db")
    assert contents(tmp_path) == ["e.yaml", "mlflow.db"]


@pytest.mark.parametrize("content", [b"this is no database" * 100, b""])
def test_a_store_that_is_no_database_is_one_error(stance_main, assert_refused, tmp_path, content):
    (tmp_path / "mlflow.db").write_bytes(content)
    if content:
        assert_refused(stance_main("runs", cwd=tmp_path), "mlflow.db")
        assert (tmp_path / "mlflow.db").read_bytes() == content
    else:
        assert stance_main("runs", "--json", cwd=tmp_path).status == 0


def test_a_store_whose_artifacts_cannot_be_written_is_one_error(stance_main, assert_refused, workspace, tmp_path):
    shutil.copy(workspace / "mlflow.db", tmp_path / "mlflow.db")
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute("UPDATE experiments SET artifact_location = ?", (f"file://{tmp_path}/file/artifacts",))
    (tmp_path / "file").write_text("")
    (tmp_path / "e.yaml").write_text(f"name: e\ndata: {workspace}/tiny.jsonl\nmodel: {{kind: majority}}\n")
    assert_refused(stance_main("train", "e.yaml", cwd=tmp_path), "mlflow.db")


ROW = {"text": "Iran met the Taliban.", "actor": "Iran", "doc_id": "d", "labels": ["engage"]}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([ROW, {**ROW, "labels": ["befriend"]}], "data.jsonl:2"),
        ([ROW, {**ROW, "start": 3, "end": 900}], "data.jsonl:2"),
        ([{**ROW, "labels": None}], "labels"),
        ([{**ROW, "actor": None}], "actor"),
        ([ROW], "documents"),
        ([], "holds no example"),
        (None, "data.jsonl"),
    ],
)
def test_bad_training_data_is_one_error_and_no_run(stance_main, assert_refused, tmp_path, rows, words):
    if rows is not None:
        (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "e.yaml").write_text("name: e\ndata: data.jsonl\nmodel: {kind: majority}\n")
    assert_refused(stance_main("train", "e.yaml", cwd=tmp_path), words)
    assert "mlflow.db" not in contents(tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "none.yaml"],
        ["train", "bad.yaml"],
        ["train", "good.yaml", "sead=1"],
        ["train", "good.yaml", "codebook=none.yaml"],
        ["train", "good.yaml", "task=mood"],
        ["codebook", "check", "none.yaml"],
        ["codebook", "check", "bad.yaml"],
        ["ingest", "good.txt", "-o", "out.jsonl", "--task", "mood"],
        ["ingest", "good.txt", "-o", "out.csv"],
        ["ingest", "--check-actors", "none.jsonl"],
        ["ingest", "--check-actors", "bad.yaml"],
        ["promote", "--task", "mood"],
    ],
)
def test_other_mistakes_are_one_error_too(stance_main, assert_refused, tmp_path, arguments):
    (tmp_path / "bad.yaml").write_bytes(b"\x00\xff{[")
    (tmp_path / "good.yaml").write_text("name: e\nmodel: {kind: majority}\n")
    (tmp_path / "good.txt").write_text(GOOD)
    assert_refused(stance_main(*arguments, cwd=tmp_path))
    assert contents(tmp_path) == ["bad.yaml", "good.txt", "good.yaml"]
