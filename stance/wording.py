"""Words for numbers: a count and what is counted enter; what a reader sees leaves."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the singular for one alone.

    >>> counted(1, "run"), counted(0, "probe"), counted(12, "labelled sentence")
    ('1 run', '0 probes', '12 labelled sentences')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"
