"""Where a run comes from: the state of the code and of the installed packages enters; tags leave."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path

PACKAGES = ("mlflow", "numpy", "pandas", "peft", "safetensors", "scikit-learn", "scipy", "torch", "transformers")


def git_state(folder: Path | None = None) -> dict[str, str]:
    """Return `git_commit` and `git_dirty` ("true" when tracked files differ from it); nothing outside a repository."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return {}
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"git_commit": commit, "git_dirty": str(bool(changes)).lower()}


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of those `PACKAGES` that are installed."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _git(folder: Path | None, *arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 (the arguments are this module's own)
            ["git", *arguments],  # noqa: S607 (git is found on the user's path, as in their shell)
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
