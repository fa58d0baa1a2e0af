"""Near-duplicates are copies and reworded copies, not every report of one event."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.corpus.articles import read_articles
from stance.corpus.cleaning import clean
from stance.corpus.duplicates import cluster, near_duplicate_pairs

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"

QUOTE = (
    "“We have long urged every group in Afghanistan to form a government in which all of them have a seat,” he said."
)
FIRST = (
    "Moscow will not mediate between the Taliban and their rivals, the foreign minister told reporters on Thursday. "
    f"{QUOTE} Envoys of four neighbours had met a day before in Dushanbe. The valley is still surrounded by fighters."
)
REWORDED = (
    "Russia's top diplomat ruled out a mediating role for his country in the Afghan crisis this week. "
    f"{QUOTE} Resistance forces claim to have repelled two attacks since Tuesday. No side gave proof of its figures."
)
SAME_EVENT = (
    "A mediation by the Kremlin is off the table, its chief diplomat made clear after a meeting with his Libyan guest. "
    "All Afghans ought to be represented in whatever cabinet emerges, he argued, and called on the new rulers to talk."
)


def words(seed: int, count: int = 200) -> str:
    """Return text that shares nothing with that of another seed."""
    draw = random.Random(seed)
    return " ".join("".join(draw.choices("abcdefghijklmnop", k=6)) for _ in range(count))


def test_a_reworded_report_joins_and_another_text_on_the_event_does_not():
    assert cluster([FIRST, SAME_EVENT, REWORDED]) == [0, 1, 0]


def test_copies_join_whatever_their_case_marks_and_line_breaks():
    assert cluster([FIRST, FIRST.upper().replace(" ", "\n"), FIRST.replace("“", '"')]) == [0, 0, 0]


def test_a_cut_copy_joins_the_whole():
    [pair] = near_duplicate_pairs([f"{words(1)} {words(2)}", words(1), words(3)])
    assert (pair.first, pair.second, pair.share) == (0, 1, 1.0)


def test_clusters_are_connected_through_a_third_text():
    assert cluster([words(1), words(2), f"{words(1)} {words(2)}"]) == [0, 0, 0]


def test_boilerplate_does_not_join():
    footer = " The Taliban movement is banned in this country."
    assert cluster([words(seed) + footer for seed in range(40)]) == list(range(40))


def test_many_edited_copies_are_one_cluster():
    texts = [words(seed) for seed in range(30)]
    copies = [f"Desk {index}: {words(99)} Edited by hand {index}." for index in range(60)]
    assert cluster(texts + copies) == [*range(30), *[30] * 60]


def test_higher_threshold_asks_for_more():
    assert cluster([FIRST, REWORDED], threshold=0.9) == [0, 1]


def test_short_and_empty_texts():
    assert cluster([]) == []
    assert cluster(["", "", "…", "Taliban", "taliban", "Kabul"]) == [0, 1, 2, 3, 3, 4]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from([FIRST, REWORDED, SAME_EVENT, "", words(1), words(2)]) | st.text(max_size=30), max_size=12)
)
def test_ids_are_numbered_in_order_of_first_appearance(texts):
    found = cluster(texts)
    assert len(found) == len(texts)
    assert list(dict.fromkeys(found)) == list(range(len(set(found))))
    assert cluster(texts, seed=7) == found


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed articles are not at ../shared/seeds")
def test_only_the_seed_articles_with_the_same_quotations_join():
    assert cluster([clean(article.text, article.title) for article in read_articles([SEEDS])]) == [0, 1, 2, 0, 3]
