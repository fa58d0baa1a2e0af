"""The dataset layer: labelled examples from the shipped corpus or a user's files, written, read and divided.

What enters is passages or rows; what leaves is `Example` records by part, or a `datasets.DatasetDict` (`load`).
Importing it is cheap: `datasets`, scikit-learn and pandas are loaded by the functions that use them.
"""

from stance.dataset.divisions import Division, divide
from stance.dataset.files import iterate_examples, read_examples, replacing, write_examples, write_table
from stance.dataset.hub import from_dataset, load, to_dataset
from stance.dataset.importers import import_set
from stance.dataset.overlap import check_disjoint, check_overlap
from stance.dataset.parts import from_file, load_examples, read_labelled
from stance.dataset.shipped import codings, examples, fixed_split
from stance.dataset.splits import Split, digest, folds, split

__all__ = [
    "Division",
    "Split",
    "check_disjoint",
    "check_overlap",
    "codings",
    "digest",
    "divide",
    "examples",
    "fixed_split",
    "folds",
    "from_dataset",
    "from_file",
    "import_set",
    "iterate_examples",
    "load",
    "load_examples",
    "read_examples",
    "read_labelled",
    "replacing",
    "split",
    "to_dataset",
    "write_examples",
    "write_table",
]
