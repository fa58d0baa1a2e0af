"""Acts retold by others: who tells has no stance, who acted keeps theirs, and every span still fits."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.models.retelling import retell
from stance.records import Example

SENTENCE = "The Turks met the Taliban in Doha."
ACTED = Example(SENTENCE, "Turkey", "Turks", 4, 9, ((18, 25),), doc_id="d1", labels=("engage",))
TELLER = Example("Envoys of the World Bank left.", "World Bank", "World Bank", 14, 24, doc_id="d2", labels=())


@st.composite
def labelled(draw) -> list[Example]:
    """Sentences about actors, mentioned or implied, with targets anywhere."""
    made = []
    for number in range(draw(st.integers(1, 8))):
        actor = draw(st.sampled_from(["Iran", "World Bank", "al-Qaeda", "Tonga"]))
        words = draw(
            st.lists(st.sampled_from(["Taliban", "met", "said", "the", "Iran", "Tonga"]), min_size=1, max_size=6)
        )
        before = draw(st.sampled_from(["", "The ", "On Monday ", "Asked, the ", "“No”, ", "x"]))
        text = before + actor + " " + " ".join(words) + draw(st.sampled_from([".", "?", ""]))
        span = (len(before), len(before) + len(actor)) if draw(st.booleans()) else (None, None)
        at = draw(st.integers(0, len(text) - 1))
        stop = draw(st.integers(at + 1, len(text)))
        labels = draw(st.sampled_from([(), ("engage",), ("oppose", "sanction")]))
        made.append(
            Example(
                text,
                actor,
                actor if span[0] is not None else None,
                *span,
                ((at, stop),),
                doc_id=str(number),
                labels=labels,
            )
        )
    return made


@settings(max_examples=300, deadline=None)
@given(labelled(), st.integers(0, 99))
def test_every_pair_is_one_sentence_with_spans_that_fit(examples, seed):
    known = {example.actor for example in examples}
    made = retell(examples, 1.0, seed)
    assert made == retell(examples, 1.0, seed)
    assert len(made) % 2 == 0
    for acted, told in zip(made[::2], made[1::2], strict=True):
        assert acted.text == told.text
        assert acted.labels
        assert told.labels == ()
        assert told.actor in known - {acted.actor}
        for each in (acted, told):
            assert each.text[each.start : each.end] == each.mention
            assert each.mention.lower() == each.actor.lower()
        source = next(each for each in examples if each.doc_id == acted.doc_id)
        (old,), (new,) = source.targets, acted.targets
        cut = source.text[slice(*old)][1:-1]
        assert acted.text[slice(*new)][1:].startswith(cut)
        assert new[1] - new[0] == old[1] - old[0]


def test_the_teller_is_called_as_sentences_call_it():
    texts = {told.text for seed in range(40) for told in retell([ACTED, TELLER], 1.0, seed)}
    assert "The World Bank said that the Turks met the Taliban in Doha." in texts
    assert "The Turks met the Taliban in Doha, said the World Bank." in texts


def test_the_share_is_kept():
    examples = [replace(ACTED, doc_id=str(number)) for number in range(2000)]
    assert len(retell([*examples, TELLER], 0.0, 1)) == 0
    assert 900 < len(retell([*examples, TELLER], 0.5, 1)) / 2 < 1100


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ()},
        {"labels": None},
        {"start": None, "end": None, "mention": None},
        {"text": "The Turks met “the Taliban” in Doha."},
        {"text": "The Turks met the Taliban in Doha"},
        {"text": "ANKARA The Turks met the Taliban."},
        {"text": "The Turks met the World Bank and the Taliban."},
    ],
)
def test_what_cannot_be_retold_is_left_out(change):
    assert not any(retell([replace(ACTED, **change), TELLER], 1.0, seed) for seed in range(5))


def test_an_actor_that_the_sentence_is_coded_for_does_not_tell_it():
    coded = replace(ACTED, actor="World Bank", mention=None, start=None, end=None, labels=())
    assert not retell([ACTED, coded, TELLER], 1.0, 0)


def test_sentences_coded_without_actors_are_not_retold():
    assert retell([Example(SENTENCE, labels=("diplomacy",))], 1.0, 0) == []


def test_nobody_to_tell_is_no_error():
    assert retell([ACTED], 1.0, 0) == []


def test_a_full_stop_that_belongs_to_a_name_stays():
    ends = Example(
        "Turks sat among the Taliban at the U.N.", "UN", "U.N.", 35, 39, ((20, 27),), doc_id="d3", labels=("engage",)
    )
    made = [each for seed in range(20) for each in retell([ends, TELLER], 1.0, seed)]
    assert made
    assert all(each.text.endswith("at the U.N.") for each in made)
