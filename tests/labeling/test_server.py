import json
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from filelock import FileLock

from labeling.client import Studio
from labeling.installation import SWITCHES, VERSION, environment, install, keep_credentials, make_credentials
from labeling.server import free_port, is_healthy
from labeling.settings import Settings, read_credentials, read_settings
from stance.errors import LabelingError

ROOT = Path(__file__).parents[2]
GIVEN = {"LABEL_STUDIO_USERNAME": "me@home.org", "LABEL_STUDIO_PASSWORD": "sesame", "LABEL_STUDIO_API_KEY": "a" * 40}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in ("LABEL_STUDIO_URL", *GIVEN):
        monkeypatch.delenv(name, raising=False)


def test_of_two_installations_at_once_one_waits(tmp_path):
    venv, said = tmp_path / "venv", []
    program = venv / "bin" / "label-studio"
    record = venv / "lib" / "python3.11" / "site-packages" / f"label_studio-{VERSION}.dist-info" / "RECORD"
    held = threading.Event()

    def another():
        with FileLock(tmp_path / ".venv.lock"):
            held.set()
            time.sleep(0.5)
            for path in (program, record):
                path.parent.mkdir(parents=True)
                path.touch()

    threading.Thread(target=another).start()
    assert held.wait(10)
    assert install(venv, said.append) == program
    assert said == []


class TestCredentials:
    def test_are_made_once_and_kept_for_their_owner_alone(self, tmp_path):
        first = make_credentials(tmp_path, {})
        path = keep_credentials(tmp_path, "http://127.0.0.1:1", first)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        again = make_credentials(tmp_path, {})
        assert (again.token, again.password) == (first.token, first.password)
        assert len(first.token) == 40
        assert first.token not in repr(first)

    def test_from_the_environment_are_used_and_not_written_down(self, tmp_path):
        account = make_credentials(tmp_path, GIVEN)
        assert (account.username, account.password, account.token) == tuple(GIVEN.values())
        text = keep_credentials(tmp_path, "http://127.0.0.1:1", account).read_text()
        assert "me@home.org" in text
        assert "sesame" not in text
        assert "a" * 40 not in text

    def test_that_the_environment_no_longer_gives_are_missed(self, tmp_path):
        keep_credentials(tmp_path, "http://127.0.0.1:1", make_credentials(tmp_path, GIVEN))
        with pytest.raises(LabelingError, match="set LABEL_STUDIO_PASSWORD"):
            make_credentials(tmp_path, {})

    def test_other_ones_than_the_folder_was_made_with_are_refused(self, tmp_path):
        made = make_credentials(tmp_path, {})
        keep_credentials(tmp_path, "http://127.0.0.1:1", made)
        with pytest.raises(LabelingError, match="unset LABEL_STUDIO_API_KEY") as caught:
            make_credentials(tmp_path, {"LABEL_STUDIO_API_KEY": "b" * 40})
        assert made.token not in str(caught.value)
        assert read_credentials(tmp_path)["token"] == made.token

    @pytest.mark.parametrize("wrong", [{"LABEL_STUDIO_API_KEY": "a.b.c"}, {"LABEL_STUDIO_USERNAME": "me"}])
    def test_that_label_studio_would_not_take_are_refused(self, tmp_path, wrong):
        with pytest.raises(LabelingError, match=next(iter(wrong))):
            make_credentials(tmp_path, wrong)

    def test_a_broken_file_is_named_and_not_quoted(self, tmp_path):
        (tmp_path / "credentials.json").write_text('{"token": "secret-token"')
        with pytest.raises(LabelingError, match=r"credentials\.json") as caught:
            make_credentials(tmp_path, {})
        assert "secret-token" not in str(caught.value)


class TestSettings:
    def test_come_from_the_environment(self, tmp_path, monkeypatch):
        monkeypatch.setenv("LABEL_STUDIO_URL", "https://labels.example.org/")
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", " k ")
        assert read_settings(tmp_path) == Settings("https://labels.example.org", "k")

    def test_else_from_the_local_server(self, tmp_path):
        account = make_credentials(tmp_path, {})
        keep_credentials(tmp_path, "http://127.0.0.1:8080", account)
        assert read_settings(tmp_path) == Settings("http://127.0.0.1:8080", account.token)

    def test_the_local_token_goes_to_no_other_server(self, tmp_path, monkeypatch):
        keep_credentials(tmp_path, "http://127.0.0.1:8080", make_credentials(tmp_path, {}))
        monkeypatch.setenv("LABEL_STUDIO_URL", "https://labels.example.org")
        with pytest.raises(LabelingError, match="set LABEL_STUDIO_API_KEY"):
            read_settings(tmp_path)

    def test_without_any_the_way_to_a_server_is_said(self, tmp_path):
        with pytest.raises(LabelingError, match="make label-studio"):
            read_settings(tmp_path)

    @pytest.mark.parametrize("url", ["labels.example.org", "ftp://x", "http://", "http://x:99999"])
    def test_what_is_no_address_is_refused(self, tmp_path, monkeypatch, url):
        monkeypatch.setenv("LABEL_STUDIO_URL", url)
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", "k")
        with pytest.raises(LabelingError, match="LABEL_STUDIO_URL"):
            read_settings(tmp_path)

    @pytest.mark.parametrize("key", ["two words", "line\nbreak", "clé"])
    def test_a_key_that_cannot_be_one_is_refused_unquoted(self, tmp_path, monkeypatch, key):
        monkeypatch.setenv("LABEL_STUDIO_URL", "http://127.0.0.1:1")
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", key)
        with pytest.raises(LabelingError, match="LABEL_STUDIO_API_KEY") as caught:
            read_settings(tmp_path)
        assert key not in str(caught.value)


def test_the_servers_process_is_quiet_and_keeps_the_users_database(tmp_path):
    account = make_credentials(tmp_path, GIVEN)
    seen = environment(tmp_path, account, {"POSTGRE_HOST": "db", "DJANGO_DB": "default", "PYTHONPATH": "ours"})
    assert seen["COLLECT_ANALYTICS"] == "false"
    assert seen["SENTRY_DSN"] == seen["FRONTEND_SENTRY_DSN"] == ""
    assert SWITCHES.items() <= seen.items()
    assert (seen["POSTGRE_HOST"], seen["DJANGO_DB"]) == ("db", "default")
    assert "PYTHONPATH" not in seen


def test_a_busy_port_is_refused_with_the_mend():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LabelingError, match=rf"port {port} is taken.*PORT={port + 1}"):
            free_port(port)
    assert free_port(0) > 0


@pytest.mark.slow
class TestServer:
    def test_is_healthy_on_loopback_alone_with_its_data_in_its_folder(self, studio_server):
        assert is_healthy(studio_server.url)
        folder = studio_server.log.parent
        with sqlite3.connect(folder / "data" / "label_studio.sqlite3") as database:
            # Other tests share the server and invite annotators; its own account is the first.
            first = database.execute("select email from htx_user order by id").fetchone()
            assert first == (studio_server.account.username,)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(studio_server.log.stat().st_mode) == 0o600
        port = int(studio_server.url.rpartition(":")[2])
        addresses = {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if " 0A " in line}
        assert {each.partition(":")[0] for each in addresses if int(each.partition(":")[2] or "0", 16) == port} == {
            "0100007F"
        }

    def test_nobody_signs_up_uninvited(self, studio_server):
        request = urllib.request.Request(f"{studio_server.url}/user/signup/", data=b"email=a@b.org&password=12345678")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert refused.value.code == 403

    def test_its_secrets_are_in_no_log(self, studio, studio_server):
        studio.whoami()
        text = studio_server.log.read_text("utf-8", "replace")
        assert studio_server.account.token not in text
        assert studio_server.account.password not in text

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
    def test_the_command_starts_presents_and_stops(self, server_template, label_studio_program, tmp_path, number):
        folder = tmp_path / "server"
        shutil.copytree(server_template, folder)
        (folder / "venv").symlink_to(label_studio_program.parent.parent)
        token = json.loads((folder / "credentials.json").read_text())["token"]
        port = free_port(0)
        command = [sys.executable, "-m", "labeling.server", "--folder", str(folder), "--port", str(port)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            first = process.stdout.readline()
            assert f"http://127.0.0.1:{port}" in first
            assert Studio(read_settings(folder)).version() == "1.23.2"
            second = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
            assert second.returncode == 1
            assert "taken by a Label Studio" in second.stderr
        finally:
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "stopped" in err
        assert token not in first + out + err
        assert not is_healthy(f"http://127.0.0.1:{port}")

    def test_a_restart_keeps_everything(self, start_server):
        server = start_server()
        kept = Studio(server.settings).create_project("kept", "<View><Text name='t' value='$t'/></View>")
        server.stop()
        again = start_server(server.log.parent)
        assert Studio(again.settings).find_project("kept") == kept
        again.stop()

    def test_one_that_dies_at_the_start_says_why(self, start_server, server_template, tmp_path):
        folder = tmp_path / "broken"
        shutil.copytree(server_template, folder)
        (folder / "data" / "label_studio.sqlite3").write_bytes(b"this is no database" * 100)
        with pytest.raises(LabelingError, match=r"database.*server\.log"):
            start_server(folder)


def test_another_port_is_found_by_the_settings(tmp_path):
    account = make_credentials(tmp_path, {})
    keep_credentials(tmp_path, "http://127.0.0.1:8080", account)
    keep_credentials(tmp_path, "http://127.0.0.1:8081", make_credentials(tmp_path, {}))
    assert read_settings(tmp_path) == Settings("http://127.0.0.1:8081", account.token)
