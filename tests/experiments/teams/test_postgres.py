import os

import pytest

from experiments.teams import postgres as databases
from experiments.teams.postgres import BIN, find_programs, start_postgres
from experiments.teams.secrets import FILE, keep_secrets
from stance.errors import ServiceError


def test_the_programs_are_found_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv(BIN, str(tmp_path))
    with pytest.raises(ServiceError, match=f"{tmp_path} holds none of it: install it .* or set {BIN}"):
        find_programs()
    for name in ("initdb", "postgres"):
        (tmp_path / name).touch()
    assert find_programs() == tmp_path


def test_without_postgresql_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.delenv(BIN, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(databases, "_DEBIAN", tmp_path)
    with pytest.raises(ServiceError, match="apt-get install postgresql"):
        find_programs()


def test_the_newest_of_debian_is_taken(tmp_path, monkeypatch):
    monkeypatch.delenv(BIN, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(databases, "_DEBIAN", tmp_path)
    for version in ("9.6", "15", "16"):
        (tmp_path / version / "bin").mkdir(parents=True)
        for name in ("initdb", "postgres"):
            (tmp_path / version / "bin" / name).touch()
    assert find_programs() == tmp_path / "16" / "bin"


@pytest.mark.skipif(os.getuid() != 0, reason="only root starts PostgreSQL as somebody else")
def test_a_folder_that_postgresql_may_not_enter_is_refused(postgres_folder, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with (
        pytest.raises(ServiceError, match=r"is closed to .*; give a --folder under one that all may enter"),
        start_postgres(closed, 0, {"postgres": "secret"}),
    ):
        pass
    assert list(closed.iterdir()) == []


def test_secrets_are_made_once_and_kept_for_their_owner_alone(tmp_path):
    first = keep_secrets(tmp_path, ("one", "two"))
    assert len(set(first.values())) == 2
    assert min(map(len, first.values())) >= 32
    path = tmp_path / FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert keep_secrets(tmp_path, ("one", "two", "three")).items() >= first.items()
    path.write_text("broken " + first["one"])
    with pytest.raises(ServiceError, match="put it back from the backup") as caught:
        keep_secrets(tmp_path, ("one",))
    assert first["one"] not in str(caught.value)
