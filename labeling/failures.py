"""What goes wrong on the way to Label Studio: errors of the SDK and of the network enter, ours leave."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from labeling.settings import KEY, START, URL
from stance.errors import LabelingError

LONGEST = 300  # characters of a server's answer that are quoted


class Interrupted(LabelingError):  # noqa: N818 - says what happened, like GateRefusal
    """The server was not reached, or went away in mid-request: what was asked may or may not have been done."""


class NotThere(LabelingError):  # noqa: N818 - the same
    """A project or a task does not exist, or no longer."""


@contextmanager
def wrap_errors(url: str, doing: str, refusals: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turn what the SDK, httpx and JSON raise into LabelingError: what was done where, and the mend.

    `refusals` are the SDK's errors for an answer with a bad status or content; they have `status_code` and `body`.
    """
    import httpx

    where = f"Label Studio at {url}: {doing}"
    try:
        yield
    except refusals as error:
        raise _of_status(where, error) from error
    except httpx.TimeoutException as error:
        raise Interrupted(f"{where}: no answer in time; look whether the server is busy, then run again") from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
        raise LabelingError(f"{where}: {error or type(error).__name__}; check {URL} and {KEY}") from error
    except httpx.ConnectError as error:
        raise Interrupted(f"{where}: cannot be reached; check {URL}, or {START}") from error
    except httpx.HTTPError as error:
        raise Interrupted(f"{where}: the connection broke ({type(error).__name__}); run again") from error
    except UnicodeEncodeError as error:
        raise LabelingError(f"{where}: a text holds half of a surrogate pair, which cannot be sent; mend it") from error
    except (json.JSONDecodeError, ValidationError) as error:
        reason = f"{type(error).__name__}: {_short(str(error))}"
        raise LabelingError(f"{where}: the answer is not understood ({reason}); is {URL} a Label Studio?") from error
    except ValueError as error:  # a number that JSON does not have
        raise LabelingError(f"{where}: cannot be sent: {_short(str(error))}; mend the values") from error


def _of_status(where: str, error: Any) -> LabelingError:
    reason = _reason(error.body)
    match error.status_code:
        case 401:
            return LabelingError(f"{where}: the token is refused ({reason}); copy it anew into {KEY}")
        case 403:
            return LabelingError(f"{where}: not allowed ({reason}); use the token of an account that may")
        case 404:
            return NotThere(f"{where}: not there; it may have been deleted, or {URL} is no Label Studio")
        case 400 | 422:
            return LabelingError(f"{where}: refused: {reason}; mend that and run again")
        case status if status is None or status >= 500 or status in (408, 409, 429):
            return Interrupted(f"{where}: the server failed (status {status}: {reason}); see its log, then run again")
        case status:
            return LabelingError(f"{where}: status {status}: {reason}; is {URL} a Label Studio?")


def _reason(body: Any) -> str:
    """Return the gist of an error's body, which is a mapping, or a page of HTML.

    >>> _reason({"detail": "Validation error", "validation_errors": {"title": ["too short"]}})
    'Validation error: title: too short'
    """
    if not isinstance(body, dict):
        return _short(re.sub(r"<[^>]+>", " ", str(body or "no reason given")))
    parts = [str(body.get("detail") or "")]
    problems = body.get("validation_errors")
    if isinstance(problems, dict):
        parts += [f"{name}: {'; '.join(map(str, _listed(each)))}" for name, each in problems.items()]
    elif problems:
        parts += [str(each) for each in _listed(problems)]
    return _short(": ".join(part for part in parts if part) or str(body))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
