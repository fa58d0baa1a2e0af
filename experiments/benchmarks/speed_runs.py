"""Measurements of the speed benchmark, each in its own process. What to measure enters; figures, kept in files, leave.

    FOLDER/texts.json                  what is scored
    FOLDER/ROW/model/, scores.npz      what a row trained, and its answers to validation and test
    FOLDER/ROW/{train,first,rate,peak}-….json

What was measured is not measured again, so an interrupted benchmark goes on. A measurement that failed, or whose
package is missing, is tried again by the next run.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks.speed_rows import ROWS
from experiments.benchmarks.speed_scores import macro_f1, thresholds
from experiments.benchmarks.speed_texts import Material, read_material, write_material
from stance.dataset import replacing

REPOSITORY = Path(__file__).parents[2]
Facts = dict[str, Any]


@dataclass
class Bench:
    """Where results are kept and how rows are run.

    `limit` cuts each part; `minutes` is the most that one measurement of scoring may take, `train_minutes` a training
    by Trainer; `pythons` names other interpreters by row.
    """

    folder: Path
    threads: int
    limit: int | None = None
    minutes: float = 5.0
    train_minutes: float = 120.0
    pythons: dict[str, str] = field(default_factory=dict)
    _lacking: dict[tuple[str, str], Facts] = field(default_factory=dict)

    @property
    def material(self) -> Path:
        return self.folder / "texts.json"

    def prepare(self) -> Material:
        """Write the texts, once, and return them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.material.is_file():
            write_material(self.material, self.limit)
        return read_material(self.material)

    def model(self, name: str) -> Path:
        """Return the folder of the model that a row scores with."""
        return self.folder / (ROWS[name].model_of or name) / "model"

    def train(self, name: str) -> Facts:
        """Train a row's model and what it is made from, once; `missing` or `failed` says why there is none."""
        entry = ROWS[name]
        before = entry.model_of or entry.after
        if before and lacks(why := self.train(before)):
            return why
        if entry.model_of:
            return self.train(entry.model_of)
        more = {
            "others": {entry.after: str(self.model(entry.after))} if entry.after else {},
            "target": self.scores("encoder-torch").get("validation") if name == "hf-trainer" else None,
            "seconds": self.train_minutes * 60,
        }
        return self._kept("train", name, "train", more)

    def first(self, name: str, turn: int) -> Facts:
        """Time a fresh process until it has answered."""
        return self._kept("first", name, f"first-{turn}", {})

    def rate(self, name: str, size: int, turn: int) -> Facts:
        """Time the scoring of `size` texts; where it would take too long, return `projected` seconds instead."""
        seconds, measured = self.scoring(name, size)
        if not measured and seconds > self.minutes * 60:
            return {"projected": seconds}
        return self._kept("rate", name, f"rate-{size}-{turn}", {"size": size})

    def peak(self, size: int, turn: int) -> Facts:
        """Measure the processor's peak, and count what the 8-bit encoder computes for a text."""
        return self._kept("peak", "encoder-int8", f"peak-{turn}", {"size": size})

    def kept(self, name: str, pattern: str) -> list[Facts]:
        """Return a row's measurements whose names match a pattern."""
        return [json.loads(path.read_text("utf-8")) for path in sorted((self.folder / name).glob(f"{pattern}.json"))]

    def sizes(self, name: str) -> list[int]:
        """Return the sizes that a row was measured at, rising."""
        return sorted({int(path.stem.split("-")[1]) for path in (self.folder / name).glob("rate-*-*.json")})

    def median(self, name: str, pattern: str, fact: str) -> float | None:
        """Return the median of a fact over a row's measurements, None without any."""
        values = [one[fact] for one in self.kept(name, pattern)]
        return statistics.median(values) if values else None

    def scoring(self, name: str, size: int) -> tuple[float, bool]:
        """Return a row's seconds for `size` texts, and whether they were measured or are in proportion to the largest
        size measured below; 0 where nothing was."""
        seconds = self.median(name, f"rate-{size}-*", "seconds")
        if seconds is not None:
            return seconds, True
        smaller = [one for one in self.sizes(name) if one < size]
        if not smaller:
            return 0.0, False
        return (self.median(name, f"rate-{smaller[-1]}-*", "seconds") or 0.0) * size / smaller[-1], False

    def scores(self, name: str) -> dict[str, float]:
        """Return macro-F1 on validation and test under the common rule; empty where a row has no answers of its own."""
        path = self.model(name).parent / "scores.npz"
        if not path.is_file():
            return {}
        parts, scores = read_material(self.material).parts, np.load(path)
        least = thresholds(scores["validation"], parts["validation"].gold)
        return {part: macro_f1(scores[part], parts[part].gold, least) for part in ("validation", "test")}

    def forget(self, name: str, models: bool) -> None:
        """Delete what was measured of a row; with `models` its model and training too."""
        if models:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for path in (self.folder / name).glob("*-*.json"):
            path.unlink()

    def _kept(self, phase: str, name: str, key: str, more: Facts) -> Facts:
        path = self.folder / name / f"{key}.json"
        if path.is_file():
            kept: Facts = json.loads(path.read_text("utf-8"))
            return kept
        if (phase, name) not in self._lacking:
            path.parent.mkdir(exist_ok=True)
            facts = self._run(phase, name, {**more, "material": str(self.material), "limit": self.limit})
            if not lacks(facts):
                with replacing(path) as draft:
                    draft.write_text(json.dumps(facts), "utf-8")
                return facts
            self._lacking[phase, name] = facts
        return self._lacking[phase, name]

    def _run(self, phase: str, name: str, given: Facts) -> Facts:
        """Start a process and read its lines: the answer is the last, and `answered` the time of that word."""
        python = self.pythons.get(name, sys.executable)
        work = [phase, name, str(self.model(name)), json.dumps({**given, "threads": self.threads})]
        log = self.folder / name / "log.txt"
        lines, answered = [], 0.0
        with log.open("w", encoding="utf-8") as errors:
            began = time.perf_counter()
            with subprocess.Popen(
                [python, "-m", "experiments.benchmarks.speed_worker", *work],
                cwd=REPOSITORY,
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            ) as process:
                for line in process.stdout or ():
                    answered = time.perf_counter() - began if line.strip() == "answered" else answered
                    lines.append(line)
        if process.returncode or not lines:
            last = log.read_text("utf-8").strip().splitlines()
            return {"failed": last[-1] if last else f"exit {process.returncode}", "log": str(log)}
        facts: Facts = json.loads(lines[-1])
        return {"seconds": answered, "load": os.getloadavg()[0], **facts} if phase == "first" else facts

    def _environment(self) -> dict[str, str]:
        counts = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
        quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "STANCE_DEVICE": "cpu"}
        path = os.pathsep.join([str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {**os.environ, **quiet, **dict.fromkeys(counts, str(self.threads)), "PYTHONPATH": path}


def lacks(facts: Facts) -> bool:
    """Say whether a measurement could not be made."""
    return "missing" in facts or "failed" in facts
