"""A cache of folders that are built once: complete or absent, checked when opened, rebuilt when damaged."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

MANIFEST = "manifest.json"


def cache_root() -> Path:
    """Return `STANCE_CACHE` if it is set, else the user's cache folder for stance-kit."""
    import platformdirs

    chosen = os.environ.get("STANCE_CACHE")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("stance-kit"))


def ensure_folder(folder: Path, build: Callable[[Path], None]) -> Path:
    """Return `folder` once it is whole; where it is missing or damaged, `build(empty_folder)` fills it first.

    Several processes may do this at once: each builds aside, one result takes the place, the others go.
    Raises OSError where the cache cannot be written.
    """
    if is_whole(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    aside.mkdir()
    try:
        build(aside)
        (aside / MANIFEST).write_text(json.dumps(_hashes(aside)), "utf-8")
        _put(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def is_whole(folder: Path) -> bool:
    """Tell whether every file that was built is there with the content that it had. Other files do not matter."""
    try:
        stated = json.loads((folder / MANIFEST).read_text("utf-8"))
        return bool(stated) and all(_hash(folder / name) == value for name, value in stated.items())
    except (OSError, ValueError, AttributeError):
        return False


def _put(aside: Path, folder: Path) -> None:
    # A folder cannot be renamed over a full one, so a damaged one is moved away first; in between, another
    # process may have put its own result there, which is then as good as ours.
    for _ in range(10):
        try:
            aside.rename(folder)
            return
        except OSError:
            if is_whole(folder):
                return
            if not folder.exists():
                raise
            _remove(folder)
    raise OSError(f"{folder} cannot be replaced; delete it by hand")


def _remove(folder: Path) -> None:
    away = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.damaged")
    try:
        folder.rename(away)
    except FileNotFoundError:
        return
    if away.is_dir():
        shutil.rmtree(away, ignore_errors=True)
    else:
        away.unlink(missing_ok=True)


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _hash(path) for path in files}


def _hash(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
