"""Splits on demand: what each kind promises, for any examples."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.dataset import check_overlap, digest, divide, examples
from stance.dataset.divisions import KINDS
from stance.dataset.overlap import days, group_of
from stance.errors import DataError
from stance.records import Example

ACTORS = [f"Actor {number}" for number in range(25)]


def corpus(seed, n_documents=60):
    """Documents of one genre, outlet and date each, with one to five sentences of one to three actors."""
    draw = Random(seed)
    made = []
    for number in range(n_documents):
        day = date(2020, 1, 1) + timedelta(days=draw.randrange(900))
        about = {
            "doc_id": f"d{number}",
            "cluster": f"d{number - number % 5 if draw.random() < 0.2 else number}",
            "date": day.isoformat()[: draw.choice([4, 7, 10, 10, 10])],
            "genre": draw.choice("abcdefg"),
            "outlet": draw.choice("abcdefg"),
        }
        for index in range(draw.randint(1, 5)):
            for actor in draw.sample(ACTORS, draw.randint(1, 3)):
                labels = draw.choice([(), ("engage",), ("oppose",)])
                made.append(Example(f"Words {draw.random()}", actor, index=index, labels=labels, **about))
    return made


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 10_000))
def test_every_kind_keeps_its_promise(kind, seed):
    given_examples = corpus(seed)
    division = divide(given_examples, kind, seed=seed)
    parts = division.parts
    assert set(parts) == {"train", "validation", "test"}
    assert all(parts.values())
    kept = [example.id for part in parts.values() for example in part]
    assert len(kept) == len(set(kept))
    assert set(kept) <= {example.id for example in given_examples}
    assert division.left_out == len(given_examples) - len(kept)
    check_overlap(parts, kind, given_examples)
    rest = [*parts["train"], *parts["validation"]]
    if kind == "time":
        assert max(days(e.date)[1] for e in rest) < min(days(e.date)[0] for e in parts["test"])
        assert max(days(e.date)[1] for e in parts["train"]) < min(days(e.date)[0] for e in parts["validation"])
    elif kind != "document":
        field = "actor" if kind == "unseen-actor" else kind
        assert {group_of(e, field) for e in parts["test"]} <= set(division.held_out)
        assert not {group_of(e, field) for e in rest} & set(division.held_out)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 1000))
def test_the_order_of_examples_changes_nothing(kind, seed):
    given_examples = corpus(seed)
    mixed = Random(seed).sample(given_examples, len(given_examples))
    outcomes = []
    for one in (given_examples, mixed):
        try:
            division = divide(one, kind, seed=1)
            outcomes.append((division, division.digest))
        except DataError as error:  # too few documents of one time or group
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]


def test_a_sentence_with_a_held_out_actor_is_not_trained_on():
    division = divide(corpus(1), "unseen-actor", seed=1)
    places = {(e.doc_id, e.index, e.text) for e in corpus(1) if e.actor in division.held_out}
    assert places
    assert not {(e.doc_id, e.index, e.text) for part in ("train", "validation") for e in division.parts[part]} & places


def test_named_groups_are_held_out():
    division = divide(corpus(2), "genre", seed=0, held_out=["B", "c"])
    assert division.held_out == ("b", "c")
    assert {example.genre for example in division.parts["test"]} <= {"b", "c"}
    actors = divide(corpus(2), "unseen-actor", seed=0, held_out=ACTORS[:8])
    assert {example.actor for example in actors.parts["test"]} <= set(ACTORS[:8])


def test_kinds_have_digests_of_their_own():
    digests = {kind: divide(corpus(3), kind, seed=0).digest for kind in KINDS}
    assert len(set(digests.values())) == len(KINDS)
    assert digests["document"] == digest(divide(corpus(3), "document", seed=0).parts)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("mood", {}, "no split by 'mood'; there are document, time"),
        ("time", {"date": None}, "no example has a date"),
        ("outlet", {"outlet": None}, "no example has one"),
        ("genre", {"genre": "wire"}, "all are of 'wire'"),
        ("unseen-actor", {"actor": None}, "no example has one"),
    ],
)
def test_what_cannot_be_divided_says_why(kind, change, message):
    bare = [Example.from_row({**example.to_row(), **change}) for example in corpus(4)]
    if None in change.values():
        bare = [Example.from_row({k: v for k, v in e.to_row().items() if k not in change}) for e in corpus(4)]
    with pytest.raises(DataError, match=message):
        divide(bare, kind, seed=0)


def test_an_unknown_group_and_a_group_for_a_split_without_are_refused():
    with pytest.raises(DataError, match="no example has the genre 'z'; there are a, b"):
        divide(corpus(5), "genre", seed=0, held_out=["z"])
    with pytest.raises(DataError, match="holds no group out"):
        divide(corpus(5), "time", seed=0, held_out=["z"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["time", "genre", "unseen-actor"])
def test_the_shipped_corpus_divides_into_parts_worth_scoring(kind):
    division = divide(examples("stance"), kind, seed=13)
    assert len(division.parts["test"]) > 500
    assert len(division.parts["train"]) > 4000
    assert {label for e in division.parts["test"] for label in e.labels} == {
        "engage",
        "oppose",
        "recognize",
        "sanction",
    }
