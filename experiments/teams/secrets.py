"""The secrets of a team's server. A folder enters; the passwords made for it leave, always the same."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from stance.dataset.files import replacing
from stance.errors import ServiceError

FILE = "secrets.json"


def keep_secrets(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return a secret per name: as made before, else made now and written to a file that its owner alone can read."""
    path = folder / FILE
    try:
        kept = {str(name): str(value) for name, value in json.loads(path.read_text("utf-8")).items()}
    except FileNotFoundError:
        kept = {}
    except (OSError, ValueError, AttributeError):
        raise ServiceError(f"{path}: cannot be read; put it back from the backup: it opens the databases") from None
    found = {name: kept.get(name) or secrets.token_urlsafe(24) for name in names}
    if found != kept:
        write_secret(path, json.dumps(kept | found, indent=2) + "\n")
    return kept | found


def write_secret(path: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    with replacing(path) as temporary:
        temporary.touch(0o600)
        temporary.chmod(0o600)
        temporary.write_text(text, "utf-8")
