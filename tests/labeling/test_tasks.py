import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.interface import COMMENT, FLAGS, NONE
from labeling.tasks import Answer, from_result, from_task, to_result, to_task
from stance import codebook as codebooks
from stance.errors import CodebookError, DataError
from stance.records import Example

SHIPPED = codebooks.load()
PLANT = codebooks.load(Path(__file__).parents[2] / "experiments/codebooks/power-plant.yaml")
SCREENS = [(SHIPPED, "stance"), (SHIPPED, "frames"), (PLANT, "position"), (PLANT, "topics")]

# Whole Unicode but for halves of surrogate pairs, with the characters that tend to break things made likely.
HARD = st.sampled_from(
    ["\0", "<script>alert(1)</script>", "&amp;", '"', "'", "\u202e", "تركيا", "\u2028", "\r\n", "$html", "{{x}}"]
)
TEXT = st.lists(st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), HARD), max_size=5).map(
    "".join
)
MAYBE = st.none() | TEXT


@st.composite
def examples(draw):
    text = draw(TEXT)
    cuts = st.integers(0, len(text))
    start, end = draw(st.none() | st.tuples(cuts, cuts).map(sorted)) or (None, None)
    return Example(
        text=text,
        actor=draw(TEXT.filter(bool)),
        mention=None if start is None else text[start:end],
        start=start,
        end=end,
        targets=tuple(tuple(sorted(pair)) for pair in draw(st.lists(st.tuples(cuts, cuts), max_size=3))),
        index=draw(st.integers(0, 9999)),
        **{field: draw(TEXT) for field in ("prev", "next", "doc_id", "cluster")},
        **{field: draw(MAYBE) for field in ("title", "date", "outlet", "url", "genre")},
        labels=draw(st.none() | st.lists(st.sampled_from(SHIPPED.task("stance").labels), unique=True).map(tuple)),
    )


def labels_of(task):
    return st.none() | st.sets(st.sampled_from(task.labels)).map(task.order)


@settings(max_examples=40, deadline=None)
@given(example=examples(), screen=st.sampled_from(SCREENS), data=st.data())
def test_example_to_task_to_annotation_and_back_is_the_identity(example, screen, data):
    book, task = screen
    given_labels = {task: data.draw(labels_of(book.task(task)))}
    if task in ("stance", "position"):
        given_labels |= {n: data.draw(labels_of(t)) for n, t in book.tasks.items() if n != task}
    flags = tuple(data.draw(st.lists(st.just("cant-tell"), max_size=1)))
    comment = data.draw(TEXT)
    sent = to_task(example, book, task)["data"]
    result = to_result(given_labels, book, task, flags, comment)
    # What a server does: it stores JSON, and gives choices and results in any order.
    sent, result = json.loads(json.dumps([sent, result]))
    result = data.draw(st.permutations(result))
    for one in result:
        if "choices" in one["value"]:
            one["value"]["choices"] = data.draw(st.permutations(one["value"]["choices"]))
    assert from_task(sent) == example
    assert from_result(result, book, sent["task"]) == Answer(given_labels, flags, comment, ())


class Page(HTMLParser):
    """The text of a page and the tags in it."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


@settings(max_examples=25, deadline=None)
@given(example=examples())
def test_nothing_of_an_example_becomes_markup(example):
    data = to_task(example, SHIPPED, "stance")["data"]
    page = Page(data["html"])
    assert set(page.tags) <= {"div", "p", "b", "i", "mark"}
    assert page.tags.count("mark") <= 1
    assert example.text.replace("\0", "␀") in "".join(page.texts)
    assert "\0" not in json.dumps(data, ensure_ascii=False) + "".join(data.values())


def test_the_mention_is_marked_and_the_context_stands_around_it():
    example = Example("Then Ankara & <co> spoke.", "Turkey", "Ankara", 5, 11, prev="Before.", title="T", outlet="O")
    html = to_task(example, SHIPPED, "stance")["data"]["html"]
    assert "Then <mark>Ankara</mark> &amp; &lt;co&gt; spoke." in html
    assert '<p class="prev" dir="auto">Before.</p>' in html
    assert "T · O" in html
    assert '<b dir="auto">Turkey</b>' in html


def test_an_implied_actor_is_said_to_be_implied():
    assert "not named" in to_task(Example("He spoke.", "Turkey"), SHIPPED, "stance")["data"]["html"]


def test_a_sentence_task_shows_no_actor():
    html = to_task(Example("Ankara spoke.", "Turkey", "Ankara", 0, 6), SHIPPED, "frames")["data"]["html"]
    assert "mark" not in html
    assert "Turkey" not in html


def test_an_example_without_an_actor_cannot_be_asked_for_its_stance():
    with pytest.raises(DataError, match="no actor"):
        to_task(Example("He spoke."), SHIPPED, "stance")


@pytest.mark.parametrize(
    ("example", "why"),
    [
        (Example("half \ud800", "Turkey"), "surrogate"),
        (Example("short", "Turkey", "short", 0, 99), "outside the text"),
        (Example("Ankara", "Turkey", "Moscow", 0, 6), "the text has 'Ankara'"),
    ],
)
def test_an_example_that_cannot_be_right_is_refused(example, why):
    with pytest.raises(DataError, match=why):
        to_task(example, SHIPPED, "stance")


def test_a_task_that_was_changed_or_is_not_ours_is_refused():
    data = to_task(Example("Ankara spoke.", "Turkey"), SHIPPED, "stance")["data"]
    with pytest.raises(DataError, match="changed"):
        from_task(data | {"example": data["example"].replace("Ankara", "Moscow")})
    with pytest.raises(DataError, match="changed on the server"):
        from_task(data | {"example_id": "0" * 16})
    with pytest.raises(DataError, match="no example"):
        from_task({"text": "something else"})


def test_left_open_and_none_differ():
    assert to_result({"stance": (), "frames": None}, SHIPPED, "stance") == [
        {"from_name": "stance", "to_name": "Sentence", "type": "choices", "value": {"choices": [NONE]}}
    ]
    assert from_result([], SHIPPED, "stance").labels == {"stance": None, "frames": None}


def choice(name, *values):
    return {"from_name": name, "to_name": "Sentence", "type": "choices", "value": {"choices": list(values)}}


def test_what_does_not_fit_is_a_problem_and_keeps_the_rest():
    answer = from_result(
        [choice("stance", "oppose", "none", "praise"), choice("frames", "rights"), choice(FLAGS, "odd"), choice("x")],
        SHIPPED,
        "stance",
    )
    assert answer.labels == {"stance": ("oppose",), "frames": ("rights",)}
    assert len(answer.problems) == 4
    assert "'praise' is not in the codebook" in answer.problems[0]
    assert "'none' stands beside oppose" in answer.problems[1]


def test_an_exclusive_task_takes_exactly_one_label():
    task = SHIPPED.task("stance").model_copy(update={"exclusive": True})
    book = SHIPPED.model_copy(update={"tasks": {"stance": task}})
    assert from_result(to_result({"stance": ("oppose",)}, book, "stance"), book, "stance") == Answer(
        {"stance": ("oppose",)}
    )
    assert to_result({"stance": ()}, book, "stance") == []
    assert "exactly one" in from_result([choice("stance", "oppose", "engage")], book, "stance").problems[0]
    assert "'none' is not in the codebook" in from_result([choice("stance", "none")], book, "stance").problems[0]


def test_a_comment_of_several_parts_becomes_lines():
    parts = {"from_name": COMMENT, "to_name": "Sentence", "type": "textarea", "value": {"text": ["one", "two"]}}
    assert from_result([parts], SHIPPED, "stance").comment == "one\ntwo"


def test_an_answer_outside_the_codebook_is_never_sent():
    with pytest.raises(CodebookError, match="'praise'"):
        to_result({"stance": ("praise",)}, SHIPPED, "stance")
    with pytest.raises(DataError, match="asks only frames"):
        to_result({"stance": ("oppose",)}, SHIPPED, "frames")


def test_a_long_text_goes_through():
    example = replace(Example("x", "Turkey"), text="<b>long</b> " * 9000)
    assert from_task(to_task(example, SHIPPED, "stance")["data"]) == example
