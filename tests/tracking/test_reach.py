from pathlib import Path

import pytest

from stance.errors import StoreError
from stance.tracking.reach import ROOT, artifact_root, hide_secrets, is_database

DATABASE = "postgresql+psycopg://ann:se%40same@db.example.org/mlflow"


def test_a_database_without_a_server_needs_a_place_for_artifacts(monkeypatch, tmp_path):
    monkeypatch.delenv(ROOT, raising=False)
    with pytest.raises(StoreError, match=f"set {ROOT} to a folder or bucket") as caught:
        artifact_root(DATABASE)
    assert "se%40same" not in str(caught.value)
    monkeypatch.setenv(ROOT, "s3://bucket/runs/")
    assert artifact_root(DATABASE) == "s3://bucket/runs"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(ROOT, "shared")
    assert artifact_root(DATABASE) == (tmp_path / "shared").as_uri()


def test_a_server_decides_itself_and_sqlite_has_a_folder_beside_it(monkeypatch):
    monkeypatch.setenv(ROOT, "s3://bucket")
    assert artifact_root("http://127.0.0.1:5000") is None
    assert artifact_root("sqlite:////srv/mlflow.db") == Path("/srv/mlartifacts").as_uri()
    assert is_database(DATABASE)
    assert not is_database("https://mlflow.example.org")


def test_no_password_stands_in_a_message(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "open-sesame")
    text = f"cannot use {DATABASE}: se@same, open-sesame\n[SQL: INSERT INTO users VALUES ('hash')]"
    assert hide_secrets(text, DATABASE) == f"cannot use {DATABASE.replace('se%40same', '***')}: ***, ***"
