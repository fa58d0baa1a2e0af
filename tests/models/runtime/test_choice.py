import json

import pytest

from stance.errors import BundleError, ConfigError
from stance.models.runtime import FACTS, GRAPH, choice
from stance.models.runtime.choice import read_export, taking, uses_export


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that holds an export, on a machine where nothing was chosen."""
    for name in ("STANCE_RUNTIME", "STANCE_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / GRAPH).write_bytes(b"graph")
    (tmp_path / FACTS).write_text(json.dumps({"precision": "int8"}))
    monkeypatch.setattr(choice, "has_vnni", lambda: True)
    return tmp_path


def without(monkeypatch, *packages):
    installed = choice.is_installed
    monkeypatch.setattr(choice, "is_installed", lambda name: name not in packages and installed(name))


def test_a_graph_is_used_where_there_is_one(folder):
    assert uses_export(folder)
    (folder / GRAPH).unlink()
    assert not uses_export(folder)


def test_without_onnxruntime_torch_answers_if_it_is_there(folder, monkeypatch):
    without(monkeypatch, "onnxruntime")
    assert not uses_export(folder)
    without(monkeypatch, "onnxruntime", "torch")
    assert uses_export(folder)  # whose error then says what to install


@pytest.mark.parametrize(("device", "used"), [("cuda:1", False), ("mps", False), ("cpu", True)])
def test_who_asks_for_a_gpu_gets_torch(folder, monkeypatch, device, used):
    monkeypatch.setenv("STANCE_DEVICE", device)
    assert uses_export(folder) is used


def test_the_variable_decides(folder, monkeypatch):
    monkeypatch.setenv("STANCE_RUNTIME", "torch")
    assert not uses_export(folder)
    monkeypatch.setenv("STANCE_RUNTIME", "onnx")
    monkeypatch.setenv("STANCE_DEVICE", "cuda")
    assert uses_export(folder)
    monkeypatch.setenv("STANCE_RUNTIME", "tensorflow")
    with pytest.raises(ConfigError, match="STANCE_RUNTIME is 'tensorflow'; give onnx or torch"):
        uses_export(folder)


def test_code_may_take_one_for_a_while(folder):
    with taking("torch"):
        assert not uses_export(folder)
        with taking("onnx"):
            assert uses_export(folder)
        assert not uses_export(folder)
    assert uses_export(folder)


@pytest.mark.parametrize(("facts", "used"), [({}, False), ({"narrow": True}, True), ({"precision": "fp32"}, True)])
def test_sums_that_would_overflow_are_left_to_torch(folder, monkeypatch, facts, used):
    monkeypatch.setattr(choice, "has_vnni", lambda: False)
    (folder / FACTS).write_text(json.dumps({"precision": "int8", **facts}))
    assert uses_export(folder) is used


@pytest.mark.parametrize("text", ["", "{}", '{"precision": "int4"}'])
def test_facts_that_cannot_be_read_are_one_error(folder, text):
    (folder / FACTS).write_text(text)
    with pytest.raises(BundleError, match="not the facts of an export"):
        read_export(folder)
