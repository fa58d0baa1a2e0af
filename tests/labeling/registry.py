"""A store with two versions of one model, and tasks to ask them about."""

import shutil
from pathlib import Path

import pytest

from labeling import tasks
from stance.dataset import load_examples
from stance.models.bundle import Origin, write_bundle
from stance.models.majority import Majority
from stance.models.thresholds import Calibration
from stance.tracking.loading import resolve
from stance.tracking.runs import RunRecord, tracked_run
from stance.tracking.store import DATABASE, open_store

AUTH = ("annotator", "not-a-secret")


def make_store(folder, template, bundle, book):
    """Return the address of a store whose champion, version 1, is the bundle; version 2 is a majority model."""
    shutil.copy(template, folder / DATABASE)
    address = f"sqlite:///{folder / DATABASE}"
    majority = Majority(book.task("stance").labels, Majority.Settings(), 1)
    majority.fit(load_examples("stance", "train")["train"][:300], [])
    other = write_bundle(folder / "other", majority, Calibration.identity(4), book, Origin(task="stance"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", address)
        for version, made in enumerate((bundle, other), start=1):
            with tracked_run(RunRecord(f"run {version}", "stance", "kind", {}, book, "split", "data")) as run:
                run.log_bundle(Path(made))
            with open_store() as opened:
                if version == 1:
                    opened.client.create_registered_model("taliban-stance")
                source = resolve(opened, f"runs:/{run.id}/model")
                opened.client.create_model_version("taliban-stance", source, run_id=run.id)
    move_champion(address, 1)
    return address


def move_champion(address, version):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", address)
        with open_store() as opened:
            opened.client.set_registered_model_alias("taliban-stance", "champion", str(version))


def as_tasks(examples, book):
    return [{"id": number, **tasks.to_task(one, book, "stance")} for number, one in enumerate(examples)]
