import os
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.dataset import check_disjoint, digest, folds, split
from stance.dataset.splits import cluster_documents, document_id
from stance.errors import DataError
from stance.records import Example

SETS = [(), (), (), ("engage",), ("engage",), ("oppose",), ("sanction",), ("engage", "sanction")]


def corpus(n_documents, seed=0, twins=()):
    """Documents of one to nine labelled sentences; each pair in `twins` states one cluster."""
    draw = random.Random(seed)
    cluster = {f"d{row:03}": f"d{row:03}" for row in range(n_documents)}
    cluster.update({second: first for first, second in twins})
    return [
        Example(f"Sentence {draw.random()}", "Russia", doc_id=doc, index=index, cluster=group, labels=draw.choice(SETS))
        for doc, group in cluster.items()
        for index in range(draw.randint(1, 9))
    ]


@settings(max_examples=15, deadline=None)
@given(st.integers(3, 60), st.integers(0, 5), st.data())
def test_every_document_is_in_one_part_with_its_near_duplicates(n_documents, seed, data):
    number = st.integers(0, n_documents - 1).map("d{:03}".format)
    twins = data.draw(st.lists(st.tuples(number, number), max_size=n_documents // 3))
    examples = corpus(n_documents, seed, twins)
    try:
        divided = split(examples, seed=seed)
    except DataError:
        assert len(set(cluster_documents(examples, seed=0).values())) < 3
        return
    parts = divided.apply(examples)
    assert list(parts) == ["train", "validation", "test"]
    assert all(parts.values())
    assert sum(map(len, parts.values())) == len(examples)
    check_disjoint(parts)
    assert digest(parts) == divided.digest
    part_of = {}
    for one in examples:
        assert part_of.setdefault(one.cluster, divided.parts[one.doc_id]) == divided.parts[one.doc_id]


def test_parts_are_even_in_size_and_labels():
    examples = corpus(400)
    parts = split(examples, seed=1).apply(examples)
    for part, share in zip(parts.values(), (0.7, 0.15, 0.15), strict=True):
        assert len(part) / len(examples) == pytest.approx(share, abs=0.01)
    for labels in set(SETS):
        rates = [sum(one.labels == labels for one in part) / len(part) for part in parts.values()]
        assert max(rates) - min(rates) < 0.02


def test_the_order_of_examples_does_not_matter_and_the_seed_does():
    examples = corpus(50)
    shuffled = random.Random(4).sample(examples, len(examples))
    assert split(examples, seed=1).parts == split(shuffled, seed=1).parts
    assert split(examples, seed=1).apply(examples) == split(shuffled, seed=1).apply(shuffled)
    assert split(examples, seed=1).digest != split(examples, seed=2).digest


@pytest.mark.slow
def test_the_hash_seed_of_python_does_not_matter():
    code = (
        "import random; from stance.records import Example; from stance.dataset import split; r = random.Random(0);"
        "print(split([Example(str(r.random()), doc_id=str(i % 40), cluster=str(i % 40),"
        " labels=tuple(r.sample('abc', 2))) for i in range(300)], seed=3).digest)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] != ""


@pytest.mark.parametrize("k", [2, 5])
def test_folds_hold_out_each_document_once(k):
    examples = corpus(30, twins=[("d001", "d002"), ("d002", "d009")])
    made = folds(examples, k, seed=0)
    held = Counter(doc for fold in made for doc, part in fold.parts.items() if part == "test")
    assert held == {one.doc_id: 1 for one in examples}
    for fold in made:
        assert set(fold.parts.values()) == {"train", "test"}
        check_disjoint(fold.apply(examples))


def test_near_duplicates_are_found_where_no_cluster_is_stated():
    wire = (
        "The delegation left Moscow on Friday after two days of talks on border security, the ministry said in a note. "
    )
    sentences = [wire + "It was the fourth such visit this year and the longest so far, a spokeswoman told reporters."]
    sentences += [sentences[0].replace("fourth", "fifth")]
    sentences += [
        f"Report number {row} speaks of {row * 17} things that no other one names: {row**5}." for row in range(9)
    ]
    examples = [Example(text, doc_id=f"d{row}", labels=()) for row, text in enumerate(sentences)]
    clusters = cluster_documents(examples, seed=0)
    assert clusters["d0"] == clusters["d1"] == "d0"
    assert len(set(clusters.values())) == 10
    assert split(examples, seed=0).parts["d0"] == split(examples, seed=0).parts["d1"]
    # Read in one by one and joined: each file's documents are clusters of their own.
    stated = [replace(one, cluster=one.doc_id) for one in examples]
    assert cluster_documents(stated, seed=0) == clusters


def test_a_sentence_without_document_is_its_own_document():
    examples = [Example("The same words.", actor) for actor in ("Russia", "China")] + [Example("Other words.", "Iran")]
    assert document_id(examples[0]) == document_id(examples[1]) != document_id(examples[2])


def test_parts_that_share_a_document_or_a_cluster_are_refused():
    one = Example("a", doc_id="d1", cluster="d1", labels=())
    with pytest.raises(DataError, match="document 'd1' is in both train and test"):
        check_disjoint({"train": [one], "test": [replace(one, text="b", cluster="")]})
    with pytest.raises(DataError, match="near-duplicate cluster 'd1' is in both train and test"):
        check_disjoint({"train": [one], "test": [replace(one, doc_id="d2")]})
    check_disjoint({"train": [one], "test": [replace(one, doc_id="d2", cluster="d2")]})


def test_what_cannot_be_divided_is_refused():
    with pytest.raises(DataError, match="2 documents"):
        split(corpus(2), seed=0)
    with pytest.raises(DataError, match="sum to 1"):
        split(corpus(9), seed=0, fractions=(0.7, 0.1, 0.1))
    with pytest.raises(DataError, match="5 folds"):
        folds(corpus(4), 5, seed=0)
    with pytest.raises(DataError, match="at least 2"):
        folds(corpus(4), 1, seed=0)


def test_a_document_outside_the_split_is_named():
    divided = split(corpus(9), seed=0)
    with pytest.raises(DataError, match="document 'new' is not in the split"):
        divided.apply([Example("a", doc_id="new")])


def test_other_fractions():
    examples = corpus(200)
    parts = split(examples, seed=0, fractions=(0.5, 0.25, 0.25)).apply(examples)
    assert [len(part) / len(examples) for part in parts.values()] == pytest.approx([0.5, 0.25, 0.25], abs=0.02)
