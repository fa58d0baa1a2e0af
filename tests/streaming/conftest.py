"""Models in bundles, so that a stopped run can know them again; inputs, an output, and somebody to report to."""

import json
from contextlib import nullcontext

import pytest

from stance import codebook, config, samples
from stance.corpus.articles import read_articles
from stance.corpus.ingest import ingest
from stance.dataset import load_examples, write_examples
from stance.experiment import fit
from stance.models.bundle import Origin, write_bundle
from stance.models.classifier import Classifier
from stance.predict import predict_articles
from stance.streaming import Reports


@pytest.fixture(scope="session")
def bundles(tmp_path_factory):
    """A folder with a bundle of each task, fitted on a tenth of the shipped corpus."""
    folder = tmp_path_factory.mktemp("bundles")
    (folder / "quick.yaml").write_text("name: quick\nmodel: {kind: tfidf-linear}\n")
    book = codebook.load()
    for task in book.tasks:
        parts = {part: examples[:500] for part, examples in load_examples(task).items()}
        model, calibration = fit(config.load(folder / "quick.yaml", [f"task={task}"]), book, parts, print)
        write_bundle(folder / task, model, calibration, book, Origin(task=task))
    return folder


@pytest.fixture(scope="session")
def classifiers(bundles):
    return [Classifier.load(bundles / "stance"), Classifier.load(bundles / "frames")]


@pytest.fixture(scope="session")
def inputs(classifiers, tmp_path_factory):
    """One input as `articles` and, as `stance ingest` makes them of these, as examples in `parquet` and `jsonl`.

    It is the sample articles six times over, reworded here and there, a bad line and a repeat between.
    """
    folder = tmp_path_factory.mktemp("inputs")
    lines = []
    for turn in range(6):
        for article in read_articles(samples.paths()):
            title = f"{turn}: {article.title}"
            lines.append(json.dumps({"title": title, "text": article.text, "date": article.date, "outlet": "Wire"}))
        lines += ['{"text": ""}', "broken", lines[0]]
    files = {"articles": folder / "news.jsonl"}
    files["articles"].write_text("\n".join(lines) + "\n", "utf-8")
    for kind in ("parquet", "jsonl"):
        files[kind] = folder / f"examples.{kind}"
        write_examples(ingest(read_articles([files["articles"]]), classifiers[0].codebook), files[kind])
    return files


@pytest.fixture(scope="session")
def news(inputs):
    return inputs["articles"]


@pytest.fixture(scope="session", params=["parquet", "jsonl"])
def examples(request, inputs):
    return inputs[request.param]


@pytest.fixture(scope="session")
def table(news, classifiers):
    """What the small way says of the articles."""
    return predict_articles(read_articles([news]), classifiers)


@pytest.fixture
def output(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "stances.parquet"


class Listener:
    """Keeps what was reported; `stop` ends the run after that many checkpoints, as a signal would."""

    def __init__(self, stop=None):
        self.skipped, self.notes, self.steps, self.progress = [], [], [], []
        self.stop = stop

    def bar(self, name):
        self.steps.append(name)
        return nullcontext(lambda state: self.hear(name, state))

    def hear(self, name, state):
        self.progress.append((name, state["done"], state["total"]))
        if self.stop is not None and name == "scoring" and sum(one[0] == name for one in self.progress) == self.stop:
            raise KeyboardInterrupt

    @property
    def reports(self):
        return Reports(self.skipped.append, self.notes.append, self.bar)


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def stopping():
    return Listener
