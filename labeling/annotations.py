"""What annotators said, as pulled: one record per annotation, in a JSON Lines file of one line each.

Three states stay distinct: *labelled with nothing* (`labels[task] == ()`), *not labelled* (`labels[task] is None`, or
no record at all) and *skipped* (`skipped`). A record holds the whole example, so that a file of annotations needs no
other file beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stance.codebook import Codebook
from stance.dataset.files import replacing
from stance.errors import CodebookError, DataError
from stance.records import Example

Labels = dict[str, tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotator's answer to one example.

    `labels` maps a codebook task to its labels in codebook order: the empty tuple where the annotator said "none",
    None where the task was left open. `flags` are the interface's (`wrong-actor`, `cant-tell`). `lead_time` is in
    seconds; times are ISO 8601 in UTC. `codebook` is the hash of the codebook that the annotator saw. `prediction` is
    the version of the model whose answer was shown, None if there was none. `problems` says what in the answer does
    not fit the codebook (such as "none" beside a label); such an answer is kept as it was given, in `raw`.
    """

    id: int
    example: Example
    annotator: str
    labels: Labels
    skipped: bool = False
    flags: tuple[str, ...] = ()
    comment: str = ""
    lead_time: float | None = None
    created_at: str = ""
    updated_at: str = ""
    codebook: str = ""
    prediction: str | None = None
    problems: tuple[str, ...] = ()
    raw: tuple[Mapping[str, Any], ...] = field(default=(), compare=False)

    @property
    def usable(self) -> bool:
        """True for an answer that can be counted: not skipped, fits the codebook, and not flagged."""
        return not (self.skipped or self.problems or self.flags)

    def to_row(self) -> dict[str, Any]:
        """Return a JSON-ready mapping; `from_row` is its inverse."""
        names = ("id", "annotator", "skipped", "comment", "lead_time", "created_at", "updated_at", "codebook")
        row: dict[str, Any] = {"example_id": self.example.id} | {name: getattr(self, name) for name in names}
        row["labels"] = {task: None if given is None else list(given) for task, given in self.labels.items()}
        row |= {"flags": list(self.flags), "problems": list(self.problems), "prediction": self.prediction}
        return row | {"raw": [dict(one) for one in self.raw], "example": self.example.to_row()}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Annotation:
        """Build an annotation from a row; keys that are not fields are ignored."""
        return cls(
            id=int(row["id"]),
            example=Example.from_row(row["example"]),
            annotator=str(row["annotator"]),
            labels={task: None if given is None else tuple(given) for task, given in row["labels"].items()},
            skipped=bool(row.get("skipped", False)),
            flags=tuple(row.get("flags", ())),
            comment=row.get("comment") or "",
            lead_time=row.get("lead_time"),
            created_at=row.get("created_at") or "",
            updated_at=row.get("updated_at") or "",
            codebook=row.get("codebook") or "",
            prediction=row.get("prediction"),
            problems=tuple(row.get("problems", ())),
            raw=tuple(row.get("raw", ())),
        )


def write_annotations(annotations: Iterable[Annotation], path: str | Path) -> int:
    """Write annotations to a .jsonl file, replacing it whole, and return how many.

    Raises DataError for a folder that cannot be written.
    """
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for annotation in annotations:
            file.write(json.dumps(annotation.to_row(), ensure_ascii=False) + "\n")
            count += 1
    return count


def read_annotations(path: str | Path, book: Codebook | None = None) -> list[Annotation]:
    """Return the annotations of a .jsonl file in its order.

    With a codebook, tasks and labels are checked. Raises DataError naming `file:line` for what cannot be read.
    """
    found = []
    try:
        with Path(path).open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    found.append(_parse(line, f"{path}:{number}", book))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}; give a file written by `stance label pull`") from error
    return found


def _parse(line: str, where: str, book: Codebook | None) -> Annotation:
    try:
        annotation = Annotation.from_row(json.loads(line))
        if book is not None and not annotation.problems:
            for task, given in annotation.labels.items():
                book.task(task).order(given or (), where)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{where}: not an annotation ({type(error).__name__}: {error}); pull again with `stance label pull`"
        ) from error
    except CodebookError as error:
        raise DataError(f"{where}: {error}".replace(f"{where}: {where}", where)) from error
    return annotation
