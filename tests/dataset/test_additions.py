"""Where new gold goes: never near the test part, and always to the same place."""

from dataclasses import replace

import pytest

from stance.dataset import check_overlap, digest
from stance.dataset.additions import place_gold
from stance.errors import DataError
from stance.records import Example

PARTS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def fresh(tiny_examples):
    """New documents that repeat nothing: the shipped ones that the tiny set does not have."""
    from stance.dataset import load_examples

    known = {one.cluster for one in tiny_examples}
    return [one for one in load_examples("stance", "validation")["validation"] if one.cluster not in known]


def test_new_documents_go_to_train_and_validation_whole(tiny_parts, fresh):
    found = place_gold(tiny_parts, fresh, seed=3)
    assert found.new == len(fresh)
    assert (found.corrected, found.known, found.left_out) == (0, 0, {})
    places = [{one.doc_id for one in found.parts[part]} for part in ("train", "validation")]
    assert not places[0] & places[1]
    assert 0.05 < len(places[1]) / len(places[0] | places[1]) < 0.3
    whole = {part: [*examples, *found.parts.get(part, ())] for part, examples in tiny_parts.items()}
    check_overlap(whole)
    old = {one.doc_id for examples in tiny_parts.values() for one in examples}
    assert digest({p: [e for e in es if e.doc_id in old] for p, es in whole.items()}) == digest(tiny_parts)


def test_order_and_company_move_no_document(tiny_parts, fresh):
    whole = place_gold(tiny_parts, fresh, seed=3)
    some = place_gold(tiny_parts, fresh[40:][::-1], seed=3)
    for part in ("train", "validation"):
        assert {one.id for one in some.parts[part]} <= {one.id for one in whole.parts[part]}


def test_what_repeats_a_test_document_joins_nothing(tiny_parts, fresh):
    source = [one for one in tiny_parts["test"] if one.doc_id == tiny_parts["test"][0].doc_id]
    copies = [replace(one, doc_id="wire-copy", cluster="wire-copy") for one in source]
    later = replace(source[0], text="Nothing like it was said before.", prev="", next="", labels=())
    found = place_gold(tiny_parts, [*copies, later, *fresh[:5]], seed=3)
    assert found.left_out == {"near the test part": len(copies) + 1}
    assert found.new == 5


def test_what_repeats_a_validation_document_joins_validation(tiny_parts):
    source = [one for one in tiny_parts["validation"] if one.doc_id == tiny_parts["validation"][0].doc_id]
    found = place_gold(tiny_parts, [replace(one, doc_id="copy", cluster="") for one in source], seed=3)
    assert len(found.parts["validation"]) == len(source)
    assert {one.cluster for one in found.parts["validation"]} == {source[0].cluster}


def test_corrected_labels_count_but_in_the_test_part(tiny_parts):
    changed = [replace(tiny_parts[part][0], labels=("engage", "sanction")) for part in PARTS]
    same = list(tiny_parts["train"][1:4])
    found = place_gold(tiny_parts, [*changed, *same], seed=3)
    assert (found.new, found.corrected, found.known) == (0, 2, 3)
    assert sum(found.left_out.values()) == 1
    assert found.parts["train"][0].labels == ("engage", "sanction")
    assert "2 corrected" in found.summary


def test_gold_that_adds_nothing_is_one_error(tiny_parts):
    with pytest.raises(DataError, match="adds nothing: 2 examples are known"):
        place_gold(tiny_parts, tiny_parts["test"][:2], seed=0)


def test_the_latest_of_two_labels_counts(tiny_parts):
    one = Example("Norway hosted the talks.", "Norway", doc_id="n", labels=("engage",))
    found = place_gold(tiny_parts, [one, replace(one, labels=("oppose",))], seed=0)
    assert [each.labels for part in found.parts.values() for each in part] == [("oppose",)]
