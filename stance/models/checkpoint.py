"""Interrupted training. What enters is the state of a training; what leaves is a folder that it resumes from.

Tensors are kept as safetensors and the rest as JSON. Both files of a step have the step in their name and the JSON
is written last, by rename, so a kill at any moment leaves the step before it whole.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from stance.errors import ConfigError

STATE = "state.json"


@dataclass
class State:
    """Where a training stands: `epoch` and `batch` are the next to do, 0-based; `step` counts updates made."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best_epoch: int = -1
    best_score: float = -1.0
    loss_sum: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


def save(folder: Path, state: State, network: nn.Module, optimizer: torch.optim.Optimizer, best: Weights) -> None:
    """Write a checkpoint of trained weights, optimizer moments and the best weights so far, replacing older ones.

    Raises ConfigError when the folder cannot be written.
    """
    tensors = {f"weights/{name}": tensor for name, tensor in trained(network).items()}
    tensors |= {f"best/{name}": tensor for name, tensor in best.items()}
    for index, moments in optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            tensors[f"moments/{index}/{name}"] = torch.as_tensor(value)
    name = f"step-{state.step}-{state.epoch}.safetensors"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file({key: tensor.detach().cpu().contiguous().clone() for key, tensor in tensors.items()}, folder / name)
        draft = folder / (STATE + ".partial")
        draft.write_text(json.dumps({"tensors": name, **asdict(state)}), "utf-8")
        draft.replace(folder / STATE)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{folder}: cannot write a checkpoint: {error}; set STANCE_CACHE elsewhere") from error
    for old in folder.glob("step-*.safetensors"):
        if old.name != name:
            old.unlink(missing_ok=True)


def restore(folder: Path, network: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[State, Weights] | None:
    """Load a checkpoint into the network and the optimizer; None when there is none that is whole."""
    try:
        content = json.loads((folder / STATE).read_text("utf-8"))
        tensors = load_file(folder / content.pop("tensors"))
        state = State(**content)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None
    load_trained(network, _part(tensors, "weights/"))
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in _part(tensors, "moments/").items():
        index, name = key.split("/")
        moments.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return state, _part(tensors, "best/")


def discard(folder: Path) -> None:
    """Remove a checkpoint that has served."""
    shutil.rmtree(folder, ignore_errors=True)


Weights = dict[str, torch.Tensor]


def trained(network: nn.Module) -> Weights:
    """Return the weights that training changes, by name (views, not copies)."""
    return {name: parameter.data for name, parameter in network.named_parameters() if parameter.requires_grad}


def load_trained(network: nn.Module, weights: Weights) -> None:
    """Copy weights by name into the network."""
    own = dict(network.named_parameters())
    with torch.no_grad():
        for name, tensor in weights.items():
            own[name].copy_(tensor)


def _part(tensors: Weights, prefix: str) -> Weights:
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
