"""Rows as a user gives them. What enters is a mapping, a list of them or a DataFrame; what leaves is examples.

Each row holds `text` and, for a task coded per actor, `actor`; the other `COLUMNS` are optional and may be empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from stance.coding import Target
from stance.corpus.targets import find_targets
from stance.errors import DataError
from stance.records import Example, Span

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("text", "actor", "mention", "context", "prev", "next", "title", "date", "start", "end")
Unit = Literal["actor", "sentence"]


@dataclass(frozen=True)
class Inputs:
    """Examples, and the index of the rows that they came from, in the same order."""

    examples: list[Example]
    index: pd.Index


def read_inputs(data: Any, unit: Unit, target: Target) -> Inputs:
    """Return one example per row of `data`: one mapping, a list of mappings, or a DataFrame.

    A mention is found in the text exactly, then in any case; one that is not there, or none, is looked up under the
    actor's names, and an actor whose names are not there either is implied. For a task coded per sentence the actor
    is left out. Raises DataError naming the row's index for a missing text or actor and for a value of another type.
    """
    rows, index = _rows(data, ("text", "actor") if unit == "actor" else ("text",))
    build = _Builder(unit, target)
    return Inputs([build.example(row, f"row {label!r}") for row, label in zip(rows, index, strict=True)], index)


def split_context(context: str, text: str) -> tuple[str, str]:
    """Return what stands before and after `text` in `context`; all of it is before where `text` is not in it.

    >>> split_context("It rained. Moscow met them. They left.", "Moscow met them.")
    ('It rained.', 'They left.')
    """
    before, found, after = context.partition(text)
    return (before.strip(), after.strip()) if found else (context.strip(), "")


def find_mention(text: str, mention: str) -> Span | None:
    """Return where `mention` stands in `text`: as a whole word, else anywhere, else as a whole word in any case.

    >>> find_mention("The USSR and the US", "US"), find_mention("MOSCOW said", "Moscow")
    ((17, 19), (0, 6))
    """
    word = re.escape(mention.strip())
    bounded = rf"(?<!\w){word}(?!\w)"
    for pattern, flags in ((bounded, 0), (word, 0), (bounded, re.IGNORECASE)):
        match = re.search(pattern, text, flags) if word else None
        if match:
            return match.span()
    return None


class _Builder:
    """Builds examples; the target's spans are found once per text, as an actor's rows repeat their sentence."""

    def __init__(self, unit: Unit, target: Target) -> None:
        self.unit = unit
        self.target = target
        self.spans: dict[str, tuple[Span, ...]] = {}

    def example(self, row: Mapping[str, Any], where: str) -> Example:
        text = _required(row, "text", where)
        actor = _required(row, "actor", where) if self.unit == "actor" else None
        span = None if actor is None else self._locate(row, text, actor, where)
        before, after = _context(row.get("context"), text, where)
        if text not in self.spans:
            self.spans[text] = find_targets(text, self.target)
        return Example(
            text=text,
            actor=actor,
            mention=None if span is None else text[slice(*span)],
            start=None if span is None else span[0],
            end=None if span is None else span[1],
            targets=self.spans[text],
            prev=_optional(row, "prev", where) or before,
            next=_optional(row, "next", where) or after,
            title=_optional(row, "title", where),
            date=_date(row.get("date"), where),
        )

    def _locate(self, row: Mapping[str, Any], text: str, actor: str, where: str) -> Span | None:
        mention = _optional(row, "mention", where)
        if mention is not None:
            start, end = row.get("start"), row.get("end")
            if not _missing(start) and not _missing(end):
                span = _offsets(start, end, where)
                if text[slice(*span)] == mention:  # tells two mentions of one name apart
                    return span
            found = find_mention(text, mention)
            if found is not None:
                return found
        from stance.corpus.actors import locate

        return locate(text, actor)


def _rows(data: Any, required: Sequence[str]) -> tuple[Sequence[Mapping[Any, Any]], pd.Index]:
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        known = [column for column in COLUMNS if column in data.columns]
        for name in required if len(data.columns) else ():
            if name not in known:
                have = ", ".join(map(str, data.columns))
                raise DataError(f"there is no '{name}' column; the columns are {have}: rename or add one")
        return data[known].to_dict("records"), data.index
    if isinstance(data, Mapping):
        return [data], pd.RangeIndex(1)
    if not isinstance(data, Sequence) or isinstance(data, (str, bytes)):
        raise DataError(
            f"cannot predict from a {type(data).__name__}; give a mapping with 'text', a list of them or a DataFrame"
        )
    for position, row in enumerate(data):
        if not isinstance(row, Mapping):
            raise DataError(f"row {position}: a {type(row).__name__}; every row must be a mapping with 'text'")
    return data, pd.RangeIndex(len(data))


def _missing(value: Any) -> bool:
    """True for None, NaN, NaT and pandas' NA, whose comparisons are not booleans."""
    if value is None:
        return True
    if isinstance(value, (str, int)):
        return False
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _required(row: Mapping[str, Any], name: str, where: str) -> str:
    value = _optional(row, name, where)
    if value is None:
        have = ", ".join(map(str, row)) or "nothing"
        state = "is empty" if name in row else f"is missing (the row has {have})"
        why = "; a stance is always some actor's" if name == "actor" else ""
        raise DataError(f"{where}: '{name}' {state}{why}; fill it in or drop the row")
    return value


def _optional(row: Mapping[str, Any], name: str, where: str) -> str | None:
    value = row.get(name)
    if _missing(value):
        return None
    if not isinstance(value, str):
        raise DataError(f"{where}: '{name}' must be a string, not {type(value).__name__} ({value!r:.60})")
    return value if value.strip() else None


def _offsets(start: Any, end: Any, where: str) -> Span:
    try:
        return int(start), int(end)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: 'start' and 'end' must be whole numbers, not {start!r} and {end!r}") from error


def _context(value: Any, text: str, where: str) -> tuple[str, str]:
    if _missing(value):
        return "", ""
    if isinstance(value, str):
        return split_context(value, text)
    if isinstance(value, Mapping):
        return _optional(value, "prev", where) or "", _optional(value, "next", where) or ""
    parts = list(value) if hasattr(value, "__len__") and hasattr(value, "__getitem__") else []
    if len(parts) != 2:
        raise DataError(f"{where}: 'context' must be a string, or the sentences before and after as a pair")
    pair = {"before": parts[0], "after": parts[1]}
    return _optional(pair, "before", where) or "", _optional(pair, "after", where) or ""


def _date(value: Any, where: str) -> str | None:
    if _missing(value):
        return None
    isoformat: Callable[[], str] | None = getattr(value, "isoformat", None)
    return isoformat()[:10] if isoformat else _optional({"date": value}, "date", where)
