"""Pages of real runs, opened in a real browser."""

import json
import shutil
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest

from stance.dataset import read_examples, write_examples
from stance.tracking.contents import read_contents
from stance.tracking.store import open_store

HOSTILE = (
    ' <script>window.hit=1</script><img src="https://example.org/x.png" onerror="window.hit=1"> {{ 7 * 7 }} </title>'
)


@pytest.fixture(scope="session")
def pages(workspace, stance_main, tmp_path_factory):
    """The workspace with the pages of its runs: `run.html`, `majority.html`, `compare.html`; and a hostile run's.

    Every text of the hostile run holds markup, and so does its name; `unlike.html` compares it with another run.
    """
    folder = tmp_path_factory.mktemp("pages") / "work"
    # A copy, so that tests of runs elsewhere count only their own.
    shutil.copytree(workspace, folder)
    examples = read_examples(folder / "tiny.jsonl")
    write_examples([replace(each, text=each.text + HOSTILE) for each in examples], folder / "hostile.jsonl")
    settings = {"name": "<i>hostile</i>", "data": "hostile.jsonl", "model": {"kind": "majority"}}
    (folder / "hostile.yaml").write_text(json.dumps(settings))
    for command in (
        ("train", "hostile.yaml"),
        ("runs", "tfidf-linear", "--html", "run.html"),
        ("runs", "majority", "--html", "majority.html"),
        ("runs", "<i>hostile</i>", "--html", "hostile.html"),
        ("compare", "majority", "tfidf-linear", "--html", "compare.html"),
        ("compare", "majority", "<i>hostile</i>", "--html", "unlike.html"),
    ):
        ran = stance_main(*command, cwd=folder)
        assert ran.status == 0, ran.err
    return folder


@pytest.fixture(scope="session")
def contents(pages):
    """What the store holds of a run, by its name."""

    def read(name):
        with chdir(pages), open_store() as store:
            return read_contents(store, name)

    return read


@pytest.fixture
def visit(browser, pages):
    """Opens a page of `pages`; at the end of the test no script may have failed and nothing have been asked for."""
    contexts, said, asked = [], [], []

    def open_page(name, width=1366, scheme="light", **settings):
        context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, **settings)
        contexts.append(context)
        page = context.new_page()
        address = Path(pages / name).as_uri()

        def route(each):
            if each.request.url.split("#")[0] == address:
                each.continue_()
            else:
                asked.append(each.request.url)
                each.abort()

        page.route("**/*", route)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert asked == []
