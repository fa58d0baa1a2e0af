import json

import pytest

from labeling.doctor import check_permissions, check_version, examine
from stance.errors import LabelingError

WRONG = "0" * 40


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no local server's file
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)


def outcome(checks):
    return [(check.name, check.ok) for check in checks]


def test_nothing_set():
    (check,) = examine()
    assert not check.ok
    assert "LABEL_STUDIO_URL" in check.found


def test_no_server(monkeypatch):
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", WRONG)
    checks = examine()
    assert outcome(checks) == [("settings", True), ("server", False)]
    assert "make label-studio" in checks[-1].found


@pytest.mark.parametrize(
    ("version", "said"), [("1.23.2", "as tested"), ("1.30.0", "1.23.2 is the one"), ("2.0", "is the one")]
)
def test_versions_that_do(version, said):
    assert said in check_version(version)


@pytest.mark.parametrize("version", ["1.9.2", "0.9"])
def test_old_versions_do_not(version):
    with pytest.raises(LabelingError, match="update"):
        check_version(version)


def test_missing_permissions_are_named():
    with pytest.raises(LabelingError, match=r"tasks\.delete"):
        check_permissions(("projects.create", "projects.view", "tasks.create"))


@pytest.mark.slow
class TestOnAServer:
    def test_all_well(self, studio_environment, stance_main, tmp_path):
        assert outcome(examine()) == [
            (name, True) for name in ("settings", "server", "token", "version", "permissions")
        ]
        ran = stance_main("label", "doctor", "--json", cwd=tmp_path)
        assert ran.status == 0
        assert all(json.loads(line)["ok"] for line in ran.out.splitlines())
        assert studio_environment.account.token not in ran.out + ran.err

    def test_a_wrong_token(self, studio_environment, monkeypatch, stance_main, tmp_path):
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", WRONG)
        ran = stance_main("label", "doctor", cwd=tmp_path)
        assert ran.status == 1
        assert "refused" in ran.out
        assert "token" in ran.err
        assert WRONG not in ran.out + ran.err
