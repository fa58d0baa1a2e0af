"""Two trainers and a reader at one server, each on a machine of their own: two folders, no common disk."""

import json
import os
import socket
import stat
import time
from functools import partial
from pathlib import Path

import pytest

import stance
from experiments.teams.accounts import TRAINER, add_account
from experiments.teams.postgres import Postgres, make_database
from stance.errors import ServiceError, StoreError
from stance.tracking.history import list_runs
from stance.tracking.lock import hold_lock
from stance.tracking.registry import promote
from stance.tracking.store import open_store

pytestmark = pytest.mark.slow

NAME = "taliban-stance"
WAIT = 1800  # seconds, for a machine with much else to do
ROWS = [{"text": "Moscow hosted a Taliban delegation.", "actor": "Russia"}] * 2
LOAD = f"""
import json, stance
model = stance.load("models:/{NAME}@champion")
print(model.predict({ROWS!r}).to_json(orient="records"))
"""


def registered():
    """All that the registry holds: models, versions with their tags, aliases."""
    with open_store() as store:
        models = store.client.search_registered_models()
        versions = [
            version for model in models for version in store.client.search_model_versions(f"name = '{model.name}'")
        ]
        return {
            "models": {model.name: dict(model.aliases) for model in models},
            "versions": {(version.name, version.version): dict(version.tags) for version in versions},
        }


def artifacts_of(run_id):
    with open_store() as store:
        return {each.path for each in store.client.list_artifacts(run_id)}


@pytest.fixture(scope="module")
def machines(tiny_file, tmp_path_factory) -> dict[str, Path]:
    """The working folders of both trainers."""
    folders = {}
    for name in ("ann", "bob"):
        folders[name] = tmp_path_factory.mktemp(name)
        (folders[name] / "tiny.jsonl").write_bytes(tiny_file.read_bytes())
        text = f"name: of-{name}\ndata: tiny.jsonl\nmodel: {{kind: tfidf-linear}}\n"
        (folders[name] / "linear.yaml").write_text(text)
        (folders[name] / "majority.yaml").write_text(text.replace("tfidf-linear", "majority"))
    return folders


@pytest.fixture(scope="module")
def trained(team, machines) -> dict[str, str]:
    """The run of each trainer, who trained at once."""
    started = {name: team.start(name, "train", "linear.yaml", "--json", cwd=machines[name]) for name in machines}
    ended = {name: (*process.communicate(timeout=WAIT), process.returncode) for name, process in started.items()}
    assert all(status == 0 for *_, status in ended.values()), ended
    return {name: json.loads(out)["run_id"] for name, (out, *_) in ended.items()}


@pytest.fixture(scope="module")
def refused(team, trained) -> dict[str, object]:
    """What a reader's promotion said, and the registry and the run before and after it, while there is no champion."""
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in team.settings("eve").items():
            patch.setenv(variable, value)
        before = registered(), artifacts_of(trained["ann"])
        with pytest.raises(StoreError) as caught:
            promote("stance", trained["ann"])
        return {"said": str(caught.value), "before": before, "after": (registered(), artifacts_of(trained["ann"]))}


@pytest.fixture(scope="module")
def promoted(team, machines, trained, refused) -> dict[str, tuple[int, str, str]]:
    """Status, stdout and stderr of both trainers, who promote their own run at once."""
    started = {name: team.start(name, "promote", "--run", trained[name], cwd=machines[name]) for name in machines}
    ended = {name: process.communicate(timeout=WAIT) for name, process in started.items()}
    return {name: (started[name].returncode, *ended[name]) for name in ended}


def test_both_trainings_are_whole_and_neither_keeps_anything(team, machines, trained, as_person):
    as_person("eve")
    runs = list_runs("stance").set_index("run_id").loc[list(trained.values())]
    assert list(runs["status"]) == ["FINISHED", "FINISHED"]
    assert runs["split_digest"].nunique() == 1
    assert runs["test.macro_f1"].notna().all()
    for folder in machines.values():
        kept = {path.name for path in folder.iterdir()}
        assert kept == {"linear.yaml", "majority.yaml", "tiny.jsonl"}
    bundles = [path.parent for path in (team.folder / "artifacts").rglob("tfidf.safetensors")]
    assert len(bundles) == 2


def test_a_reader_cannot_promote_and_leaves_no_trace(refused):
    assert "the user 'eve' has no right to do this" in refused["said"]
    assert "MLFLOW_TRACKING_USERNAME" in refused["said"]
    assert refused["before"] == refused["after"]
    assert refused["after"][0] == {"models": {}, "versions": {}}


def test_of_two_promotions_at_once_one_wins_and_the_other_is_told(promoted, machines, as_person):
    statuses = {name: status for name, (status, *_) in promoted.items()}
    winners = [name for name, status in statuses.items() if status == 0]
    assert len(winners) == 1, promoted
    (loser,) = statuses.keys() - set(winners)
    status, _, err = promoted[loser]
    # Either it came while the other held the lock, or after, and then it is no better than the new champion.
    assert (status == 1 and f"another promotion of {NAME} is under way" in err) or (status == 3 and "exclude 0" in err)
    as_person("eve")
    found = registered()
    assert found["models"][NAME]["champion"] == "1"
    assert found["models"].keys() == {NAME}  # and no lock
    assert {name for name in machines if (machines[name] / "models" / f"{NAME}.md").exists()} == set(winners)


def test_who_holds_the_lock_is_named_to_another_machine(team, machines, trained, promoted, as_person):
    as_person("ann")
    with open_store() as store, hold_lock(store, NAME):
        process = team.start("bob", "promote", "--run", trained["bob"], cwd=machines["bob"])
        _, err = process.communicate(timeout=WAIT)
    assert process.returncode == 1
    assert f"another promotion of {NAME} is under way (process {os.getpid()} on {socket.gethostname()} since" in err


def test_a_third_machine_predicts_with_the_champion(team, promoted, tmp_path):
    process = team.start_python("eve", "-c", LOAD, cwd=tmp_path, TMPDIR=str(tmp_path))
    out, err = process.communicate(timeout=WAIT)
    assert process.returncode == 0, err
    assert len(json.loads(out)) == len(ROWS)
    assert {"engage", "stance"} <= json.loads(out)[0].keys()


def test_who_is_nobody_is_told_what_to_set(as_person, monkeypatch):
    as_person("eve")
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")
    wanted = "asks who you are; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    with pytest.raises(StoreError, match=wanted):
        list_runs()


@pytest.mark.parametrize("name", ["eve", "nobody"])
def test_a_wrong_password_is_refused_and_not_shown(as_person, name):
    as_person("eve", MLFLOW_TRACKING_USERNAME=name, MLFLOW_TRACKING_PASSWORD="sesame-sesame")
    with pytest.raises(StoreError, match=f"refuses the user '{name}'.*MLFLOW_TRACKING_PASSWORD") as caught:
        stance.load(f"models:/{NAME}@champion")
    assert "sesame" not in str(caught.value)


def test_a_password_in_the_address_is_not_shown(team, as_person):
    as_person("eve", MLFLOW_TRACKING_URI=team.url.replace("://", "://eve:sesame-sesame@"), MLFLOW_TRACKING_PASSWORD="")
    with pytest.raises(StoreError) as caught:
        list_runs()
    assert "sesame" not in str(caught.value)


def test_only_the_administrator_makes_accounts(as_person):
    as_person("ann")
    with pytest.raises(StoreError, match="'ann' has no right"):
        add_account("mallory", TRAINER, "mallory-mallory")
    as_person("admin")
    with pytest.raises(ServiceError, match="an account 'eve' already"):
        add_account("eve", TRAINER, "eve-eve-eve-eve")
    with pytest.raises(ServiceError, match="12 characters"):
        add_account("mallory", TRAINER, "short")


@pytest.fixture(scope="module")
def direct(team) -> str:
    """The address of an empty database of the team's PostgreSQL, with no MLflow server before it."""
    postgres = Postgres(team.database_port, team.secrets | {"direct": "sesame-sesame"})
    make_database(postgres, "direct")
    return postgres.uri("direct")


def test_a_database_without_a_server_keeps_runs_and_a_shared_folder_their_files(team, direct, machines, tmp_path):
    start = partial(team.start, "ann", cwd=machines["ann"], MLFLOW_TRACKING_URI=direct)
    refused = start("train", "majority.yaml")
    _, err = refused.communicate(timeout=WAIT)
    assert refused.returncode == 1
    assert "set MLFLOW_DEFAULT_ARTIFACT_ROOT to a folder or bucket that all who use it can reach" in err
    assert "sesame" not in err
    trained = start("train", "majority.yaml", "--json", MLFLOW_DEFAULT_ARTIFACT_ROOT=str(tmp_path))
    out, err = trained.communicate(timeout=WAIT)
    assert trained.returncode == 0, err
    assert len(list(tmp_path.rglob("bundle.json"))) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", direct)
        model = stance.load(f"runs:/{json.loads(out)['run_id']}/model")
    assert len(model.predict(ROWS)) == len(ROWS)


def test_a_database_that_does_not_let_us_in_is_one_quick_error(direct, monkeypatch):
    for old, new in (("sesame-sesame", "open-sesame"), ("/direct", "/elsewhere")):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", direct.replace(old, new))
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"does not let us in.*correct user, password or name") as caught:
            list_runs()
        assert "sesame" not in str(caught.value)
        assert time.monotonic() - began < 30  # MLflow itself tries for minutes


def test_no_secret_is_in_a_log_on_a_command_line_or_open_to_others(team, promoted):
    secrets = [*team.secrets.values(), "eve-eve-eve-eve"]
    texts = [path.read_text("utf-8", "replace") for path in team.folder.glob("*.log")]
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            texts.append(process.read_text("utf-8", "replace"))
        except OSError:  # it ended meanwhile, or is not ours to see
            continue
    assert not [secret for secret in secrets if any(secret in text for text in texts)]
    for path in team.folder.iterdir():
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
