"""Filling templates: a template's name and values enter; a whole HTML page leaves, style and script inside it.

Jinja2 escapes every value, so markup in a text, a label or a run's name shows as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

DASH = "–"


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a template of this package as a page; nothing in it is fetched from elsewhere."""
    return _environment().get_template(template).render(**values)


def show_number(value: float | None, digits: int = 3) -> str:
    """Return a number with three decimals, or a dash where there is none.

    >>> show_number(0.12345), show_number(None), show_number(float("nan"))
    ('0.123', '–', '–')
    """
    return DASH if value is None or not isfinite(value) else f"{value:.{digits}f}"


def show_signed(value: float | None, digits: int = 3) -> str:
    """Return a difference with its sign, a true minus for what is below 0.

    >>> show_signed(0.5), show_signed(-0.25), show_signed(-0.0001)
    ('+0.500', '−0.250', '0.000')
    """
    if value is None or not isfinite(value):
        return DASH
    return f"{value:+.{digits}f}".replace("-", "−") if round(value, digits) else f"{0:.{digits}f}"


def show_share(value: float | None) -> str:
    """Return a share in percent.

    >>> show_share(0.256), show_share(None)
    ('26%', '–')
    """
    return DASH if value is None or not isfinite(value) else f"{value:.0%}"


def show_count(value: float | None) -> str:
    """Return a whole number with a separator of thousands.

    >>> show_count(12345.0), show_count(None)
    ('12,345', '–')
    """
    return DASH if value is None or not isfinite(value) else f"{value:,.0f}"


def split_mention(text: str, mention: str | None) -> tuple[str, str, str]:
    """Return what stands before the first place of a mention, the mention, and the rest, to mark it in a text.

    A place where it is a word of its own goes before one inside another word.

    >>> split_mention("The USSR and the US spoke.", "US"), split_mention("It spoke.", None)
    (('The USSR and the ', 'US', ' spoke.'), ('It spoke.', '', ''))
    """
    if not mention:
        return text, "", ""
    found = re.search(rf"(?<!\w){re.escape(mention)}(?!\w)", text) or re.search(re.escape(mention), text)
    return (text, "", "") if found is None else (text[: found.start()], found[0], text[found.end() :])


def widest(rows: Sequence[Mapping[str, Any]], name: str = "difference") -> float:
    """Return the largest distance from 0 of any bound of the intervals under `name`: the scale of their bars."""
    bounds = [abs(row[name][key]) for row in rows if row.get(name) for key in ("low", "high", "estimate")]
    return max((bound for bound in bounds if isfinite(bound)), default=0.0) or 1.0


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("stance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"number": show_number, "signed": show_signed, "share": show_share, "count": show_count}
    found.globals |= {"split_mention": split_mention, "widest": widest}
    return found
