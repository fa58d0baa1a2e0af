"""The corpus as a Hugging Face `DatasetDict`, and examples to and from `datasets.Dataset`.

`labels` is a list of `ClassLabel` in codebook order: integers, whose names are
`dataset.features["labels"].feature.names`, as multi-label data on the Hub has them. None means not labelled yet.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

from stance.codebook import Codebook
from stance.codebook import load as load_codebook
from stance.dataset import shipped
from stance.dataset.cache import cache_root, ensure_folder
from stance.dataset.parts import load_examples
from stance.dataset.rows import check_unicode, parse_row
from stance.errors import DataError
from stance.records import Example

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict, Features

LAYOUT = 1  # raise it when the columns change, so that no older cache is taken for a new one
log = logging.getLogger(__name__)


def load(task: str = "stance", codebook: Codebook | None = None) -> DatasetDict:
    """Return the shipped corpus as train, validation and test, from a cache after the first call.

    `dataset.info.description` is JSON with `task`, `codebook`, `codebook_hash`, `corpus_hash`, `split_digest` and
    `version`. The cache is `STANCE_CACHE` or the user's cache folder; where it cannot be written the data are built
    in memory each time, with a logged warning. Raises CodebookError for an unknown task.
    """
    from datasets import load_from_disk

    book = codebook or load_codebook()
    about = _about(task, book)
    folder = cache_root() / "datasets" / f"{task}-{_key(about)}"
    try:
        with _quiet():
            ensure_folder(folder, lambda empty: _build(task, book, about).save_to_disk(empty))
        return load_from_disk(str(folder))
    except OSError as error:
        log.warning("%s cannot be used as a cache (%s); set STANCE_CACHE to a writable folder", folder, error)
        return _build(task, book, about)


def to_dataset(examples: Iterable[Example], labels: Sequence[str], description: str = "") -> Dataset:
    """Return examples as a `datasets.Dataset`, rows in their order; `labels` is the task's codebook order.

    Raises DataError, naming the example, for a label outside `labels` or a text that UTF-8 cannot hold.
    """
    from datasets import Dataset, DatasetInfo

    features = _features(labels)
    columns: dict[str, list[Any]] = {name: [] for name in features}
    number = {label: index for index, label in enumerate(labels)}
    for example in examples:
        check_unicode(example, f"example {example.id}")
        unknown = [label for label in example.labels or () if label not in number]
        if unknown:
            raise DataError(f"example {example.id}: label '{unknown[0]}' is not one of {', '.join(labels)}")
        row = example.to_row()
        row["labels"] = None if example.labels is None else [number[label] for label in example.labels]
        for name, column in columns.items():
            column.append(row[name])
    info = DatasetInfo(
        description=description, license="apache-2.0", features=features, version=installed_version("stance-kit")
    )
    return Dataset.from_dict(columns, features=features, info=info)


def from_dataset(dataset: Dataset) -> list[Example]:
    """Return the rows of a `datasets.Dataset` as examples; `labels` may be `ClassLabel` numbers or names.

    Only the column `text` is required. Raises DataError naming the row (1-based) that is not an example.
    """
    names = getattr(getattr(dataset.features.get("labels"), "feature", None), "names", None)
    examples = []
    for number, row in enumerate(dataset.with_format(None), start=1):
        if names is not None and row["labels"] is not None:
            row["labels"] = [names[index] for index in row["labels"]]
        examples.append(parse_row(row, f"dataset row {number}"))
    return examples


def _features(labels: Sequence[str]) -> Features:
    from datasets import ClassLabel, Features, List, Value

    string, number = Value("string"), Value("int32")
    kinds = {
        "start": number,
        "end": number,
        "index": number,
        "targets": List(List(number)),
        "labels": List(ClassLabel(names=list(labels))),
    }
    return Features({name: kinds.get(name, string) for name in Example("").to_row()})


def _about(task: str, codebook: Codebook) -> dict[str, str]:
    return {
        "task": task,
        "codebook": codebook.name,
        "codebook_hash": codebook.hash,
        "corpus_hash": shipped.fingerprint(),
        "split_digest": shipped.fixed_split().digest,
        "version": installed_version("stance-kit"),
    }


def _key(about: dict[str, str]) -> str:
    import datasets

    from stance.corpus import targets

    # The code that marks targets counts too: while it is worked on, the version stays and the spans move.
    content = json.dumps([LAYOUT, about, datasets.__version__, inspect.getsource(targets)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _build(task: str, codebook: Codebook, about: dict[str, str]) -> DatasetDict:
    from datasets import DatasetDict

    labels, description = codebook.task(task).labels, json.dumps(about)
    parts = load_examples(task, codebook=codebook)
    return DatasetDict({part: to_dataset(examples, labels, description) for part, examples in parts.items()})


@contextmanager
def _quiet() -> Iterator[None]:
    from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    if are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()
