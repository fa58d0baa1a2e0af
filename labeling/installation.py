"""Label Studio in an environment of its own, and the account of a local server.

What enters is a folder; what leaves is a program to start, the environment to start it in, and credentials.
"""

from __future__ import annotations

import json
import os
import secrets
import string
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from labeling.settings import KEY, read_credentials
from stance.dataset.files import replacing
from stance.errors import LabelingError

VERSION = "1.23.2"
Say = Callable[[str], None]

TOKEN = 40  # characters of a token that Label Studio can be given
VARIABLES = {"username": "LABEL_STUDIO_USERNAME", "password": "LABEL_STUDIO_PASSWORD", "token": KEY}

SWITCHES = {
    # Nothing leaves the machine. The addresses of both error collectors are built in: only an empty one stops them.
    "COLLECT_ANALYTICS": "false",
    "LATEST_VERSION_CHECK": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    # Tokens that last and can be given beforehand are off by default.
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
    # Without it a prediction with an unknown label is stored, and shows as nothing.
    "fflag_feat_utc_210_prediction_validation_15082025": "true",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The account that a local server was made with. `made` names the fields that the kit made up itself."""

    username: str
    password: str = field(repr=False)
    token: str = field(repr=False)
    made: tuple[str, ...] = ()


def install(venv: Path, say: Say) -> Path:
    """Return the `label-studio` program in `venv`, installed there if it is not yet.

    An environment of its own, because Label Studio pins versions that would take ours with them. Of two processes one
    installs and the other waits. Raises LabelingError with the end of pip's words if it cannot be installed.
    """
    from filelock import FileLock

    program = venv / "bin" / "label-studio"
    if not _is_complete(venv):
        venv.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(venv.with_name(f".{venv.name}.lock")):
            if not _is_complete(venv):
                _install(venv, say)
    return program.absolute()


def _is_complete(venv: Path) -> bool:
    # pip installs what a package needs before the package: where this folder is, the rest is complete.
    records = venv.glob(f"lib/python*/site-packages/label_studio-{VERSION}.dist-info/RECORD")
    return (venv / "bin" / "label-studio").exists() and any(records)


def _install(venv: Path, say: Say) -> None:
    say(f"installing label-studio {VERSION} into {venv}: about 1 GB, takes some minutes")
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", str(venv)], [*pip, f"label-studio=={VERSION}"]):
        # No word of the command comes from a user.
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
        if done.returncode:
            last = " ".join((done.stderr or done.stdout).split())[-400:]
            raise LabelingError(f"{venv}: label-studio {VERSION} cannot be installed: {last}; mend that and run again")


def make_credentials(folder: Path, environ: Mapping[str, str] = os.environ) -> Credentials:
    """Return the account of the server in `folder`: from the environment, else as made before, else made now.

    What was made is written down by `keep_credentials`; what came from the environment never is, but for the name.
    Raises LabelingError if the environment gives another account than the folder's, or no longer the secrets that it
    gave when the folder was new: Label Studio heeds them only when it makes the user.
    """
    kept = read_credentials(folder)
    given = {name: environ.get(variable, "").strip() for name, variable in VARIABLES.items()}
    for name, variable in VARIABLES.items():
        if kept and not (given[name] or kept.get(name)):
            raise LabelingError(f"{folder}: was made with a {name} from the environment; set {variable} to it again")
        if given[name] and kept.get(name) and given[name] != kept[name]:
            raise LabelingError(f"{folder}: was made with another {name}; unset {variable}, or start in a new folder")
    if given["username"] and "@" not in given["username"]:
        raise LabelingError(f"{VARIABLES['username']}: '{given['username']}' is no e-mail address, as me@home.org is")
    if len(given["token"]) > TOKEN or (given["token"] and not given["token"].isalnum()):
        raise LabelingError(f"{VARIABLES['token']}: a new server takes up to {TOKEN} letters and digits")
    letters = string.ascii_letters + string.digits
    fresh = {
        "username": "annotator@localhost.localdomain",
        "password": "".join(secrets.choice(letters) for _ in range(16)),
        "token": secrets.token_hex(TOKEN // 2),
    }
    chosen = {name: given[name] or kept.get(name) or fresh[name] for name in fresh}
    return Credentials(**chosen, made=tuple(name for name in ("password", "token") if not given[name]))


def keep_credentials(folder: Path, url: str, account: Credentials) -> Path:
    """Write `credentials.json`, readable by its owner alone: the address, the name, and the secrets that were made."""
    secret = {name: value for name, value in asdict(account).items() if name in account.made}
    path = folder / "credentials.json"
    with replacing(path) as temporary:
        temporary.chmod(0o600)
        temporary.write_text(json.dumps({"url": url, "username": account.username, **secret}, indent=2) + "\n", "utf-8")
    return path


def environment(folder: Path, account: Credentials, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what the server's process sees: the user's environment with our switches, and data in `folder`.

    PostgreSQL is chosen by Label Studio's own variables (`DJANGO_DB`, `POSTGRE_…`), which pass through.
    """
    ours = {name: value for name, value in environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return ours | {
        **SWITCHES,
        "HOME": str((folder / "home").absolute()),  # it writes to ~/.config
        "LABEL_STUDIO_BASE_DATA_DIR": str((folder / "data").absolute()),
        "LABEL_STUDIO_USERNAME": account.username,
        "LABEL_STUDIO_PASSWORD": account.password,
        "LABEL_STUDIO_USER_TOKEN": account.token,
    }
