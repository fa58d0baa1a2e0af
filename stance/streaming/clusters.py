"""The second step over articles: near-duplicate clusters. Scored tables enter; the cluster of each document leaves.

A document's words are read back from its sentences, which hold every one, so the first step keeps no text. Only where
a text without any blank was cut into sentences of 2,000 characters can a word at a cut differ from the article's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.corpus.duplicates_on_disk import cluster_on_disk
from stance.errors import DataError

ID = "S16"  # a document's id is 16 hexadecimal digits


def find_clusters(tables: Iterable[Any], output: Path, seen: Callable[[int], None]) -> NDArray[np.bytes_]:
    """Return per document, in order, the id of the first document of its cluster.

    `tables` hold `doc_id`, `index` and `text`, a document's rows one after the other; `seen` is told the rows as they
    go by. Works in a folder beside `output`; raises DataError where that cannot be written.
    """
    folder = output.with_name(f".{output.name}.part.clusters")
    ids = bytearray()

    def texts() -> Iterator[str]:
        for doc_id, text in _documents(tables, seen):
            ids.extend(doc_id.encode("ascii"))
            yield text

    try:
        with suppress(FileNotFoundError):  # what a killed run left
            shutil.rmtree(folder)
        folder.mkdir()
        first = cluster_on_disk(texts(), folder)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written: {error.strerror or error}; make room for the clusters' index and run the"
            " command again, or leave them out with --no-clusters"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return np.frombuffer(bytes(ids), dtype=ID)[first]


def set_clusters(tables: Iterable[Any], names: NDArray[np.bytes_]) -> Iterator[Any]:
    """Yield the tables with the column `cluster` set; `names` as `find_clusters` returns them."""
    import pyarrow as pa

    document, last = -1, None
    for table in tables:
        ids = table["doc_id"].to_numpy(zero_copy_only=False)
        changes = ids != np.r_[np.array([last], dtype=object), ids[:-1]]
        numbers = document + np.cumsum(changes)
        document, last = int(numbers[-1]), ids[-1]
        column = pa.array(names[numbers].astype("U16").tolist(), pa.string())
        yield table.set_column(table.column_names.index("cluster"), "cluster", column)


def _documents(tables: Iterable[Any], seen: Callable[[int], None]) -> Iterator[tuple[str, str]]:
    current, place, sentences, rows = "", -1, list[str](), 0
    for table in tables:
        columns = (table[name].to_pylist() for name in ("doc_id", "index", "text"))
        for doc_id, index, text in zip(*columns, strict=True):
            if doc_id != current:
                if sentences:
                    yield current, "\n".join(sentences)
                current, place, sentences = doc_id, -1, []
            if index != place:
                place = index
                sentences.append(text)
        rows += table.num_rows
        seen(rows)
    if sentences:
        yield current, "\n".join(sentences)
