"""The service's app. A request enters; MLflow's scoring server answers it, or one line says why it cannot.

    POST /invocations    rows into probabilities and labels
    GET  /health, /ping  the process lives and holds a model
    GET  /version        MLflow's version
    GET  /openapi.json   what is asked and answered, for people and programs

Every status from 400 on has the body `{"error": "…"}`, which holds no traceback. `X-Stance-Model` names the model that
answered.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from stance.errors import DataError
from stance.tracking.following import POLL, Watch
from stance.tracking.serving.champion import Champion, Live
from stance.tracking.serving.contract import describe
from stance.tracking.serving.door import Door, Token
from stance.tracking.serving.rows import CSV, JSON, Columns, read_rows, write_rows

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Scope

MODEL_HEADER = "X-Stance-Model"


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one request may bring: rows, and bytes of its body."""

    rows: int = 1000
    bytes: int = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Settings:
    """What a service needs to start; it can be sent to another process."""

    uri: str
    token: Token | None = None
    limits: Limits = Limits()
    poll: float = POLL


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is answered with this status and line."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Reply(NamedTuple):
    """An app's whole answer."""

    status: int
    body: bytes


def create_app(settings: Settings, report: Callable[[str], None], champion: Champion | None = None) -> Starlette:
    """Return the app; without a `champion` it is loaded when the app starts. `report` is told of swaps."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.routing import Route

    service = _Service(settings, champion)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if service.champion is None:
            service.champion = Champion(settings.uri, report)
        watch = Watch(service.champion.refresh, settings.poll, report)
        yield
        watch.close()

    return Starlette(
        routes=[
            Route("/invocations", service.invoke, methods=["POST"]),
            *(Route(path, service.pass_on, methods=["GET"]) for path in ("/health", "/ping", "/version")),
            Route("/openapi.json", service.contract, methods=["GET"]),
        ],
        middleware=[Middleware(Door, token=settings.token)],
        exception_handlers={
            HTTPException: _answer_http,  # an unknown path, or a method that the path does not know
            Refused: _answer_refused,
            DataError: _answer_data,
            Exception: _answer_broken,  # the server's log has it
        },
        lifespan=lifespan,
    )


class _Service:
    def __init__(self, settings: Settings, champion: Champion | None) -> None:
        self.settings = settings
        self.champion = champion

    @property
    def live(self) -> Live:
        if self.champion is None:
            raise Refused(503, "the model is still being loaded")
        return self.champion.live

    async def invoke(self, request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        kind = _content_type(request)
        body = await _read_body(request, self.settings.limits.bytes)
        live = self.live  # once per request: one answer comes from one model
        prepared = await run_in_threadpool(_prepare, body, kind, live.columns, self.settings.limits.rows)
        return _respond(await _ask(live.app, request, prepared), live)

    async def pass_on(self, request: Request) -> Response:
        live = self.live
        reply = await _ask(live.app, request)
        return _respond(reply, live, "text/plain")  # MLflow calls it JSON, which it is not

    async def contract(self, _: Request) -> Response:
        from starlette.responses import JSONResponse

        limits, live = self.settings.limits, self.live
        return JSONResponse(describe(live, limits.rows, self.settings.token is not None))


def _content_type(request: Request) -> str:
    given = request.headers.get("content-type", "")
    kind, *parameters = (part.strip().lower() for part in given.split(";"))
    encoding = request.headers.get("content-encoding", "identity")
    if kind not in (JSON, CSV) or any(one not in ("", "charset=utf-8", 'charset="utf-8"') for one in parameters):
        raise Refused(415, f"the content type must be {JSON} or {CSV}, in UTF-8, not {given!r:.80}")
    if encoding.lower() != "identity":
        raise Refused(415, f"the body must not be encoded, and is {encoding!r:.40}")
    return kind


async def _read_body(request: Request, most: int) -> bytes:
    from starlette.requests import ClientDisconnect

    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise Refused(413, f"the body is above {most} bytes; send fewer rows at once")
    except ClientDisconnect as error:
        raise Refused(400, "the body ended too early") from error
    return bytes(body)


def _prepare(body: bytes, kind: str, columns: Columns, most: int) -> bytes:
    rows = read_rows(body, kind, columns)
    if len(rows) > most:
        raise Refused(413, f"{len(rows)} rows are above the limit of {most}; send them in several requests")
    return write_rows(rows, columns)


async def _ask(app: ASGIApp, request: Request, body: bytes = b"") -> Reply:
    headers = [(b"content-type", JSON.encode()), (b"content-length", str(len(body)).encode())]
    method = "GET" if request.method == "HEAD" else request.method
    scope: Scope = {
        **request.scope,
        "method": method,
        "headers": headers,
        "query_string": b"",
        "root_path": "",
        "state": {},
    }
    given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    answered: list[Message] = []

    async def receive() -> Message:
        return given.pop() if given else await request.receive()  # afterwards only that the client has gone

    async def send(message: Message) -> None:
        answered.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in answered)
    return Reply(int(answered[0]["status"]), body)


def _respond(reply: Reply, live: Live, kind: str = JSON) -> Response:
    from starlette.responses import Response

    # A registered name may hold characters that fit no header.
    named = {MODEL_HEADER: live.version.encode("ascii", "replace").decode()}
    if reply.status < 400 or _is_ours(reply.body):
        return Response(reply.body, reply.status, named, kind)
    message = HTTPStatus(reply.status).phrase.lower()
    if reply.status == HTTPStatus.GATEWAY_TIMEOUT:
        message = "no answer in time; send fewer rows at once, or raise MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT"
    return _error(reply.status, message)


def _is_ours(body: bytes) -> bool:
    try:
        content: Any = json.loads(body)
    except ValueError:
        return False
    return isinstance(content, dict) and content.keys() == {"error"}


def _error(status: int, message: str, headers: Any = None) -> Response:
    from starlette.responses import JSONResponse

    return JSONResponse({"error": message}, status, headers)


async def _answer_http(request: Request, error: Any) -> Response:
    where = f"{request.method} {request.url.path}"
    message = str(error.detail)
    if error.status_code == HTTPStatus.NOT_FOUND:
        message = f"{where:.80}: there is no such path; POST rows to /invocations"
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        message = f"{where:.80}: this path takes {', '.join(sorted(error.headers['Allow'].split(', ')))}"
    return _error(error.status_code, message, error.headers)


async def _answer_refused(_: Request, error: Any) -> Response:
    return _error(error.status, str(error))


async def _answer_data(_: Request, error: Any) -> Response:
    return _error(400, str(error))


async def _answer_broken(_: Request, __: Exception) -> Response:
    return _error(500, "internal error; the log of `stance serve` has the cause")
