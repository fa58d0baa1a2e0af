"""Which runtime an encoder gets. What enters is its folder in a bundle and this machine; what leaves is yes or no."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from stance.errors import BundleError, ConfigError
from stance.models.device import DEVICE_VARIABLE
from stance.models.runtime import FACTS, GRAPH

RUNTIME_VARIABLE = "STANCE_RUNTIME"
"""Environment variable that overrides the choice of `uses_export`: `onnx` or `torch`."""

Precision = Literal["fp32", "int8"]
Runtime = Literal["onnx", "torch"]

_taken: ContextVar[Runtime | None] = ContextVar("taken", default=None)


class Export(BaseModel):
    """How a network was exported. `narrow` weights have seven bits, for processors whose int8 sums would overflow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Precision
    narrow: bool = False
    packages: dict[str, str] = {}


def read_export(folder: Path) -> Export:
    """Return how the network in an encoder's folder was exported; raises BundleError for facts that cannot be read."""
    try:
        return Export.model_validate_json((folder / FACTS).read_text("utf-8"))
    except (OSError, ValidationError) as error:
        raise BundleError(f"{folder / FACTS}: not the facts of an export: {error}; export the model again") from error


@contextmanager
def taking(runtime: Runtime) -> Iterator[None]:
    """Have the models that are loaded in the block run by this runtime, whatever `uses_export` would say."""
    before = _taken.set(runtime)
    try:
        yield
    finally:
        _taken.reset(before)


def uses_export(folder: Path) -> bool:
    """Say whether the encoder saved in `folder` is to be run from its exported graph, without torch.

    It is where there is a graph and onnxruntime, unless a GPU is asked for or torch is imported already and has one, or
    the graph's sums would overflow on this processor. `STANCE_RUNTIME` overrides that; raises ConfigError for another
    value than `onnx` and `torch`.
    """
    wanted = _taken.get() or os.environ.get(RUNTIME_VARIABLE, "")
    if wanted not in ("", "onnx", "torch"):
        raise ConfigError(f"{RUNTIME_VARIABLE} is '{wanted}'; give onnx or torch, or leave the choice open")
    if not (folder / GRAPH).is_file() or wanted == "torch":
        return False
    if wanted == "onnx":
        return True
    if not is_installed("onnxruntime") and is_installed("torch"):
        return False
    return not _on_gpu() and not (_overflows(read_export(folder)) and is_installed("torch"))


def has_vnni() -> bool:
    """Say whether the processor sums products of 8-bit integers without overflow: x86 with VNNI, and all of ARM."""
    if platform.machine().lower() not in ("x86_64", "amd64", "i386", "i686"):
        return True
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:  # not Linux: nobody says, so the safe answer
        return False
    return "avx512_vnni" in flags or "avx_vnni" in flags


def is_installed(package: str) -> bool:
    """Say whether a package can be imported, without importing it."""
    return package in sys.modules or importlib.util.find_spec(package) is not None


def _overflows(export: Export) -> bool:
    return export.precision == "int8" and not export.narrow and not has_vnni()


def _on_gpu() -> bool:
    asked = os.environ.get(DEVICE_VARIABLE)
    if asked is not None:
        return not asked.startswith("cpu")
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_available())
