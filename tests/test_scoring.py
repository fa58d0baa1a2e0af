"""Other splits, other files, and probes, from an experiment or a saved model."""

import shutil
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import mlflow
import pandas as pd
import pytest

import stance
from stance import codebook, config
from stance.dataset import load_examples, write_examples
from stance.errors import DataError
from stance.experiment import train
from stance.scoring import evaluate_split, probe_model, read_division, score_file
from stance.tracking.history import list_runs, search_runs
from stance.tracking.store import open_store

pytestmark = pytest.mark.slow

PLANT = Path(__file__).parents[1] / "experiments" / "codebooks" / "power-plant.yaml"


def silent(_):
    """Progress that nobody watches."""


def run_of(name):
    with open_store() as store:
        return next(run for run in search_runs(store) if run.name == name)


def uri_of(name):
    return f"runs:/{run_of(name).id}/model"


def test_a_run_on_another_split_is_tagged_and_can_not_be_promoted(workspace, stance_main, tmp_path):
    experiment = config.load(workspace / "tfidf-linear.yaml", ["name=by-time"])
    with chdir(workspace):
        division, trained = evaluate_split(experiment, "time", silent)
        run = run_of("by-time")
        assert trained.run_id == run.id
        assert (run.tags["split"], run.tags["split_digest"]) == ("time", division.digest)
        assert run.metrics["test.macro_f1"] == pytest.approx(trained.evaluation.macro_f1.estimate)
        assert "model_uri" not in run.tags
        assert run_of("tfidf-linear").tags["split"] == "document"
    copy = shutil.copytree(workspace, tmp_path / "copy")
    ran = stance_main("promote", "--force", "--why", "a test", cwd=copy)
    assert ran.status == 0, ran.err
    assert "by-time" not in ran.out  # though it is the newest
    named = stance_main("promote", "--run", "by-time", "--force", "--why", "a test", cwd=copy)
    assert named.status == 1
    assert "without a model" in named.err


def test_progress_counts_anew_only_in_another_stage(workspace):
    states = []
    with chdir(workspace):
        evaluate_split(config.load(workspace / "tfidf-linear.yaml", ["name=watched"]), "time", states.append)
    stages = [state.get("stage", 1) for state in states]
    assert stages == sorted(stages)
    assert set(stages) == {1, 2}
    for stage in (1, 2):
        shares = [state["done"] / state["total"] for state in states if state.get("stage", 1) == stage]
        assert shares == sorted(shares)
        assert shares[-1] == 1


def test_the_split_by_document_is_that_of_training(workspace):
    experiment = config.load(workspace / "majority.yaml")
    division = read_division(experiment, codebook.load(), "document")
    with chdir(workspace):
        assert division.digest == run_of("majority").tags["split_digest"]


def test_held_out_actors_are_never_trained_on(workspace):
    experiment = config.load(workspace / "majority.yaml")
    division = read_division(experiment, codebook.load(), "unseen-actor", ["Russia"])
    assert {example.actor for example in division.parts["test"]} == {"Russia"}
    assert all(e.actor != "Russia" for part in ("train", "validation") for e in division.parts[part])
    with pytest.raises(DataError, match=r"tiny\.jsonl: .*no example has the actor 'Rusia'"):
        read_division(experiment, codebook.load(), "unseen-actor", ["Rusia"])


def test_every_training_logs_its_probes(workspace):
    with chdir(workspace):
        run = run_of("tfidf-linear")
        rates = {key for key in run.metrics if key.startswith("probes.") and key.endswith(".failure_rate")}
        assert {"probes.negate.failure_rate", "probes.typos.failure_rate"} <= rates
        assert {rate.replace("failure_rate", "n") for rate in rates} <= run.metrics.keys()
        with open_store():
            failures, probes = (
                pd.DataFrame(**mlflow.artifacts.load_dict(f"runs:/{run.id}/probes/{name}.json"))
                for name in ("failures", "probes")
            )
    negated = probes.set_index("name").loc["negate"]
    assert (failures["probe"] == "negate").sum() == round(negated["failure_rate"] * negated["n"])
    assert (failures["before"] != failures["after"]).all()


def test_a_model_is_probed_from_the_store_as_after_its_training(workspace):
    with chdir(workspace):
        found = probe_model(uri_of("tfidf-linear"), silent, only=["negate"])
        assert found["negate"].failure_rate == pytest.approx(
            run_of("tfidf-linear").metrics["probes.negate.failure_rate"]
        )
        on_file = probe_model(uri_of("tfidf-linear"), silent, "tiny.jsonl", ["typos"])
    assert 0 < on_file["typos"].n <= 100


def test_another_codebooks_model_is_asked_its_own_pairs(workspace):
    given = [f"codebook={PLANT}", "name=plant-probes"]
    with chdir(workspace):
        for task in ("position", "topics"):
            data = f"data={PLANT.parent}/power-plant-{task}.jsonl"
            train(config.load("majority.yaml", [*given[:1], f"name=plant-{task}", f"task={task}", data]), silent)
        found = probe_model(uri_of("plant-position"), silent)
        with pytest.raises(DataError, match="no probes for the task topics; give sentences"):
            probe_model(uri_of("plant-topics"), silent)
    assert [result.name for result in found.results] == ["ascribe"]


def test_a_model_is_scored_on_a_file(workspace, tmp_path):
    examples = load_examples("stance", "test")["test"][:60]
    write_examples(examples, tmp_path / "mine.jsonl")
    with chdir(workspace):
        evaluation = score_file(uri_of("tfidf-linear"), tmp_path / "mine.jsonl")
        predicted = stance.load(uri_of("tfidf-linear")).predict_examples(examples)
    assert evaluation.n_examples == 60
    right = sum(prediction.labels == prediction.example.labels for prediction in predicted)
    assert evaluation.overall.exact_match == pytest.approx(right / 60)
    write_examples([replace(example, labels=None) for example in examples], tmp_path / "bare.jsonl")
    with chdir(workspace), pytest.raises(DataError, match="has no 'labels'"):
        score_file(uri_of("tfidf-linear"), tmp_path / "bare.jsonl")


def test_a_file_with_what_the_model_was_trained_on_is_refused(workspace, tmp_path):
    train_part = load_examples("stance", "train")["train"]
    leak = [
        replace(example, doc_id="mine", cluster="") for example in train_part if example.doc_id == train_part[0].doc_id
    ]
    write_examples(leak, tmp_path / "leak.jsonl")
    with chdir(workspace):
        settings = "{kind: majority}"
        (workspace / "shipped.yaml").write_text(f"name: shipped\nmodel: {settings}\n")
        train(config.load("shipped.yaml"), silent)
        with pytest.raises(
            DataError, match=rf"near-duplicate '{train_part[0].doc_id} \(mine\)' is in both the training"
        ):
            score_file(uri_of("shipped"), tmp_path / "leak.jsonl")
        assert not list_runs().empty
