"""transformers' Trainer against the clock. A classifier and a score to reach enter; how long it took leaves."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from transformers import (
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from experiments.benchmarks.speed_clock import Clock
from experiments.benchmarks.speed_rows import Job
from experiments.benchmarks.speed_scores import macro_f1, thresholds
from experiments.benchmarks.speed_texts import Material, Part

LOOKS = 4  # at validation per epoch
LONGEST = 160
Look = tuple[int, float, float, float]
"""Step, seconds, processor seconds, macro-F1 on validation."""


def fine_tune(model: Any, path: str, material: Material, job: Job) -> dict[str, Any]:
    """Train by `TrainingArguments`' defaults until validation macro-F1 reaches `job.target`, or to their end.

    Looks at validation are not timed. Returns the seconds until it was reached, in a straight line between two looks,
    and `reached`, `best` and the `curve`: step, seconds, processor seconds and macro-F1 at each look.
    """
    tokenizer = AutoTokenizer.from_pretrained(path)
    train, validation = (_rows(tokenizer, material.parts[name]) for name in ("train", "validation"))
    arguments = TrainingArguments(
        output_dir=str(job.folder / "work"), use_cpu=True, save_strategy="no", report_to="none", disable_tqdm=True
    )
    every = max(1, len(train) // (arguments.per_device_train_batch_size * LOOKS))
    trainer = Trainer(model, arguments, DataCollatorWithPadding(tokenizer), train_dataset=train)
    watch = _Watch(trainer, validation, material.parts["validation"], every, job)
    trainer.add_callback(watch)
    trainer.train()
    watch.look(trainer.state.global_step)
    model.save_pretrained(job.folder)
    tokenizer.save_pretrained(job.folder)
    scores = [point[3] for point in watch.curve]
    wall, cpu = _crossing(watch.curve, job.target)
    return {
        **watch.clock.facts(),
        "seconds": wall,
        "cpu_seconds": cpu,
        "reached": job.target is not None and max(scores) >= job.target,
        "target": job.target,
        "best": max(scores),
        "steps": trainer.state.global_step,
        "all_steps": trainer.state.max_steps,
        "curve": watch.curve,
    }


class _Watch(TrainerCallback):  # type: ignore[misc] # transformers gives it no type
    """Stops the clock and looks at validation every so many steps."""

    def __init__(self, trainer: Trainer, rows: list[Any], part: Part, every: int, job: Job) -> None:
        self.trainer, self.rows, self.part, self.every, self.job = trainer, rows, part, every, job
        self.clock = Clock()
        self.curve: list[Look] = []

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self.clock.__enter__()

    def on_step_end(self, _: TrainingArguments, state: TrainerState, control: TrainerControl, **__: Any) -> None:
        if state.global_step % self.every:
            return
        self.clock.__exit__()
        best = self.look(state.global_step)
        done = self.job.target is not None and best >= self.job.target
        control.should_training_stop = done or self.clock.wall > self.job.seconds
        self.clock.__enter__()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        self.clock.__exit__()

    def look(self, step: int) -> float:
        """Score the model as it is now, unless that was done at this step."""
        if not self.curve or self.curve[-1][0] != step:
            model = self.trainer.model
            training = model.training
            scores, gold = self._answer(), self.part.gold
            model.train(training)
            found = macro_f1(scores, gold, thresholds(scores, gold))
            self.curve.append((step, self.clock.wall, self.clock.cpu, found))
            line = "step %d of %d after %.1f s, %.1f s of the processor: macro-F1 %.4f"
            print(line % (step, self.trainer.state.max_steps, *self.curve[-1][1:]), file=sys.stderr, flush=True)
        return self.curve[-1][3]

    def _answer(self) -> Any:
        import torch

        from stance.models.device import autocast

        model, collate = self.trainer.model.eval(), self.trainer.data_collator
        order = sorted(range(len(self.rows)), key=lambda i: len(self.rows[i]["input_ids"]))
        scores = np.zeros(self.part.gold.shape)
        with torch.inference_mode(), autocast(torch.device("cpu")):  # a look takes a third of the time
            for start in range(0, len(order), 32):
                chosen = order[start : start + 32]
                given = collate([{k: v for k, v in self.rows[i].items() if k != "labels"} for i in chosen])
                scores[chosen] = torch.sigmoid(model(**given).logits.float()).numpy()
        return scores


def _crossing(curve: list[Look], target: float | None) -> tuple[float, float]:
    """Seconds, by the wall and by the processor, when the curve comes to the target; those of its end if never."""
    before: Look = (0, 0.0, 0.0, 0.0)
    for look in curve:
        if target is not None and look[3] >= target:
            share = (target - before[3]) / (look[3] - before[3])
            return before[1] + share * (look[1] - before[1]), before[2] + share * (look[2] - before[2])
        before = look
    return before[1], before[2]


def _rows(tokenizer: Any, part: Part) -> list[dict[str, Any]]:
    sentences, contexts = [one.sentence for one in part.texts], [one.context for one in part.texts]
    encoded = tokenizer(sentences, contexts, truncation=True, max_length=LONGEST)
    rows = [dict(zip(encoded, values, strict=True)) for values in zip(*encoded.values(), strict=True)]
    return [{**row, "labels": gold.astype(np.float32)} for row, gold in zip(rows, part.gold, strict=True)]
