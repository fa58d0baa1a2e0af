"""Small labelled examples and a saved model to try the saving, loading and predicting on."""

from pathlib import Path

import pytest

from stance import codebook
from stance.models.bundle import Origin, write_bundle
from stance.models.majority import Majority
from stance.models.thresholds import Calibration
from stance.records import Example

TEXT = "Norway hosted a Taliban delegation in Oslo."


@pytest.fixture(scope="session")
def book():
    return codebook.load()


@pytest.fixture
def fitted(book):
    """A fitted model of the stance task: engage in 2 of 3 examples, oppose in 1 of 3."""
    model = Majority(book.task("stance").labels, Majority.Settings(), seed=3)
    sets = (("engage",), ("engage", "oppose"), ())
    model.fit([Example(TEXT, actor="Norway", index=i, labels=labels) for i, labels in enumerate(sets)], [])
    return model


@pytest.fixture
def calibration():
    return Calibration((1.0, 2.0, 1.0, 1.0), (0.0, 0.5, 0.0, 0.0), (0.5, 0.25, 0.9, 0.0))


@pytest.fixture
def saved(tmp_path, fitted, calibration, book) -> Path:
    """A bundle of `fitted`."""
    origin = Origin(task="stance", seed=3, split_digest="s" * 8, data_digest="d" * 8, metrics={"test.macro_f1": 0.25})
    return write_bundle(tmp_path / "saved", fitted, calibration, book, origin)
