"""Pages written: runs are read from the store; files, or artifacts of the runs, leave."""

from __future__ import annotations

from pathlib import Path

from stance.dataset.files import replacing
from stance.report.comparison_page import render_comparison
from stance.report.run_page import render_run
from stance.tracking.contents import COMPARISON, log_page, read_contents
from stance.tracking.registry import Promotion
from stance.tracking.store import open_store, wrap_errors


def write_run(run: str, path: str | Path) -> None:
    """Write the page of a run (id, beginning of an id, or name) to a file, replacing it whole.

    Raises StoreError for an unknown run, DataError for a folder that cannot be written.
    """
    with open_store() as store:
        html = render_run(read_contents(store, run))
    _write(html, path)


def write_comparison(first: str, second: str, path: str | Path) -> None:
    """Write the page that holds two runs side by side, differences being second minus first; raises as `write_run`."""
    with open_store() as store:
        html = render_comparison(read_contents(store, first), read_contents(store, second))
    _write(html, path)


def log_run(run_id: str) -> None:
    """Keep the page of a finished run in the run itself, as `report/index.html`; one that is there is replaced."""
    with open_store() as store:
        log_page(store, run_id, render_run(read_contents(store, run_id)))


def log_promotion(done: Promotion) -> None:
    """Renew the kept pages of the runs that a promotion changed: the candidate's, and the former champion's.

    The candidate's run also keeps the two side by side, as `report/comparison.html`.
    """
    with open_store() as store, wrap_errors(store.uri, writing=True):
        contents = {done.run_id: read_contents(store, done.run_id)}
        if done.previous is not None:
            former = store.client.get_model_version(done.model, str(done.previous)).run_id
            if former not in contents:
                contents[former] = read_contents(store, former)
                log_page(store, done.run_id, render_comparison(contents[former], contents[done.run_id]), COMPARISON)
        for run_id, content in contents.items():
            log_page(store, run_id, render_run(content))


def _write(html: str, path: str | Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text(html, "utf-8")
