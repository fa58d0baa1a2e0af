"""Clusters found on disk are those found in memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.corpus import duplicates_on_disk
from stance.corpus.duplicates import cluster
from stance.corpus.duplicates_on_disk import cluster_on_disk

words = st.integers(0, 40).map("w{}".format)
passages = st.lists(words, min_size=12, max_size=40).map(" ".join)


def numbered(first):
    """Clusters by their first text, numbered as `cluster` numbers them."""
    numbers = {}
    return [numbers.setdefault(one, len(numbers)) for one in first.tolist()]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_texts_give_the_clusters_of_the_index_in_memory(tmp_path_factory, data):
    shared = data.draw(st.lists(passages, min_size=1, max_size=3))
    own = st.one_of(passages, st.sampled_from(["", "...", "Talks."]))
    text = st.tuples(own, st.sampled_from(["", *shared]), own).map("\n".join)
    texts = data.draw(st.lists(st.one_of(text, st.sampled_from(shared)), max_size=40))
    folder = tmp_path_factory.mktemp("clusters")
    first = cluster_on_disk(texts, folder)
    assert numbered(first) == cluster(texts)
    assert all(first[one] == one for one in first.tolist())
    assert list(folder.iterdir()) == []


def test_a_passage_of_many_copies_connects_them_all(tmp_path):
    wire = " ".join(f"word{i}" for i in range(60))
    texts = [f"{wire} ending {i} of its own" for i in range(60)] + ["Nothing of that kind was said here today."]
    assert numbered(cluster_on_disk(texts, tmp_path)) == cluster(texts) == [0] * 60 + [1]


def test_texts_are_written_in_pieces_when_they_are_many(tmp_path, monkeypatch):
    monkeypatch.setattr(duplicates_on_disk, "_FLUSH", 50)
    texts = [
        f"A sentence that number {i // 2} has for itself and its copy, and that no other text holds." for i in range(80)
    ]
    assert numbered(cluster_on_disk(texts, tmp_path)) == cluster(texts)


def test_no_texts_have_no_clusters(tmp_path):
    assert cluster_on_disk([], tmp_path).tolist() == []


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(OSError, match="missing"):
        cluster_on_disk(["They met in Doha on Monday."], tmp_path / "missing")
