"""The published tables: the sets' metrics against scikit-learn's, and the command on invented rows of one set."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, recall_score

from experiments.benchmarks.published import main
from experiments.benchmarks.published_runs import CODEBOOKS, protocols
from experiments.benchmarks.published_scores import MULTI, SINGLE, MeanScores, MultiScores, SingleScores, decide
from stance import codebook, config
from stance.dataset.importers import tasks
from tests import plv

DEEDS = {
    ("1", "CONSULT", "0"): "met",
    ("2", "AID", "0"): "fed",
    ("3", "ACCUSE", "1"): "blamed",
    ("4", "ASSAULT", "1"): "shelled",
}
PLACES = ("Marovia", "Ostria", "Lundia", "Kesh", "Tarn", "Velmark")


def once(statistic, n_documents):
    return dict(zip(statistic.names, statistic(np.ones((1, n_documents)))[0], strict=True))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=3, max_size=30))
def test_single_label_scores_are_scikit_learns(pairs):
    pairs = [*pairs, (0, 0), (1, 1), (2, 2)]
    gold, chosen = np.array(pairs).T
    one_hot = np.eye(3)
    scores = once(
        SingleScores(one_hot[gold], one_hot[chosen], list(map(str, range(len(gold)))), [0] * len(gold), 1), len(gold)
    )
    assert scores["macro_f1"] == pytest.approx(f1_score(gold, chosen, average="macro"))
    assert scores["micro_f1"] == scores["accuracy"] == pytest.approx(accuracy_score(gold, chosen))
    assert scores["macro_recall"] == pytest.approx(recall_score(gold, chosen, average="macro"))
    assert scores["f1_without_neutral"] == pytest.approx(f1_score(gold, chosen, average="macro", labels=[0, 2]))


def test_label_sets_are_scored_by_fold_over_the_frames_that_occur_and_are_given():
    gold = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0]])
    given = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]])
    scores = once(MultiScores(gold, given, list("abcd"), [0, 0, 1, 1]), 4)
    # fold 0: only the first frame occurs and is given; fold 1: only the third
    assert scores == {
        "macro_f1": 1.0,
        "micro_f1": 1.0,
        "exact_1": 0.75,
        "exact_2": pytest.approx(np.nan, nan_ok=True),
        "exact": 0.5,
    }
    both = once(MultiScores(gold, given, list("abcd"), [0, 0, 0, 0]), 4)
    assert both["macro_f1"] == pytest.approx((0.8 + 0.0 + 1.0) / 3)
    assert (both["exact_1"], both["exact_2"], both["exact"]) == pytest.approx((2 / 3, 0.0, 0.5))


def test_the_mean_over_seeds_is_taken_within_a_draw_of_documents():
    gold, documents = np.eye(2)[[0, 1, 0]], ["a", "a", "b"]
    runs = [SingleScores(gold, np.eye(2)[chosen], documents, [0] * 3) for chosen in ([0, 1, 0], [0, 1, 1])]
    drawn = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
    accuracy = MeanScores(runs)(drawn)[:, SINGLE.index("accuracy")]
    assert accuracy == pytest.approx([(1 + 2 / 3) / 2, 1.0, 0.5])


def test_decisions_follow_the_sets_rules():
    probabilities = np.array([[0.6, 0.7, 0.1], [0.2, 0.3, 0.1]])
    assert decide(probabilities, exclusive=True).tolist() == [[False, True, False]] * 2
    assert decide(probabilities, exclusive=False).tolist() == [[True, True, False], [False, True, False]]


@pytest.mark.parametrize("name", protocols())
def test_protocols_fit_codebooks_models_and_metrics(name):
    protocol, book = protocols()[name], codebook.load(CODEBOOKS / f"{name}.yaml")
    assert set(protocol["tasks"]) == set(tasks(name)) == set(book.tasks)
    for task, stated in protocol["tasks"].items():
        metrics = SINGLE if book.task(task).exclusive else MULTI
        assert {score.split(".")[1] for score in stated["scores"]} <= set(metrics)
        rows = [one["values"] for one in stated["published"]] + list(stated.get("goals", {}).values())
        assert {len(row) for row in rows} == {len(stated["scores"])}
    for kind, chosen in protocol["models"].items():
        config.validate({"name": name, "task": task, "model": {"kind": kind, **chosen}}, name)


@pytest.fixture
def data(tmp_path):
    """A PLV of 48 invented sentences, half of them for testing."""
    folder = tmp_path / "plv"
    folder.mkdir()
    rows = [
        [
            0,
            f"{deed}{one}",
            f"{one} {deed} {other} in {one}'s north.",
            f"<s>{one}</s> {deed} <t>{other}</t> in {one}'s north.",
            one,
            other,
            *codes,
        ]
        for codes, deed in DEEDS.items()
        for one, other in zip(PLACES, PLACES[1:] + PLACES[:1], strict=True)
    ]
    plv.write_parts(folder, rows)
    return tmp_path


def invoke(data, *arguments):
    result = CliRunner().invoke(main, ["plv", "--data", str(data), "--results", str(data / "kept"), *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_trains_scores_and_goes_on_where_it_was(data):
    lines = [json.loads(line) for line in invoke(data, "--seeds", "2", "--json").splitlines()]
    assert [(one["task"], one["score"], one["seeds"]) for one in lines] == [
        (task, "test.macro_f1", 2) for task in ("binary", "quad", "root")
    ]
    assert all(one["low"] <= one["mean"] <= one["high"] for one in lines)
    assert lines[0]["mean"] > 90  # the four verbs of the test part stand in the train part
    assert (lines[0]["goal"], lines[0]["best_published"]) == (89, 98.4)
    kept = {path: path.stat().st_mtime_ns for path in (data / "kept").iterdir()}
    assert len(kept) == 6
    table = invoke(data, "--seeds", "2", "--task", "binary")
    assert "ConfliBERT [T]" in table
    assert "≥ 89: reached" in table
    assert {path: path.stat().st_mtime_ns for path in (data / "kept").iterdir()} == kept
    invoke(data, "--seeds", "1", "--task", "binary", "c=4")  # another setting is another run
    assert len(list((data / "kept").iterdir())) == 7


def test_settings_are_chosen_without_the_test_part(data):
    (data / "plv" / "plv_test.tsv").write_text("\t".join(plv.HEADER) + "\n")
    (line,) = invoke(data, "--seeds", "1", "--task", "binary", "--validate", "--json").splitlines()
    found = json.loads(line)
    assert (found["score"], found["goal"], found["best_published"]) == ("validation.macro_f1", None, None)


def test_a_missing_set_is_skipped_with_a_message(tmp_path):
    result = CliRunner().invoke(main, ["gvfc", "--data", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert "skipped gvfc" in result.stderr


@pytest.mark.slow
def test_an_encoder_is_trained_and_scored_by_the_same_command(data, tiny_encoder):
    given = ("--model", "encoder", "--task", "root", "--seeds", "1", "--json", f"name={tiny_encoder}", "epochs=1")
    (line,) = invoke(data, *given).splitlines()
    found = json.loads(line)
    assert (found["model"], found["goal"]) == ("encoder", 80)
    assert 0 <= found["low"] <= found["mean"] <= found["high"] <= 100
