"""The public set PLV in its own format, for rows that are invented."""

import csv

HEADER = (
    "uid", "sentence_id", "sentence", "marked_sentence", "source", "target", "gold_penta", "gold_root", "gold_binary",
)  # fmt: skip


def write_parts(folder, rows):
    """Write the same rows as both parts, unpacked."""
    for part in ("train", "test"):
        with (folder / f"plv_{part}.tsv").open("w", newline="") as file:
            csv.writer(file, delimiter="\t").writerows([HEADER, *rows])
