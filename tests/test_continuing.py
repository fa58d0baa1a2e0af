"""`stance train --since` on real runs: what joins the data, what stays, and that the gate can compare."""

import json
import shutil
from contextlib import chdir
from dataclasses import replace

import pytest
from safetensors.torch import load_file

from stance.dataset import from_file, read_examples, write_examples
from stance.lineage import read_lineage
from stance.records import Example
from stance.tracking.history import locate_run, search_runs
from stance.tracking.loading import fetch_bundle
from stance.tracking.store import DATABASE, open_store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def room(newsroom, stance_main, tmp_path_factory):
    """The newsroom after a champion and two trainings on: `more` with half of the new gold, `most` with all of it.

    The gold file of the first is overwritten before the second, as the next pull would do.
    """
    folder = tmp_path_factory.mktemp("continuing") / "room"
    shutil.copytree(newsroom, folder)
    promoted = stance_main("promote", "--run", "news", "--force", "--why", "a test", cwd=folder)
    assert promoted.status == 0, promoted.err
    with chdir(folder):
        gold = read_examples("new.jsonl")
        test = from_file("old.jsonl", "stance", seed=13)["test"]
    copies = [replace(one, doc_id="wire", cluster="") for one in test if one.doc_id == test[0].doc_id]
    flipped = replace(test[0], labels=("sanction",) if test[0].labels != ("sanction",) else ())
    for rows, since, name in (
        ([*gold[: len(gold) // 2], *copies, flipped], "models:/taliban-stance@champion", "more"),
        (gold, "more", "most"),
    ):
        write_examples(rows, folder / "gold.jsonl")
        ran = stance_main("train", "--since", since, "--gold", "gold.jsonl", f"name={name}", "--json", cwd=folder)
        assert ran.status == 0, ran.err
        (folder / f"{name}.err").write_text(ran.err, "utf-8")
    return folder


@pytest.fixture(scope="module")
def runs(room):
    with chdir(room), open_store() as store:
        return {run.name: run for run in search_runs(store)}


def test_the_test_part_stays_and_the_data_grow(room, runs):
    with chdir(room):
        parts = {name: read_lineage(name).parts for name in ("news", "more", "most")}
        gold = {one.id for one in read_examples("new.jsonl")}
    assert parts["news"]["test"] == parts["more"]["test"] == parts["most"]["test"]
    seen = [{one.id for part in each.values() for one in part} for each in parts.values()]
    assert seen[0] < seen[1] < seen[2]
    assert seen[2] == seen[0] | gold
    for key in ("split_digest", "test_digest", "codebook_hash"):
        assert len({runs[name].tags[key] for name in parts}) == 1
    assert len({runs[name].tags["data_digest"] for name in parts}) == 3


def test_a_run_names_the_one_that_it_goes_on_from(room, runs):
    assert "since" not in runs["news"].tags
    assert runs["more"].tags["since"] == runs["news"].id
    assert runs["most"].tags["since"] == runs["more"].id


def test_what_touches_the_test_part_is_left_out_and_said(room):
    said = (room / "more.err").read_text("utf-8")
    assert "left out: near the test part" in said
    assert "1 left out: corrections of the test part" in said


def test_the_gate_compares_them_on_the_same_test_part(room, stance_main):
    ran = stance_main("promote", "--run", "most", "--dry-run", "--json", cwd=room)
    assert ran.status in (0, 3), ran.err
    checks = {each["name"]: each["text"] for each in json.loads(ran.out)["verdict"]["checks"]}
    assert "on the same test part" in checks["difference"]
    assert "comparable" not in checks


def test_a_model_is_not_scored_on_the_gold_that_it_was_trained_on_with(room, runs, stance_main):
    ran = stance_main("evaluate", "--model", f"runs:/{runs['most'].id}/model", "new.jsonl", cwd=room)
    assert ran.status == 1
    assert "in both the training data and new.jsonl" in ran.err
    ran = stance_main("evaluate", "--model", f"runs:/{runs['news'].id}/model", "new.jsonl", cwd=room)
    assert ran.status == 0, ran.err


def test_a_dry_run_says_what_would_join_and_trains_nothing(room, stance_main, runs):
    ran = stance_main("train", "--since", "news", "--gold", "new.jsonl", "name=dry", "--dry-run", cwd=room)
    assert ran.status == 0, ran.err
    assert "name: dry" in ran.out
    assert "new examples and 0 corrected" in ran.err
    with chdir(room), open_store() as store:
        assert len(search_runs(store)) == len(runs)


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (("--since", "news"), 2, "give both, or neither"),
        (("--gold", "new.jsonl", "news.yaml"), 2, "give both, or neither"),
        ((), 2, "name the EXPERIMENT file"),
        (("news.yaml", "--since", "news", "--gold", "new.jsonl"), 2, "the recipe is the run's"),
        (("--since", "news", "--gold", "new.jsonl", "data=new.jsonl"), 1, "'data=' cannot be changed with --since"),
        (("--since", "news", "--gold", "new.jsonl", "task=frames"), 1, "'task=' cannot be changed with --since"),
        (("--since", "news", "--gold", "old.jsonl"), 1, "adds nothing"),
        (("--since", "nobody", "--gold", "new.jsonl"), 1, "there is no run 'nobody'"),
        (("--since", "news", "--gold", "none.jsonl"), 1, "none.jsonl"),
    ],
)
def test_what_cannot_be_is_one_error(room, stance_main, given, status, said):
    ran = stance_main("train", *given, cwd=room)
    assert ran.status == status
    assert said in ran.err


def test_an_encoder_goes_on_from_the_runs_weights(tiny_encoder, tiny_file, store_template, stance_main, tmp_path):
    shutil.copy(store_template, tmp_path / DATABASE)
    shutil.copy(tiny_file, tmp_path / "tiny.jsonl")
    settings = f"{{kind: encoder, name: {tiny_encoder}, epochs: 1, learning_rate: 2.0e-3}}"
    (tmp_path / "tiny.yaml").write_text(f"name: tiny\ndata: tiny.jsonl\nmodel: {settings}\n")
    assert stance_main("train", "tiny.yaml", cwd=tmp_path).status == 0
    new = [
        Example(f"Norway hosted the Taliban on day {n}.", "Norway", doc_id=f"d{n}", labels=("engage",))
        for n in range(3)
    ]
    write_examples(new, tmp_path / "gold.jsonl")
    still = ("model.learning_rate=1e-12", "model.weight_decay=0", "name=onward")
    ran = stance_main("train", "--since", "tiny", "--gold", "gold.jsonl", *still, cwd=tmp_path)
    assert ran.status == 0, ran.err
    with chdir(tmp_path):
        files = [fetch_bundle(f"runs:/{locate_run(name)}/model") / "model" for name in ("tiny", "onward")]
    first, second = (query(file / "network.safetensors") for file in files)
    assert (first - second).abs().max() < 1e-6
    assert (first - query(tiny_encoder / "model.safetensors")).abs().max() > 1e-4


def query(file):
    """The queries of an encoder's first layer."""
    weights = load_file(file)
    (name,) = [key for key in weights if key.endswith("layer.0.attention.self.query.weight")]
    return weights[name]
