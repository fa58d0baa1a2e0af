"""The interface as annotators meet it: the real server, a real browser, their own account, and nothing but keys.

`STANCE_SCREENSHOT=docs/labeling.png pytest tests/labeling/test_browser.py -k laptop` renews the picture in the docs.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from labeling.interface import render
from labeling.pull import pull
from labeling.tasks import to_task
from stance import codebook as codebooks
from stance.records import Example

pytestmark = pytest.mark.slow

BOOK = codebooks.load()
LAPTOP = {"width": 1366, "height": 768}
PATIENCE = 60_000  # milliseconds, for a busy machine

PLAIN = Example(
    "Ankara sent its deputy minister to Kandahar for two days of talks with Taliban officials on the dam, and said that"
    " the freeze on their accounts would stay in place.",
    "Turkey",
    "Ankara",
    0,
    6,
    prev="The delegation had been expected since the spring, when both sides agreed to look at the works together.",
    next="No date was given for a second round, but the ministry said that its engineers would stay in the province"
    " until the end of the month.",
    title="Deputy minister in Kandahar for talks on the dam",
    date="2031-05-02",
    outlet="The Example Courier",
    doc_id="plain",
)
HOSTILE = Example(
    '<img src=x onerror="window.hit=1"><script>window.hit=1</script> قالت تركيا إن وفدها وصل إلى كابل & $actor {{x}}',
    "تركيا",
    prev="<b>before</b>",
    title="<i>عنوان</i>",
    doc_id="hostile",
)
HOSTILE = replace(HOSTILE, mention="تركيا", start=HOSTILE.text.index("تركيا"), end=HOSTILE.text.index("تركيا") + 5)
LONG = Example("Ankara " + "said <b>it</b> again, " * 5000, "Turkey", "Ankara", 0, 6, prev="p " * 9000, doc_id="long")

# The least contrast of any text with what is behind it, as WCAG 2 defines it, and where.
CONTRAST = """() => {
  const texts = '.unit p, .unit b, .unit mark, .stance-kit h4, .lsf-choice b, .lsf-choice i, .lsf-hint';
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = color => [.2126, .7152, .0722].reduce((sum, share, k) => sum + share * linear(color[k] / 255), 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const color = rgb(getComputedStyle(e).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const ratio = e => {
    const both = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
    return (Math.max(...both) + .05) / (Math.min(...both) + .05);
  };
  return [...document.querySelectorAll(texts)].filter(e => e.offsetParent)
    .map(e => [ratio(e), e.className + ' ' + e.textContent.slice(0, 30)]).sort((a, b) => a[0] - b[0])[0];
}"""


@pytest.fixture
def page(browser, studio_server, annotator):
    """A page on a laptop's screen, on which the annotator has logged in by the form."""
    context = browser.new_context(viewport=LAPTOP, base_url=studio_server.url)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/user/login/")
    page.fill("input[name=email]", annotator.email)
    page.fill("input[name=password]", annotator.password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/user/login" not in url, wait_until="commit")
    yield page
    context.close()


@pytest.fixture
def begin(studio, title, page):
    """A function that makes a project of some examples and opens its labeling screen on the first."""

    def start(*examples, book=BOOK, task="stance"):
        project = studio.create_project(title, render(book, task))
        studio.import_tasks(project.id, [to_task(one, book, task) for one in examples])
        page.goto(f"/projects/{project.id}/data?labeling=1")
        page.wait_for_selector(".stance-kit .lsf-choice")
        return page

    return start


def press(page, *keys):
    """Press keys as a person does, each after the screen answered the one before."""
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(200)


def submit(page, key="Control+Enter"):
    """Submit or skip, and wait until the next task is there, or the server says that there is none."""
    shown = page.locator(".unit").inner_html()
    with page.expect_response(lambda response: "id=next_task" in response.url) as following:
        page.keyboard.press(key)
    if following.value.ok:
        page.wait_for_function(
            "old => (now => now && now.innerHTML !== old)(document.querySelector('.unit'))", arg=shown
        )
        page.wait_for_timeout(500)


def ticked(page):
    return page.locator(".stance-kit input:checked").evaluate_all("all => all.map(one => one.name)")


def test_three_tasks_by_keys_alone_come_back_by_pull(begin, studio, title, annotator, tmp_path):
    examples = [replace(PLAIN, doc_id=f"d{number}", text=f"{PLAIN.text} ({number})") for number in range(4)]
    page = begin(*examples)
    press(page, "e", "s", "3")
    assert ticked(page) == ["engage", "sanction", "diplomacy"]
    submit(page)
    press(page, "n", "0")
    submit(page)
    press(page, "o", "o", "r", "w", "c")
    submit(page)
    submit(page, "Control+Space")
    found = pull(studio, title, tmp_path / "labels.jsonl", BOOK).annotations
    assert [one.example for one in found] == examples
    assert [one.labels for one in found] == [
        {"stance": ("engage", "sanction"), "frames": ("diplomacy",)},
        {"stance": (), "frames": ()},
        {"stance": ("recognize",), "frames": None},
        {"stance": None, "frames": None},
    ]
    assert [one.flags for one in found] == [(), (), ("wrong-actor", "cant-tell"), ()]
    assert [one.skipped for one in found] == [False, False, False, True]
    assert {one.annotator for one in found} == {annotator.email}
    assert all(one.lead_time > 0 and not one.problems for one in found[:3])


def test_the_whole_task_is_on_a_laptop_screen_and_easy_to_read(begin):
    page = begin(PLAIN)
    press(page, "e", "3")
    page.evaluate("document.activeElement.blur()")
    if target := os.environ.get("STANCE_SCREENSHOT"):
        page.screenshot(path=Path(target))
    boxes = page.locator(".stance-kit .lsf-choice, .stance-kit input, .unit p").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(box => [box.left, box.top, box.right, box.bottom])"
    )
    bar = page.locator(".lsf-bottombar").bounding_box()
    assert all(left >= 0 and top >= 48 and right <= 1366 and bottom <= bar["y"] for left, top, right, bottom in boxes)
    assert page.locator("mark").inner_text() == "Ankara"
    for scheme in ("light", "dark"):
        page.evaluate("scheme => document.documentElement.setAttribute('data-color-scheme', scheme)", scheme)
        page.wait_for_timeout(500)
        worst, where = page.evaluate(CONTRAST)
        assert worst >= 4.5, f"{scheme}: {where}"


def test_notices_show_only_where_two_choices_do_not_go_together(begin):
    page = begin(PLAIN)
    wrong, twice = page.get_by_text("excludes the others: take"), page.get_by_text("Look twice: recognize + sanction")
    press(page, "r")
    assert not wrong.first.is_visible()
    assert not twice.is_visible()
    press(page, "s")
    assert twice.is_visible()
    press(page, "n")
    assert wrong.first.is_visible()
    press(page, "r", "s")
    assert not wrong.first.is_visible()


def test_a_definition_shows_over_its_label_and_no_answer_is_not_taken(begin, studio, title, tmp_path):
    page = begin(PLAIN)
    page.locator(".lsf-choice", has_text="engage").first.hover()
    page.get_by_text(BOOK.task("stance").definitions[0].definition[:40]).wait_for()
    page.mouse.move(5, 5)
    page.keyboard.press("Control+Enter")
    page.get_by_text("Choose engage or oppose").wait_for()
    assert pull(studio, title, tmp_path / "labels.jsonl", BOOK).annotations == ()


def test_markup_in_a_text_is_text_and_right_to_left_reads_so(begin):
    page = begin(HOSTILE)
    assert page.locator(".unit .now").inner_text() == HOSTILE.text
    assert page.locator(".unit .prev").inner_text() == "<b>before</b>"
    assert page.locator("mark").inner_text() == "تركيا"
    assert page.locator(".unit img, .unit script").count() == 0
    assert page.evaluate("window.hit") is None


def test_a_very_long_text_leaves_the_choices_on_the_screen(begin):
    page = begin(LONG)
    assert len(page.locator(".unit .now").inner_text()) > 100_000
    comment = page.locator(".stance-kit input[name=Comment]").bounding_box()
    assert comment["y"] + comment["height"] < page.locator(".lsf-bottombar").bounding_box()["y"]
    press(page, "n")
    assert ticked(page) == ["none"]


def test_another_codebook_works_the_same(begin, request):
    book = codebooks.load(request.config.rootpath / "experiments/codebooks/power-plant.yaml")
    page = begin(PLAIN, book=book, task="position")
    press(page, "d", "2")
    assert ticked(page) == ["delay", "cost"]
