from pathlib import Path

import mlflow
import pytest

import stance
from stance.codebook import Codebook
from stance.errors import BundleError, ConfigError, StoreError
from stance.tracking import registry
from stance.tracking.registry import Refused, Terms, promote
from stance.tracking.runs import RunRecord, tracked_run
from stance.tracking.store import open_store

pytestmark = pytest.mark.slow
NAME = "taliban-stance"


def aliases():
    with open_store() as opened:
        return {alias: int(version) for alias, version in opened.client.get_registered_model(NAME).aliases.items()}


def test_the_best_run_becomes_champion_and_the_old_one_moves_aside(store, train, lenient):
    with pytest.raises(StoreError, match="no finished run of the task 'stance' with a model"):
        promote("stance", terms=lenient)
    first = promote("stance", train("majority"), terms=lenient)
    assert (first.model, first.version, first.previous, first.changed) == (NAME, 1, None, True)
    assert aliases() == {"champion": 1}
    best = train("tfidf-linear")
    train("majority", name="again")
    done = promote("stance", terms=lenient)
    assert (done.version, done.run_id, done.previous, done.changed) == (2, best, 1, True)
    assert aliases() == {"champion": 2, "previous": 1}
    with open_store() as opened:
        tags = [opened.client.get_model_version(NAME, version).tags for version in ("1", "2")]
    assert "there is no champion yet" in tags[0]["stance.reasons"]
    assert "the interval excludes 0" in tags[1]["stance.reasons"]
    assert tags[1]["stance.verdict"] == "promote"
    assert tags[1]["stance.check.difference"] == "passed"
    assert float(tags[1]["stance.gate.difference.low"]) > 0


def test_the_champion_is_not_promoted_twice(store, train, lenient):
    run = train("tfidf-linear")
    first = promote("stance", run, terms=lenient)
    first.card.unlink()
    again = promote("stance", terms=lenient)
    assert not again.changed
    assert again.version == first.version == 1
    assert "is the champion already" in again.verdict.reasons[0]
    assert "there is no champion yet" in again.card.read_text()  # the reasons of the day it was promoted
    assert aliases() == {"champion": 1}


def test_a_worse_run_is_refused_and_force_needs_a_reason(store, train, lenient):
    promote("stance", train("tfidf-linear"), terms=lenient)
    worse = train("majority")
    with pytest.raises(
        Refused, match=r"keeps its champion: macro-F1 .*the candidate is worse; version 2.*--force"
    ) as no:
        promote("stance", worse, terms=lenient)
    assert no.value.exit_status == 3
    assert (no.value.promotion.version, no.value.promotion.card) == (2, None)
    assert aliases() == {"champion": 1, "challenger": 2}
    with open_store() as opened:
        assert opened.client.get_model_version(NAME, "2").tags["stance.verdict"] == "refuse"
        card = mlflow.artifacts.load_text(f"runs:/{worse}/card.md")
    assert "## Why it is not champion" in card
    done = promote("stance", worse, force="kept for teaching", terms=lenient)
    assert aliases() == {"champion": 2, "previous": 1}
    assert promote("stance", terms=lenient).version == 1  # the old champion comes back as the version it was
    assert done.verdict.reasons[-1] == "overruled: kept for teaching"
    with open_store() as opened:
        tags = opened.client.get_model_version(NAME, "2").tags
    assert "overruled" in tags["stance.reasons"]
    assert (tags["stance.verdict"], tags["stance.why"]) == ("forced", "kept for teaching")


def test_of_an_older_verdict_only_the_reason_for_overruling_stays(store, train, lenient):
    promote("stance", train("tfidf-linear"), terms=lenient)
    worse = train("majority")
    cheap = Terms(rules=lenient.rules.model_copy(update={"non_inferior": 0.5}))
    for terms, why in ((cheap, None), (lenient, None), (lenient, "kept for teaching"), (lenient, None)):
        try:
            promote("stance", worse, force=why, terms=terms)
        except Refused:
            assert why is None
        with open_store() as opened:
            tags = opened.client.get_model_version(NAME, "2").tags
        assert bool(tags.get("stance.check.cost")) == (terms is cheap)
        if why:
            promote("stance", "tfidf-linear", terms=lenient)
    assert (tags["stance.verdict"], tags["stance.why"]) == ("refuse", "kept for teaching")


def test_a_reason_is_stored_also_where_the_gate_agrees(store, train, lenient):
    done = promote("stance", train("tfidf-linear"), force="the editors asked for it", terms=lenient)
    assert done.verdict.outcome == "promote"
    with open_store() as opened:
        assert opened.client.get_model_version(NAME, "1").tags["stance.why"] == "the editors asked for it"


def test_a_name_that_runs_of_two_tasks_share_means_that_of_the_task(store, train, lenient, book: Codebook):
    run = train("tfidf-linear")
    with tracked_run(RunRecord("tfidf-linear", "frames", "tfidf-linear", {}, book)):
        pass
    assert promote("stance", "tfidf-linear", terms=lenient).run_id == run


@pytest.mark.parametrize(
    ("field", "name", "said"),
    [("floors", "recognise", "did you mean recognize"), ("probes", "negat", "did you mean negate")],
)
def test_a_bound_of_a_label_or_probe_that_is_none_is_refused(store, lenient, field, name, said):
    wrong = Terms(rules=lenient.rules.model_copy(update={field: {name: 0.9}}))
    with pytest.raises(ConfigError, match=f"{field}: '{name}' is none of the codebook taliban; {said}"):
        promote("stance", terms=wrong)


def test_a_challenger_forced_where_there_is_no_champion_is_no_challenger_any_more(store, train, lenient):
    run = train("majority")
    strict = Terms(rules=lenient.rules.model_copy(update={"floor": 0.9}))
    with pytest.raises(Refused):
        promote("stance", run, terms=strict)
    assert aliases() == {"challenger": 1}
    promote("stance", run, force="kept for teaching", terms=strict)
    assert aliases() == {"champion": 1}


def test_a_dry_run_says_the_verdict_and_writes_nothing(store, train, lenient):
    run = train("tfidf-linear")
    dry = Terms(rules=lenient.rules, dry_run=True)
    assert promote("stance", run, terms=dry).verdict.promote
    with open_store() as opened:
        assert opened.client.search_registered_models() == []
    promote("stance", run, terms=lenient)
    with pytest.raises(Refused, match="nothing was registered"):
        promote("stance", train("majority"), terms=dry)
    assert aliases() == {"champion": 1}
    assert Path("models").exists()


def test_the_candidate_is_chosen_on_validation(store, train, lenient):
    lucky = train("tfidf-linear", name="lucky", extra={"validation.macro_f1": 0.3})
    sound = train("majority", name="sound", extra={"validation.macro_f1": 0.6})
    assert promote("stance", terms=lenient).run_id == sound
    assert promote("stance", lucky, terms=lenient).run_id == lucky


def test_a_champion_put_there_by_hand_meanwhile_is_not_overwritten(store, train, lenient, monkeypatch):
    for kind in ("majority", "tfidf-linear"):
        promote("stance", train(kind), terms=lenient)
    promote("stance", train("majority", name="third"), force="to have a third", terms=lenient)
    better = train("tfidf-linear", name="better")
    render = registry.render_card

    def render_late(facts):
        with open_store() as opened:
            opened.client.set_registered_model_alias(NAME, "champion", "1")
        return render(facts)

    monkeypatch.setattr(registry, "render_card", render_late)
    with pytest.raises(StoreError, match="changed from version 3 to 1 while this promotion ran"):
        promote("stance", better, terms=lenient)
    assert aliases()["champion"] == 1


def test_runs_on_another_split_do_not_compete(store, train, lenient):
    promote("stance", train("tfidf-linear", split="split-a"), terms=lenient)
    fresh = train("majority", split="split-b")
    with pytest.raises(Refused, match="the split differs from the champion's"):
        promote("stance", terms=lenient)
    assert promote("stance", force="new split", terms=lenient).run_id == fresh


def test_a_promotion_that_dies_halfway_leaves_the_old_champion(store, train, lenient, monkeypatch):
    old, new = train("majority"), train("tfidf-linear")
    card = promote("stance", old, terms=lenient).card.read_text()
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
                promote("stance", new, terms=lenient)
        assert aliases()["champion"] == 1, place
        assert stance.load(f"models:/{NAME}@champion").manifest.kind == "majority"
        assert [path.name for path in Path("models").iterdir()] == [f"{NAME}.md"]
        assert Path(f"models/{NAME}.md").read_text() == card
    assert promote("stance", new, terms=lenient).version == 2
    assert aliases() == {"champion": 2, "previous": 1}


def test_a_card_that_cannot_be_written_stops_the_promotion(store, train, lenient):
    Path("models").write_text("in the way")
    with pytest.raises(StoreError, match="cannot write the model card"):
        promote("stance", train("tfidf-linear"), terms=lenient)
    assert aliases() == {}


def test_a_damaged_model_is_never_registered(store, train, lenient):
    run = train("tfidf-linear")
    for path in store.rglob("mlartifacts/**/bundle.json"):
        path.write_text("{}")
    with pytest.raises(BundleError, match=r"bundle\.json"):
        promote("stance", run, terms=lenient)
    with open_store() as opened:
        assert opened.client.search_registered_models() == []


def test_what_cannot_be_promoted(store, train, lenient, book: Codebook):
    with tracked_run(RunRecord("bare", "stance", "majority", {}, book)):
        pass
    with pytest.raises(StoreError, match=r"run 'bare'.*without a model; train it again"):
        promote("stance", "bare")
    with pytest.raises(StoreError, match="is of the task 'stance', not 'frames'"):
        promote("frames", train("tfidf-linear"))
    with pytest.raises(StoreError, match=r"no run 'tfidf-liner'.*tfidf-linear"):
        promote("stance", "tfidf-liner")
