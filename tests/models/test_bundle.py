import json
import shutil
import subprocess
from pathlib import Path

import pytest

from stance import codebook
from stance.errors import BundleError, DataError
from stance.models import bundle as module
from stance.models.bundle import FORMAT, Origin, read_bundle, write_bundle
from stance.models.classifier import Classifier
from stance.models.hashlist import write_hashes

WEIGHTS = "model/majority.json"


def test_a_bundle_says_what_it_was_made_from(saved, book):
    manifest = read_bundle(saved).manifest
    assert (manifest.kind, manifest.task, manifest.seed) == ("majority", "stance", 3)
    assert manifest.labels == book.task("stance").labels
    assert (manifest.codebook_name, manifest.codebook_hash) == (book.name, book.hash)
    assert (manifest.split_digest, manifest.data_digest) == ("s" * 8, "d" * 8)
    assert manifest.metrics == {"test.macro_f1": 0.25}
    assert manifest.created.endswith("+00:00")
    assert "numpy" in manifest.packages


def test_model_and_calibration_survive_saving(saved, fitted, calibration):
    bundle = read_bundle(saved)
    assert bundle.calibration == calibration
    assert bundle.load_model().prevalence.tolist() == fitted.prevalence.tolist()


def test_a_bundle_carries_its_codebook(saved, book):
    assert read_bundle(saved).codebook == book


def test_the_hash_list_is_that_of_sha256sum(saved):
    done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=saved, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{WEIGHTS}: OK" in done.stdout


def test_saving_again_replaces_the_bundle_whole(saved, fitted, calibration, book):
    (saved / "left-over.txt").write_text("from before")
    write_bundle(saved, fitted, calibration, book, Origin(task="stance", seed=9))
    assert read_bundle(saved).manifest.seed == 9
    assert [path.name for path in saved.parent.iterdir()] == ["saved"]


def test_a_failed_save_leaves_the_old_bundle_and_nothing_else(saved, fitted, calibration, book, monkeypatch):
    def fail(folder):
        (folder / "majority.json").write_text("{")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fitted, "save", fail)
    with pytest.raises(BundleError, match="saved: cannot write the bundle: No space left"):
        write_bundle(saved, fitted, calibration, book, Origin(task="stance", seed=9))
    assert read_bundle(saved).manifest.seed == 3
    assert [path.name for path in saved.parent.iterdir()] == ["saved"]


def test_a_failed_rename_brings_the_old_bundle_back(saved, fitted, calibration, book, monkeypatch):
    rename = module.Path.rename

    def fail(path, to):
        if path.name.endswith(".partial"):
            raise OSError(5, "Input/output error")
        return rename(path, to)

    monkeypatch.setattr(module.Path, "rename", fail)
    with pytest.raises(BundleError, match="Input/output error"):
        write_bundle(saved, fitted, calibration, book, Origin(task="stance", seed=9))
    assert read_bundle(saved).manifest.seed == 3


def test_a_folder_of_other_files_is_left_alone(tmp_path, fitted, calibration, book):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match=r"holds other files and no bundle\.json"):
        write_bundle(tmp_path, fitted, calibration, book, Origin(task="stance"))
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_bundle_cannot_be_written_below_a_file(tmp_path, fitted, calibration, book):
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="cannot write a bundle here"):
        write_bundle(tmp_path / "file" / "bundle", fitted, calibration, book, Origin(task="stance"))


def test_labels_of_another_task_are_refused_before_anything_is_written(tmp_path, fitted, calibration, book):
    with pytest.raises(BundleError, match="not those of the task 'frames'"):
        write_bundle(tmp_path / "new", fitted, calibration, book, Origin(task="frames"))
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_saves_a_pickle_is_refused(tmp_path, fitted, calibration, book, monkeypatch):
    monkeypatch.setattr(fitted, "save", lambda folder: (folder / "model.PKL").write_bytes(b""))
    with pytest.raises(BundleError, match=r"model\.PKL: a pickle can run code"):
        write_bundle(tmp_path / "new", fitted, calibration, book, Origin(task="stance"))
    assert list(tmp_path.iterdir()) == []


def test_an_undefined_metric_survives(tmp_path, fitted, calibration, book):
    origin = Origin(task="stance", metrics={"test.engage.average_precision": float("nan")})
    folder = write_bundle(tmp_path / "new", fitted, calibration, book, origin)
    assert read_bundle(folder).manifest.metrics == {"test.engage.average_precision": None}


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-5])


def _change(path):
    path.write_text(path.read_text().replace("0", "1", 1))


BREAKS = {
    "truncated weights": (lambda b: _truncate(b / WEIGHTS), r"majority\.json: truncated or changed.*copy"),
    "changed weights": (lambda b: _change(b / WEIGHTS), r"majority\.json: truncated or changed.*copy"),
    "empty weights": (lambda b: (b / WEIGHTS).write_text(""), r"majority\.json: truncated or changed"),
    "missing weights": (lambda b: (b / WEIGHTS).unlink(), r"majority\.json: listed in SHA256SUMS but missing"),
    "extra file": (lambda b: (b / "model/run.py").write_text("1"), r"run\.py: not listed.*move the file out"),
    "extra pickle": (lambda b: (b / "model/head.joblib").write_bytes(b"x"), r"head\.joblib: a pickle can run code"),
    "link": (lambda b: (b / "model/link").symlink_to("/etc/passwd"), "link: a bundle holds no links"),
    "no hash list": (lambda b: (b / "SHA256SUMS").unlink(), "SHA256SUMS: missing.*copy the whole bundle"),
    "broken hash list": (lambda b: _truncate(b / "SHA256SUMS"), "SHA256SUMS: truncated"),
    "binary hash list": (lambda b: (b / "SHA256SUMS").write_bytes(b"\xff\xfe"), "SHA256SUMS: cannot be read"),
    "nonsense hash list": (lambda b: (b / "SHA256SUMS").write_text("hello\n"), "SHA256SUMS:1: not a line"),
    "truncated manifest": (lambda b: _truncate(b / "bundle.json"), r"bundle\.json: truncated"),
    "binary manifest": (lambda b: (b / "bundle.json").write_bytes(b"\x00\xff"), r"bundle\.json: truncated"),
    "list as manifest": (lambda b: (b / "bundle.json").write_text("[]"), r"bundle\.json: truncated, or not"),
    "no manifest": (lambda b: (b / "bundle.json").unlink(), r"not a bundle, it holds no bundle\.json"),
    "changed codebook": (lambda b: _change(b / "codebook.yaml"), r"codebook\.yaml: truncated or changed"),
    "no folder": (shutil.rmtree, "no such folder"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_damaged_bundle_names_the_file_and_the_mend(saved, name):
    damage, message = BREAKS[name]
    damage(saved)
    with pytest.raises(BundleError, match=message):
        read_bundle(saved)


def _edit(folder, **changes):
    """Change the manifest as another program might: hashes and all."""
    content = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(content | changes))
    write_hashes(folder)


def test_a_newer_format_asks_for_an_upgrade(saved):
    _edit(saved, format=FORMAT + 1, surprise=True)
    with pytest.raises(BundleError, match=rf"newer stance-kit \(format {FORMAT + 1}.*pip install -U"):
        read_bundle(saved)


@pytest.mark.parametrize("version", [0, -1, "1", None, 1.5])
def test_a_format_that_never_was_is_refused(saved, version):
    _edit(saved, format=version)
    with pytest.raises(BundleError, match="unknown format"):
        read_bundle(saved)


def test_an_unknown_field_is_named(saved):
    _edit(saved, flavour="vanilla")
    with pytest.raises(BundleError, match="unusable fields: flavour"):
        read_bundle(saved)


def test_a_codebook_swapped_with_its_hash_is_noticed(saved):
    other = codebook.load().model_copy(update={"version": "0.0"})
    module._dump_yaml(saved / "codebook.yaml", other)
    write_hashes(saved)
    with pytest.raises(BundleError, match="not the codebook that the model was trained on"):
        read_bundle(saved)


def test_labels_that_are_not_the_models_are_noticed(saved):
    weights = json.loads((saved / WEIGHTS).read_text())
    weights["prevalence"] = dict(reversed(list(weights["prevalence"].items())))
    (saved / WEIGHTS).write_text(json.dumps(weights))
    write_hashes(saved)
    with pytest.raises(BundleError, match="labels"):
        read_bundle(saved).load_model()


def test_an_older_format_is_upgraded_step_by_step(saved, monkeypatch):
    monkeypatch.setattr(module, "FORMAT", 3)
    monkeypatch.setattr(
        module, "_UPGRADES", {1: lambda old: old | {"seed": 10}, 2: lambda old: old | {"seed": old["seed"] + 1}}
    )
    _edit(saved, format=1)
    assert read_bundle(saved).manifest.seed == 11


def test_a_bundle_of_format_1_still_predicts_the_same():
    """`bundles/format-1` was written by stance-kit 0.1.0 before calibrations had curves and bars."""
    classifier = Classifier.load(Path(__file__).parent / "bundles" / "format-1")
    found = classifier.predict({"text": "Norway met the Taliban.", "actor": "Norway"})
    assert found["engage"][0] == pytest.approx(0.52497918747894)
    assert found["oppose"][0] == pytest.approx(0.18428969851290952)
    assert found["stance"][0] == ["engage"]
    with pytest.raises(DataError, match="holds no bars to abstain by"):
        classifier.predict({"text": "Norway met the Taliban.", "actor": "Norway"}, sure=0.9)
