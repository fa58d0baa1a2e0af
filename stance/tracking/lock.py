"""One promotion at a time. What enters is a model's name; what leaves is the right to move its aliases, held by one.

The lock is a registered model `<name>-promotion` that exists while a promotion runs. Making one is a single INSERT into
a table whose primary key is the name, so of two that try at once the database lets exactly one through, whichever store
MLflow keeps: SQLite, PostgreSQL or a server in front of them. It is held from before the champion is read until its
alias has moved, so no verdict is about a champion that has meanwhile gone. It has no expiry: a lock that a killed
process left is named, with its holder, and only a person breaks it (`break_lock`), as no other machine can tell a dead
process from a slow one.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stance.errors import StoreError
from stance.tracking.store import Store

SUFFIX = "-promotion"

_TAKEN = "RESOURCE_ALREADY_EXISTS"
_RELEASED = "RESOURCE_DOES_NOT_EXIST"  # between the refusal and MLflow's look at what is there


@dataclass(frozen=True)
class Lock:
    """A held lock; `check` before the step that cannot be taken back."""

    store: Store
    name: str
    token: str

    def check(self) -> None:
        """Raise StoreError if someone broke this lock meanwhile."""
        if _holder(self.store, self.name).get("token") != self.token:
            raise StoreError(f"the lock {self.name} was broken while this promotion ran; nothing was promoted")


@contextmanager
def hold_lock(store: Store, model: str, break_lock: bool = False) -> Iterator[Lock]:
    """Hold the promotion lock of a registered model; raises StoreError, naming the holder, where another has it."""
    lock = Lock(store, f"{model}{SUFFIX}", uuid.uuid4().hex)
    if break_lock and _holder(store, lock.name):
        store.client.delete_registered_model(lock.name)
    _acquire(lock, model)
    try:
        yield lock
    finally:
        if _holder(store, lock.name).get("token") == lock.token:
            store.client.delete_registered_model(lock.name)


def _acquire(lock: Lock, model: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"token": lock.token, "host": socket.gethostname(), "pid": os.getpid(), "since": now}
    for last in (False, True):
        try:
            lock.store.client.create_registered_model(lock.name, description=json.dumps(holder))
            return
        except Exception as error:
            code = getattr(error, "error_code", "")
            if code == _RELEASED and not last:
                continue
            if code != _TAKEN:
                raise
            other = _holder(lock.store, lock.name)
            # MLflow's client asks a server again where the answer was lost: then it is our own that is there.
            if other.get("token") == lock.token:
                return
            who = f"process {other.get('pid', '?')} on {other.get('host', '?')} since {other.get('since', '?')}"
            raise StoreError(
                f"another promotion of {model} is under way ({who}); nothing was changed here: try again when it is "
                "done, or, if that process no longer runs, with --break-lock"
            ) from error


def _holder(store: Store, name: str) -> dict[str, Any]:
    """Who holds a lock; empty for one that is free."""
    found = store.client.search_registered_models(f"name = '{name}'")
    if not found:
        return {}
    try:
        return dict(json.loads(found[0].description or "{}"))
    except ValueError:
        return {"token": None}
