"""`stance monitor` on real runs: what it finds, what it keeps, and what it refuses."""

import json
import shutil
from contextlib import chdir
from dataclasses import replace

import pytest

from stance.dataset import read_examples, write_examples
from stance.tracking.history import list_runs, locate_run
from stance.tracking.store import open_store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def room(newsroom, stance_main, tmp_path_factory):
    """The newsroom, with the run's own predictions of the new examples, and examples of another country and wording."""
    folder = tmp_path_factory.mktemp("monitoring") / "room"
    shutil.copytree(newsroom, folder)
    with chdir(folder):
        model = f"runs:/{locate_run('news')}/model"
        examples = read_examples("new.jsonl")
    write_examples([replace(each, labels=None) for each in examples], folder / "fresh.parquet")
    predicted = stance_main("predict", "fresh.parquet", "-o", "new.parquet", "--model", model, cwd=folder)
    assert predicted.status == 0, predicted.err
    strange = [
        replace(
            each, text=f"{each.text} The harbour tariff rose.", actor="Ruritania", mention=None, start=None, end=None
        )
        for each in examples
    ]
    write_examples(strange, folder / "strange.jsonl")
    return folder


def compared(ran):
    content = json.loads(ran.out)
    return content, {(each["family"], each["name"]): each for each in content["measures"]}


def test_more_of_the_same_news_has_not_drifted(room, stance_main):
    ran = stance_main("monitor", "--reference", "news", "new.parquet", "--json", "--no-log", cwd=room)
    assert ran.status == 0, ran.err
    content, measures = compared(ran)
    assert content["verdict"] in ("stable", "watch")
    assert content["run_id"] is None
    labels = ("engage", "oppose", "recognize", "sanction", "none")
    assert {name for family, name in measures if family == "prevalence"} == set(labels)
    assert measures["text", "text"]["verdict"] == "stable"
    assert content["sizes"]["new_documents"] == 70
    assert 0 < measures["prevalence", "none"]["new"] < 1


def test_examples_are_predicted_by_the_run_itself(room, stance_main):
    """From examples and from that model's predictions of them the same comparison comes, to the last digit but few."""
    both = [
        compared(stance_main("monitor", "--reference", "news", file, "--json", "--no-log", cwd=room))[1]
        for file in ("fresh.parquet", "new.parquet")
    ]
    assert both[0].keys() == both[1].keys()
    for key, one in both[0].items():
        assert one["effect"] == pytest.approx(both[1][key]["effect"], abs=1e-6)


def test_a_folder_of_predictions_is_one_comparison(room, stance_main):
    """In a folder, as Spark leaves them, predictions give the comparison that their file gives."""
    folder = room / "parts"
    folder.mkdir()
    shutil.copy(room / "new.parquet", folder / "part-0.parquet")
    both = [
        stance_main("monitor", "--reference", "news", name, "--json", "--no-log", cwd=room)
        for name in ("new.parquet", "parts")
    ]
    assert [ran.status for ran in both] == [0, 0], both[1].err
    one, other = (compared(ran)[0] | {"file": ""} for ran in both)
    assert one == other


def test_drift_is_said_logged_and_has_a_status(room, stance_main, assert_drifted):
    ran = stance_main("monitor", "--reference", "news", "strange.jsonl", "--html", "drift.html", cwd=room)
    assert_drifted(ran)
    assert "verdict: drifted" in ran.out
    assert "unseen actors" in ran.out
    assert "Ruritania" in ran.out
    page = (room / "drift.html").read_text("utf-8")
    assert "Ruritania" in page
    assert "https://" not in page
    with chdir(room), open_store() as store:
        experiment = store.client.get_experiment_by_name("taliban-stance-drift")
        run = store.client.search_runs([experiment.experiment_id])[0]
        assert run.data.tags["stance.reference_run"] == locate_run("news")
        assert run.data.tags["stance.verdict"] == "drifted"
        assert run.data.metrics["drift.verdict"] == 2
        assert run.data.metrics["drift.text.text.effect"] > 0.2
        names = {each.path for each in store.client.list_artifacts(run.info.run_id, "drift")}
        assert names == {"drift/drift.json", "drift/measures.json"}
        assert set(list_runs()["name"]) == {"news", "floor"}  # a comparison is never taken for a training


@pytest.fixture
def assert_drifted():
    def check(ran):
        assert ran.status == 3, (ran.out, ran.err)
        (line,) = [line for line in ran.err.splitlines() if line.startswith("error:")]
        assert "has drifted" in line

    return check


def test_predictions_of_another_model_are_refused(room, stance_main):
    ran = stance_main("monitor", "--reference", "floor", "new.parquet", "--no-log", cwd=room)
    assert ran.status == 1
    assert "were not made by this model" in ran.err


def test_the_runs_own_documents_are_left_out(room, stance_main):
    with chdir(room):
        both = [*read_examples("old.jsonl")[:50], *read_examples("fresh.parquet")]
    write_examples(both, room / "both.jsonl")
    ran = stance_main("monitor", "--reference", "news", "both.jsonl", "--json", "--no-log", cwd=room)
    content, _ = compared(ran)
    assert content["sizes"]["new_documents"] == 70
    assert "the run's own data" in content["notes"][0]
    own = stance_main("monitor", "--reference", "news", "old.jsonl", "--no-log", cwd=room)
    assert own.status == 1
    assert "are the run's own data" in own.err


def test_data_that_changed_since_are_refused(room, stance_main, tmp_path):
    folder = tmp_path / "room"
    shutil.copytree(room, folder)
    with chdir(folder):
        write_examples(read_examples("old.jsonl")[:-3], "old.jsonl")
    ran = stance_main("monitor", "--reference", "news", "new.parquet", "--no-log", cwd=folder)
    assert ran.status == 1
    assert "old.jsonl has changed since" in ran.err


@pytest.mark.parametrize(
    ("reference", "file", "said"),
    [("nows", "new.parquet", "there is no run 'nows'"), ("news", "missing.parquet", "missing.parquet")],
)
def test_what_is_not_there_is_one_error(room, stance_main, reference, file, said):
    ran = stance_main("monitor", "--reference", reference, file, cwd=room)
    assert ran.status == 1
    assert said in ran.err
    assert ran.err.count("error:") == 1


def test_a_run_of_another_task_is_refused(room, stance_main):
    ran = stance_main("monitor", "--reference", "news", "new.parquet", "--task", "frames", cwd=room)
    assert ran.status == 1
    assert "there is no run 'news'" in ran.err
