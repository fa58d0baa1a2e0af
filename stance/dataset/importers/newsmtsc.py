"""NewsMTSC (Hamborg and Donnay 2021): sentiment toward each marked person or group in a sentence of US political news.

The one whom the sentiment is toward is the example's actor: the unit that is labelled. A document is the article.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stance.dataset.importers.source import Row, choose, text_of
from stance.records import Example

FILES = {part: f"{part}.jsonl" for part in ("train", "rw_dev", "mt_dev", "rw_test", "mt_test")}
TASKS = ("sentiment",)
POLARITIES = {"2.0": "negative", "4.0": "neutral", "6.0": "positive"}
MOST_TARGETS = 100  # in one sentence; the set has at most three
ARTICLE = re.compile(r"allsides_\d+_\d+|polusa_v1_\d+")


def read(row: Row, part: str, number: int, task: str) -> Iterator[tuple[str, Example]]:  # noqa: ARG001 - one task
    """Yield one example per target; raises ValueError for offsets that do not give the mention."""
    text, gid = text_of(row, "sentence_normalized"), text_of(row, "primary_gid")
    article = ARTICLE.match(gid)
    for place, target in enumerate(row["targets"]):
        mention = text_of(target, "mention")
        start, end = _offset(target, "from"), _offset(target, "to")
        if text[start:end] != mention:
            raise ValueError(f"the text has {text[start:end]!r:.60} at {start}:{end}, not the mention {mention!r:.60}")
        yield (
            part,
            Example(
                text=text,
                actor=mention,
                mention=mention,
                start=start,
                end=end,
                doc_id=article.group() if article else gid,
                index=number * MOST_TARGETS + place,
                labels=(choose(target | {"polarity": float(target["polarity"])}, "polarity", POLARITIES),),
            ),
        )


def _offset(target: dict[str, Any], field: str) -> int:
    value = target[field]
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{field} is {value!r:.60}, which is no offset")
    return value
