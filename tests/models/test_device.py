"""The choice of device, precision and threads."""

from contextlib import nullcontext

import pytest
import torch

from stance.errors import ConfigError
from stance.models.device import autocast, pick_device, precision, threads

CPU = torch.device("cpu")


def test_the_named_device_is_taken():
    assert pick_device("cpu") == CPU


def test_the_environment_decides_where_nothing_is_named(monkeypatch):
    monkeypatch.setenv("STANCE_DEVICE", "cpu")
    assert pick_device() == CPU


def test_the_fastest_device_is_taken_otherwise(monkeypatch):
    monkeypatch.delenv("STANCE_DEVICE", raising=False)
    has_mps = torch.backends.mps.is_available()
    assert pick_device().type == ("cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu")


@pytest.mark.parametrize("name", ["warp", "cuda:99", "meta", ""])
def test_a_device_that_is_not_there_is_refused(name, monkeypatch):
    monkeypatch.setenv("STANCE_DEVICE", "cuda:98")
    with pytest.raises(ConfigError, match="device"):
        pick_device(name)


@pytest.mark.parametrize("native", [True, False])
def test_bfloat16_only_where_the_processor_computes_it(monkeypatch, native):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    assert precision(CPU) == (torch.bfloat16 if native else torch.float32)
    with autocast(CPU):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == precision(CPU)
    assert isinstance(autocast(CPU), nullcontext) != native


def test_threads_follow_the_environment(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads() == 3
    for unusable in ("", "0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", unusable)
        assert threads() >= 1
