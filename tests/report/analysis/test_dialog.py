"""The sentences behind the numbers, as analysts open, filter and search them in a real browser."""

import json

import pytest

from stance.report.analysis.predictions import prepare
from tests.report.analysis.reading import BOOK, MATRIX, PHONE, RATES, choose, found

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("vega_cache")]


def having(frame, task, label):
    return frame[task].map(lambda given: given is not None and label in given)


def test_a_number_opens_as_many_sentences_as_it_says(visit, report, corpus_frame):
    page = visit(report)
    counted = prepare(corpus_frame, BOOK).frame
    counted = counted.loc[counted["counted"]]
    for button in page.locator(f"{MATRIX} button.n").all()[:6]:
        wanted = json.loads(button.get_attribute("data-find"))
        (label,) = set(wanted.values()) - {wanted["actor"]}
        button.click()
        assert page.locator("#evidence").is_visible()
        expected = (
            counted.loc[(counted["actor"] == wanted["actor"]) & having(counted, "stance", label)]
            if label != "none"
            else None
        )
        assert found(page) == int(button.inner_text())
        if expected is not None:
            assert found(page) == len(expected)
            assert set(page.locator("#sentences blockquote").all_inner_texts()) <= set(expected["text"].map(str.strip))
        page.keyboard.press("Escape")
        assert not page.locator("#evidence").is_visible()


def test_every_filter_and_the_search_narrow_what_is_listed(visit, report, corpus_frame):
    page = visit(report)
    page.click("text=Search all sentences")
    sentences = prepare(corpus_frame, BOOK).frame
    once = sentences.loc[sentences["counted"]].drop_duplicates(["doc_id", "index"])
    assert found(page) == len(once)
    choose(page, copies="all")
    every = sentences.drop_duplicates(["doc_id", "index"])
    assert found(page) == len(every) > len(once)
    choose(page, task_frames="rights")
    every = every.loc[having(every, "frames", "rights")]
    assert found(page) == len(every)
    choose(page, outlet="Daily <Sample> & Sons")
    every = every.loc[every["outlet"] == "Daily <Sample> & Sons"]
    assert found(page) == len(every)
    word = every["text"].iloc[0].split()[2]
    page.fill("#filters [name=text]", word.upper())
    every = every.loc[(every["text"] + " " + every["title"]).str.lower().str.contains(word.lower(), regex=False)]
    assert found(page) == len(every)
    page.fill("#filters [name=text]", "no such words at all")
    assert page.inner_text("#found").startswith("No sentence fits")
    page.click("#filters >> text=Clear")
    assert found(page) == len(once)
    month = once["month"].iloc[0]
    choose(page, month=month)
    assert found(page) == int((once["month"] == month).sum())


def test_an_actor_and_its_stance_must_be_one_and_the_same(visit, write, row, table):
    page = visit(write(table(row("a", 0, "Russia", ("engage",)), row("a", 0, "Iran", ("oppose",)))))
    page.click("text=Search all sentences")
    choose(page, actor="Iran")
    assert found(page) == 1
    choose(page, **{"task:stance": "engage"})
    assert page.inner_text("#found").startswith("No sentence fits")
    choose(page, actor="")
    assert found(page) == 1


def test_long_lists_come_in_parts_and_a_link_leads_back(visit, report):
    page = visit(report)
    page.click("text=Search all sentences")
    assert page.locator("#sentences li").count() == 30
    page.click("#next")
    assert page.locator("#sentences li").count() == 60
    choose(page, **{"task:stance": "sanction"})
    number, address = found(page), page.url
    again = visit(report, fragment="#" + address.partition("#")[2])
    assert found(again) == number
    assert again.input_value("#filters [name='task:stance']") == "sanction"


def test_an_event_opens_with_all_its_copies(visit, report):
    page = visit(report)
    event = page.locator("details.event").first
    event.locator("summary").click()
    cell = event.locator("button.n").first
    wanted, number = json.loads(cell.get_attribute("data-find")), int(cell.inner_text())
    cell.click()
    pairs = page.inner_text("#found")
    assert number in (found(page), int(pairs.partition("(with ")[2].split(" ")[0] or 0))
    assert page.input_value("#filters [name=event]") == wanted["event"]
    assert page.input_value("#filters [name=copies]") == "all"


def test_the_keyboard_alone_opens_and_closes_the_evidence(visit, report):
    page = visit(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    button = page.locator(f"{MATRIX} button.n").first
    button.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "evidence-title"
    for _ in range(20):  # focus stays inside, or on the browser's own bar
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.find") == button.get_attribute("data-find")


def test_ten_thousand_rows_stay_small_and_answer_at_once(visit, write, corpus_frame):
    import pandas as pd

    many = pd.concat(
        [
            corpus_frame.assign(doc_id=corpus_frame["doc_id"] + f"-{k}", cluster=corpus_frame["cluster"] + f"-{k}")
            for k in range(5)
        ]
    )
    path = write(many, RATES)
    assert len(many) == 10_000
    assert path.stat().st_size < 6_000_000
    page = visit(path, PHONE)
    page.click("text=Search all sentences")
    page.fill("#filters [name=text]", "taliban")
    assert found(page) > 1000
    assert page.locator("#sentences li").count() == 30
