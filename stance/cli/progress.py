"""Progress with time left, on stderr: a bar on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stance.models.base import Progress

EVERY = 5.0  # seconds between two lines where there is no terminal


@contextmanager
def bar(label: str, *later: str) -> Iterator[Progress]:
    """Yield a function to call with `{"done": …, "total": …}` and any metrics worth showing.

    A job of several stages says which one it is at (`stage`, from 1): each has a bar of its own, which `later` names
    from the second on.
    """
    if os.environ.get("RANK", "0") != "0":  # a helper process of a training on several devices
        yield lambda _: None
        return
    labels = (label, *(f"{label}, {name}" for name in later))
    show = _terminal(labels) if sys.stderr.isatty() else _log(labels)
    try:
        yield show.update
    except BaseException:
        show.close()
        raise
    show.close(done=True)


class _terminal:  # noqa: N801 - reads as a verb where it is used
    def __init__(self, labels: Sequence[str]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[facts]}"),
        )
        self.progress = Progress(*columns, console=Console(stderr=True), transient=False)
        self.labels = labels
        self.stage = 1
        self.task = self.progress.add_task(labels[0], total=None, facts="")
        self.progress.start()

    def update(self, state: dict[str, float]) -> None:
        facts = _facts(state)
        if (stage := _stage(state)) != self.stage:
            self.stage = stage
            self.task = self.progress.add_task(_label(self.labels, stage), total=None, facts="")
        self.progress.update(self.task, completed=state.get("done", 0), total=state.get("total"))
        if facts:
            self.progress.update(self.task, facts=facts)

    def close(self, done: bool = False) -> None:  # noqa: ARG002 - the bar itself shows how far it came
        self.progress.stop()


class _log:  # noqa: N801
    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = labels
        self.stage = 1
        self.begun = self.start = self.last = time.monotonic()

    def update(self, state: dict[str, float]) -> None:
        now = time.monotonic()
        if (stage := _stage(state)) != self.stage:
            self.stage, self.start = stage, now
        done, total = state.get("done", 0.0), state.get("total", 0.0)
        facts = _facts(state)
        if not facts and now - self.last < EVERY:
            return
        self.last = now
        spent = now - self.start
        left = f", {spent / done * (total - done):.0f} s left" if done and total else ""
        share = f" {done / total:4.0%}" if total else ""
        print(
            f"{_label(self.labels, self.stage)}:{share} after {spent:.0f} s{left}{'  ' + facts if facts else ''}",
            file=sys.stderr,
            flush=True,
        )

    def close(self, done: bool = False) -> None:
        if done:
            print(f"{self.labels[0]}: done in {time.monotonic() - self.begun:.1f} s", file=sys.stderr, flush=True)


def _facts(state: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:.4g}" for key, value in state.items() if key not in ("done", "total", "stage"))


def _stage(state: dict[str, float]) -> int:
    return int(state.get("stage", 1))


def _label(labels: Sequence[str], stage: int) -> str:
    return labels[min(stage, len(labels)) - 1]
