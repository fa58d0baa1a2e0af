"""A run read back whole, and its page put into it."""

from contextlib import chdir
from pathlib import Path

import pytest

from stance.errors import StoreError
from stance.tracking.contents import PAGE, log_page, read_contents
from stance.tracking.history import find_run
from stance.tracking.runs import RunRecord, tracked_run
from stance.tracking.store import open_store

pytestmark = pytest.mark.slow


def test_a_run_is_read_back_whole(workspace, tiny_parts):
    with chdir(workspace), open_store() as store:
        found = read_contents(store, "tfidf-linear")
    assert found.run.name == "tfidf-linear"
    assert [(part.name, part.n) for part in found.data] == [
        (name, len(tiny_parts[name])) for name in ("train", "validation", "test")
    ]
    assert found.predictions is not None
    assert len(found.predictions) == found.evaluation["n_examples"] == len(tiny_parts["test"])
    assert len(found.errors) == found.evaluation["n_errors"]
    texts = {example.id: example.text for example in tiny_parts["test"]}
    assert all(row["text"] == texts[row["id"]] for row in found.errors)
    failed = {row["name"]: round(row["failure_rate"] * row["n"]) for row in found.probes}
    assert {name: sum(row["probe"] == name for row in found.failures) for name in failed} == failed
    assert found.facts


def test_a_registered_run_brings_its_verdict(workspace):
    with chdir(workspace), open_store() as store:
        (version,) = [each for name in ("majority", "tfidf-linear") for each in read_contents(store, name).registered]
    assert (version.model, version.version, version.aliases) == ("taliban-stance", 1, ("champion",))
    assert version.outcome == "promote"
    assert set(version.checks) == {"difference", "floors", "calibration", "probes"}
    assert len(version.reasons) == len(version.checks)
    assert version.why == ""


def test_a_run_that_logged_nothing_is_empty_and_takes_a_page(store, book):
    with tracked_run(RunRecord("bare", "stance", "majority", {}, book)) as run:
        pass
    with open_store() as opened:
        found = read_contents(opened, "bare")
        assert (dict(found.evaluation), found.predictions, found.errors, found.probes) == ({}, None, (), ())
        for text in ("<p>one", "<p>zwei – 二"):
            log_page(opened, run.id, text)
        kept = Path(opened.client.download_artifacts(run.id, PAGE))
        assert kept.read_text("utf-8") == text
        with pytest.raises(StoreError, match="no run 'other'"):
            read_contents(opened, "other")
        assert find_run(opened, "bare").id == run.id
