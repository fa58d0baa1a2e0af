"""The model that answers. What enters is its address; what leaves is MLflow's scoring app around what that names now.

When the alias moves, the new model is loaded beside the old one and put in its place; requests that the old one has
begun to answer are finished by it.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stance.errors import DataError, StanceError, StoreError
from stance.tracking.flavor import find_bundle
from stance.tracking.following import has_moved, name_version
from stance.tracking.loading import download, resolve
from stance.tracking.serving.rows import Columns
from stance.tracking.store import open_store, wrap_errors

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel
    from starlette.types import ASGIApp

_log = logging.getLogger("uvicorn.error")  # the server's own, which is set up to write to stderr


@dataclass(frozen=True)
class Live:
    """A loaded model: `source` is exact, unlike an alias; `app` is MLflow's scoring server on it.

    `outputs` holds the labels, each a probability, and last the task, a list of labels.
    """

    uri: str
    source: str
    version: str
    task: str
    columns: Columns
    outputs: tuple[str, ...]
    app: ASGIApp


class Champion:
    """The model under an address, kept up to date: use `live` once per request.

    `report` is told in one line what was swapped, or why it could not be. Raises StanceError at the start for an
    address without a usable model.
    """

    def __init__(self, uri: str, report: Callable[[str], None] = lambda _: None) -> None:
        self.live = load(uri)
        self._report = report
        self._failed = ""

    def refresh(self) -> bool:
        """Load what the address names now and swap it in; True where it is another model.

        One that cannot be had, or is for another task, leaves the old one in place; the reason is reported once.
        """
        old = self.live
        try:
            if not has_moved(old.uri, old.source):
                self._failed = ""
                return False
            new = load(old.uri)
            if new.task != old.task:
                raise DataError(f"it is for the task '{new.task}', not '{old.task}'")
        except StanceError as error:
            if self._failed != str(error):
                self._failed = str(error)
                self._report(f"{old.uri}: {error}; {old.version} goes on answering")
            return False
        self._failed = ""
        self.live = new  # one assignment: a request sees the old model or the new one
        self._report(f"{old.uri}: now {new.version}, was {old.version}")
        return True


def load(uri: str) -> Live:
    """Return the model under `models:/name@alias`, `models:/name/version` or `runs:/id/model`, ready to answer.

    Raises StoreError for an unknown one and for a model of another make, BundleError for one that is damaged.
    """
    with open_store() as store:
        source = resolve(store, uri)
        version = name_version(store, uri, source) or source.removeprefix("models:/")
        folder = download(store, source)
        find_bundle(folder)  # before MLflow runs the code in the folder
        model = _load_pyfunc(folder, uri)
    inputs, outputs = model.metadata.get_input_schema(), model.metadata.get_output_schema().input_names()
    columns = Columns(
        tuple(one.name for one in inputs.inputs if one.required),
        tuple(one.name for one in inputs.inputs if not one.required),
    )
    from mlflow.pyfunc import scoring_server

    app = scoring_server.init(_Guarded(model))
    live = Live(uri, source, version, outputs[-1], columns, tuple(outputs), app)
    _warm_up(model, columns)
    return live


def _load_pyfunc(folder: Any, uri: str) -> PyFuncModel:
    import mlflow

    try:
        with wrap_errors(uri):
            return mlflow.pyfunc.load_model(str(folder), suppress_warnings=True)
    except ImportError as error:
        raise StoreError(f"{uri}: its code cannot be loaded here: {error}; install what the model requires") from error


def _warm_up(model: PyFuncModel, columns: Columns) -> None:
    # An encoder is loaded at its first prediction: that is paid here, and not by the first request after a swap.
    import pandas as pd

    model.predict(pd.DataFrame([dict.fromkeys(columns.required, "Warm up.")]))


class _Guarded:
    """A pyfunc whose errors are answers: MLflow's server would put their tracebacks, and the input, into its reply."""

    def __init__(self, model: PyFuncModel) -> None:
        self.metadata = model.metadata
        self._model = model
        self._turn = threading.Lock()

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow's signature
        """Return what the model says of rows; requests take turns, as an encoder uses all cores for one of them."""
        from mlflow.protos.databricks_pb2 import BAD_REQUEST, INTERNAL_ERROR

        try:
            with self._turn:
                return self._model.predict(data)
        except DataError as error:
            raise _refusal(str(error), BAD_REQUEST) from None
        except Exception:
            _log.exception("a prediction failed")
            raise _refusal("internal error; the log of `stance serve` has the cause", INTERNAL_ERROR) from None


def _refusal(message: str, code: int) -> Exception:
    from mlflow.exceptions import MlflowException

    class Refusal(MlflowException):  # type: ignore[misc]
        """Written to the client as one line; MLflow appends to `message` what it was asked."""

        def serialize_as_json(self) -> str:
            return json.dumps({"error": message})

    return Refusal(message, error_code=code)
