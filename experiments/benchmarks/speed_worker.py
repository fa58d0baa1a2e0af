"""One measurement of one row, in this process alone. A phase and a row enter; its figures leave as JSON on stdout.

    python -m experiments.benchmarks.speed_worker train|first|rate|peak ROW FOLDER JOB

JOB is a JSON object. The process keeps to as many cores as it has threads. A package that is missing is an answer
too: `{"missing": NAME}`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from experiments.benchmarks.speed_rows import ROWS, Job, find

CHUNK = 10_000  # texts that are handed over at once; making them is not timed
WARM = 64


def train(name: str, folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Train, then score validation and test; leaves the model in `folder` and `scores.npz` beside it."""
    import numpy as np

    job = Job(
        material=Path(given["material"]),
        folder=folder,
        limit=given["limit"],
        others={other: Path(place) for other, place in given["others"].items()},
        target=given["target"],
        seconds=given["seconds"],
    )
    folder.mkdir(parents=True, exist_ok=True)
    contender = find(name)
    facts = contender.train(job)
    if not facts.get("untrained"):
        score = contender.load(folder)
        parts = {part: score(_part(name, given, part)) for part in ("validation", "test")}
        np.savez(folder.parent / "scores.npz", validation=parts["validation"], test=parts["test"])
    return facts


def first(name: str, folder: Path, _: dict[str, Any]) -> dict[str, Any]:
    """Load and answer once; the line that says so is what the parent waits for."""
    find(name).first(folder)
    print("answered", flush=True)
    return {}


def rate(name: str, folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Score `size` texts that differ, after a few that are not counted."""
    from experiments.benchmarks.speed_clock import Clock, peak_mib

    score = find(name).load(folder)
    make = _maker(name, given)
    score(make(given["size"], WARM))
    clock = Clock()
    for texts in _chunks(make, given["size"]):
        with clock:
            found = score(texts)
        if len(found) != len(texts):
            raise ValueError(f"{name} gave {len(found)} answers to {len(texts)} texts")
    return {**clock.facts(), "peak_mib": peak_mib()}


def peak(_: str, folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Measure the processor's products of 8-bit integers, and count those of the exported encoder in `folder`."""
    from experiments.benchmarks.speed_peak import count, measure

    texts = _maker("encoder-int8", given)(0, given["size"])
    return {**measure(), **count(folder / "model", texts)}


def _maker(name: str, given: dict[str, Any]) -> Callable[[int, int], list[Any]]:
    """Return what makes `count` texts of the test part from a number on, as the row reads them."""
    from experiments.benchmarks import speed_texts

    known = _part(name, given, "test")
    make: Callable[..., list[Any]] = speed_texts.numbered if ROWS[name].ours else speed_texts.numbered_texts
    return lambda start, count: make(known, start, count)


def _chunks(make: Callable[[int, int], list[Any]], size: int) -> Iterator[list[Any]]:
    for start in range(0, size, CHUNK):
        yield make(start, min(CHUNK, size - start))


def _part(name: str, given: dict[str, Any], part: str) -> list[Any]:
    from experiments.benchmarks import speed_texts

    if ROWS[name].ours:
        return list(speed_texts.examples(given["limit"])[part])
    return list(speed_texts.read_material(Path(given["material"])).parts[part].texts)


def main() -> None:
    """Do the phase that the command line names."""
    phase, name, folder, given = sys.argv[1:]
    content = json.loads(given)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: content["threads"]])
    work = {"train": train, "first": first, "rate": rate, "peak": peak}[phase]
    try:
        facts = work(name, Path(folder), content)
    except ModuleNotFoundError as error:
        facts = {"missing": error.name}
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
