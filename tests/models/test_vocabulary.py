"""Words are taken apart once, and are the same whatever was met before, in any thread."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.models import vocabulary as module
from stance.models.units import ACTOR, TARGET, units
from stance.models.vocabulary import Vocabulary

WORDS = ["talks", "talking", "not", "don't", "2021", "7", "Taliban", ACTOR, TARGET, ".", "kabul"]
NUMBERS = {unit: n for n, unit in enumerate(sorted({u for w in WORDS for u in units(w, (4, 5))}), start=1)}
TEXTS = st.lists(st.lists(st.sampled_from([*WORDS, "unknown", "0"]), max_size=6), max_size=6)


def described(vocabulary, texts):
    """Per token, all that is known of it."""
    places, words = vocabulary.find(texts)
    return [
        (
            int(words.word[p]),
            int(words.stem[p]),
            int(words.spelled[p]),
            bool(words.negates[p]),
            words.grams[words.begins[p] :][: words.counts[p]].tolist(),
        )
        for p in places
    ]


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=4), TEXTS)
def test_what_is_known_of_words_does_not_depend_on_those_before(earlier, texts):
    vocabulary = Vocabulary(NUMBERS, (4, 5))
    for one in earlier:
        vocabulary.find(one)
    assert described(vocabulary, texts) == described(Vocabulary(NUMBERS, (4, 5)), texts)


def test_a_word_is_its_units():
    ((word, stem, spelled, negates, grams),) = described(Vocabulary(NUMBERS, (4, 5)), [["talks"]])
    assert [word, stem, *grams] == [NUMBERS[unit] for unit in units("talks", (4, 5))]
    assert spelled == stem
    assert not negates
    assert [one[3] for one in described(Vocabulary(NUMBERS), [["not", "don't"], ["kabul"]])] == [True, True, False]


def test_numerals_are_one_word_but_are_not_spelled_alike():
    year, seven = described(Vocabulary(NUMBERS), [["2021"], ["7"]])
    assert year[:2] == seven[:2] == (NUMBERS["w:0"], NUMBERS["s:0"])
    assert year[2] == seven[2] == 0


def test_actor_and_target_have_the_first_places():
    places, _ = Vocabulary(NUMBERS).find([["kabul", TARGET, ACTOR]])
    assert places.tolist() == [2, 1, 0]


def test_a_full_memory_is_emptied_and_gives_the_same(monkeypatch):
    monkeypatch.setattr(module, "LIMIT", 5)
    vocabulary = Vocabulary(NUMBERS, (4, 5))
    expected = described(Vocabulary(NUMBERS, (4, 5)), [WORDS])
    for number in range(20):
        vocabulary.find([[f"word{number}"]])
        assert len(vocabulary.find([["kabul"]])[1].word) <= 9
    assert described(vocabulary, [WORDS]) == expected


def test_threads_may_share_it():
    vocabulary = Vocabulary(NUMBERS, (4, 5))
    rng = np.random.default_rng(1)
    texts = [[[*rng.choice(WORDS, 5), f"new{n}"] for _ in range(20)] for n in range(60)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda one: described(vocabulary, one), texts))
    assert answers == [described(Vocabulary(NUMBERS, (4, 5)), one) for one in texts]
