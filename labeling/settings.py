"""Where Label Studio is and who we are there. What enters is the environment; what leaves is a `Settings` record.

`LABEL_STUDIO_URL` and `LABEL_STUDIO_API_KEY` win; without them the local server that `make label-studio` started is
found through the file that it wrote.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from stance.errors import LabelingError

URL, KEY = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"
FOLDER = Path(".label-studio")
START = "start a local server with `make label-studio`"


@dataclass(frozen=True, slots=True)
class Settings:
    """The address of a server, without a closing slash, and the token to show it, which no `repr` holds."""

    url: str
    key: str = field(repr=False)


def read_settings(folder: Path = FOLDER) -> Settings:
    """Return the settings of the environment, or else of the local server that `folder` belongs to.

    Raises LabelingError naming the variable that is missing or wrong.
    """
    local = read_credentials(folder)
    url = os.environ.get(URL, "").strip() or local.get("url", "")
    key = os.environ.get(KEY, "").strip()
    if not key and url.rstrip("/") == local.get("url", ""):  # the local token is of no use to another server
        key = local.get("token", "")
    if not url:
        raise LabelingError(f"no Label Studio is known: set {URL} and {KEY}, or {START}")
    return Settings(check_url(url), check_key(key, url))


def check_url(url: str) -> str:
    """Return an http or https address without its closing slash; raises LabelingError for anything else."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise LabelingError(f"{URL}: '{url}' is no address; give one such as http://127.0.0.1:8080")
    return url.rstrip("/")


def check_key(key: str, url: str) -> str:
    """Return a token that can stand in a header; raises LabelingError, which never quotes it, for anything else."""
    if not key:
        raise LabelingError(f"no token for {url}: set {KEY} to the one under Account & Settings there")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise LabelingError(f"{KEY} holds characters that no token has; copy it again from Account & Settings at {url}")
    return key


def read_credentials(folder: Path = FOLDER) -> dict[str, str]:
    """Return what the local server wrote down (`url`, `username`, `password`, `token`); nothing if there is none.

    Raises LabelingError for a file that cannot be read.
    """
    path = folder / "credentials.json"
    try:
        content = json.loads(path.read_text("utf-8"))
        return {str(name): str(value) for name, value in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise LabelingError(
            f"{path}: cannot be read ({type(error).__name__}); make it readable, or set {URL} and {KEY}"
        ) from None  # a parser's message may quote the file, and with it the token
