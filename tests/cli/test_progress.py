"""Progress as a user sees it: in a log, and on a terminal."""

import re

import pytest

from stance.cli import progress as shown
from stance.cli.progress import bar

STATES = [
    *({"done": done, "total": 4} for done in range(1, 5)),
    *({"stage": 2, "done": done, "total": 10} for done in (0, 5, 10)),
]


@pytest.fixture
def _at_once(monkeypatch):
    monkeypatch.setattr(shown, "EVERY", 0.0)
    monkeypatch.delenv("RANK", raising=False)


@pytest.mark.usefixtures("_at_once")
def test_a_second_stage_counts_anew_under_its_own_name(capsys):
    with bar("tfidf (stance)", "probes") as progress:
        for state in STATES:
            progress(state)
    lines = capsys.readouterr().err.splitlines()
    shares = [re.match(r"(.+?): +(\d+)% after", line).groups() for line in lines if "%" in line]
    assert shares == [
        *(("tfidf (stance)", share) for share in ("25", "50", "75", "100")),
        *(("tfidf (stance), probes", share) for share in ("0", "50", "100")),
    ]
    assert lines[-1].startswith("tfidf (stance): done in ")
    assert "stage" not in "".join(lines)


@pytest.mark.usefixtures("_at_once")
def test_a_terminal_keeps_the_first_bar_full_and_begins_another(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with bar("tfidf", "probes") as progress:
        for state in STATES[:-1]:
            progress(state)
        tasks = progress.__self__.progress.tasks
    assert [(task.description, task.percentage) for task in tasks] == [("tfidf", 100), ("tfidf, probes", 50)]
