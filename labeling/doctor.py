"""Is Label Studio fit for the kit? What enters is the environment; what leaves is checks, each with its mend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labeling.client import Studio
from labeling.installation import VERSION
from labeling.server import is_healthy
from labeling.settings import FOLDER, KEY, START, URL, read_settings
from stance.errors import LabelingError

NEEDED = (
    "projects.create",
    "projects.view",
    "projects.change",
    "tasks.create",
    "tasks.view",
    "tasks.delete",
    "annotations.view",
    "predictions.any",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `found` says what is there and, where that is not `ok`, how to mend it."""

    name: str
    ok: bool
    found: str


def examine(folder: Path = FOLDER) -> list[Check]:
    """Return the checks in order: settings, server, token, version, permissions. After one that fails no other follows.

    `folder` is that of the local server. Nothing is changed on any server.
    """
    checks: list[Check] = []
    steps = _steps(folder)
    while True:
        try:
            name = next(steps)
            found = next(steps)
        except StopIteration:
            return checks
        except LabelingError as error:
            return [*checks, Check(name, False, str(error))]
        checks.append(Check(name, True, found))


def check_version(version: str) -> str:
    """Return the version with what is known of it; raises LabelingError for one that is too old.

    >>> check_version("1.23.2")
    '1.23.2, as tested'
    """
    tested = _numbers(VERSION)
    if (numbers := _numbers(version)) < tested[:2]:
        raise LabelingError(
            f"Label Studio is {version}, older than the tested {VERSION}; update it, or use `make label-studio`"
        )
    return f"{version}, as tested" if numbers == tested else f"{version}; {VERSION} is the one that is tested"


def check_permissions(permissions: tuple[str, ...]) -> str:
    """Return how many permissions are needed and there; raises LabelingError naming those that are missing."""
    if missing := [name for name in NEEDED if name not in permissions]:
        raise LabelingError(f"this account may not {', '.join(missing)}; set {KEY} to the token of one that may")
    return f"all {len(NEEDED)} that are needed"


def _steps(folder: Path) -> Iterator[str]:
    # A name, then what was found: the caller knows the name of the step that raises.
    yield "settings"
    settings = read_settings(folder)
    yield settings.url
    yield "server"
    if not is_healthy(settings.url):
        raise LabelingError(f"no Label Studio answers at {settings.url}; check {URL}, or {START}")
    yield "is up"
    yield "token"
    studio = Studio(settings)
    user = studio.whoami()
    yield f"of {user.email}"
    yield "version"
    yield check_version(studio.version())
    yield "permissions"
    yield check_permissions(user.permissions)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())
