"""The dataset layer: labelled examples from the shipped corpus or a user's files, written, read and divided.

What enters is passages or rows; what leaves is `Example` records by part, or a `datasets.DatasetDict` (`load`).
Importing it is cheap: `datasets`, scikit-learn and pandas are loaded by the functions that use them.
"""

from stance.dataset.files import iterate_examples, read_examples, replacing, write_examples, write_table
from stance.dataset.hub import from_dataset, load, to_dataset
from stance.dataset.parts import from_file, load_examples
from stance.dataset.shipped import codings, examples, fixed_split
from stance.dataset.splits import Split, check_disjoint, digest, folds, split

__all__ = [
    "Split",
    "check_disjoint",
    "codings",
    "digest",
    "examples",
    "fixed_split",
    "folds",
    "from_dataset",
    "from_file",
    "iterate_examples",
    "load",
    "load_examples",
    "read_examples",
    "replacing",
    "split",
    "to_dataset",
    "write_examples",
    "write_table",
]
