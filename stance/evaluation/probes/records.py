"""What probes are made of and what they find, from one case to a table of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from stance.records import Example, content_id

if TYPE_CHECKING:
    import pandas as pd

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One example and its changed twin. `expected` are the labels of both, None: the answer must stay as it is.

    `unit` is what is drawn as a whole for the interval: the document cluster, or the template.
    """

    unit: str
    before: Example
    after: Example
    expected: tuple[Labels, Labels] | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """A named question: what is changed, what must come of it, and where that is written down."""

    name: str
    change: str
    expectation: str
    source: str
    cases: tuple[Case, ...]

    @property
    def digest(self) -> str:
        """Content hash of all that is asked: failure rates with the same digest can be compared."""
        return content_id(
            *(f"{c.before.text}\x1e{c.after.text}\x1e{c.after.actor}\x1e{c.expected}" for c in self.cases)
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that came out wrong: both texts, whose stance was asked, the answers, and the labels that were due."""

    probe: str
    before: str
    after: str
    actor_before: str | None
    actor_after: str | None
    answer_before: Labels
    answer_after: Labels
    due_before: Labels
    due_after: Labels


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A probe's failure rate in [0, 1] with its 95% interval (nan where undefined).

    `n` cases of `n_units` documents or templates; `unmoved` counts cases whose answer stayed though it had to change.
    """

    name: str
    change: str
    expectation: str
    source: str
    digest: str
    n: int
    n_units: int
    failure_rate: float
    low: float
    high: float
    unmoved: int
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Probes:
    """The results of all probes of one model, worst first."""

    results: tuple[ProbeResult, ...]

    def __getitem__(self, name: str) -> ProbeResult:
        return next(each for each in self.results if each.name == name)

    def flat(self) -> dict[str, float]:
        """Return metrics `probes.<name>.failure_rate`, `.low`, `.high` and `.n`; undefined ones are left out."""
        values = {
            f"probes.{each.name}.{key}": float(value)
            for each in self.results
            for key, value in (
                ("failure_rate", each.failure_rate),
                ("low", each.low),
                ("high", each.high),
                ("n", each.n),
            )
        }
        return {name: value for name, value in values.items() if isfinite(value)}

    def frame(self) -> pd.DataFrame:
        """Return one row per probe, without its failures."""
        import pandas as pd

        rows = [_without(asdict(each), "failures") for each in self.results]
        return pd.DataFrame(rows, columns=[name for name in ProbeResult.__dataclass_fields__ if name != "failures"])

    def failure_frame(self) -> pd.DataFrame:
        """Return one row per failure of any probe; label sets as text, "none" for the empty one."""
        import pandas as pd

        rows = [_readable(asdict(failure)) for each in self.results for failure in each.failures]
        return pd.DataFrame(rows, columns=list(Failure.__dataclass_fields__))

    def to_json(self) -> list[dict[str, Any]]:
        """Return the results as JSON-ready mappings, failures included; undefined numbers are None."""
        return [
            {key: None if isinstance(value, float) and not isfinite(value) else value for key, value in row.items()}
            for row in map(asdict, self.results)
        ]


def written(labels: Labels) -> str:
    """Return a label set as text.

    >>> written(("a", "b")), written(())
    ('a + b', 'none')
    """
    return " + ".join(labels) or "none"


def _without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: written(value) if isinstance(value, tuple) else value for key, value in row.items()}
