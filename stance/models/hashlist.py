"""The hash list of a folder. What enters is a folder; what leaves is `SHA256SUMS`, or the file that does not match it.

The format is that of the `sha256sum` command: `sha256sum -c SHA256SUMS` in the folder checks it without this kit.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from stance.errors import BundleError

NAME = "SHA256SUMS"
MEND = "copy the whole bundle again, or train it again"

_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")
_PICKLES = frozenset({".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth", ".ckpt", ".bin"})


def write_hashes(folder: Path) -> None:
    """Write `SHA256SUMS` over every file below `folder`, paths relative and sorted."""
    paths = [path for path in _files(folder) if path != NAME]
    lines = [f"{file_hash(folder / path)}  {path}\n" for path in paths]
    (folder / NAME).write_text("".join(lines), "utf-8")


def check_hashes(folder: Path) -> None:
    """Check that `folder` holds exactly the files of its `SHA256SUMS`, unchanged, and no pickle or link.

    Raises BundleError naming the first file that is missing, not listed, changed, or could run code when read.
    """
    listed = _read_hashes(folder / NAME)
    present = set(_files(folder)) - {NAME}
    for path in sorted(present | set(listed)):
        if Path(path).suffix.lower() in _PICKLES:
            raise BundleError(f"{folder / path}: a pickle can run code when it is read; remove the bundle")
        if path not in present:
            raise BundleError(f"{folder / path}: listed in {NAME} but missing; {MEND}")
        if path not in listed:
            raise BundleError(f"{folder / path}: not listed in {NAME}; move the file out of the bundle")
        if file_hash(folder / path) != listed[path]:
            raise BundleError(f"{folder / path}: truncated or changed since it was saved (hash differs); {MEND}")


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits; raises BundleError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}") from error


def _read_hashes(path: Path) -> dict[str, str]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise BundleError(f"{path}: missing, so nothing proves the bundle whole; {MEND}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{path}: cannot be read: {error}; {MEND}") from error
    if not text.endswith("\n"):
        raise BundleError(f"{path}: truncated; {MEND}")
    hashes: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise BundleError(f"{path}:{number}: not a line of a hash list; {MEND}")
        hashes[match[2]] = match[1]
    return hashes


def _files(folder: Path) -> list[str]:
    """Relative POSIX paths of all files. A link is refused: it would let a bundle name files outside itself."""
    found = []
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise BundleError(f"{path}: a bundle holds no links; {MEND}")
        if not path.is_dir():
            found.append(path.relative_to(folder).as_posix())
    return sorted(found)
