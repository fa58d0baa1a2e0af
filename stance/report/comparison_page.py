"""The page of two runs: what both hold enters; HTML leaves."""

from __future__ import annotations

from typing import Any

from stance.report.comparison import compare
from stance.report.drawings import overlay_coverage, overlay_labels
from stance.report.rendering import render
from stance.report.restoring import restore
from stance.report.run_page import MOST_ERRORS, TITLES, describe
from stance.tracking.contents import RunContents

_DIGESTS = {"split_digest": "split", "data_digest": "data", "codebook_hash": "codebook"}


def render_comparison(first: RunContents, second: RunContents) -> str:
    """Return the page of two runs. Where they were not tested on the same examples it says so, and pairs nothing."""
    names = _names(first, second)
    found = compare(first, second)
    paired = None if isinstance(found, str) else found
    pair = {}
    if paired is not None:
        for name, each in zip(names, (first, second), strict=True):
            if each.predictions is not None:
                pair[name] = restore(each.evaluation, each.predictions)
    values = {
        "title": f"{names[0]} and {names[1]}",
        "names": names,
        "facts": tuple(describe(each.run) for each in (first, second)),
        "runs": (first, second),
        "reason": found if isinstance(found, str) else "",
        "paired": paired,
        "titles": TITLES,
        "rankings": overlay_labels(pair) if pair else (),
        "coverage": overlay_coverage(pair) if pair and all(each.coverage for each in pair.values()) else None,
        "probes": _probes(first, second),
        "examples": paired.examples[:MOST_ERRORS] if paired else (),
        "settings": _differing_settings(first, second),
    }
    return render("comparison.html", values)


def _names(first: RunContents, second: RunContents) -> tuple[str, str]:
    """Names that tell the two apart, also where one recipe was run twice."""
    one, two = first.run, second.run
    if one.name != two.name:
        return one.name, two.name
    return f"{one.name} ({one.id[:8]})", f"{two.name} ({two.id[:8]})"


def _differing_settings(first: RunContents, second: RunContents) -> list[tuple[str, str, str]]:
    rows = []
    for what in ("params", "tags"):
        one, two = getattr(first.run, what), getattr(second.run, what)
        for name in sorted(one.keys() | two.keys()):
            if one.get(name) != two.get(name) and name != "model_uri":
                rows.append((_DIGESTS.get(name, name), one.get(name, ""), two.get(name, "")))
    return rows


def _probes(first: RunContents, second: RunContents) -> list[dict[str, Any]]:
    """Probes that both were asked, the largest rise first; `new` and `gone` are failures of one run only.

    Where the digests differ the cases do, and nothing is compared.
    """
    before = {row["name"]: row for row in first.probes}
    found = []
    for row in second.probes:
        if (other := before.get(row["name"])) is None:
            continue
        same = row["digest"] == other["digest"]
        old, new = ({_case(f): f for f in each.failures if f["probe"] == row["name"]} for each in (first, second))
        found.append(
            {
                "name": row["name"],
                "change": row["change"],
                "expectation": row["expectation"],
                "first": other,
                "second": row,
                "same": same,
                "difference": (row["failure_rate"] or 0.0) - (other["failure_rate"] or 0.0),
                "new": [failure for case, failure in new.items() if case not in old] if same else [],
                "gone": [failure for case, failure in old.items() if case not in new] if same else [],
            }
        )
    return sorted(found, key=lambda row: (-row["difference"], row["name"]))


def _case(failure: dict[str, Any]) -> tuple[Any, ...]:
    return failure["before"], failure["after"], failure["actor_before"], failure["actor_after"]
