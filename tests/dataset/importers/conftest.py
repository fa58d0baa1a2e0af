"""A tiny copy of every public set in its own format; all rows are invented."""

import csv
import gzip
import json

import pytest

from tests import plv

FRAMES = [
    "f1_gun_rights", "f2_gun_control", "f3_politics", "f4_mental_health", "f5_school_public_safety",
    "f6_race_ethnicity", "f7_public_opinion", "f8_society_culture", "f9_economic",
]  # fmt: skip


def write_tsv(path, header, rows, *, packed=True):
    with gzip.open(f"{path}.gz", "wt", encoding="utf-8", newline="") if packed else path.open("w", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows([header, *rows])


def write_plv(folder, rows=None, **options):
    rows = rows or [
        [0, 7, "Marovia freed Ostrian sailors.", "<s>Marovia</s> freed <t>Ostrian sailors</t>.", "Marovia",
         "Ostrian sailors", 2, "YIELD", 0],
        [1, 8, "Nobody said\nwhy.", "Nobody said\nwhy.", "An actor", "a recipient", 3, "ACCUSE", 1],
    ]  # fmt: skip
    for part in ("train", "test"):
        write_tsv(folder / f"plv_{part}.tsv", plv.HEADER, rows, **options)


def write_newsmtsc(folder):
    row = {"primary_gid": "allsides_1_22_3_Ada Rook_0_8", "sentence_normalized": "Ada Rook betrayed Bo Finch."}
    row["targets"] = [
        {"Input.gid": "x", "from": 0, "to": 8, "mention": "Ada Rook", "polarity": 2.0},
        {"Input.gid": "y", "from": 18, "to": 26, "mention": "Bo Finch", "polarity": 4.0},
    ]
    for part in ("train", "rw_dev", "mt_dev", "rw_test", "mt_test"):
        (folder / f"{part}.jsonl").write_text(json.dumps(row) + "\n")


def write_seesaw(folder):
    rows = [
        ["D1", 0, "Rook praised the harbour tax.", "Ada Rook", "harbour tax", "POS", "A"],
        ["D1", 1, "“It is a shame.”", "Not in the list", "Harbour Party", "NEG", "A"],
        ["D2", 0, "Quiet\nevening.", "None", "Harbour Party", "NEG", "B"],
    ]
    header = ["document", "sentence_id", "sentence", "source", "target", "stance", "annotators"]
    for part in ("train", "valid", "test"):
        write_tsv(folder / f"seesaw_{part}.tsv", header, rows)


def write_dse(folder):
    rows = [["[Rook] scolded the [Harbour Party].", "Rook", "Harbour Party", 3]]
    for part in ("train", "valid"):
        write_tsv(folder / f"dse_{part}.tsv", ["sentence", "ent1", "ent2", "label"], rows)
    header = ["sentence", "ent1", "ent2", "label", "seen_in_train", "seen_in_valid"]
    rows = [[*rows[0], 1, 0], ["[Finch] met [Rook].", "Finch", "Rook", 0, 0, 0]]
    write_tsv(folder / "dse_test.tsv", header, rows)


def write_gvfc(folder):
    rows = [[fold, fold, f"Headline {fold} on a vote", 0, 1, fold % 2, 0, 0, 0, 0, 0, 0, 2] for fold in (0, 1, 2, 3, 4)]
    write_tsv(folder / "gvfc_headlines_5fold.tsv", ["fold", "id", "headline", *FRAMES, "first_frame"], rows)


@pytest.fixture
def tiny(tmp_path):
    """A folder of one tiny set: `tiny("plv")`."""

    def make(name, **options):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        globals()[f"write_{name}"](folder, **options)
        return folder

    return make
