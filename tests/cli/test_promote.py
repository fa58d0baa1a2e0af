"""`stance promote`, and what the runs' own pages say afterwards."""

import shutil
from contextlib import chdir
from pathlib import Path

import pytest

from stance.tracking.contents import COMPARISON, PAGE
from stance.tracking.history import find_run
from stance.tracking.store import DATABASE, open_store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory, store_template, tiny_file, stance_main):
    """A working folder with a run of two models, of which none is registered."""
    folder = tmp_path_factory.mktemp("promoting")
    shutil.copy(store_template, folder / DATABASE)
    for kind in ("majority", "tfidf-linear"):
        (folder / f"{kind}.yaml").write_text(f"name: {kind}\ndata: {tiny_file}\nmodel: {{kind: {kind}}}\n")
        ran = stance_main("train", f"{kind}.yaml", cwd=folder)
        assert ran.status == 0, ran.err
    return folder


def page(folder, name, path=PAGE):
    """The page that a run keeps of itself, or another of its pages."""
    with chdir(folder), open_store() as store:
        run = find_run(store, name)
        return Path(store.client.download_artifacts(run.id, path, str(folder))).read_text("utf-8")


def test_the_runs_own_pages_tell_the_verdict(trained, stance_main):
    assert "not been put before the gate" in page(trained, "majority")
    stance_main("promote", "--run", "majority", "--dry-run", cwd=trained)
    assert "not been put before the gate" in page(trained, "majority")
    forced = stance_main("promote", "--run", "majority", "--force", "--why", "to begin with", cwd=trained)
    assert forced.status == 0, forced.err
    told = page(trained, "majority")
    assert "version 1 <span" in told
    assert ">champion</span>" in told
    assert "The gate said" in told
    ran = stance_main("promote", "--run", "tfidf-linear", cwd=trained)
    verdict = {0: "The gate said yes.", 3: "The gate said no."}[ran.status]
    assert verdict in page(trained, "tfidf-linear")
    assert ">previous</span>" in page(trained, "majority") or ran.status == 3
    both = page(trained, "tfidf-linear", COMPARISON)
    assert all(f">{name}<" in both for name in ("majority", "tfidf-linear"))


def test_a_refused_run_tells_so_on_its_page(trained, stance_main, tmp_path):
    (tmp_path / "strict.yaml").write_text("floor: 1.0\n")
    given = ["train", "majority.yaml", "name=refused", "seed=2"]
    assert stance_main(*given, cwd=trained).status == 0
    assert stance_main("promote", "--run", "refused", "--gate", tmp_path / "strict.yaml", cwd=trained).status == 3
    told = page(trained, "refused")
    assert "The gate said no." in told
    assert ">challenger</span>" in told
