import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.corpus.actor_memory import Memory, collective, introductions, reappearances
from stance.corpus.actors import find_actors


def named(*sentences, date="2021-07-01"):
    return [[mention.actor for mention in found] for found in find_actors(sentences, date=date)]


def test_a_word_for_several_brings_in_the_whole_sentence_before():
    memory = Memory()
    memory.note("Russia, China and Iran met.", ["Russia", "China", "Iran"])
    assert list(memory.antecedents("He spoke.", set())) == ["Russia", "China"]
    assert list(memory.antecedents("The three countries agreed.", set())) == ["Russia", "China", "Iran"]
    assert list(memory.antecedents("The three countries agreed.", {"China"})) == ["Russia", "Iran"]


def test_the_speaker_is_remembered_through_sentences_about_others():
    memory = Memory()
    memory.note("My country, Canada, thanks you.", ["Canada"])
    memory.note("Iran said no.", ["Iran"])
    assert memory.antecedents("We disagree.", set()) == {"Iran": ["before0", "lead"], "Canada": ["speaker"]}


def test_a_sentence_without_actors_ends_the_sentence_before_but_not_the_speaker():
    memory = Memory()
    memory.note("We, Canada, agree.", ["Canada"])
    memory.note("It rained.", [])
    assert memory.antecedents("We left.", set()) == {"Canada": ["lead", "speaker"]}


@pytest.mark.parametrize(
    ("text", "before", "evidence"),
    [
        ("Both sides signed.", 2, ["several", "several fits"]),
        ("The three ministers signed.", 2, ["several", "several misfits"]),
        ("The participants signed.", 4, ["several", "several unnumbered"]),
        ("She signed.", 2, []),
    ],
)
def test_a_number_fits_the_sentence_before_or_not(text, before, evidence):
    assert collective(text, before) == evidence


@pytest.mark.parametrize(
    ("text", "name", "people"),
    [
        ("Ruritanian Foreign Minister Ada Elf said no.", "Ruritanian", ["Ada Elf"]),
        ("Ruritania's ambassador to Kabul, Bo Mann, said no.", "Ruritania", ["Bo Mann"]),
        ("Bo Mann, the Ruritanian envoy, said no.", "Ruritanian", ["Bo Mann"]),
        ("Bo Mann, a spokesman for Ruritania, said no.", "Ruritania", ["Bo Mann"]),
        ("Bo Mann, a baker, went to Ruritania.", "Ruritania", []),
        ("Ruritania met Bo Mann.", "Ruritania", []),
    ],
)
def test_a_text_introduces_its_officials(text, name, people):
    at = text.index(name)
    assert introductions(text, (at, at + len(name))) == people


def test_a_person_whom_the_text_introduced_is_the_actor_later():
    found = named("Kazakh Foreign Minister Ada Elfova arrived on Monday.", "Elfova rejected the plan.")
    assert found == [["Kazakhstan"], ["Kazakhstan"]]
    assert named("Elfova rejected the plan.") == [[]]


def test_a_body_is_meant_by_its_noun_once_the_text_has_named_it():
    first = "NATO said the training would go on."
    second = "Russia rejected the plan."
    assert named(first, second, "The alliance said it would send more troops.")[2] == ["NATO"]
    assert named("The alliance said it would send more troops.") == [[]]


def test_the_body_named_last_is_meant():
    sentences = ["NATO said no.", "The Northern Alliance said no.", "The alliance said the offensive would go on."]
    assert named(*sentences, date="2001-10-20")[2] == ["Northern Alliance"]


def test_a_foreign_soldier_is_not_the_republic():
    assert named("Ten French soldiers were killed near Kabul.", date="2008-08-20")[0] == ["France"]


def test_a_city_that_holds_a_surname_is_not_its_bearer():
    assert named("Nawaz Sharif said no.", "Fighting raged in Mazar-i-Sharif.", date="1998-08-10")[1] == []


@given(st.text(max_size=60), st.lists(st.text("ABCxyz-'.", min_size=1, max_size=6), max_size=4))
@settings(max_examples=60, deadline=None)
def test_reappearances_are_exact_and_touch_nothing_taken(text, surnames):
    text = f"{text} {' '.join(surnames)}"
    taken = [(0, len(text) // 2)]
    for surname, (start, end) in reappearances(text, surnames, taken):
        assert text[start:end] == surname
        assert start >= taken[0][1]
