"""Who may ask the service. Requests enter; those that bring the token pass.

It stands before the app, so that nothing of a body is read before the token was checked.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stance.errors import ServiceError
from stance.tracking.serving.network import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

VARIABLE = "STANCE_SERVE_TOKEN"
SHORTEST = 16
OPEN = ("/health", "/ping")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token; no `repr` holds it."""

    value: str = field(repr=False)

    def opens(self, header: bytes) -> bool:
        """Say whether an `Authorization` header brings this token, in a time that tells nothing about it."""
        scheme, _, given = header.partition(b" ")
        return hmac.compare_digest(given.strip(), self.value.encode()) and scheme.lower() == b"bearer"


def read_token(host: str) -> Token | None:
    """Return the token of the environment; None where none is set and `host` is this machine alone.

    Raises ServiceError for a host that others can reach without one, and for one that is short or fits no header.
    """
    value = os.environ.get(VARIABLE, "").strip()
    make = "make one with `openssl rand -hex 32`"
    if value and not (value.isascii() and value.isprintable() and " " not in value):
        raise ServiceError(f"{VARIABLE} holds characters that no HTTP header can carry; {make}")
    if value and len(value) < SHORTEST:
        raise ServiceError(f"{VARIABLE} has fewer than {SHORTEST} characters; {make}")
    if value:
        return Token(value)
    if not is_loopback(host):
        raise ServiceError(f"{host} can be reached by others: set {VARIABLE} ({make}), or bind to 127.0.0.1")
    return None


class Door:
    """ASGI middleware: 401 for a request without the token, if there is one; `OPEN` says only that all is well."""

    def __init__(self, app: ASGIApp, token: Token | None) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        from starlette.responses import JSONResponse

        if scope["type"] != "http" or self.token is None or scope["path"] in OPEN:
            return await self.app(scope, receive, send)
        if self.token.opens(dict(scope["headers"]).get(b"authorization", b"")):
            return await self.app(scope, receive, send)
        ask = {"WWW-Authenticate": 'Bearer realm="stance"'}
        refusal = JSONResponse({"error": "the token is missing or wrong: send Authorization: Bearer …"}, 401, ask)
        return await refusal(scope, receive, send)
