"""The page as analysts meet it, in a real browser.

`STANCE_SCREENSHOT=docs/report.png pytest tests/report/analysis/test_page.py -k screenshot` renews the docs' picture.
"""

import json
import os
from pathlib import Path

import pytest

from stance.report.analysis.figures import analyse
from stance.report.analysis.page import About, render_page
from stance.report.analysis.predictions import prepare
from tests.report.analysis.reading import BOOK, LAPTOP, MATRIX, PHONE, PLAN, RATES, choose, found

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("vega_cache")]

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
