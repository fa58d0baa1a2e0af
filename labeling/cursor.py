"""Where the last pull stopped: a small JSON file beside the annotations, from which the next pull goes on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stance.dataset.files import replacing
from stance.errors import DataError

# An annotation's time is taken a little before others can see it.
MARGIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to when (`since`, in UTC; "" for never) which project was pulled into a file of which content (`digest`).

    `tasks` maps an annotation's id to its task's, which tells apart two tasks that hold the same example.
    """

    url: str
    project: int
    title: str
    since: str = ""
    digest: str = ""
    tasks: dict[int, int] = field(default_factory=dict)


def cursor_path(path: Path) -> Path:
    """Return where the cursor of a file of annotations is kept."""
    return path.with_name(f"{path.name}.cursor")


def read_cursor(path: Path) -> Cursor | None:
    """Return the cursor beside a file of annotations, or None if there is none.

    Raises DataError for one that cannot be read.
    """
    where = cursor_path(path)
    try:
        row = json.loads(where.read_text("utf-8"))
        return Cursor(**row | {"tasks": {int(one): int(task) for one, task in row["tasks"].items()}})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{where}: cannot be read ({error}); delete it to pull everything again") from error


def write_cursor(cursor: Cursor, path: Path) -> None:
    """Write the cursor beside a file of annotations."""
    with replacing(cursor_path(path)) as temporary:
        temporary.write_text(json.dumps(asdict(cursor)), "utf-8")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file; empty if there is none. Raises DataError for one that cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}; choose another file") from error


def safe_start(latest: str, seconds: float) -> str:
    """Return from when the next pull has to look, given the latest change seen and how long the listing took.

    A task that changed while others were listed is missed, but no earlier than the listing began; only the server's
    own clock counts, so that ours may be wrong.

    >>> safe_start("2026-11-22T02:31:56.527815Z", 5)
    '2026-11-22T02:30:51.527815Z'
    """
    return _write(_read(latest) - timedelta(seconds=seconds) - MARGIN) if latest else ""


def utc(time: str | None) -> str:
    """Return a time of the server in UTC, always of the same form; empty for none.

    >>> utc("2026-11-22T03:31:56+01:00")
    '2026-11-22T02:31:56.000000Z'
    """
    return _write(_read(time)) if time else ""


def _read(time: str) -> datetime:
    read = datetime.fromisoformat(time)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _write(time: datetime) -> str:
    # Label Studio's filter takes this form alone.
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
