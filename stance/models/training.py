"""Fine-tuning. What enters is a network and tokenised examples with gold labels; what leaves is the network trained.

A plain loop over `accelerate`: one process on a CPU or a GPU, several under `accelerate launch`. Everything random is
drawn from the seed and the step's number alone, so a training resumed from a checkpoint makes the same updates as one
that was never stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stance.models import checkpoint
from stance.models.base import Progress
from stance.models.checkpoint import State
from stance.models.device import autocast, pick_device, precision, release_memory, threads
from stance.models.layers import layers_of
from stance.models.tokens import Batch, Row, by_length, shuffled, within

CHECKPOINT_SECONDS = 60.0
CPU_TOKENS = 2048  # padded tokens that go through the network at once
RELEASE_EVERY = 10  # batches: often enough that holes do not add up, too rarely to be felt

Collate = Callable[[Sequence[Row]], Batch]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn. `learning_rate` belongs to the top layer; every layer below has
    `layer_decay` times its upper neighbour's (Howard and Ruder 2018). `patience` epochs without a better
    validation score end the training. `positive_weight` p weighs a label's positives by (negatives/positives)^p, and
    where labels are `exclusive` a label's examples by its share of all examples to the power of -p."""

    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    head_learning_rate: float
    layer_decay: float
    weight_decay: float
    warmup: float
    positive_weight: float
    exclusive: bool
    seed: int


@dataclass(frozen=True)
class Gold:
    """Labelled rows. `rows(epoch)` may differ from epoch to epoch (augmentation); `labels` is `(n_rows, n_labels)`."""

    rows: Callable[[int], Sequence[Row]]
    labels: NDArray[np.int8]


class Training:
    """One training of one network. `run` trains it in place and leaves the weights of the best epoch in it."""

    def __init__(self, network: nn.Module, schedule: Schedule, collate: Collate, score: Callable[[], float]) -> None:
        from accelerate import Accelerator, DistributedDataParallelKwargs

        device = pick_device()
        cpu, half = device.type == "cpu", precision(device) == torch.bfloat16
        # Encoders have parameters that this network does not use, such as BERT's pooler.
        spread = DistributedDataParallelKwargs(find_unused_parameters=True)
        self.accelerator = Accelerator(cpu=cpu, mixed_precision="bf16" if half else "no", kwargs_handlers=[spread])
        if cpu:
            torch.set_num_threads(max(1, threads() // self.accelerator.num_processes))
        self.plain, self.schedule, self.collate, self.score = network, schedule, collate, score
        optimizer = torch.optim.AdamW(_groups(network, schedule), fused=self.accelerator.device.type != "mps")
        self.network, self.optimizer = self.accelerator.prepare(network, optimizer)
        self.state = State()
        self.best = {name: tensor.clone() for name, tensor in checkpoint.trained(network).items()}

    def run(self, gold: Gold, progress: Progress, folder: Path | None = None) -> list[dict[str, float]]:
        """Train, checkpointing into `folder` and resuming from it; returns the metrics of each epoch."""
        if folder is not None and (found := checkpoint.restore(folder, self.plain, self.optimizer)):
            self.state, self.best = found
        weights = self._weights(gold.labels)
        exclusive = self.schedule.exclusive
        self.loss = nn.CrossEntropyLoss(weights) if exclusive else nn.BCEWithLogitsLoss(pos_weight=weights)
        self.per_epoch = -(-len(gold.labels) // self.schedule.batch_size)
        while self.state.epoch < self.schedule.epochs and not self._out_of_patience():
            self._epoch(gold, progress, folder)
        checkpoint.load_trained(self.plain, self.best)
        self.accelerator.wait_for_everyone()
        if folder is not None and self.accelerator.is_main_process:
            checkpoint.discard(folder)
        return self.state.history

    def _epoch(self, gold: Gold, progress: Progress, folder: Path | None) -> None:
        state = self.state
        rows = gold.rows(state.epoch)
        batches = shuffled(rows, self.schedule.batch_size, np.random.default_rng([self.schedule.seed, state.epoch]))
        self.network.train()
        saved = time.monotonic()
        for number in range(state.batch, len(batches)):
            indices = (
                batches[number][self.accelerator.process_index :: self.accelerator.num_processes] or batches[number][:1]
            )
            state.loss_sum += self._step([rows[i] for i in indices], gold.labels[indices])
            if state.step % RELEASE_EVERY == 0:
                release_memory()
            state.batch += 1
            progress(
                {"done": state.epoch * self.per_epoch + state.batch, "total": self.schedule.epochs * self.per_epoch}
            )
            if folder is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                self._save(folder)
                saved = time.monotonic()
        self._close_epoch(len(batches), progress)
        if folder is not None:
            self._save(folder)

    def _step(self, rows: Sequence[Row], labels: NDArray[np.int8]) -> float:
        """One update from a batch, whose gradient is summed over pieces so that long rows do not take much memory."""
        torch.manual_seed(self.schedule.seed * 1_000_003 + self.state.step)
        factor = self._factor()
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        total = 0.0
        pieces = within(rows, CPU_TOKENS) if self.accelerator.device.type == "cpu" else [list(range(len(rows)))]
        for number, piece in enumerate(pieces, 1):
            # Processes may have different numbers of pieces: they wait for each other only at the last.
            lone = nullcontext() if number == len(pieces) else self.accelerator.no_sync(self.network)
            with lone:
                loss = self._loss(self.collate([rows[i] for i in piece]), labels[piece]) * (len(piece) / len(rows))
                self.accelerator.backward(loss)
            total += loss.item()
        self.accelerator.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.state.step += 1
        return total

    def _loss(self, batch: Batch, labels: NDArray[np.int8]) -> torch.Tensor:
        with self.accelerator.autocast():
            logits = self.network(batch.to(self.accelerator.device))
        loss: torch.Tensor = self.loss(logits, torch.as_tensor(labels, dtype=torch.float32, device=logits.device))
        return loss

    def _close_epoch(self, n_batches: int, progress: Progress) -> None:
        state = self.state
        score = self.score()
        facts = {
            "epoch": state.epoch + 1.0,
            "train_loss": state.loss_sum / max(1, n_batches),
            "validation_score": score,
        }
        state.history.append(facts)
        if not score <= state.best_score:  # without validation examples the score is nan, and the last epoch the best
            state.best_score, state.best_epoch = score, state.epoch
            self.best = {name: tensor.clone() for name, tensor in checkpoint.trained(self.plain).items()}
        state.epoch, state.batch, state.loss_sum = state.epoch + 1, 0, 0.0
        progress({"done": state.epoch * self.per_epoch, "total": self.schedule.epochs * self.per_epoch, **facts})

    def _factor(self) -> float:
        """Linear warm-up, then linear decay to zero (Devlin et al. 2019)."""
        total = self.schedule.epochs * self.per_epoch
        warm = max(1.0, self.schedule.warmup * total)
        return min((self.state.step + 1) / warm, max(0.0, (total - self.state.step) / (total - warm + 1)))

    def _out_of_patience(self) -> bool:
        return self.state.epoch - 1 - self.state.best_epoch >= self.schedule.patience > 0 and self.state.epoch > 0

    def _weights(self, labels: NDArray[np.int8]) -> torch.Tensor:
        positives = np.clip(labels.sum(0, dtype=np.int64), 1, None)
        if self.schedule.exclusive:
            weights = (len(labels) / (positives * labels.shape[1])) ** self.schedule.positive_weight
        else:
            weights = (np.clip(len(labels) - positives, 1, None) / positives) ** self.schedule.positive_weight
        return torch.as_tensor(weights, dtype=torch.float32, device=self.accelerator.device)

    def _save(self, folder: Path) -> None:
        # No barrier: each process has a clock of its own, so the others do not know that this one saves now.
        if self.accelerator.is_main_process:
            checkpoint.save(folder, self.state, self.plain, self.optimizer, self.best)


def probabilities(
    network: nn.Module, rows: Sequence[Row], collate: Collate, progress: Progress | None = None
) -> NDArray[np.float32]:
    """Return label probabilities, float32 `(n_rows, n_labels)`, from length-sorted batches on the network's device."""
    device = next(network.parameters()).device
    n_labels = int(network.head.out_features)  # type: ignore[union-attr, arg-type]
    result = np.zeros((len(rows), n_labels), dtype=np.float32)
    was_training = network.training
    network.eval()
    done = 0
    with torch.inference_mode(), autocast(device):
        for number, indices in enumerate(by_length(rows, 64)):
            logits = network(collate([rows[i] for i in indices]).to(device))
            result[indices] = network.probabilities(logits).cpu().numpy()  # type: ignore[operator]
            if number % RELEASE_EVERY == 0:
                release_memory()
            done += len(indices)
            if progress is not None:
                progress({"done": done, "total": len(rows)})
    network.train(was_training)
    return result


def _groups(network: nn.Module, schedule: Schedule) -> list[dict[str, object]]:
    """One optimizer group per layer and per kind of parameter: biases and norms are not decayed."""
    layers = list(layers_of(network.backbone))  # type: ignore[arg-type]
    depth = {id(p): len(layers) - 1 - i for i, layer in enumerate(layers) for p in layer.parameters()}
    head = {id(p) for p in network.head.parameters()}  # type: ignore[union-attr]
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in network.parameters():
        if parameter.requires_grad:
            rate = schedule.learning_rate * schedule.layer_decay ** depth.get(id(parameter), len(layers))
            rate = schedule.head_learning_rate if id(parameter) in head else rate
            groups.setdefault((rate, schedule.weight_decay if parameter.ndim > 1 else 0.0), []).append(parameter)
    return [{"params": ps, "lr": rate, "peak": rate, "weight_decay": decay} for (rate, decay), ps in groups.items()]
