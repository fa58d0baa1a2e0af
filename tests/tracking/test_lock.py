"""Real processes on one SQLite store: what happens when two promote at once."""

import os
import subprocess
import sys
import time

import pytest

from stance.errors import StoreError
from stance.tracking.lock import hold_lock
from stance.tracking.registry import Terms, promote
from stance.tracking.store import open_store

pytestmark = pytest.mark.slow
NAME = "taliban-stance"

PROMOTE = """
import sys, time
from pathlib import Path
from stance.errors import StanceError
from stance.tracking import registry
from stance.tracking.rules import GateRules

run, mine, gate = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
render = registry.render_card

def render_when_told(facts):
    mine.touch()                    # the verdict is made, the alias not yet moved
    while not gate.exists():
        time.sleep(0.05)
    return render(facts)

registry.render_card = render_when_told
try:
    done = registry.promote("stance", run, terms=registry.Terms(rules=GateRules(floor=0, ece_excess=1, resamples=500)))
    print("won", done.version)
except StanceError as error:
    print(type(error).__name__, error)
"""


def start(run, mine, gate):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    given = [sys.executable, "-c", PROMOTE, run, str(mine), str(gate)]
    return subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def wait_for(path, process):
    until = time.monotonic() + 300
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "the process never came to its verdict"
        time.sleep(0.05)


def aliases():
    with open_store() as opened:
        return {alias: int(version) for alias, version in opened.client.get_registered_model(NAME).aliases.items()}


def test_of_two_promotions_at_once_one_wins_and_the_other_is_told(store, train, lenient):
    promote("stance", train("majority", name="old"), terms=lenient)
    first, second = train("tfidf-linear", name="first"), train("tfidf-linear", name="second")
    gate, verdict = store / "go", store / "verdict"
    winner = start(first, verdict, gate)
    try:
        wait_for(verdict, winner)
        with pytest.raises(StoreError, match=rf"another promotion of {NAME} is under way \(process {winner.pid} on"):
            promote("stance", second, terms=lenient)
        assert aliases() == {"champion": 1}
        gate.touch()
        out, err = winner.communicate(timeout=300)
    finally:
        winner.kill()
    assert out == "won 2\n", err
    assert aliases() == {"champion": 2, "previous": 1}
    with open_store() as opened:
        assert [each.name for each in opened.client.search_registered_models()] == [NAME]


def test_processes_that_race_freely_leave_one_champion_and_one_verdict_each(store, train, lenient):
    promote("stance", train("majority", name="old"), terms=lenient)
    runs = [train("tfidf-linear", name=name) for name in ("one", "two")]
    (store / "go").touch()
    racing = [start(run, store / f"mine-{run}", store / "go") for run in runs]
    said = [process.communicate(timeout=300)[0] for process in racing]
    assert sum(line.startswith("won") for line in said) == 1
    told = next(line for line in said if not line.startswith("won"))
    # Either it came while the other held the lock, or after, and then it is no better than the new champion.
    assert "is under way" in told or "does not exclude 0" in told
    found = aliases()
    assert (found["champion"], found["previous"]) == (2, 1)


def test_a_killed_promotion_leaves_a_lock_that_a_person_breaks(store, train, lenient):
    run = train("tfidf-linear")
    verdict = store / "verdict"
    doomed = start(run, verdict, store / "never")
    wait_for(verdict, doomed)
    doomed.kill()
    doomed.communicate()
    with pytest.raises(StoreError, match=rf"process {doomed.pid} .*--break-lock"):
        promote("stance", run, terms=lenient)
    assert promote("stance", run, terms=Terms(rules=lenient.rules, break_lock=True)).version == 1
    assert aliases() == {"champion": 1}


def test_a_broken_lock_does_not_let_its_first_holder_go_on(store):
    with open_store() as opened, hold_lock(opened, NAME) as first:
        first.check()
        with hold_lock(opened, NAME, break_lock=True) as second:
            second.check()
            with pytest.raises(StoreError, match="was broken while this promotion ran"):
                first.check()
        assert opened.client.search_registered_models() == []


def test_an_error_inside_frees_the_lock(store):
    with open_store() as opened:
        with pytest.raises(KeyError), hold_lock(opened, NAME):
            raise KeyError("inside")
        with hold_lock(opened, NAME):
            pass


def test_a_lock_whose_answer_was_lost_is_ones_own(store, monkeypatch):
    with open_store() as opened:
        ask = opened.client.create_registered_model

        def ask_twice(*given, **named):
            ask(*given, **named)
            return ask(*given, **named)

        monkeypatch.setattr(opened.client, "create_registered_model", ask_twice)
        with hold_lock(opened, NAME) as lock:
            lock.check()
        assert opened.client.search_registered_models() == []
