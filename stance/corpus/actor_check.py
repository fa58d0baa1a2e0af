"""The check of actor finding: labelled sentences → precision and recall of (sentence, actor) by canonical name.

Stage: a file of sentences with their `actors` enters, an `ActorCheck` leaves. Two forms of JSON lines are read:
documents (`sentences`: [{text, actors}]) and single sentences (`doc_id`, `prev`, `text`, `actors`). Consecutive rows of
one `doc_id` whose `prev` is the text of the row before are one document; for any other row `prev` is given as context.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stance.corpus import gazetteer
from stance.corpus.actors import find_actors
from stance.errors import DataError

FORMAT = '{"doc_id": "d1", "text": "…", "actors": [{"actor": "Russia"}]}, one a line'
_SENTENCE: Final[dict[str, type]] = {"text": str, "actors": list}
_KINDS: Final[dict[type, str]] = {str: "string", list: "list"}


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """A document's sentences and the actors of each, both in the file's order; None marks mere context."""

    doc_id: str
    date: str | None
    sentences: tuple[str, ...]
    actors: tuple[tuple[str, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class Error:
    """A (sentence, actor) pair that the finder missed or found wrongly."""

    doc_id: str
    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class ActorCheck:
    """Counts of (sentence, actor) pairs. `documents` holds (doc_id, tp, fp, fn) in the order of reading."""

    documents: tuple[tuple[str, int, int, int], ...]
    missed: tuple[Error, ...]
    spurious: tuple[Error, ...]

    @property
    def tp(self) -> int:
        return sum(row[1] for row in self.documents)

    @property
    def fp(self) -> int:
        return sum(row[2] for row in self.documents)

    @property
    def fn(self) -> int:
        return sum(row[3] for row in self.documents)

    @property
    def precision(self) -> float:
        """Right pairs per found pair; 0 where nothing was found."""
        return self.tp / max(self.tp + self.fp, 1)

    @property
    def recall(self) -> float:
        """Found pairs per labelled pair; 0 where nothing is labelled."""
        return self.tp / max(self.tp + self.fn, 1)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.tp / max(2 * self.tp + self.fp + self.fn, 1)

    def commonest(self, errors: Iterable[Error], n: int = 20) -> list[tuple[str, int]]:
        """Return the `n` actors with the most of `errors`, with their counts."""
        return Counter(error.actor for error in errors).most_common(n)


def check_actors(path: str | Path) -> ActorCheck:
    """Return how well `find_actors` does on the labelled file at `path`; raises DataError naming file and line."""
    return check_documents(read_labelled(Path(path)))


def check_documents(documents: Iterable[LabelledDocument]) -> ActorCheck:
    """Return how well `find_actors` does on `documents`; rows of one doc_id are counted together."""
    counts: dict[str, list[int]] = {}
    missed: list[Error] = []
    spurious: list[Error] = []
    for document in documents:
        row = counts.setdefault(document.doc_id, [0, 0, 0])
        mentions = find_actors(document.sentences, date=document.date)
        for text, gold, found in zip(document.sentences, document.actors, mentions, strict=True):
            if gold is None:
                continue
            names, right = {mention.actor for mention in found}, set(map(_canonical, gold))
            row[0] += len(names & right)
            row[1] += len(names - right)
            row[2] += len(right - names)
            missed += [Error(document.doc_id, actor, text) for actor in sorted(right - names)]
            spurious += [Error(document.doc_id, actor, text) for actor in sorted(names - right)]
    rows = tuple((doc_id, *row) for doc_id, row in counts.items())
    return ActorCheck(rows, tuple(missed), tuple(spurious))  # type: ignore[arg-type]


def _canonical(name: str) -> str:
    """The actor that a file calls `name`, by the gazetteer's canonical name where it knows it under another of its own.

    >>> _canonical("Organisation of Islamic Cooperation"), _canonical("Ottoman Empire")
    ('OIC', 'Ottoman Empire')
    """
    book = gazetteer.load()
    if name in book.actors:
        return name
    whole = [found.readings for found in book.scan(name) if (found.start, found.end) == (0, len(name))]
    actors = {reading.actor for readings in whole for reading in readings if reading.kind == "name"}
    return actors.pop() if len(actors) == 1 and all(len(readings) == 1 for readings in whole) else name


def read_labelled(path: Path) -> Iterator[LabelledDocument]:
    """Yield the documents of a labelled JSON-lines file; raises DataError naming the file, line and mend."""
    rows: list[dict[str, Any]] = []
    for row in _rows(path):
        if "sentences" in row:
            sentences = row["sentences"]
            yield LabelledDocument(
                row["doc_id"], row.get("date"), tuple(s["text"] for s in sentences), tuple(_names(s) for s in sentences)
            )
            continue
        if rows and not (row["doc_id"] == rows[-1]["doc_id"] and row.get("prev") == rows[-1]["text"]):
            yield _join(rows)
            rows = []
        rows.append(row)
    if rows:
        yield _join(rows)


def _join(rows: list[dict[str, Any]]) -> LabelledDocument:
    before = rows[0].get("prev") or ""
    texts = [row["text"] for row in rows]
    actors: list[tuple[str, ...] | None] = [_names(row) for row in rows]
    if before:
        texts, actors = [before, *texts], [None, *actors]
    return LabelledDocument(rows[0]["doc_id"], rows[0].get("date"), tuple(texts), tuple(actors))


def _names(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(actor["actor"] for actor in row["actors"]))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text("utf-8").split("\n")  # not splitlines(): a text may hold U+2028
    except OSError as error:
        raise DataError(f"{path}: cannot read labelled sentences: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: cannot read labelled sentences: not UTF-8 text") from error
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise DataError(f"{path}: empty; it needs labelled sentences, {FORMAT}")
    for number, line in numbered:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}:{number}: not a labelled row: not JSON: {error}; it needs {FORMAT}") from error
        if problem := _problem(row):
            raise DataError(f"{path}:{number}: not a labelled row: {problem}; it needs {FORMAT}")
        yield row


def _problem(row: Any) -> str:
    """What a row lacks, or has of another kind than it should; empty where all is well."""
    if not isinstance(row, dict):
        return f"not an object but {type(row).__name__}"
    parts = row.get("sentences", [row])
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        return "'sentences' is not a list of objects"
    wanted = [(row, "doc_id", str), *((part, key, kind) for part in parts for key, kind in _SENTENCE.items())]
    for holder, key, kind in wanted:
        if key not in holder:
            return f"'{key}' is missing"
        if not isinstance(holder[key], kind):
            return f"'{key}' is not a {_KINDS[kind]}"
    for actor in (actor for part in parts for actor in part["actors"]):
        if not isinstance(actor, dict) or not isinstance(actor.get("actor"), str):
            return "an entry of 'actors' has no 'actor', its name"
    return ""
