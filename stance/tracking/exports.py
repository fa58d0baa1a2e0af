"""An exported model in the registry. What enters is a registered model's address and its export; what leaves is a new
version, of the same run and with the same verdict, that the alias then names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance.errors import StoreError
from stance.tracking.flavor import log_bundle
from stance.tracking.following import registered_name
from stance.tracking.loading import list_aliases, list_versions, resolve
from stance.tracking.lock import hold_lock
from stance.tracking.runs import TAG
from stance.tracking.store import Store, open_store, wrap_errors

EXPORT_OF = f"{TAG}export_of"


@dataclass(frozen=True)
class Place:
    """Where an export belongs: a registered model, the version that it was made of, and the alias in its address."""

    model: str
    version: int
    alias: str | None


def find_place(uri: str) -> Place:
    """Return the registered version under an address; raises StoreError for one that is not registered, or unknown."""
    with open_store() as store:
        return _find(store, uri)


def register_export(uri: str, folder: Path) -> int:
    """Log the export in `folder` of the model under `uri` to that model's run, and return its new version.

    The version carries its origin's tags and `stance.export_of`. An alias in `uri` is moved to it, while no promotion
    can run; it may, as the export was checked to answer as its origin does. Raises StoreError like `find_place`, and
    where another moved the alias meanwhile.
    """
    with open_store() as store, hold_lock(store, registered_name(uri) or uri) as lock, wrap_errors(store.uri):
        place, client = _find(store, uri), store.client
        origin = client.get_model_version(place.model, str(place.version))
        source = _log(store, origin.run_id, folder)
        model_id = source.removeprefix("models:/")
        made = client.create_model_version(place.model, source, run_id=origin.run_id, model_id=model_id)
        for key, value in {**origin.tags, EXPORT_OF: str(place.version)}.items():
            client.set_model_version_tag(place.model, made.version, key, value)
        lock.check()
        if place.alias is not None:
            if list_aliases(store, place.model).get(place.alias) != place.version:
                raise StoreError(f"{uri} was moved meanwhile; the export is version {made.version}, without an alias")
            client.set_registered_model_alias(place.model, place.alias, made.version)
        return int(made.version)


def _find(store: Store, uri: str) -> Place:
    source, name = resolve(store, uri), registered_name(uri)
    if not name:
        raise StoreError(f"{uri} is not registered; give models:/name@alias or models:/name/version")
    alias = uri.partition("@")[2].strip("/") or None
    if alias is not None:
        return Place(name, list_aliases(store, name)[alias], alias)
    return Place(name, max(number for number, each in list_versions(store, name).items() if each == source), None)


def _log(store: Store, run_id: str, folder: Path) -> str:
    """Log a bundle to a run that has ended, which keeps the time of its end."""
    import mlflow

    run: Any = store.client.get_run(run_id)
    with mlflow.start_run(run_id=run_id):
        source = log_bundle(folder)
    store.client.set_terminated(run_id, run.info.status, run.info.end_time)
    return source
