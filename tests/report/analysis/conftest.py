"""Predictions made of the shipped corpus, with outlets, dates and copies that are invented, and pages of them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from stance import codebook, samples
from stance.dataset import load_examples
from stance.report.analysis.figures import analyse
from stance.report.analysis.page import About, write_page
from stance.report.analysis.predictions import prepare
from stance.tracking.store import DATABASE
from tests.report.analysis.reading import BOOK, LAPTOP, PLAN, RATES

PATIENCE = 120_000  # milliseconds, for a busy machine
OUTLETS = ("The Example Courier", "Invented Wire", "Harbour Post", "Valley Gazette", "Daily <Sample> & Sons")
LABELS = {name: task.labels for name, task in codebook.load().tasks.items()}


def make_row(doc, index=0, actor="Russia", stance=("engage",), frames=("diplomacy",), **fields):
    """One row as `stance predict` writes it; probabilities are 0.9 for labels given and 0.1 for others."""
    row = {"doc_id": doc, "cluster": doc, "title": f"Title of {doc}", "date": "2024-05-01", "outlet": "Courier"}
    row |= {"url": None, "index": index, "text": f"Sentence {index} of {doc}.", "actor": actor, "mention": None}
    row |= {"start": None, "end": None}
    for task, given in (("stance", stance if actor else None), ("frames", frames)):
        for label in LABELS[task]:
            row[f"{task}.{label}"] = None if given is None else 0.9 if label in given else 0.1
        row[task] = None if given is None else list(given)
    return row | fields


def make_frame(*rows):
    frame = pd.DataFrame(list(rows))
    for column in frame.columns:
        if "." in column:
            frame[column] = frame[column].astype(float)
    return frame


@dataclass(frozen=True)
class Corpus:
    """How many rows to make, and what is left out of them."""

    rows: int = 2000
    seed: int = 5


def make_predictions(plan: Corpus = Corpus()) -> pd.DataFrame:
    """A large frame: the shipped corpus's sentences with their labels as answers, repeated under invented documents.

    A quarter of the documents is printed by a second outlet, with a few sentences cut.
    """
    generator = np.random.default_rng(plan.seed)
    frames = {(e.doc_id, e.text): e.labels or () for own in load_examples("frames").values() for e in own}
    examples = [e for own in load_examples("stance").values() for e in own]
    documents: dict[str, list] = {}
    for example in examples:
        documents.setdefault(example.doc_id, []).append(example)
    pool, rows, number = list(documents.values()), [], 0
    while len(rows) < plan.rows:
        own = pool[number % len(pool)]
        when = np.datetime64("2020-01-01") + int(generator.integers(0, 1400))
        printed = generator.choice(OUTLETS, 1 + int(generator.random() < 0.25), replace=False)
        for outlet in printed:
            facts = {
                "cluster": f"c{number}",
                "date": str(when),
                "outlet": str(outlet),
                "title": own[0].title or "Report",
            }
            for example in own:
                if len(rows) < plan.rows and (outlet == printed[0] or generator.random() < 0.7):
                    place = {
                        "text": example.text,
                        "mention": example.mention,
                        "start": example.start,
                        "end": example.end,
                    }
                    answers = {"stance": example.labels, "frames": frames.get((example.doc_id, example.text), ())}
                    doc = f"d{number}-{OUTLETS.index(str(outlet))}"
                    rows.append(make_row(doc, example.index, example.actor, **answers, **facts, **place))
        number += 1
    return make_frame(*rows)


@pytest.fixture(scope="session")
def row():
    """Makes one row as `stance predict` writes it; see `make_row`."""
    return make_row


@pytest.fixture(scope="session")
def table():
    """Makes a frame of rows."""
    return make_frame


@pytest.fixture(scope="session")
def corpus_frame() -> pd.DataFrame:
    """Some 2,000 rows of the shipped corpus under invented outlets and dates."""
    return make_predictions()


@pytest.fixture(scope="session")
def vega_cache(tmp_path_factory):
    """The chart library is bundled once for all tests of a session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANCE_CACHE", str(tmp_path_factory.mktemp("vega")))
        yield


@pytest.fixture(scope="session")
def newsroom(tmp_path_factory, store_template, stance_main, request):
    """A working folder with a champion for each task, and `p.parquet`: what they say of the sample articles."""
    folder = tmp_path_factory.mktemp("newsroom")
    shutil.copy(store_template, folder / DATABASE)
    recipe = request.config.rootpath / "experiments" / "tfidf-linear.yaml"
    for task in LABELS:
        for command in (
            ("train", recipe, f"task={task}"),
            ("promote", "--task", task, "--force", "--why", "for tests of the report"),
        ):
            ran = stance_main(*command, cwd=folder)
            assert ran.status == 0, ran.err
    ran = stance_main("predict", *samples.paths(), "-o", "p.parquet", cwd=folder)
    assert ran.status == 0, ran.err
    return folder


@pytest.fixture(scope="session")
def write(tmp_path_factory, vega_cache):
    """Writes a frame's page and returns its path."""

    def make(frame, rates=None, uncorrected=None):
        path = tmp_path_factory.mktemp("page") / "report.html"
        write_page(analyse(prepare(frame, BOOK), rates, uncorrected, PLAN), path, About(BOOK, source="p.parquet"))
        return path

    return make


@pytest.fixture(scope="session")
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
