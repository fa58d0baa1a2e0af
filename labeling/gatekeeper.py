"""Who may ask the live backend. Requests enter; those with the right password, and of a sane size, pass.

It stands before the app, so that nothing of a body is read before the password was checked.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stance.errors import LabelingError
from stance.tracking.serving.network import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

USER, PASSWORD = "STANCE_BACKEND_USER", "STANCE_BACKEND_PASSWORD"
LARGEST = 64 * 2**20  # bytes of a body: Label Studio sends all selected tasks in one request
OPEN = "/health"


@dataclass(frozen=True, slots=True)
class Credentials:
    """User and password of HTTP basic authentication; no `repr` holds the password."""

    user: str
    password: str = field(repr=False)


def read_credentials(host: str) -> Credentials | None:
    """Return the credentials of the environment; None where none are set and `host` is this machine alone.

    Raises LabelingError for a user without a password or the other way round, a colon in the user, and for a host
    that others can reach without credentials.
    """
    user, password = os.environ.get(USER, ""), os.environ.get(PASSWORD, "")
    if bool(user) != bool(password):
        raise LabelingError(f"{PASSWORD if user else USER} is not set, but {USER if user else PASSWORD} is; set both")
    if ":" in user:
        raise LabelingError(f"{USER} holds a colon, which basic authentication cannot carry; choose another")
    if user:
        return Credentials(user, password)
    if not is_loopback(host):
        raise LabelingError(f"{host} can be reached by others: set {USER} and {PASSWORD}, or bind to 127.0.0.1")
    return None


class Gatekeeper:
    """ASGI middleware: 401 without the credentials, 411 for a body of unknown size, 413 for one above `LARGEST`."""

    def __init__(self, app: ASGIApp, credentials: Credentials | None) -> None:
        self.app = app
        self.credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        from starlette.responses import JSONResponse

        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = dict(scope["headers"])
        refusal = None
        if scope["path"] != OPEN and not self._known(headers.get(b"authorization", b"")):
            ask = {"WWW-Authenticate": 'Basic realm="stance live help", charset="UTF-8"'}
            refusal = JSONResponse({"error": "user and password are missing or wrong"}, 401, headers=ask)
        elif scope["method"] == "POST" and not headers.get(b"content-length", b"").isdigit():
            refusal = JSONResponse({"error": "a body needs a Content-Length"}, 411)
        elif int(headers.get(b"content-length", b"0")) > LARGEST:
            refusal = JSONResponse({"error": f"the body is above {LARGEST} bytes; send fewer tasks at once"}, 413)
        return await (refusal or self.app)(scope, receive, send)

    def _known(self, header: bytes) -> bool:
        if self.credentials is None:
            return True
        scheme, _, encoded = header.partition(b" ")
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        wanted = f"{self.credentials.user}:{self.credentials.password}".encode()
        # In constant time, so that the password cannot be guessed letter by letter.
        return hmac.compare_digest(given, wanted) and scheme.lower() == b"basic"
