"""The page as analysts meet it, in a real browser.

`STANCE_SCREENSHOT=docs/report.png pytest tests/report/analysis/test_page.py -k screenshot` renews the docs' picture.
"""

import json
import os
from pathlib import Path

import pytest

from stance import codebook
from stance.evaluation.bootstrap import Resampling
from stance.report.analysis.error_rates import ErrorRates
from stance.report.analysis.figures import analyse
from stance.report.analysis.page import About, render_page, write_page
from stance.report.analysis.predictions import prepare

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("vega_cache")]

BOOK = codebook.load()
RATES = {
    "stance": {label: ErrorRates(0.75, 0.06, 120, 600) for label in BOOK.task("stance").labels},
    "frames": {label: ErrorRates(0.8, 0.05, 100, 400) for label in BOOK.task("frames").labels},
}
PLAN = Resampling(resamples=200)
LAPTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
PATIENCE = 120_000  # milliseconds, for a busy machine
MATRIX = "table[data-matrix=stance-actor]"
HOSTILE = '<img src=x onerror="window.hit=1"></script><script>window.hit=1</script> & "quoted" \u2028'

# The least contrast of any visible text with what is behind it (WCAG 2), shades laid over one another.
CONTRAST = """root => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const paint = colors => {
    for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = v => v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const light = color => [.2126, .7152, .0722].reduce((sum, share, k) => sum + share * linear(color[k]), 0);
  const behind = e => e ? [...behind(e.parentElement), getComputedStyle(e).backgroundColor] : ['white'];
  const ratio = e => {
    const style = getComputedStyle(e), back = behind(e);
    const both = [light(paint([...back, e.closest('svg') ? style.fill : style.color])), light(paint(back))];
    return (Math.max(...both) + .05) / (Math.min(...both) + .05);
  };
  const own = e => [...e.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  return [...document.querySelectorAll(root + ' *')].filter(e => own(e) && e.checkVisibility() && !e.closest('select'))
    .map(e => [ratio(e), e.outerHTML.slice(0, 120)]).sort((a, b) => a[0] - b[0])[0];
}"""


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Writes a frame's page and returns its path."""

    def make(frame, rates=None, uncorrected=None):
        path = tmp_path_factory.mktemp("page") / "report.html"
        write_page(analyse(prepare(frame, BOOK), rates, uncorrected, PLAN), path, About(BOOK, source="p.parquet"))
        return path

    return make


@pytest.fixture(scope="module")
def report(write, corpus_frame):
    return write(corpus_frame, RATES)


@pytest.fixture
def visit(browser):
    """Opens a page; at the end no script may have failed, nothing been logged and nothing asked for but the file."""
    contexts, trouble = [], []

    def open_page(path, viewport=LAPTOP, scheme="light", fragment=""):
        context = browser.new_context(viewport=viewport, color_scheme=scheme, timezone_id="America/New_York")
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda request: request.url.split("#")[0] == path.as_uri() or trouble.append(request.url))
        page.goto(path.as_uri() + fragment)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == []


def found(page):
    """How many sentences the open dialog says it found."""
    return int(page.inner_text("#found").split()[0].replace(",", ""))


def choose(page, **filters):
    for name, value in filters.items():
        page.select_option(f"#filters [name='{name.replace('task_', 'task:')}']", value)


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


def test_charts_follow_the_choice_and_their_points_open_sentences(visit, report):
    page = visit(report)
    page.wait_for_selector("#chart-months .plot svg")
    labels = page.locator("#chart-months figcaption").all_inner_texts()
    assert labels == list(BOOK.task("stance").labels)
    page.select_option("#choose-months", "frames/")
    page.wait_for_function("document.querySelectorAll('#chart-months .plot svg').length === 7")
    page.locator("#chart-months details summary").click()
    first = page.locator("#chart-months table button.n").first
    wanted, number = json.loads(first.get_attribute("data-find")), int(first.inner_text())
    first.click()
    assert found(page) == number
    assert page.input_value("#filters [name=month]") == wanted["month"]
    page.keyboard.press("Escape")
    # The first point of the first chart: the same month, whatever the reader's time zone.
    point = page.locator("#chart-months .plot svg .mark-symbol path").first
    point.click(force=True)
    assert page.locator("#evidence").is_visible()
    assert page.input_value("#filters [name=month]") == min(
        page.locator("#filters [name=month] option").evaluate_all("all => all.map(one => one.value).filter(Boolean)")
    )


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


def test_everything_has_a_name_for_who_cannot_see_it(visit, report):
    page = visit(report)
    page.wait_for_selector(".plot svg")
    page.click("text=Search all sentences")
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, select, input, [role=region], [role=img]')]
      .filter(e => !(e.getAttribute('aria-label') || e.labels?.[0]?.textContent.trim() || e.textContent.trim()))
      .map(e => e.outerHTML.slice(0, 100))""")
    assert nameless == []
    assert page.evaluate(
        "[...document.querySelectorAll('.matrix')].every(e => e.caption && e.caption.textContent.trim())"
    )
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_it_fits_the_screen_and_is_easy_to_read(visit, report, viewport, scheme):
    page = visit(report, viewport, scheme)
    page.wait_for_selector("#chart-differences .plot svg")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    worst, where = page.evaluate(CONTRAST, "body")
    assert worst >= 4.5, where
    page.click("text=Search all sentences")
    assert page.evaluate("document.getElementById('evidence').scrollWidth") <= viewport["width"]
    worst, where = page.evaluate(CONTRAST, "dialog")
    assert worst >= 4.5, where


def test_markup_in_any_text_is_text(visit, write, row, table):
    facts = {"title": HOSTILE, "outlet": HOSTILE, "url": "javascript:window.hit=1", "text": HOSTILE, "cluster": HOSTILE}
    other = facts | {"outlet": "Wire", "url": "https://example.org/?a=1&b=2"}
    frame = table(*(row(f"{HOSTILE}{k}", 0, HOSTILE, **(other if k else facts)) for k in range(2)))
    page = visit(write(frame))
    page.wait_for_selector(".plot svg")
    page.click("text=Search all sentences")
    choose(page, copies="all")
    assert found(page) == 2
    assert page.locator("#sentences blockquote").first.evaluate("quote => quote.textContent") == HOSTILE
    assert page.locator("#sentences a").evaluate_all("all => all.map(one => one.href)") == [
        "https://example.org/?a=1&b=2"
    ]
    assert page.locator("img").count() == 0
    assert page.evaluate("window.hit") is None
    assert HOSTILE in page.locator("#filters [name=actor] option").evaluate_all("all => all.map(one => one.value)")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.iloc[:0], "There are no predictions in p.parquet"),
        (lambda frame: frame.assign(date=None), "No document has a date, so nothing can be shown over time."),
        (lambda frame: frame.assign(outlet=None), "No document has an outlet, so outlets cannot be compared."),
        (lambda frame: frame.assign(actor=None, stance=None), "No actor was found in any sentence"),
        (
            lambda frame: frame[[name for name in frame if not name.startswith("stance")]],
            "Which frames go with which actor",
        ),
        (lambda frame: frame[[name for name in frame if not name.startswith("frames")]], "Who takes which stance"),
        (lambda frame: frame.assign(cluster=frame["doc_id"]), "No event was reported by two outlets"),
    ],
    ids=["nothing", "no-dates", "no-outlets", "no-actors", "frames-only", "stance-only", "no-events"],
)
def test_what_is_missing_is_said_in_words(visit, write, corpus_frame, change, words):
    page = visit(write(change(corpus_frame.head(120))), PHONE)
    assert words in page.inner_text("body")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    if page.locator("text=Search all sentences").count():
        page.click("text=Search all sentences")
        assert found(page) > 0


def test_uncorrected_counts_say_so(write, corpus_frame):
    path = write(corpus_frame.head(50), {"frames": RATES["frames"]}, {"stance": "nobody knows the model."})
    text = path.read_text("utf-8")
    assert "not corrected for the model’s errors: nobody knows the model." in text
    assert "Forman 2008" in text
    plain = write(corpus_frame.head(50), {}, dict.fromkeys(RATES, "nobody knows the model."))
    assert "Forman 2008" not in plain.read_text("utf-8")


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


def test_screenshot(visit, report):
    page = visit(report)
    page.wait_for_selector("#chart-differences .plot svg")
    if target := os.environ.get("STANCE_SCREENSHOT"):
        page.set_viewport_size({"width": 1366, "height": 1500})
        page.locator(f"{MATRIX} button.n").nth(1).click()
        page.wait_for_timeout(500)
        page.screenshot(path=Path(target))
    assert page.title() == f"Who takes which stance toward {BOOK.target.name}"


def test_the_page_asks_for_nothing(corpus_frame):
    html = render_page(analyse(prepare(corpus_frame.head(30), BOOK), plan=PLAN), About(BOOK))
    assert "default-src 'none'" in html.replace("&#39;", "'")
    assert "<link" not in html
    assert "src=" not in html.partition("<script>")[0]
