"""Where a neural model runs. What enters is the hardware; what leaves is a device, a precision and a thread count."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING

from stance.errors import ConfigError

if TYPE_CHECKING:
    import torch

DEVICE_VARIABLE = "STANCE_DEVICE"
"""Environment variable that overrides the choice of `pick_device`, such as `cpu` or `cuda:1`."""


def pick_device(name: str | None = None) -> torch.device:
    """Return the device called `name`, or the fastest one there is: CUDA, then Apple's MPS, then the CPU.

    Without a name the variable `STANCE_DEVICE` decides if it is set. Raises ConfigError for a device that torch
    does not know or that this machine lacks.
    """
    import torch

    name = name or os.environ.get(DEVICE_VARIABLE)
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"'{name}' is no device; use cpu, cuda, cuda:N or mps") from error
    if _missing(device):
        raise ConfigError(f"this machine has no device '{name}'; use cpu, or leave the choice open")
    return device


def precision(device: torch.device) -> torch.dtype:
    """Return the number format that `autocast` computes in on `device`: bfloat16 where the hardware has it.

    On a CPU with AVX-512 BF16 or AMX instructions a small encoder runs about four times faster in bfloat16; on one
    without them it is emulated and several times slower than float32.
    """
    import torch

    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type == "cpu" and _cpu_has_bfloat16():
        return torch.bfloat16
    return torch.float32


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which torch computes in the `precision` of `device`; it does nothing for float32."""
    import torch

    dtype = precision(device)
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=dtype)


def threads() -> int:
    """Return how many threads torch may use on the CPU: the cores this process may run on, or OMP_NUM_THREADS."""
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    if given.isdigit() and int(given) > 0:
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def release_memory() -> None:
    """Have glibc give freed memory back to the system; nothing elsewhere.

    Batches of ever new lengths leave holes that it would keep: a training then holds twice what it uses.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def _cpu_has_bfloat16() -> bool:
    import torch

    # These probes are private and differ between torch versions; without them float32 is the safe answer.
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, probe)() for probe in probes if hasattr(torch.cpu, probe))


def _has_mps() -> bool:
    import torch

    return torch.backends.mps.is_available()


def _missing(device: torch.device) -> bool:
    import torch

    if device.type == "cuda":
        return not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()
    if device.type == "mps":
        return not _has_mps()
    return device.type != "cpu"
