"""Models in bundles, so that a stopped run can know them again, and somebody to report to."""

from contextlib import nullcontext

import pytest

from stance import codebook, config
from stance.dataset import load_examples
from stance.experiment import fit
from stance.models.bundle import Origin, write_bundle
from stance.models.classifier import Classifier
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
