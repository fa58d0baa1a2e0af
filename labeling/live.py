"""The models of a live backend. What enters is one address per task; what leaves is the model that it names now.

An address such as `models:/name@champion` is asked again from time to time in a thread of its own: the new champion is
loaded beside the old one, which answers until the very moment it is replaced. Nothing is trained here.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stance.errors import DataError, StanceError
from stance.models.classifier import Classifier
from stance.models.hashlist import NAME as HASHES
from stance.records import Example, Prediction
from stance.tracking.following import POLL, Watch, has_moved, name_version
from stance.tracking.loading import fetch_model, resolve
from stance.tracking.store import open_store

TRACKED = ("models:", "runs:")


@dataclass(frozen=True)
class Live:
    """A loaded model: where it came from (`source` is exact, unlike an alias) and the version that it stamps."""

    uri: str
    source: str
    version: str
    classifier: Classifier
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """Return one prediction per example; requests take turns, as an encoder uses all cores for one of them."""
        with self._turn:
            return self.classifier.predict_examples(examples)


class LiveModels:
    """One model per task, kept up to date. Use `models[task]` for each request anew.

    `report` is told in one line what was swapped, or why it could not be. Raises StanceError at the start for an
    address without a usable model, DataError for two models of one task.
    """

    def __init__(self, uris: Sequence[str], report: Callable[[str], None] = lambda _: None) -> None:
        self._report = report
        self._found: dict[str, Live] = {}
        self._watch: Watch | None = None
        self._failed: dict[str, str] = {}
        for uri in uris:
            live = load(uri)
            task = live.classifier.task
            if task in self._found:
                raise DataError(f"{uri} and {self._found[task].uri} are both for the task '{task}'; give one per task")
            self._found[task] = live

    def __getitem__(self, task: str) -> Live:
        return self._found[task]

    def all(self) -> tuple[Live, ...]:
        """Return the models of this moment, in the order of the addresses."""
        return tuple(self._found.values())

    def watch(self, interval: float = POLL) -> None:
        """Start to look every `interval` seconds whether an alias has moved; `close` ends it."""
        self._watch = Watch(self.refresh, interval, self._report)

    def close(self) -> None:
        """Stop watching; a model that is being loaded is given up."""
        if self._watch is not None:
            self._watch.close()

    def refresh(self) -> bool:
        """Load what the addresses name now and swap it in; True where anything changed.

        A model that cannot be had, or is for another task, leaves the old one in place; the reason is reported once.
        """
        changed = False
        for task, live in list(self._found.items()):
            try:
                if (new := _newer(live)) is None:
                    self._failed.pop(live.uri, None)
                    continue
                if new.classifier.task != task:
                    raise DataError(f"it is for the task '{new.classifier.task}', not '{task}'")
            except StanceError as error:
                if self._failed.get(live.uri) != str(error):
                    self._failed[live.uri] = str(error)
                    self._report(f"{live.uri}: {error}; {live.version} goes on answering")
                continue
            self._failed.pop(live.uri, None)
            self._found[task] = new  # one assignment: a request sees the old model or the new one
            changed = True
            self._report(f"{live.uri}: now {new.version}, was {live.version}")
        return changed


def load(uri: str) -> Live:
    """Return the model under an address: `models:/name@alias`, `models:/name/version`, `runs:/id/model` or a folder.

    Its version reads `name v3` for a registered model and `task kind 1a2b3c4d` (a hash of the bundle's hashes) for
    any other. Raises BundleError or StoreError like `stance.load`.
    """
    if not uri.startswith(TRACKED):
        return _read(uri, uri, Path(uri).expanduser(), None)
    with open_store() as store:
        source = resolve(store, uri)
        version = name_version(store, uri, source)
        folder = fetch_model(store, source)
    return _read(uri, source, folder, version)


def _newer(live: Live) -> Live | None:
    """Return what the address names now, or None where that is the same model."""
    return load(live.uri) if has_moved(live.uri, live.source) else None


def _read(uri: str, source: str, folder: Path, version: str | None) -> Live:
    classifier = Classifier.load(folder)
    # An encoder is loaded at its first prediction: that is paid here, and not by the first annotator after a swap.
    classifier.predict_examples([Example("Warm up.", actor="Nobody")])
    if version is None:
        digest = hashlib.sha256((folder / HASHES).read_bytes()).hexdigest()[:8]
        version = f"{classifier.codebook.registered_model(classifier.task)} {classifier.model.kind} {digest}"
    return Live(uri, source, version, classifier)
