"""The saved model. What enters is a fitted model with all that it was made from; what leaves is one folder.

    bundle.json      what it is: the fields of `Manifest`
    codebook.yaml    the whole codebook used, so that the bundle predicts where that file is not
    model/           the model's own files: safetensors, JSON, text; never a pickle
    SHA256SUMS       the hash of every other file, checked before anything is read

How to change the format
------------------------
`FORMAT` is the version that `write_bundle` writes. A new *optional* manifest field, with a default, needs no new
version: old bundles read as before. Anything else does, so that an older kit says "upgrade" instead of failing
halfway. Then: (1) raise `FORMAT` by one; (2) write `_upgrade_<old>(content)`, which turns an old `bundle.json`
mapping into the next version's, and list it in `_UPGRADES` under the old number: reading applies them one after the
other; (3) add a small bundle written by the old version under `tests/models/bundles/` and a test that it still
predicts the same. Never edit an upgrade once released, and never reuse a number.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from stance import codebook
from stance.codebook import Codebook
from stance.errors import BundleError, CodebookError
from stance.models import catalogue
from stance.models.base import Model
from stance.models.drafts import drafted
from stance.models.hashlist import MEND, check_hashes
from stance.models.thresholds import Calibration
from stance.version import __version__

FORMAT = 2
MANIFEST = "bundle.json"
CODEBOOK = "codebook.yaml"
MODEL = "model"


def _upgrade_1(content: dict[str, Any]) -> dict[str, Any]:
    """Format 2 brought curves (isotonic calibration) and bars (abstaining), which an older kit would not apply."""
    calibration = {**content.get("calibration", {}), "curves": [], "bars": {"sure": [], "bars": []}}
    return {**content, "format": 2, "calibration": calibration}


_UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _upgrade_1}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(_Frozen):
    """What a model was made from. `metrics` are named `test.macro_f1` and so on; None where one is undefined."""

    task: str
    settings: dict[str, Any] = {}
    seed: int = 0
    split_digest: str | None = None
    data_digest: str | None = None
    metrics: dict[str, float | None] = {}


class Manifest(Origin):
    """The content of `bundle.json`. `created` is UTC, ISO 8601; `codebook_hash` is `Codebook.hash`; `export` says how
    the model answers as an ONNX graph, where it was exported (`stance.exporting`)."""

    format: int
    kind: str
    labels: tuple[str, ...]
    calibration: dict[str, Any]
    codebook_name: str
    codebook_version: str
    codebook_hash: str
    kit_version: str
    packages: dict[str, str]
    created: str
    export: dict[str, Any] | None = None


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files have been checked. The model itself is read by `load_model`."""

    folder: Path
    manifest: Manifest
    codebook: Codebook

    @property
    def calibration(self) -> Calibration:
        """How the model's probabilities become labels; whether these are exclusive is the codebook's to say."""
        found = Calibration.from_json(self.manifest.calibration)
        return replace(found, exclusive=self.codebook.task(self.manifest.task).exclusive)

    @property
    def packages(self) -> tuple[str, ...]:
        """What the model needs to predict, beyond `catalogue.BASE_PACKAGES`."""
        return catalogue.RUNTIME_PACKAGES if self.manifest.export else _needs(self.manifest.kind)

    def load_model(self) -> Model:
        """Return the model; raises BundleError when its labels are not those of the manifest."""
        model = catalogue.load(self.manifest.kind, self.folder / MODEL)
        if tuple(model.labels) != self.manifest.labels:
            raise BundleError(f"{self.folder}: the model's labels {model.labels} are not the bundle's; {MEND}")
        return model


def write_bundle(folder: Path, model: Model, calibration: Calibration, book: Codebook, origin: Origin) -> Path:
    """Write a fitted model as a bundle and return its folder.

    The bundle appears whole or not at all: it is written beside `folder` and then renamed. A bundle that is there
    already is replaced; any other non-empty folder is left alone. Raises BundleError when that cannot be done.
    """
    folder = Path(folder)
    manifest = _describe(model, calibration, book, origin)
    with drafted(folder, MANIFEST) as draft:
        (draft / MODEL).mkdir()
        model.save(draft / MODEL)
        _dump_yaml(draft / CODEBOOK, book)
        write_manifest(draft, manifest)
    return folder


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `bundle.json` into a folder that is being written."""
    # A kit that does not know exports refuses the field: it is left out where there is none.
    unknown = None if manifest.export else {"export"}
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1, exclude=unknown) + "\n", "utf-8")


def read_bundle(folder: str | Path) -> Bundle:
    """Check a bundle and return what it says of itself; no model is loaded yet.

    Raises BundleError naming the file and the mend for a missing folder, a folder without a bundle, a newer format,
    and any file that is missing, unlisted, truncated, changed or a pickle.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BundleError(f"{folder}: no such folder; give the folder that holds {MANIFEST}")
    content = _read_manifest(folder / MANIFEST)
    check_hashes(folder)
    for version in range(content["format"], FORMAT):
        content = _UPGRADES[version](content)
    try:
        manifest = Manifest.model_validate(content)
        book = codebook.parse((folder / CODEBOOK).read_text("utf-8"), str(folder / CODEBOOK))
        labels = book.task(manifest.task).labels
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, e["loc"])) for e in error.errors())
        raise BundleError(f"{folder / MANIFEST}: unusable fields: {fields}; {MEND}") from error
    except (CodebookError, OSError) as error:
        raise BundleError(f"{folder / CODEBOOK}: unusable codebook: {error}; {MEND}") from error
    if labels != manifest.labels or book.hash != manifest.codebook_hash:
        raise BundleError(f"{folder / CODEBOOK}: not the codebook that the model was trained on; {MEND}")
    return Bundle(folder, manifest, book)


def package_versions(names: Sequence[str]) -> dict[str, str]:
    """Return the versions of those of some packages that are installed."""
    installed = {name: _version(name) for name in names}
    return {name: version for name, version in installed.items() if version}


def _needs(kind: str) -> tuple[str, ...]:
    return catalogue.KINDS[kind].packages if kind in catalogue.KINDS else ()


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _describe(model: Model, calibration: Calibration, book: Codebook, origin: Origin) -> Manifest:
    labels = book.task(origin.task).labels
    if tuple(model.labels) != labels:
        raise BundleError(f"the model's labels {model.labels} are not those of the task '{origin.task}': {labels}")
    return Manifest(
        **origin.model_dump(),
        format=FORMAT,
        kind=model.kind,
        labels=labels,
        calibration=calibration.to_json(),
        codebook_name=book.name,
        codebook_version=book.version,
        codebook_hash=book.hash,
        kit_version=__version__,
        packages=package_versions((*catalogue.BASE_PACKAGES, *_needs(model.kind))),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
        version = content["format"]
    except FileNotFoundError as error:
        raise BundleError(f"{path.parent}: not a bundle, it holds no {MANIFEST}; give the folder that does") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{path}: truncated, or not a bundle's manifest; {MEND}") from error
    if not isinstance(version, int) or version < 1:
        raise BundleError(f"{path}: unknown format {version!r}; {MEND}")
    if version > FORMAT:
        raise BundleError(
            f"{path}: written by a newer stance-kit (format {version}, this one reads up to {FORMAT}); "
            "upgrade with: pip install -U stance-kit"
        )
    return dict(content)


def _dump_yaml(path: Path, book: Codebook) -> None:
    content = book.model_dump(mode="json", by_alias=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110), "utf-8")
