"""An address that may come to name another model. What enters is `models:/name@alias`; what leaves is when it moved.

The live backend of Label Studio and the service both look from time to time, in a thread of their own, whether an
alias has moved, and load what it names now beside the model that goes on answering.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from stance.tracking.loading import list_versions, resolve
from stance.tracking.store import Store, open_store

POLL = 15.0
"""Seconds between two looks at the registry."""

_REGISTRY = "models:"


class Watch:
    """Calls `refresh` every `interval` seconds until closed; `report` is told in one line what went wrong."""

    def __init__(self, refresh: Callable[[], object], interval: float, report: Callable[[str], None]) -> None:
        self._refresh = refresh
        self._interval = interval
        self._report = report
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="model-watch", daemon=True).start()

    def close(self) -> None:
        """Stop looking; a model that is being loaded is given up."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self._refresh()
            except Exception as error:
                self._report(f"looking for a newer model failed: {type(error).__name__}: {error}")


def has_moved(uri: str, source: str) -> bool:
    """Say whether an address names another model than `source` by now; raises StoreError where it names none."""
    if not uri.startswith(_REGISTRY) or "@" not in uri:
        return False
    with open_store() as store:
        return resolve(store, uri) != source


def name_version(store: Store, uri: str, source: str) -> str | None:
    """Return a registered model's name and number, `taliban-stance v3`; None for what is not registered."""
    name = registered_name(uri)
    numbers = [n for n, each in list_versions(store, name).items() if each == source] if name else []
    return f"{name} v{numbers[-1]}" if numbers else None


def registered_name(uri: str) -> str:
    """Return the registered name in an address, empty where it has none.

    >>> registered_name("models:/taliban-stance@champion"), registered_name("models:/taliban-stance/3")
    ('taliban-stance', 'taliban-stance')
    >>> registered_name("runs:/12/model")
    ''
    """
    name = uri.removeprefix(_REGISTRY).strip("/").partition("@")[0].partition("/")[0]
    return name if uri.startswith(_REGISTRY) and not name.startswith("m-") else ""
