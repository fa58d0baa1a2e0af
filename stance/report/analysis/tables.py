"""The numbers for those who go on. An analysis enters; one tidy table on disk leaves, a row per number."""

from __future__ import annotations

from pathlib import Path

from stance.dataset.files import replacing
from stance.report.analysis.figures import KEYS, Analysis


def write_numbers(analysis: Analysis, path: str | Path, kind: str) -> None:
    """Write `Analysis.table` as "parquet" or "csv", whatever the file's ending, replacing it whole."""
    table = analysis.table.astype({"n": "int64", "documents": "int64", "count": "int64"})
    table = table.astype(dict.fromkeys(("share", "corrected", "low", "high"), float))
    with replacing(path) as temporary:
        if kind == "parquet":
            table.astype(dict.fromkeys((*KEYS, "label"), "string")).to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, index=False, encoding="utf-8", lineterminator="\n", errors="replace")
