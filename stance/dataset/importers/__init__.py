"""Public data sets as examples: what enters is a folder with a set's own files, what leaves is its parts.

Nothing of these sets ships with the kit: a user gives the path (docs/benchmarks.md says where each comes from and
under which licence). Labels, parts and folds are the set's own; its codebook stands in experiments/codebooks/published.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from stance.dataset.importers.source import read_rows
from stance.errors import DataError
from stance.records import Example

SETS = ("dse", "gvfc", "newsmtsc", "plv", "seesaw")


def import_set(name: str, path: str | Path, task: str | None = None) -> dict[str, list[Example]]:
    """Return a public data set's labelled examples by part, in the order of its files.

    `path` is the folder with the set's files, plain or gzipped. `task` is one of `tasks(name)`, the first without
    one. Parts are the set's own: `train`, its development and test parts, or `fold-0` … for one that comes in folds.
    Raises DataError for an unknown set or task, a missing file, and the first bad row, naming file and line.
    """
    source = _source(name)
    chosen = task or source.TASKS[0]
    if chosen not in source.TASKS:
        raise DataError(f"the set {name} has no task '{chosen}'; it has {', '.join(source.TASKS)}")
    parts: dict[str, list[Example]] = {}
    for part, stem in source.FILES.items():
        for number, (where, row) in enumerate(read_rows(Path(path), stem)):
            try:
                for own_part, example in source.read(row, part, number, chosen):
                    parts.setdefault(own_part, []).append(example)
            except KeyError as error:
                raise DataError(f"{where}: no field {error}; is this a file of the set {name}?") from error
            except (TypeError, ValueError) as error:
                raise DataError(f"{where}: {error}; restore the row from the origin, or remove it") from error
    return {part: parts[part] for part in sorted(parts, key=lambda part: _place(part, list(source.FILES)))}


def tasks(name: str) -> tuple[str, ...]:
    """Return the tasks of a set, which are those of its codebook, the main one first."""
    found: tuple[str, ...] = _source(name).TASKS
    return found


def _source(name: str) -> Any:
    if name not in SETS:
        raise DataError(f"there is no importer for '{name}'; the sets are {', '.join(SETS)}")
    return importlib.import_module(f"stance.dataset.importers.{name}")


def _place(part: str, files: list[str]) -> tuple[int, str]:
    return (files.index(part) if part in files else len(files), part)
