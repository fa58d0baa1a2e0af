"""A cache of folders that are built once: complete or absent, checked when opened, rebuilt when damaged."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

MANIFEST = "manifest.json"
PATIENCE = 600
"""Seconds to wait for another process that builds the same folder."""


def cache_root() -> Path:
    """Return `STANCE_CACHE` if it is set, else the user's cache folder for stance-kit."""
    import platformdirs

    chosen = os.environ.get("STANCE_CACHE")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("stance-kit"))


def ensure_folder(folder: Path, build: Callable[[Path], None]) -> Path:
    """Return `folder` once it is whole; where it is missing or damaged, `build(empty_folder)` fills it first.

    Of several processes that want it at once one builds, aside, and the others wait for it (up to `PATIENCE`). Raises
    OSError where the cache cannot be written or the wait is over.
    """
    if is_whole(folder):
        return folder
    from filelock import FileLock

    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock"), timeout=PATIENCE):
        if not is_whole(folder):  # it may have been built while we waited
            _replace(folder, build)
    return folder


def is_whole(folder: Path) -> bool:
    """Tell whether every file that was built is there with the content that it had. Other files do not matter."""
    try:
        stated = json.loads((folder / MANIFEST).read_text("utf-8"))
        return bool(stated) and all(_hash(folder / name) == value for name, value in stated.items())
    except (OSError, ValueError, AttributeError):
        return False


def _replace(folder: Path, build: Callable[[Path], None]) -> None:
    aside = folder.with_name(f".{folder.name}.new")
    _remove(aside)  # what a killed build left
    aside.mkdir()
    try:
        build(aside)
        (aside / MANIFEST).write_text(json.dumps(_hashes(aside)), "utf-8")
        _remove(folder)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _hash(path) for path in files}


def _hash(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
