"""Who is let in: only those with the token, where others than this machine can reach the service."""

import httpx
import pytest

from stance.errors import ServiceError
from stance.tracking.serving.door import VARIABLE, Token, read_token
from stance.tracking.serving.network import listen
from tests.servers import Service
from tests.tracking.serving.answers import ROWS, same

TOKEN = "0123456789abcdef-not-a-secret"


@pytest.mark.slow
def test_only_who_has_the_token_is_answered(registry, expected):
    service = Service(registry, "--host", "0.0.0.0", token=TOKEN)
    try:
        same(service.ask(ROWS), expected(ROWS))
        for header in (None, "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN, "Bearer ä"):
            headers = {} if header is None else {"Authorization": header.encode("latin-1")}
            for path in ("/invocations", "/version", "/openapi.json", "/nothing"):
                answer = httpx.post(service.url + path, headers=headers, json={"inputs": ROWS})
                assert answer.status_code == 401, (header, path)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert httpx.get(f"{service.url}/health").status_code == 200
        assert service.client.get("/openapi.json").json()["security"] == [{"token": []}]
    finally:
        service.stop()
    assert TOKEN not in "".join(service.said)


def test_others_are_only_let_in_with_a_token(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert read_token("127.0.0.1") is None
    with pytest.raises(ServiceError, match=f"0.0.0.0 can be reached by others: set {VARIABLE}"):
        read_token("0.0.0.0")
    for value, words in (("short", "fewer than 16"), ("ä" * 20, "no HTTP header"), ("a b" * 20, "no HTTP header")):
        monkeypatch.setenv(VARIABLE, value)
        with pytest.raises(ServiceError, match=words) as caught:
            read_token("127.0.0.1")
        assert value not in str(caught.value)
    monkeypatch.setenv(VARIABLE, TOKEN)
    assert read_token("0.0.0.0") == Token(TOKEN)
    assert TOKEN not in repr(Token(TOKEN))


def test_a_port_in_use_is_named():
    with listen("127.0.0.1", 0) as listener, pytest.raises(ServiceError, match="--port"):
        listen("127.0.0.1", listener.getsockname()[1])
