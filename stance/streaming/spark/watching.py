"""How far a job on Spark is. A session enters; counts of tasks leave, while somebody else waits for the job."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from stance.models.base import Progress

EVERY: Final = 0.5  # seconds between two looks
PATIENCE: Final = 30.0  # seconds without a task at work before the user is told
WAITING: Final = "no worker has taken a task yet: the cluster has none, or none with the cores and memory asked for"


@contextmanager
def watched(spark: Any, progress: Progress, note: Callable[[str], None]) -> Iterator[None]:
    """Report the tasks of the running stage, done and in all, until the block ends; `note` when none is taken."""
    end = threading.Event()
    tracker = spark.sparkContext.statusTracker()

    def look() -> None:
        since: float | None = time.monotonic()
        while not end.wait(EVERY):
            for number in tracker.getActiveStageIds():
                stage = tracker.getStageInfo(number)
                if stage is None:
                    continue
                progress({"done": float(stage.numCompletedTasks), "total": float(stage.numTasks)})
                if stage.numCompletedTasks or stage.numActiveTasks:
                    since = None
            if since is not None and time.monotonic() - since > PATIENCE:
                note(WAITING)
                since = None

    thread = threading.Thread(target=look, name="spark-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(timeout=5)
