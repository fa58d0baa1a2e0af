"""What went wrong on Spark, in a line. An exception of Java or of an executor enters; an EngineError leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stance.errors import EngineError

PAGE = "docs/spark.md"
_FOREIGN = ("pyspark", "py4j")
_LONGEST = 500  # characters
_PYTHON = re.compile(r"^(?P<kind>(?:\w+\.)*\w*(?:Error|Exception|Refusal|Interrupt)): (?P<words>.+)$", re.MULTILINE)
_MISSING = re.compile(r"No module named '(?P<name>[\w.]+)'")
_JAVA = re.compile(r"^(?:Exception in thread \S+ |Caused by: )?(?:[\w$]+\.)+[\w$]*(?:Exception|Error): (?P<words>.+)$")


@contextmanager
def wrap_failures(log: Path) -> Iterator[None]:
    """Turn what pyspark and Java raise inside the block into one EngineError; other errors pass.

    `log` is the file that Java writes to, named in the message, and read where Java ended without a word.
    """
    try:
        yield
    except Exception as error:
        if type(error).__module__.split(".")[0] not in _FOREIGN:
            raise
        text = str(error)
        if "JAVA_GATEWAY_EXITED" in text:
            text = log.read_text("utf-8", "replace")
        raise EngineError(f"Spark: {explain(text)}; its own log: {log}") from error


def explain(text: str) -> str:
    r"""Return what a trace of Java says in one line: the last words of Python in it, else the first of Java.

    >>> explain("o1.x\n: java.io.IOException: No space left on device\n\tat java.base/java.io.FileOutputStream")
    'No space left on device'
    >>> explain("Job aborted.\nTraceback (most recent call last):\n  File \"a.py\"\nstance.errors.BundleError: gone\n")
    'on an executor: gone'
    """
    missing = _MISSING.search(text)
    if missing:
        return (
            f"the executors' Python has no '{missing['name'].split('.')[0]}'; give them an environment with"
            f" stance-kit in it, and set PYSPARK_PYTHON to its interpreter ({PAGE})"
        )
    if "Traceback (most recent call last)" in text:
        found = list(_PYTHON.finditer(text.rpartition("Traceback (most recent call last)")[2]))
        if found:
            kind = found[-1]["kind"].rpartition(".")
            name = "" if kind[0] == "stance.errors" else f"{kind[2]}: "
            return _shorten(f"on an executor: {name}{found[-1]['words']}")
    lines = [line.strip().removeprefix(": ") for line in text.splitlines() if line.strip()]
    for line in lines:
        match = _JAVA.match(line)
        if match:
            return _shorten(match["words"])
    return _shorten(next((line for line in lines if not line.startswith("at ")), "it gave no reason"))


def _shorten(words: str) -> str:
    words = re.sub(r"^\[[A-Z_.0-9]+\] ", "", " ".join(words.split()))
    words = re.sub(r"\s*SQLSTATE: \w+$", "", words)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
