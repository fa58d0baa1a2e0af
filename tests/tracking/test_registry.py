from pathlib import Path

import mlflow
import pytest
import yaml

import stance
from stance.codebook import Codebook
from stance.errors import BundleError, GateRefusal, StoreError
from stance.tracking.registry import promote
from stance.tracking.runs import RunRecord, tracked_run
from stance.tracking.store import open_store

pytestmark = pytest.mark.slow
NAME = "taliban-stance"


def aliases():
    with open_store() as opened:
        return {alias: int(version) for alias, version in opened.client.get_registered_model(NAME).aliases.items()}


def test_the_best_run_becomes_champion_and_the_old_one_moves_aside(store, train):
    with pytest.raises(StoreError, match="no finished run of the task 'stance' with a model"):
        promote("stance")
    first = promote("stance", train("majority"))
    assert (first.model, first.version, first.previous, first.changed) == (NAME, 1, None, True)
    assert aliases() == {"champion": 1}
    best = train("tfidf-linear")
    train("majority", name="again")
    done = promote("stance")
    assert (done.version, done.run_id, done.previous, done.changed) == (2, best, 1, True)
    assert aliases() == {"champion": 2, "previous": 1}
    with open_store() as opened:
        tags = [opened.client.get_model_version(NAME, version).tags for version in ("1", "2")]
    assert "there is no champion yet" in tags[0]["stance.reasons"]
    assert "the champion's is" in tags[1]["stance.reasons"]


def test_the_champion_is_not_promoted_twice(store, train):
    run = train("tfidf-linear")
    first = promote("stance", run)
    first.card.unlink()
    again = promote("stance")
    assert not again.changed
    assert again.version == first.version == 1
    assert "is the champion already" in again.verdict.reasons[0]
    assert again.card.is_file()
    assert aliases() == {"champion": 1}


def test_a_worse_run_is_refused_and_force_needs_a_reason(store, train):
    promote("stance", train("tfidf-linear"))
    worse = train("majority")
    with pytest.raises(
        GateRefusal, match=r"keeps its champion: test\.macro_f1 is .*on the same test part.*--force"
    ) as no:
        promote("stance", worse)
    assert no.value.exit_status == 3
    assert aliases() == {"champion": 1}
    done = promote("stance", worse, force="kept for teaching")
    assert aliases() == {"champion": 2, "previous": 1}
    assert promote("stance").version == 1  # the old champion comes back as the version it was
    assert done.verdict.reasons[-1] == "overruled: kept for teaching"
    with open_store() as opened:
        assert "overruled" in opened.client.get_model_version(NAME, "2").tags["stance.reasons"]


def test_runs_on_another_split_do_not_compete(store, train):
    promote("stance", train("tfidf-linear", split="split-a"))
    fresh = train("majority", split="split-b")
    with pytest.raises(GateRefusal, match="the split differs from the champion's"):
        promote("stance")
    assert promote("stance", force="new split").run_id == fresh


def test_a_promotion_that_dies_halfway_leaves_the_old_champion(store, train, monkeypatch):
    old, new = train("majority"), train("tfidf-linear")
    card = promote("stance", old).card.read_text()
    set_alias = mlflow.MlflowClient.set_registered_model_alias

    def die(*args, **kwargs):
        raise mlflow.MlflowException("the line went dead")

    def die_on_champion(self, name, alias, version):
        return die() if alias == "champion" else set_alias(self, name, alias, version)

    client = "mlflow.MlflowClient."
    steps = {
        client + "create_model_version": die,
        client + "set_model_version_tag": die,
        "stance.tracking.registry.render_card": die,
        client + "set_registered_model_alias": die_on_champion,
    }
    for place, fault in steps.items():
        with monkeypatch.context() as patch:
            patch.setattr(place, fault)
            with pytest.raises(StoreError, match="the line went dead"):
                promote("stance", new)
        assert aliases()["champion"] == 1, place
        assert stance.load(f"models:/{NAME}@champion").manifest.kind == "majority"
        assert [path.name for path in Path("models").iterdir()] == [f"{NAME}.md"]
        assert Path(f"models/{NAME}.md").read_text() == card
    assert promote("stance", new).version == 2
    assert aliases() == {"champion": 2, "previous": 1}


def test_a_card_that_cannot_be_written_stops_the_promotion(store, train):
    Path("models").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write the model card"):
        promote("stance", train("tfidf-linear"))
    assert aliases() == {}


def test_a_damaged_model_is_never_registered(store, train):
    run = train("tfidf-linear")
    for path in store.rglob("mlartifacts/**/bundle.json"):
        path.write_text("{}")
    with pytest.raises(BundleError, match=r"bundle\.json"):
        promote("stance", run)
    with open_store() as opened:
        assert opened.client.search_registered_models() == []


def test_what_cannot_be_promoted(store, train, book: Codebook):
    with tracked_run(RunRecord("bare", "stance", "majority", {}, book)):
        pass
    with pytest.raises(StoreError, match=r"run 'bare'.*without a model; train it again"):
        promote("stance", "bare")
    with pytest.raises(StoreError, match="is of the task 'stance', not 'frames'"):
        promote("frames", train("tfidf-linear"))
    with pytest.raises(StoreError, match=r"no run 'tfidf-liner'.*tfidf-linear"):
        promote("stance", "tfidf-liner")


def test_the_card_tells_what_the_model_is(store, train, evaluations):
    done = promote("stance", train("tfidf-linear", name="words"))
    assert done.card == Path(f"models/{NAME}.md")
    _, header, body = done.card.read_text().split("---\n", 2)
    facts = yaml.safe_load(header)
    evaluation = evaluations["tfidf-linear"][1]
    assert (facts["model_name"], facts["version"], facts["run_id"]) == (NAME, 1, done.run_id)
    assert facts["metrics"]["test.macro_f1"]["estimate"] == pytest.approx(evaluation.macro_f1.estimate, abs=1e-4)
    assert facts["metrics"]["test.macro_f1"]["low"] <= facts["metrics"]["test.macro_f1"]["high"]
    code = body.split("```python\n")[1].split("```")[0].strip().splitlines()
    assert len(code) == 2
    assert code[0].startswith(f'model = stance.load("models:/{NAME}/1")')
    for label in evaluation.labels:
        assert f"| `{label}` |" in body
    for heading in ("Use", "Labels", "Data", "Results on the test part", "Limits", "Why it is champion"):
        assert f"## {heading}\n" in body
