"""Who may ask the live backend."""

import pytest

from labeling.gatekeeper import PASSWORD, USER, read_credentials
from stance.errors import LabelingError


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.7.7", "example.org", "::"])
def test_others_are_let_in_with_a_password_only(host, monkeypatch):
    monkeypatch.delenv(USER, raising=False)
    monkeypatch.delenv(PASSWORD, raising=False)
    with pytest.raises(LabelingError, match=USER):
        read_credentials(host)
    assert read_credentials("127.0.0.1") is None
    monkeypatch.setenv(USER, "u")
    with pytest.raises(LabelingError, match=f"{PASSWORD} is not set"):
        read_credentials("127.0.0.1")
    monkeypatch.setenv(PASSWORD, "p4ss")
    assert "p4ss" not in repr(read_credentials(host))


def test_the_command_refuses_an_open_address_before_it_loads_anything(stance_main, tmp_path, monkeypatch):
    monkeypatch.delenv(USER, raising=False)
    monkeypatch.delenv(PASSWORD, raising=False)
    ran = stance_main("label", "serve", "--model", "nowhere", "--host", "0.0.0.0", cwd=tmp_path)
    assert ran.status == 1
    assert USER in ran.err
