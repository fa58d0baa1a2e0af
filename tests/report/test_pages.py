"""Pages as a reader meets them: real runs in a real browser."""

import re
from contextlib import chdir
from itertools import pairwise

import pytest

from stance.tracking.contents import PAGE
from stance.tracking.store import open_store

pytestmark = pytest.mark.slow

ALL = ("run.html", "majority.html", "hostile.html", "compare.html", "unlike.html")

# The least contrast of any text with what is behind it, as WCAG 2 defines it; shades over another are laid over it.
CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const paint = colors => {
    for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = color => [.2126, .7152, .0722].reduce((sum, share, k) => sum + share * linear(color[k] / 255), 0);
  const colour = e => getComputedStyle(e).backgroundColor;
  const behind = e => e ? [...behind(e.parentElement), colour(e)] : ['white'];
  const ratio = e => {
    const style = getComputedStyle(e), back = behind(e);
    const ink = e.closest('svg') ? style.fill : style.color;
    const both = [light(paint([...back, ink])), light(paint(back))];
    return (Math.max(...both) + .05) / (Math.min(...both) + .05);
  };
  const own = e => [...e.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  return [...document.querySelectorAll('body *')].filter(e => own(e) && e.checkVisibility())
    .map(e => [ratio(e), e.outerHTML.slice(0, 120)]).sort((a, b) => a[0] - b[0])[0];
}"""


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("width", [390, 1366])
def test_a_page_fits_its_screen(visit, name, width):
    page = visit(name, width)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        "Math.min(99, ...[...document.querySelectorAll('svg text')].map(e => parseFloat(getComputedStyle(e).fontSize)"
        " * Math.hypot(e.getScreenCTM().a, e.getScreenCTM().b)))"
    )
    assert small >= 8.5  # pixels


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(visit, name, scheme):
    page = visit(name, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    worst, where = page.evaluate(CONTRAST)
    assert worst >= 4.5, where


@pytest.mark.parametrize("name", ALL)
def test_a_page_can_be_read_without_seeing_it(visit, name):
    page = visit(name)
    assert page.locator("h1").count() == 1
    assert page.locator("html[lang=en]").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(each => +each.tagName[1])")
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.locator("table").count() == page.locator("table > caption").count() > 0
    assert page.locator("th:not([scope])").count() == 0
    assert page.locator("tbody tr:not(:has(> th[scope=row]))").count() == 0
    assert page.locator("svg:not([role=img][aria-label])").count() == 0
    assert page.evaluate("[...document.querySelectorAll('svg')].every(each => each.ariaLabel.length > 20)")
    assert page.locator("input:not(label *), select:not(label *)").count() == 0
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(ids) == len(set(ids))
    targets = page.evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].map(each => each.hash.slice(1))")
    assert set(targets) <= set(ids)


def test_the_keyboard_reaches_sections_tables_and_details(visit):
    page = visit("run.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName + '.' + document.activeElement.className"))
    assert {"A.", "DIV.scroll", "SUMMARY.", "INPUT.", "SELECT."} <= reached


def test_the_page_says_what_the_run_logged(visit, contents):
    page, run = visit("run.html"), contents("tfidf-linear")
    shown = page.locator(".figures").inner_text()
    for row in run.evaluation["headline"].values():
        assert f"{row['estimate']:.3f}" in shown
        assert row["low"] is None or f"[{row['low']:.3f}, {row['high']:.3f}]" in shown
    labels = page.locator("#labels table").first
    for row in run.evaluation["per_label"]:
        assert f"{row['f1']:.3f}" in labels.locator("tr", has_text=row["label"]).inner_text()
    rates = page.locator("#probes tbody tr").evaluate_all("rows => rows.map(row => row.cells[1].innerText)")
    assert [float(each.split()[0]) for each in rates] == pytest.approx(
        [row["failure_rate"] for row in run.probes], abs=6e-4
    )
    assert page.locator("#probes details li").count() == len(run.failures)
    assert page.locator("#error-list li").count() == len({row["id"] for row in run.errors})
    assert page.locator("#error-list mark").count() > 0
    assert page.locator("figure svg").count() == 2 * len(run.evaluation["labels"]) + 1
    assert "test" in page.locator("#origin").inner_text()


def test_slices_stand_worst_first_and_small_ones_apart(visit, contents):
    page, slices = visit("run.html"), contents("tfidf-linear").evaluation["slices"]
    small = page.locator("#slices details tbody tr")
    assert small.count() == sum(row["too_small"] for row in slices)
    shown = page.locator("#slices > .scroll tbody tr").evaluate_all("rows => rows.map(row => row.cells[2].innerText)")
    scores = [float(each.split()[0]) for each in shown]
    assert scores == sorted(scores)
    assert len(scores) == sum(not row["too_small"] for row in slices)


def test_errors_are_searched_and_filtered(visit, contents):
    page, rows = visit("run.html"), contents("tfidf-linear").errors
    shown = page.locator("#error-list li:visible")
    every = shown.count()
    assert page.locator("#errors output").inner_text() == f"{every} of {every} shown"
    page.locator("[name=kind]").select_option("missed")
    missed = {row["id"] for row in rows if row["kind"] == "missed"}
    assert shown.count() == len(missed) < every
    label = next(row["label"] for row in rows if row["kind"] == "missed")
    page.locator("[name=label]").select_option(label)
    assert shown.count() == len({r["id"] for r in rows if (r["kind"], r["label"]) == ("missed", label)})
    page.locator("[name=kind]").select_option("any")
    page.locator("[name=label]").select_option("any")
    actor = rows[0]["actor"]
    page.locator("[name=words]").fill(actor.upper())
    assert 0 < shown.count() <= every
    assert all(actor.lower() in text.lower() for text in shown.all_inner_texts())
    page.locator("[name=words]").fill("no such words anywhere")
    assert page.locator("#errors output").inner_text() == f"0 of {every} shown"
    page.locator("[name=words]").press("Enter")  # must not send the form, which would load another page
    assert page.url.endswith("run.html")


def test_without_scripts_everything_is_there(visit, contents):
    page = visit("run.html", java_script_enabled=False)
    assert not page.locator("form.filter").is_visible()
    assert page.locator("#error-list li:visible").count() == len({row["id"] for row in contents("tfidf-linear").errors})


def test_markup_in_texts_and_names_shows_as_text(visit):
    page = visit("hostile.html")
    assert page.locator("h1").inner_text() == "<i>hostile</i>"
    assert "<script>window.hit=1</script>" in page.locator("#error-list li").first.inner_text()
    assert "{{ 7 * 7 }}" in page.locator("#error-list li").first.inner_text()
    assert page.evaluate("window.hit") is None
    assert page.locator("img, h1 i").count() == 0


def test_the_gate_is_told_once_it_has_spoken(visit, contents):
    champion = next(run for run in map(contents, ("tfidf-linear", "majority")) if run.registered)
    page = visit("run.html" if champion.run.name == "tfidf-linear" else "majority.html")
    told = page.locator("#gate").inner_text()
    assert "champion" in told
    assert all(reason in told for reason in champion.registered[0].reasons)
    assert "not been put before the gate" in visit("hostile.html").locator("#gate").inner_text()


def test_every_run_keeps_its_page(pages):
    with chdir(pages), open_store() as store:
        for run in store.client.search_runs([e.experiment_id for e in store.client.search_experiments()]):
            assert PAGE in [each.path for each in store.client.list_artifacts(run.info.run_id, "report")]
            assert run.info.status == "FINISHED"


def test_a_comparison_shows_both_and_the_difference(visit, contents):
    page = visit("compare.html")
    one, two = contents("majority"), contents("tfidf-linear")
    first = page.locator("#summary tbody tr").first.inner_text()
    scores = [each.evaluation["headline"]["macro_f1"]["estimate"] for each in (one, two)]
    assert f"{scores[0]:.3f}" in first
    assert f"{scores[1]:.3f}" in first
    assert f"{scores[1] - scores[0]:+.3f}" in first
    frames = [each.predictions.set_index("id")["predicted"].map(list) for each in (one, two)]
    differing = sum(frames[0][key] != frames[1][key] for key in frames[0].index)
    cards = page.locator("#example-list li")
    assert cards.count() == differing > 0
    assert page.locator("#example-list .text").evaluate_all("all => all.every(each => each.innerText.trim())")
    page.locator("[name=kind]").select_option("second")
    visible = page.locator("#example-list li:visible")
    assert 0 < visible.count() < differing
    assert all("only tfidf-linear is right" in text for text in visible.all_inner_texts())
    assert page.locator("#settings").inner_text().count("model.kind") == 1


def test_runs_on_other_examples_are_not_paired(visit):
    page = visit("unlike.html")
    told = page.locator("#summary").inner_text()
    assert "tested on different examples" in told
    assert page.locator("#examples, #slices").count() == 0


def assert_one_error(ran, words):
    assert ran.status == 1
    (line,) = ran.err.splitlines()
    assert line.startswith("error:")
    assert words in line


def test_a_page_needs_a_run_and_a_folder(stance_main, pages):
    assert stance_main("runs", "--html", "x.html", cwd=pages).status == 2
    assert_one_error(stance_main("runs", "no-such-run", "--html", "x.html", cwd=pages), "no-such-run")
    assert_one_error(stance_main("runs", "majority", "--html", "none/x.html", cwd=pages), "none/x.html")
    assert not (pages / "x.html").exists()
    shown = stance_main("runs", "tfidf-linear", "--json", cwd=pages)
    assert re.findall(r'"name":"([^"]+)"', shown.out) == ["tfidf-linear"]
