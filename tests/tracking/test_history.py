import pytest

from stance.errors import StoreError
from stance.tracking.history import COLUMNS, compare_runs, find_run, list_runs
from stance.tracking.runs import RunRecord, tracked_run
from stance.tracking.store import open_store

pytestmark = pytest.mark.slow


def test_no_runs_is_an_empty_table(store):
    assert list(list_runs().columns) == list(COLUMNS)
    assert len(list_runs("stance")) == 0


def test_runs_are_listed_newest_first(played, evaluations):
    table = list_runs("stance")
    assert table["name"].tolist() == ["tfidf-linear", "majority"]
    scores = [evaluations[kind][1].macro_f1.estimate for kind in table["name"]]
    assert table["test.macro_f1"].tolist() == pytest.approx(scores)
    assert str(table["started"].dt.tz) == "UTC"
    assert set(table["status"]) == {"FINISHED"}
    assert len(list_runs("frames")) == 0


def test_two_runs_side_by_side(played, evaluations):
    table = compare_runs("majority", "tfidf-linear").set_index("name")
    assert table.loc["model.kind", ["majority", "tfidf-linear"]].tolist() == ["majority", "tfidf-linear"]
    assert "seed" not in table.index
    gain = evaluations["tfidf-linear"][1].macro_f1.estimate - evaluations["majority"][1].macro_f1.estimate
    assert table.loc["test.macro_f1", "difference"] == pytest.approx(gain)
    assert gain > 0.5


def test_a_run_is_found_by_id_prefix_and_name(store, book):
    ids = []
    for _ in range(2):
        with tracked_run(RunRecord("majority", "stance", "majority", {}, book)) as run:
            ids.append(run.id)
    with open_store() as opened:
        assert find_run(opened, ids[0]).id == ids[0]
        assert find_run(opened, ids[0][:12]).id == ids[0]
        assert find_run(opened, "majority").id == ids[1]
        with pytest.raises(StoreError, match=rf"no run 'majorty'.*majority \({ids[1][:8]}\)"):
            find_run(opened, "majorty")
        with pytest.raises(StoreError, match="no run ''"):
            find_run(opened, "")
    columns = list(compare_runs(*ids).columns)
    assert columns == ["what", "name", *(f"majority ({each[:8]})" for each in ids), "difference"]


def test_an_unknown_run_in_an_empty_store(store):
    with pytest.raises(StoreError, match="the store holds no runs: train first"):
        compare_runs("a", "b")
