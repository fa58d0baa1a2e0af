"""The service as a client meets it: `stance serve` in its own process, with real models in a real store."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stance
from stance.errors import DataError, ServiceError
from stance.tracking.serving.door import VARIABLE, Token, read_token
from stance.tracking.serving.network import listen
from stance.tracking.serving.rows import CSV, JSON, Columns, read_rows, write_rows
from stance.tracking.store import open_store

CHAMPION = "models:/taliban-stance@champion"
CONFIG = Path(__file__).parents[2] / "experiments" / "benchmarks" / "service.toml"
TOKEN = "0123456789abcdef-not-a-secret"
COLUMNS = Columns(("text", "actor"), ("mention", "date"))
ROWS = [
    {"text": "Norway hosted talks with the Taliban.", "actor": "Norway"},
    {"text": "Chile condemned the Taliban.", "actor": "Chile", "mention": None, "title": "Im Süden, ‚neu‘"},
]
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["dataframe_records", "dataframe_split", "instances", "inputs", "text", "actor", "columns"])
            | st.just("data")
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


class Service:
    """A running `stance serve`; `said` is what it wrote."""

    def __init__(self, folder, *options, token=None):
        environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}", "OMP_NUM_THREADS": "1"}
        environment |= {} if token is None else {VARIABLE: token}
        command = [sys.executable, "-m", "stance.cli.main", "serve", "--port", "0", *options]
        self.process = subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.said = []
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.url = self.wait_for(r"answers at (\S+);")[1]
        except BaseException:
            self.stop()
            raise
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.client = httpx.Client(base_url=self.url, headers=headers, timeout=60)

    def _read(self):
        for line in self.process.stderr:
            self.said.append(line)

    def wait_for(self, pattern, seconds=300):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := re.search(pattern, "".join(self.said)):
                return found
            assert self.process.poll() is None, "".join(self.said)
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r} within {seconds} s in: {''.join(self.said)}")

    def ask(self, rows, **options):
        return self.client.post("/invocations", json={"dataframe_records": rows}, **options)

    def stop(self):
        self.process.terminate()  # SIGTERM
        self.process.wait(120)


def move_champion(folder, version):
    with opened_store(folder) as opened:
        opened.client.set_registered_model_alias("taliban-stance", "champion", str(version))


def remove_champion(folder):
    with opened_store(folder) as opened:
        opened.client.delete_registered_model_alias("taliban-stance", "champion")


@contextmanager
def opened_store(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        with open_store() as opened:
            yield opened


@pytest.fixture(scope="module")
def registry(played_folder, tmp_path_factory):
    """A store of its own whose champion is version 2, `tfidf-linear`; version 1 is `majority`."""
    # The artifacts stay where the shared store keeps them, under absolute addresses.
    folder = tmp_path_factory.mktemp("registry")
    shutil.copy(played_folder / "mlflow.db", folder / "mlflow.db")
    return folder


@pytest.fixture(scope="module")
def expected(played_folder):
    """What `stance.load` says of a list of rows, as JSON."""
    classifier = stance.load(played_folder / "tfidf-linear-bundle")
    return lambda rows: json.loads(classifier.predict(rows).to_json(orient="records", double_precision=15))


@pytest.fixture(scope="module")
def service(registry):
    """Takes at most five rows and 100,000 bytes."""
    service = Service(registry, "--max-rows", "5", "--max-bytes", "100000")
    yield service
    service.stop()
    assert "Traceback" not in "".join(service.said)


def same(answer, wanted):
    assert answer.status_code == 200, answer.text
    found = answer.json()["predictions"]
    assert [row["stance"] for row in found] == [row["stance"] for row in wanted]
    for row, other in zip(found, wanted, strict=True):
        assert row.keys() == other.keys()
        assert all(row[label] == pytest.approx(other[label], abs=1e-12) for label in row if label != "stance")


@pytest.mark.slow
def test_every_form_of_a_body_gets_the_answers_of_stance_load(service, expected):
    names = ["actor", "title", "text"]
    split = {"columns": names, "data": [[row.get(name) for name in names] for row in ROWS]}
    by_column = {name: [row.get(name) for row in ROWS] for name in names}
    for body in (
        {"dataframe_records": ROWS},
        {"instances": ROWS},
        {"inputs": ROWS},
        {"inputs": by_column},
        {"dataframe_split": split},
    ):
        answer = service.client.post("/invocations", json=body)
        same(answer, expected(ROWS))
        assert answer.headers["X-Stance-Model"] == "taliban-stance v2"
    lines = '\ufefftext,actor,title\n"Norway hosted talks with the Taliban.",Norway,\n'
    answer = service.client.post(
        "/invocations", content=lines.encode(), headers={"Content-Type": f"{CSV}; charset=utf-8"}
    )
    same(answer, expected(ROWS[:1]))
    assert service.ask([]).json() == {"predictions": []}
    same(service.ask([{**ROWS[0], "id": 7}]), expected(ROWS[:1]))


@pytest.mark.slow
def test_the_clients_of_mlflow_understand_it(service, expected):
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    port = int(service.url.rpartition(":")[2])
    client = ScoringServerClient("127.0.0.1", port)
    client.ping()
    import pandas as pd

    answer = client.invoke(pd.DataFrame([ROWS[0]])).get_predictions()
    assert answer["stance"].tolist() == [["engage"]]
    assert answer["engage"].tolist() == pytest.approx([expected(ROWS)[0]["engage"]])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "not JSON"),
        ("", "not JSON"),
        ("[]", "must be an object with one of dataframe_records"),
        ("{}", "no key"),
        ('{"inputs": [], "instances": []}', "has 'inputs', 'instances'"),
        ('{"rows": []}', "unknown key 'rows'"),
        ('{"dataframe_records": {"text": "a"}}', "must be a list of rows"),
        ('{"dataframe_records": [5]}', "row 0: must be an object"),
        ('{"dataframe_records": [{"text": "a", "actor": "b"}, {"text": "a"}]}', "row 1: 'actor' is missing"),
        ('{"dataframe_records": [{"text": 5, "actor": "b"}]}', "row 0: 'text' must be a string, not a number"),
        ('{"dataframe_records": [{"text": "a", "actor": null}]}', "row 0: 'actor' is empty"),
        ('{"dataframe_records": [{"text": "a", "actor": "b", "date": []}]}', "'date' must be a string, not a list"),
        ('{"dataframe_split": {"columns": ["text", "actor"], "data": [["a"]]}}', "row 0: must be a list of 2 cells"),
        (
            '{"inputs": [{"text": "a", "actor": "' + "b" * 10_001 + '"}]}',
            "'actor' has 10001 characters, above the limit",
        ),
        ('{"inputs": {"text": ["a"], "actor": []}}', "equally long lists"),
        ('{"inputs": [{"text": "\\ud800", "actor": "b"}]}', "not JSON"),
        ('{"inputs": ' + "[" * 9000, "recursion limit"),
        ('{"inputs": [{"text": NaN, "actor": "b"}]}', "not JSON"),
    ],
)
def test_a_bad_body_is_answered_in_one_line(service, body, words):
    answer = service.client.post("/invocations", content=body.encode(), headers={"Content-Type": JSON})
    assert answer.status_code == 400
    assert answer.json().keys() == {"error"}
    assert words in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "headers", "status", "words"),
    [
        ("GET /nothing", {}, 404, "no such path"),
        ("GET /docs", {}, 404, "no such path"),
        ("GET /invocations", {}, 405, "takes POST"),
        ("DELETE /health", {}, 405, "takes GET"),
        ("POST /invocations", {}, 415, "application/json"),
        ("POST /invocations", {"Content-Type": "application/vnd.apache.parquet"}, 415, "application/json"),
        ("POST /invocations", {"Content-Type": "application/json; charset=latin-1"}, 415, "UTF-8"),
        ("POST /invocations", {"Content-Type": JSON, "Content-Encoding": "gzip"}, 415, "gzip"),
        ("POST /invocations", {"Content-Type": CSV}, 400, "line"),
    ],
)
def test_a_bad_request_is_answered_in_one_line(service, asked, headers, status, words):
    method, path = asked.split()
    answer = service.client.request(method, path, headers=headers, content=b"" if method == "POST" else None)
    assert answer.status_code == status
    assert words in answer.json()["error"]


@pytest.mark.slow
def test_too_much_is_refused_before_it_is_scored(service):
    assert service.ask(ROWS[:1] * 5).status_code == 200
    many = service.ask(ROWS[:1] * 6)
    assert (many.status_code, "6 rows are above the limit of 5" in many.text) == (413, True)
    large = service.ask([{"text": "a" * 130_000, "actor": "b"}])
    assert (large.status_code, "above 100000 bytes" in large.text) == (413, True)
    unknown_size = service.client.post(
        "/invocations", content=iter([b"a" * 50_000] * 3), headers={"Content-Type": JSON}
    )
    assert unknown_size.status_code == 413


@pytest.mark.slow
def test_health_and_version(service):
    assert service.client.get("/health").status_code == service.client.get("/ping").status_code == 200
    assert service.client.head("/health").status_code == 200
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", service.client.get("/version").text)


@pytest.mark.slow
def test_requests_made_from_the_contract_find_no_fault(service, tmp_path):
    """Schemathesis, for 20 seconds: good and bad requests, no 5xx, and only answers that the contract knows."""
    tool = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    options = ["--config-file", CONFIG, "run", f"{service.url}/openapi.json", "--max-time", "20", "--seed", "1"]
    done = subprocess.run([*tool, *options], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) generated", done.stdout)[1]) > 20


@given(DATA)
@settings(max_examples=200, deadline=None)
def test_any_json_gives_rows_of_strings_or_one_line(content):
    try:
        rows = read_rows(json.dumps(content).encode(), JSON, COLUMNS)
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017 - which of the two happens is what is drawn
        return
    assert all(row["text"].strip() and row["actor"].strip() for row in rows)
    assert all(isinstance(value, str | None) for row in rows for value in row.values())
    assert len(json.loads(write_rows(rows, COLUMNS))["dataframe_split"]["data"]) == len(rows)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from([JSON, CSV]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_rows_or_one_line(body, kind):
    try:
        read_rows(body, kind, COLUMNS)
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017


@given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)).filter(lambda row: all(map(str.strip, row)))))
@settings(max_examples=100, deadline=None)
def test_rows_survive_being_written_and_read(pairs):
    rows = [{"text": text, "actor": actor} for text, actor in pairs]
    assert read_rows(write_rows(rows, COLUMNS), JSON, COLUMNS) == rows


@pytest.mark.slow
def test_only_who_has_the_token_is_answered(registry, expected):
    service = Service(registry, "--host", "0.0.0.0", token=TOKEN)
    try:
        same(service.ask(ROWS), expected(ROWS))
        for header in (None, "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN, "Bearer ä"):
            headers = {} if header is None else {"Authorization": header.encode("latin-1")}
            for path in ("/invocations", "/version", "/openapi.json", "/nothing"):
                answer = httpx.post(service.url + path, headers=headers, json={"inputs": ROWS})
                assert answer.status_code == 401, (header, path)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert httpx.get(f"{service.url}/health").status_code == 200
        assert service.client.get("/openapi.json").json()["security"] == [{"token": []}]
    finally:
        service.stop()
    assert TOKEN not in "".join(service.said)


def test_others_are_only_let_in_with_a_token(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert read_token("127.0.0.1") is None
    with pytest.raises(ServiceError, match=f"0.0.0.0 can be reached by others: set {VARIABLE}"):
        read_token("0.0.0.0")
    for value, words in (("short", "fewer than 16"), ("ä" * 20, "no HTTP header"), ("a b" * 20, "no HTTP header")):
        monkeypatch.setenv(VARIABLE, value)
        with pytest.raises(ServiceError, match=words) as caught:
            read_token("127.0.0.1")
        assert value not in str(caught.value)
    monkeypatch.setenv(VARIABLE, TOKEN)
    assert read_token("0.0.0.0") == Token(TOKEN)
    assert TOKEN not in repr(Token(TOKEN))


def test_a_port_in_use_is_named():
    with listen("127.0.0.1", 0) as listener, pytest.raises(ServiceError, match="--port"):
        listen("127.0.0.1", listener.getsockname()[1])


@pytest.mark.slow
def test_a_moved_alias_is_followed_and_every_answer_is_of_one_model(registry, expected):
    service = Service(registry, "--poll", "0.2")
    answers, stop = [], threading.Event()

    def ask_on():
        while not stop.is_set():
            answers.append(service.ask(ROWS))

    asking = threading.Thread(target=ask_on)
    try:
        asking.start()
        move_champion(registry, 1)
        service.wait_for("now taliban-stance v1, was taliban-stance v2")
        same_version = service.ask(ROWS)
        assert same_version.headers["X-Stance-Model"] == "taliban-stance v1"
        move_champion(registry, 2)
        service.wait_for("now taliban-stance v2, was taliban-stance v1")
    finally:
        stop.set()
        asking.join()
        move_champion(registry, 2)
        service.stop()
    of_majority = same_version.json()["predictions"]
    assert of_majority != expected(ROWS)
    seen = {answer.headers["X-Stance-Model"] for answer in answers}
    assert seen == {"taliban-stance v1", "taliban-stance v2"}
    for answer in answers:
        if answer.headers["X-Stance-Model"] == "taliban-stance v1":
            assert answer.json()["predictions"] == of_majority
        else:
            same(answer, expected(ROWS))


@pytest.mark.slow
def test_an_alias_that_is_gone_leaves_the_old_model_answering(registry, expected):
    service = Service(registry, "--poll", "0.2")
    try:
        remove_champion(registry)
        service.wait_for("has no alias 'champion'.*taliban-stance v2 goes on answering")
        time.sleep(1)
        same(service.ask(ROWS), expected(ROWS))
    finally:
        move_champion(registry, 2)
        service.stop()
    assert "".join(service.said).count("goes on answering") == 1


@pytest.mark.slow
def test_requests_under_way_are_finished_when_it_is_told_to_stop(registry, expected):
    service = Service(registry, "--max-rows", "3000")
    rows = [{**ROWS[0], "text": f"{ROWS[0]['text']} {'It rained. ' * 40} {number}"} for number in range(3000)]
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(service.ask, rows)
        time.sleep(0.4)
        assert not asked.done()
        service.stop()
        same(asked.result(), expected(rows))


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced(registry, expected):
    service = Service(registry, "--workers", "2")
    try:
        first, second = workers(service)
        first.kill()
        same(ask_patiently(service, ROWS), expected(ROWS))
        until = time.monotonic() + 150
        while first in (now := workers(service)) or len(now) < 2:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert second in now
    finally:
        service.stop()
    assert not second.is_running()


def workers(service):
    """The processes that answer; multiprocessing has one more, which tracks resources."""
    children = psutil.Process(service.process.pid).children()
    living = [each for each in children if each.status() != psutil.STATUS_ZOMBIE]
    return [each for each in living if "spawn_main" in " ".join(each.cmdline())]


def ask_patiently(service, rows):
    """Ask again where the connection was lost, as docs/serving.md says."""
    for _ in range(50):
        try:
            return service.ask(rows)
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("no answer in 50 attempts")
