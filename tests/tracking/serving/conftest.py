"""A registry of its own to serve from, and what `stance.load` says of the same rows."""

import json
import shutil

import pytest

import stance

pytest.register_assert_rewrite("tests.servers", "tests.tracking.serving.answers")  # before they are imported


@pytest.fixture(scope="module")
def registry(played_folder, tmp_path_factory):
    """A store of its own whose champion is version 2, `tfidf-linear`; version 1 is `majority`."""
    # The artifacts stay where the shared store keeps them, under absolute addresses.
    folder = tmp_path_factory.mktemp("registry")
    shutil.copy(played_folder / "mlflow.db", folder / "mlflow.db")
    return folder


@pytest.fixture(scope="module")
def expected(played_folder):
    """What `stance.load` says of a list of rows, as JSON."""
    classifier = stance.load(played_folder / "tfidf-linear-bundle")
    return lambda rows: json.loads(classifier.predict(rows).to_json(orient="records", double_precision=15))


@pytest.fixture(scope="module")
def service(registry):
    """Takes at most five rows and 100,000 bytes."""
    from tests.servers import Service

    service = Service(registry, "--max-rows", "5", "--max-bytes", "100000")
    yield service
    service.stop()
    assert "Traceback" not in "".join(service.said)
