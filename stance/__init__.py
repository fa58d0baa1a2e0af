"""stance-kit: who takes which position, per actor, in news sentences.

import stance
model = stance.load("models:/taliban-stance@champion")
model.predict({"text": "Moscow hosted a Taliban delegation.", "actor": "Russia"})
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.version import __version__

if TYPE_CHECKING:
    from stance.models.classifier import Classifier

__all__ = ["Classifier", "__version__", "load"]


def load(uri_or_path: str | Path) -> Classifier:
    """Return the classifier in a bundle's folder, or the one under an MLflow URI.

    The URIs are `models:/name@alias`, `models:/name/version` and `runs:/id/model`; a folder is read without MLflow.
    Raises BundleError for a folder that holds no usable bundle, and StoreError for an unknown model, version, alias or
    run, naming those there are, or a store that cannot be reached.
    """
    from stance.models.classifier import Classifier

    return Classifier.load(locate(uri_or_path))


def locate(uri_or_path: str | Path) -> Path:
    """Return the folder of the bundle under a name as `load` takes it; raises StoreError as that does."""
    location = str(uri_or_path)
    if location.startswith(("models:", "runs:")):
        from stance.tracking.loading import fetch_bundle

        return fetch_bundle(location)
    return Path(location).expanduser()


def __getattr__(name: str) -> Any:
    if name == "Classifier":
        from stance.models.classifier import Classifier

        return Classifier
    raise AttributeError(f"module 'stance' has no attribute '{name}'")
