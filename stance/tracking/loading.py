"""From a name to a bundle. What enters is `models:/…` or `runs:/…`; what leaves is the folder of a bundle on disk."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from stance.errors import StoreError
from stance.tracking.flavor import NAME, find_bundle
from stance.tracking.history import find_run
from stance.tracking.runs import MODEL_TAG, TAG
from stance.tracking.store import Store, open_store, wrap_errors

_URI = re.compile(r"(?P<scheme>models|runs):/{1,3}(?P<rest>[^/].*)")
_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
_FORMS = "give models:/name@alias, models:/name/version, runs:/id/model or a bundle's folder"


def fetch_bundle(uri: str) -> Path:
    """Return the folder of the bundle under a URI, downloaded when the store is on another machine.

    Raises StoreError for an unknown model, version, alias or run, naming those there are.
    """
    with open_store() as store:
        source = resolve(store, uri)
        return fetch_model(store, source)


def fetch_model(store: Store, source: str) -> Path:
    """Return the bundle's folder of a logged model, `models:/<id>`."""
    return find_bundle(download(store, source))


def download(store: Store, source: str) -> Path:
    """Return the folder of a logged model, `models:/<id>`, with its `MLmodel` file."""
    import mlflow

    with wrap_errors(store.uri, writing=True):
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=source))


def resolve(store: Store, uri: str) -> str:
    """Return the `models:/<id>` that a URI stands for; raises StoreError with what there is instead."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise StoreError(f"'{uri}' is not a model's address; {_FORMS}")
    rest = match["rest"].strip("/")
    if match["scheme"] == "runs":
        return _of_run(store, rest)
    if _MODEL_ID.fullmatch(rest):
        return f"models:/{rest}"
    if "@" in rest:
        name, _, alias = rest.partition("@")
        return _of_alias(store, name, alias)
    name, _, version = rest.partition("/")
    return _of_version(store, name, version)


def list_versions(store: Store, name: str) -> dict[int, str]:
    """Return the source of each version of a registered model, by number; raises StoreError for an unknown model."""
    names = sorted(each.name for each in store.client.search_registered_models(max_results=1000))
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[:10]
        hint = f"there are {', '.join(near)}" if near else "there are none: promote a run first (stance promote)"
        raise StoreError(f"no model '{name}' is registered; {hint}")
    found = store.client.search_model_versions(f"name = '{name}'", max_results=10_000)
    return {int(each.version): str(each.source) for each in sorted(found, key=lambda each: int(each.version))}


def list_aliases(store: Store, name: str) -> dict[str, int]:
    """Return the version that each alias of a registered model names."""
    aliases = store.client.get_registered_model(name).aliases
    return {alias: int(version) for alias, version in aliases.items()}


def _of_run(store: Store, rest: str) -> str:
    run_id, _, path = rest.partition("/")
    run = find_run(store, run_id)
    source = run.tags.get(MODEL_TAG.removeprefix(TAG))
    if source is None:
        raise StoreError(f"the run '{run.name}' ({run.id}, {run.status}) logged no model; choose one that finished")
    if path != NAME:
        raise StoreError(f"the run '{run.name}' holds no model '{path}'; its address is runs:/{run.id}/{NAME}")
    return source


def _of_alias(store: Store, name: str, alias: str) -> str:
    versions = list_versions(store, name)
    aliases = list_aliases(store, name)
    if alias not in aliases:
        raise StoreError(f"'{name}' has no alias '{alias}'; it has {_summary(aliases, versions)}")
    return versions[aliases[alias]]


def _of_version(store: Store, name: str, version: str) -> str:
    versions = list_versions(store, name)
    if not version.isdigit() or int(version) not in versions:
        wrong = f"no version '{version}'" if version else "several versions"
        raise StoreError(f"'{name}' has {wrong}; it has {_summary(list_aliases(store, name), versions)}")
    return versions[int(version)]


def _summary(aliases: dict[str, int], versions: dict[int, str]) -> str:
    named = ", ".join(f"{alias} (version {version})" for alias, version in sorted(aliases.items())) or "no alias"
    return f"{named}; versions: {', '.join(map(str, versions)) or 'none'}"
