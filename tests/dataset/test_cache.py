import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from stance.dataset import cache
from stance.dataset.cache import MANIFEST, cache_root, ensure_folder, is_whole


class Builder:
    def __init__(self):
        self.times = 0

    def __call__(self, folder: Path) -> None:
        self.times += 1
        (folder / "part").mkdir()
        (folder / "part" / "data").write_text("content")


def visible(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if not one.name.endswith(".lock"))


@pytest.fixture
def build():
    return Builder()


def test_a_folder_is_built_once(tmp_path, build):
    folder = tmp_path / "new" / "key"
    for _ in range(2):
        assert ensure_folder(folder, build) == folder
    assert build.times == 1
    assert (folder / "part" / "data").read_text() == "content"
    assert visible(folder.parent) == ["key"]


def test_files_that_others_add_do_not_matter(tmp_path, build):
    folder = ensure_folder(tmp_path / "key", build)
    (folder / "cache-of-a-map").touch()
    assert is_whole(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "part" / "data").write_text("conten"),
        lambda folder: (folder / "part" / "data").unlink(),
        lambda folder: (folder / MANIFEST).unlink(),
        lambda folder: (folder / MANIFEST).write_text("[1]"),
        lambda folder: (folder / MANIFEST).write_text("{}"),
        lambda folder: (folder / MANIFEST).write_bytes(b"\xff"),
    ],
)
def test_a_damaged_folder_is_built_again(tmp_path, build, damage):
    folder = ensure_folder(tmp_path / "key", build)
    damage(folder)
    ensure_folder(folder, build)
    assert build.times == 2
    assert is_whole(folder)
    assert visible(tmp_path) == ["key"]


def test_a_file_in_the_place_of_the_folder_is_replaced(tmp_path, build):
    (tmp_path / "key").write_text("not a folder")
    assert is_whole(ensure_folder(tmp_path / "key", build))


def test_a_failed_build_leaves_nothing(tmp_path):
    def fail(folder):
        (folder / "half").touch()
        raise KeyError

    with pytest.raises(KeyError):
        ensure_folder(tmp_path / "key", fail)
    assert visible(tmp_path) == []


@pytest.mark.parametrize("damaged", [False, True])
def test_of_several_builders_at_once_one_builds_and_the_others_wait(tmp_path, build, damaged):
    folder = tmp_path / "key"
    if damaged:
        folder.mkdir()
        (folder / "rubbish").touch()
    gate, found = threading.Barrier(4), []

    def slow(empty):
        build(empty)
        time.sleep(0.2)

    def run():
        gate.wait(10)
        found.append(is_whole(ensure_folder(folder, slow)))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4
    assert build.times == 1
    assert visible(tmp_path) == ["key"]


def test_what_a_killed_build_left_is_cleared(tmp_path, build):
    killed = """
import os, signal, sys
from pathlib import Path
from stance.dataset.cache import ensure_folder

def build(folder):
    (folder / "half").touch()
    os.kill(os.getpid(), signal.SIGKILL)

ensure_folder(Path(sys.argv[1]), build)
"""
    done = subprocess.run([sys.executable, "-c", killed, str(tmp_path / "key")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(tmp_path.rglob("half"))
    ensure_folder(tmp_path / "key", build)
    assert visible(tmp_path) == ["key"]
    assert not list(tmp_path.rglob("half"))


def test_a_wait_that_is_too_long_is_an_os_error(monkeypatch, tmp_path, build):
    monkeypatch.setattr(cache, "PATIENCE", 0.05)
    with FileLock(tmp_path / ".key.lock"), pytest.raises(OSError, match="lock"):
        ensure_folder(tmp_path / "key", build)
    assert build.times == 0


def test_the_root_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("STANCE_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.delenv("STANCE_CACHE")
    assert cache_root().name == "stance-kit"
    assert cache_root().is_absolute()
