"""Replaced words leave the actor's mention and the target where they belong."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stance import codebook
from stance.corpus.targets import find_targets
from stance.evaluation.probes.edits import Replacement, edit, rewrite
from stance.records import Example

TARGET = codebook.load().target
TEXT = "On Friday the Norwegian envoy met the Taliban near Oslo, twice."


def envoy():
    start = TEXT.index("the Norwegian envoy")
    end = start + len("the Norwegian envoy")
    return Example(TEXT, "Norway", TEXT[start:end], start, end, find_targets(TEXT, TARGET))


def at(words, new):
    start = TEXT.index(words)
    return Replacement(start, start + len(words), new)


def test_words_before_inside_and_behind_the_mention():
    made = edit(envoy(), [at("Friday", "New Year's Eve"), at("Norwegian", "Kenyan"), at("Oslo", "Nairobi")], TARGET)
    assert made.text == "On New Year's Eve the Kenyan envoy met the Taliban near Nairobi, twice."
    assert made.mention == "the Kenyan envoy" == made.text[made.start : made.end]
    assert [made.text[start:end] for start, end in made.targets] == ["Taliban"]


def test_a_change_that_cuts_the_mention_or_touches_the_target_is_no_case():
    assert edit(envoy(), [at("envoy met", "spoke")], TARGET) is None
    assert edit(envoy(), [at("Taliban", "guests")], TARGET) is None
    assert edit(envoy(), [at("twice", "as the Taliban said")], TARGET) is None


WORDS = st.lists(
    st.sampled_from(["On", "Friday", "Norwegian", "met", "near", "Oslo", "twice"]), unique=True, max_size=5
)


@settings(max_examples=40, deadline=None)
@given(WORDS, st.text("abc é'-", min_size=1, max_size=12))
def test_the_mention_is_what_stands_at_its_offsets(chosen, new):
    replacements = [at(word, new) for word in chosen]
    made = edit(envoy(), replacements, TARGET)
    assert made.text == rewrite(TEXT, replacements)
    assert made.mention == made.text[made.start : made.end]
    assert made.mention == ("the " + (new if "Norwegian" in chosen else "Norwegian") + " envoy")
