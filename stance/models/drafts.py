"""Folders that appear whole or not at all. What enters is a block that writes; what leaves is a folder with hashes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stance.errors import BundleError
from stance.models.hashlist import check_hashes, write_hashes


@contextmanager
def drafted(folder: Path, mark: str) -> Iterator[Path]:
    """Give an empty folder to write in; when the block ends well it gets a hash list and takes the place of `folder`.

    What is there already is replaced if it holds the file `mark`; any other non-empty folder is left alone, and when
    the block fails, so is `folder`. Raises BundleError when the folder cannot be written.
    """
    _check_replaceable(folder, mark)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
    except OSError as error:
        raise BundleError(f"{folder}: cannot write a bundle here: {error.strerror or error}") from error
    try:
        draft.chmod(0o755)  # mkdtemp makes a folder that only its owner can read
        yield draft
        write_hashes(draft)
        check_hashes(draft)
        _swap(draft, folder)
    except OSError as error:
        raise BundleError(f"{folder}: cannot write the bundle: {error.strerror or error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _check_replaceable(folder: Path, mark: str) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BundleError(f"{folder}: is not a folder; give another path for the bundle")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / mark).is_file():
        raise BundleError(f"{folder}: holds other files and no {mark}; give an empty or a new folder")


def _swap(draft: Path, folder: Path) -> None:
    """Put `draft` in the place of `folder`; what was there comes back if the second rename fails."""
    if not folder.exists():
        draft.rename(folder)
        return
    aside = draft.with_suffix(".old")
    folder.rename(aside)
    try:
        draft.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)
