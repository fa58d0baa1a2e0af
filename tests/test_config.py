"""Experiment files and overrides: what is accepted, and what a user is told about what is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.config import Experiment, load
from stance.errors import ConfigError

FILE = """
name: trial
seed: 5
codebook: books/own.yaml
model:
  kind: tfidf-linear
  c: 2.0
tasks:
  frames:
    seed: 6
    data: frames.jsonl
    model:
      c: 0.5
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "trial.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def majority(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "majority.yaml"
    path.write_text("name: majority\nmodel: {kind: majority}\n")
    return path


def test_a_file_says_what_to_train(file):
    experiment = load(file)
    assert (experiment.name, experiment.task, experiment.seed) == ("trial", "stance", 5)
    assert (experiment.kind, experiment.settings) == ("tfidf-linear", {"c": 2.0})
    assert experiment.data is None


def test_overrides_win_and_are_read_as_yaml(file):
    experiment = load(file, ["seed=7", "model.c=0.25", "name=other trial"])
    assert (experiment.seed, experiment.settings["c"], experiment.name) == (7, 0.25, "other trial")


def test_a_tasks_own_section_holds_for_that_task_only(file):
    frames = load(file, ["task=frames"])
    assert (frames.seed, frames.settings["c"]) == (6, 0.5)
    assert load(file).seed == 5
    assert load(file, ["task=frames", "model.c=3"]).settings["c"] == 3


def test_paths_in_the_file_are_relative_to_it_and_those_given_beside_it_are_not(file):
    assert load(file).codebook == file.parent / "books" / "own.yaml"
    assert load(file, ["task=frames"]).data == file.parent / "frames.jsonl"
    assert str(load(file, ["codebook=here.yaml"]).codebook) == "here.yaml"


def test_the_resolved_experiment_can_be_saved_and_read_again(file):
    experiment = load(file, ["task=frames"])
    assert Experiment.model_validate(experiment.model_dump(mode="json")) == experiment


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sead=7", "unknown key 'sead'; did you mean 'seed'?"),
        ("zzz=7", "unknown key 'zzz'; the keys are name, task, seed"),
        ("model.see=7", "unknown key 'model.see'"),
        ("seed=soon", "seed: .*integer.* \\(got 'soon'\\)"),
        ("seed=-1", "seed: .*greater than or equal to 0 \\(got -1\\)"),
        ("model.kind=encodr", "no model kind 'encodr'; did you mean 'encoder'?"),
        ("model.c=-1", "model.c: "),
        ("model={c: 1, kind: null}", "no model kind"),
        ("model=3", "model: "),
        ("seed", "'seed' is not an override; write key=value"),
        ("=3", "'=3' is not an override"),
        ("seed.low=3", "seed: "),
        ("name=[1", "'name=\\[1': the value is not YAML"),
        ("name=2024-99-99", "the value is not YAML"),
        ("name=0b_", "the value is not YAML"),
        ("name=" + "[" * 5000, "the value is not YAML"),
        ("task=[frames]", "task: "),
        ("tasks.frames.seed=1", "unknown key 'tasks'; did you mean 'task'?"),
    ],
)
def test_each_bad_override_is_one_clear_error(file, override, message):
    with pytest.raises(ConfigError, match=message.replace("?", "\\?")):
        load(file, [override])


def test_a_section_cannot_be_set_inside_a_value(file):
    with pytest.raises(ConfigError, match="'seed' holds a value, not a section"):
        load(file, ["seed=1", "seed.low=3"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an experiment is a mapping"),
        (b"- 1\n", "an experiment is a mapping"),
        (b"name: [1\n", "not YAML"),
        (b"name: 2024-99-99\n", "not YAML"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a: \x00", "not YAML"),
        (b"name: x\n", "key 'model' is missing"),
        (b"name: x\nmodel: {}\n", "model.kind is missing; the kinds are majority, lexicon"),
        (b"name: x\nmodel: {kind: majority}\ntasks: 3\n", "tasks: a mapping is expected, not 3"),
        (b"name: x\nmodel: {kind: majority}\ntasks: {stance: 3}\n", "tasks.stance: a mapping is expected"),
        (b"1: x\nname: x\nmodel: {kind: majority}\n", "1"),
    ],
)
def test_each_bad_file_is_one_clear_error_that_names_it(tmp_path, content, message):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the experiment: No such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot read the experiment"):
        load(tmp_path)


KEYS = st.sampled_from(["seed", "name", "task", "data", "codebook", "model", "model.kind", "model.x", "", ".", "a..b"])
VALUES = st.text() | st.sampled_from(["&a [*a]", "!!int x", "!!python/name:os.system", "{1: 2}", "1e999", ".nan", "<<"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.builds("{}={}".format, KEYS | st.text(max_size=8), VALUES) | st.text(), max_size=3))
def test_no_override_whatsoever_fails_in_another_way(majority, overrides):
    try:
        experiment = load(majority, overrides)
    except ConfigError:
        return
    assert isinstance(experiment, Experiment)
