"""Sample articles that ship with the kit. What leaves is their paths; README.md there says what each one shows.

They are invented: no source of facts, and never training data.
"""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".txt", ".html", ".jsonl", ".csv")


def paths() -> list[Path]:
    """Return the sample files, sorted by name."""
    return sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in SUFFIXES)
