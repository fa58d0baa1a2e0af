from hypothesis import given, settings
from hypothesis import strategies as st

from stance.codebook import load
from stance.coding import Target
from stance.corpus.targets import find_targets

TARGET = Target(
    name="Elves",
    description="",
    names=("Elf", "Elf Court", "de facto elves", "EC"),
    excluded=("Dark Elf Court", "Elf on the Shelf"),
)


def named(text, target=TARGET):
    return [text[start:end] for start, end in find_targets(text, target)]


def test_the_longest_name_wins_and_spans_do_not_overlap():
    assert named("The Elf Court and an Elf.") == ["Elf Court", "Elf"]


def test_only_whole_words_are_names():
    assert named("Elfish selfies; the Elf's, (Elf) and Elf-led") == ["Elf", "Elf", "Elf"]


def test_nothing_inside_an_excluded_name_is_the_target():
    assert named("The Dark Elf Court met an Elf on the Shelf, then an Elf.") == ["Elf"]


def test_case_matters_where_it_tells_names_apart():
    assert named("ELF, elf, EC, ec, De Facto Elves, Elf court") == ["ELF", "EC", "De Facto Elves", "Elf court"]


def test_a_name_may_break_over_a_line():
    assert named("the Elf\n  Court") == ["Elf\n  Court"]


def test_the_shipped_target_is_found_and_its_namesakes_are_not():
    target = load().target
    text = "The Taliban's envoys met the Tehrik-i-Taliban Pakistan; the Pakistani Taliban and the Islamic Emirate."
    assert named(text, target) == ["Taliban", "Islamic Emirate"]


@given(st.text(max_size=150))
@settings(max_examples=60, deadline=None)
def test_every_span_is_a_name_of_the_target(text):
    for mention in named(f"{text} Elf {text}"):
        assert " ".join(mention.split()).casefold() in {name.casefold() for name in TARGET.names}
