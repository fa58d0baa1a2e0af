"""Every figure, counted by hand on a dozen rows."""

import numpy as np
import pytest

from stance import codebook
from stance.evaluation.bootstrap import Resampling
from stance.report.analysis.error_rates import ErrorRates
from stance.report.analysis.figures import KEYS, analyse
from stance.report.analysis.predictions import prepare
from stance.report.analysis.prevalence import COLUMNS

BOOK = codebook.load()
PLAN = Resampling(resamples=100)


@pytest.fixture(scope="module")
def small(row, table):
    """Document a of May, its copy b in another outlet, which cuts one sentence and adds one, and c of June."""
    copy = {"cluster": "a", "outlet": "Wire", "date": "2024-05-02"}
    june = {"date": "2024-06-03", "outlet": "Wire"}
    return table(
        row("a", 0, "Russia", ("engage",), ("diplomacy",)),
        row("a", 0, "Iran", ("engage", "oppose"), ("diplomacy",)),
        row("a", 1, "Russia", (), ("security",)),
        row("a", 2, None, None, ()),
        row("b", 0, "Russia", ("engage",), ("diplomacy",), **copy),
        row("b", 0, "Iran", ("engage", "oppose"), ("diplomacy",), **copy),
        row("b", 3, "Russia", ("oppose",), ("rights",), **copy),
        row("c", 0, "Russia", ("oppose",), ("diplomacy", "rights"), **june),
        row("c", 1, "China", ("engage",), (), **june),
    )


@pytest.fixture(scope="module")
def analysis(small):
    return analyse(prepare(small, BOOK), plan=PLAN)


def numbers(analysis, figure, task, key, label):
    """(n, count) by group of a figure."""
    table = analysis.figure(figure, task)
    own = table.loc[table["label"] == label]
    return {row[key]: (row["n"], row["count"]) for row in own.to_dict("records")}


def test_the_table_is_tidy(analysis):
    assert list(analysis.table.columns) == [*KEYS, *COLUMNS]
    assert not analysis.table.duplicated([*KEYS, "label"]).any()
    assert set(analysis.table["figure"]) == {"all", "actors", "months", "outlets", "events", "differences"}


def test_actors_count_copies_once(analysis):
    assert numbers(analysis, "actors", "stance", "actor", "engage") == {
        "Russia": (3, 1),
        "Iran": (1, 1),
        "China": (1, 1),
    }
    assert numbers(analysis, "actors", "stance", "actor", "oppose") == {
        "Russia": (3, 1),
        "Iran": (1, 1),
        "China": (1, 0),
    }
    assert numbers(analysis, "actors", "stance", "actor", "none") == {"Russia": (3, 1), "Iran": (1, 0), "China": (1, 0)}
    assert numbers(analysis, "actors", "frames", "actor", "diplomacy") == {
        "Russia": (3, 2),
        "Iran": (1, 1),
        "China": (1, 0),
    }


def test_months_count_copies_once(analysis):
    table = analysis.figure("months", "stance")
    every = table.loc[table["actor"].isna() & (table["label"] == "engage")]
    assert every[["month", "n", "count", "documents"]].values.tolist() == [["2024-05", 3, 2, 1], ["2024-06", 2, 1, 1]]
    russia = table.loc[(table["actor"] == "Russia") & (table["label"] == "oppose")]
    assert russia[["month", "n", "count"]].values.tolist() == [["2024-05", 2, 0], ["2024-06", 1, 1]]
    assert numbers(analysis, "months", "frames", "month", "none") == {"2024-05": (3, 1), "2024-06": (2, 1)}


def test_outlets_count_their_own_copies(analysis):
    assert numbers(analysis, "outlets", "stance", "outlet", "oppose") == {"Courier": (3, 1), "Wire": (5, 3)}
    assert numbers(analysis, "outlets", "frames", "outlet", "rights") == {"Courier": (3, 0), "Wire": (4, 2)}


def test_an_event_sets_its_outlets_side_by_side(analysis):
    assert numbers(analysis, "events", "stance", "outlet", "oppose") == {"Courier": (3, 1), "Wire": (3, 2)}
    table = analysis.figure("differences", "stance").set_index(["outlet", "label"])
    assert table.loc[("Wire", "oppose"), "share"] == pytest.approx(1 / 3)
    assert table.loc[("Courier", "oppose"), "share"] == pytest.approx(-1 / 3)
    assert table.loc[("Wire", "engage"), "share"] == pytest.approx(0)
    assert np.isnan(table.loc[("Wire", "oppose"), "low"])  # one event says nothing of spread


def test_rates_correct_shares_and_differences(small):
    rates = {"stance": {"oppose": ErrorRates(0.9, 0.1, 1e9, 1e9)}}
    analysis = analyse(prepare(small, BOOK), rates, plan=PLAN)
    russia = analysis.figure("actors", "stance").set_index(["actor", "label"]).loc[("Russia", "oppose")]
    assert russia["corrected"] == pytest.approx((1 / 3 - 0.1) / 0.8)
    wire = analysis.figure("differences", "stance").set_index(["outlet", "label"]).loc[("Wire", "oppose")]
    assert wire["corrected"] == pytest.approx(1 / 3 / 0.8)
    assert analysis.figure("actors", "frames")["corrected"].isna().all()


def test_every_outlets_difference_is_found_in_many_events(row, table):
    rows = []
    for event in range(40):
        for outlet in ("Courier", "Wire"):
            for index in range(6):
                opposes = index < (4 if outlet == "Wire" else 1) + event % 2
                facts = {"cluster": f"e{event}", "outlet": outlet}
                rows.append(row(f"{outlet}{event}", index, "Iran", ("oppose",) if opposes else (), (), **facts))
    found = (
        analyse(prepare(table(*rows), BOOK), plan=PLAN).figure("differences", "stance").set_index(["outlet", "label"])
    )
    wire = found.loc[("Wire", "oppose")]
    assert wire["share"] == pytest.approx(0.5)
    assert wire["low"] == pytest.approx(0.5)
    assert wire["documents"] == 40


def test_what_is_missing_leaves_its_figure_out(row, table):
    bare = table(row("a", 0, None, None, (), date=None, outlet=None))
    assert set(analyse(prepare(bare, BOOK), plan=PLAN).table["figure"]) == {"all"}
    empty = analyse(prepare(bare.iloc[:0], BOOK), plan=PLAN)
    assert len(empty.table) == 0
    frames = [name for name in bare.columns if not name.startswith("stance")]
    only = analyse(prepare(table(row("a"), row("b"))[frames], BOOK), plan=PLAN)
    assert set(only.table["task"]) == {"frames"}


def test_the_same_seed_gives_the_same_numbers(corpus_frame):
    found = [analyse(prepare(corpus_frame.head(300), BOOK), plan=PLAN).table for _ in range(2)]
    assert found[0].equals(found[1])
