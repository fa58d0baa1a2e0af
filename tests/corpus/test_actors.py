import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.corpus.actor_check import check_actors
from stance.corpus.actors import find_actors, infer_date, locate
from stance.corpus.gazetteer import Gazetteer, Reading, load
from stance.errors import DataError

REAL = Path(__file__).resolve().parents[3] / "shared/realnews/dev.jsonl"


def named(*sentences, date="2021-07-01"):
    return [[mention.actor for mention in found] for found in find_actors(sentences, date=date)]


def test_capitals_palaces_ministries_and_holders_are_their_state():
    for text in ("Moscow", "The Kremlin", "Sergei Lavrov", "Russian officials", "The Russian foreign ministry"):
        assert named(f"{text} said the talks would go on.") == [["Russia"]], text


def test_a_mention_is_the_exact_substring_of_the_first_name():
    text = "Beijing said on Monday that China would send aid."
    (mention,) = find_actors([text], date="2021-09-01")[0]
    assert (mention.actor, mention.text, mention.start, mention.end) == ("China", "Beijing", 0, 7)


@pytest.mark.parametrize(
    "text",
    [
        "The fighters were seen on the road to Tajikistan.",
        "Thousands of refugees were living in camps in Iran.",
        "He bought The Washington Post and the Tehran Times.",
        "A bus crashed near Islamabad.",
    ],
)
def test_a_place_or_an_outlet_is_not_an_actor(text):
    assert named(text) == [[]]


def test_an_office_in_a_city_is_an_actor_where_the_city_is_not():
    assert named("Officials in Tehran said the border would stay open.") == [["Iran"]]


def test_joint_actors_are_all_found():
    assert named("Russia, China and Iran met the envoys.") == [["Russia", "China", "Iran"]]


def test_the_date_decides_whom_a_person_and_the_city_stand_for():
    text = "Hamid Karzai said the talks would go on."
    assert named(text, date="2010-05-01") == [["Afghan Republic"]]
    assert named(text, date="2022-05-01") == [["Hamid Karzai"]]
    assert named("Kabul rejected the offer.", date="2015-01-01") == [["Afghan Republic"]]
    assert named("Kabul rejected the offer.", date="2022-01-01") == [[]]


def test_a_namesake_group_is_itself_not_the_target():
    assert named("The Pakistani Taliban attacked a post.") == [["TTP"]]


def test_what_he_said_next_implies_the_actor_of_the_sentence_before():
    first, second = find_actors(["Russia rejected the plan.", '"We will not sign it," he said.'], date="2021-07-01")
    assert [mention.actor for mention in second] == [first[0].actor] == ["Russia"]
    assert (second[0].text, second[0].start, second[0].end) == (None, None, None)


def test_the_ministry_points_back():
    assert named("Uzbekistan sent a delegation to the talks.", "The ministry said the border would stay open.")[1] == [
        "Uzbekistan"
    ]


def test_documents_do_not_leak_into_each_other():
    alone = named("The ministry said so.")
    named("Russia rejected the plan.")
    assert named("The ministry said so.") == alone == [[]]


def test_another_gazetteer_knows_other_actors():
    book = Gazetteer([("Ruritania", Reading("Ruritania", "name"))])
    found = find_actors(["Ruritania said Russia had left."], gazetteer=book)
    assert [mention.actor for mention in found[0]] == ["Ruritania"]


def test_the_date_is_inferred_from_years_and_terms():
    texts = ["Antony Blinken spoke.", "The deal of 2020 was dead."]
    assert infer_date(texts, [load().scan(text) for text in texts]) == "2020/.."
    assert infer_date(["No date."], [[]]) is None


def test_locate_finds_known_and_unknown_actors():
    assert locate("On Monday the Kremlin spoke.", "Russia") == (14, 21)
    assert locate("the council of ELDERS met", "Council of Elders") == (4, 21)
    assert locate("Elders.", "Elder") is None
    assert locate("anything", "") is None


@given(st.lists(st.text(max_size=80), max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_text_gives_one_tuple_a_sentence_and_exact_substrings(sentences):
    sentences = [f"{sentence} Iran said no." for sentence in sentences]
    found = find_actors(sentences)
    assert len(found) == len(sentences)
    for sentence, mentions in zip(sentences, found, strict=True):
        assert len({mention.actor for mention in mentions}) == len(mentions)
        for mention in mentions:
            assert mention.text is None or sentence[mention.start : mention.end] == mention.text


def test_a_huge_line_is_no_burden():
    found = find_actors(["Russia said " * 40_000, "\u202e\u0000 " * 1000])
    assert [len(mentions) <= 1 for mentions in found] == [True, True]


def test_check_counts_pairs_and_gives_the_sentence_before_as_context(tmp_path):
    rows = [
        {
            "doc_id": "a",
            "prev": "Russia rejected the plan.",
            "text": '"We will not sign it," he said.',
            "actors": [{"actor": "Russia"}],
        },
        {"doc_id": "b", "prev": "", "text": "Iran said no.", "actors": [{"actor": "Iran"}, {"actor": "The Elders"}]},
        {"doc_id": "c", "sentences": [{"text": "China said no.", "actors": []}]},
    ]
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    check = check_actors(path)
    assert (check.tp, check.fp, check.fn) == (2, 1, 1)
    assert [error.actor for error in check.missed] == ["The Elders"]
    assert [error.actor for error in check.spurious] == ["China"]
    assert check.precision == check.recall == check.f1 == pytest.approx(2 / 3)


def test_check_names_the_line_that_it_cannot_read(tmp_path):
    path = tmp_path / "gold.jsonl"
    path.write_text('{"doc_id": "a", "text": "x", "actors": []}\n{"doc_id": "a"}\n')
    with pytest.raises(DataError, match=r"gold.jsonl:2: not a labelled row"):
        check_actors(path)
    with pytest.raises(DataError, match="cannot read"):
        check_actors(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "gold.jsonl: empty; it needs labelled sentences"),
        ("\n \n", "gold.jsonl: empty; it needs labelled sentences"),
        ('{"doc_id": "a"}', "gold.jsonl:1: not a labelled row: 'text' is missing; it needs"),
        ('\n{"text": "x", "actors": []}', "gold.jsonl:2: not a labelled row: 'doc_id' is missing"),
        ('{"doc_id": "a", "text": "x"}', "'actors' is missing"),
        ('{"doc_id": "a", "text": "x", "actors": ["Iran"]}', "an entry of 'actors' has no 'actor', its name"),
        ('{"doc_id": 5, "text": "x", "actors": []}', "'doc_id' is not a string"),
        ('{"doc_id": "a", "sentences": [{"actors": []}]}', "'text' is missing"),
        ('{"doc_id": "a", "sentences": {"text": "x"}}', "'sentences' is not a list"),
        ("[1]", "not an object but list"),
        ("{", "gold.jsonl:1: not a labelled row: not JSON"),
    ],
)
def test_check_says_what_a_line_lacks(tmp_path, content, said):
    path = tmp_path / "gold.jsonl"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        check_actors(path)
    assert said in str(caught.value)
    assert "KeyError" not in str(caught.value)
    assert '"doc_id": "d1"' in str(caught.value)  # what such a line looks like
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not REAL.exists(), reason="the real sentences are not beside the project")
def test_actors_of_real_news_are_found():
    check = check_actors(REAL)
    assert check.precision >= 0.80
    assert check.recall >= 0.86
