"""The service as a client meets it: `stance serve` in its own process, with real models in a real store."""

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from stance.tracking.serving.rows import CSV, JSON
from tests.servers import Service
from tests.tracking.serving.answers import ROWS, same

CONFIG = Path(__file__).parents[3] / "experiments" / "benchmarks" / "service.toml"


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
