"""Dates as outlets print them. A date line or a field's value enters; an ISO date, or nothing, leaves.

A wrong date is worse than none (office holders are resolved by it), so nothing is guessed: a date without a
year, or an ambiguous one such as 08/09/2021, is None.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = (
    r"(?P<m>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_FORMS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)",
        r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)(?=T\d|\Z)",
        r"(?<!\d)(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})(?!\d)",
        rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s-]+(?:of\s+)?{_MONTH},?[\s-]+(?P<y>\d{{4}})(?!\d)",
        rf"\b{_MONTH}[\s-]+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?[\s-]+(?P<y>\d{{4}})(?!\d)",
    )
)
_SLASHED: Final = re.compile(r"(?<!\d)(?P<a>\d{1,2})[/-](?P<b>\d{1,2})[/-](?P<y>\d{4})(?!\d)")
_DATE_WORDS: Final = re.compile(
    rf"\b(?:{_MONTH.replace('?P<m>', '?:')}|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
    r"|updated|published|posted|modified|last|date|on|at|of|st|nd|rd|th|am|pm|a\.m|p\.m|gmt|utc|ist|est|edt|msk|bst|cet|pst|pdt|hours?|hrs|t|z)\b"
    r"|(?<=\d)(?:st|nd|rd|th|am|pm|t|z)\b|[\d\W_]",
    re.IGNORECASE,
)


def iso_date(value: object) -> str | None:
    """Return the first full date of a value as `YYYY-MM-DD`, or None where there is none that is certain.

    Takes text, a date or datetime, and Unix times (seconds or milliseconds, read as UTC).

    >>> iso_date("10:05 GMT 19.08.2021 (Updated: 11:09 GMT 19.08.2021)"), iso_date("Sept. 2, 2021")
    ('2021-08-19', '2021-09-02')
    >>> iso_date("31/12/2021"), iso_date("08/09/2021")
    ('2021-12-31', None)
    """
    if isinstance(value, date):
        return value.strftime("%Y-%m-%d") if value.year >= 1000 else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_unix(float(value))
    if not isinstance(value, str):
        return None
    text = value[:200]
    for form in _FORMS:
        if found := form.search(text):
            month = found["m"]
            number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
            return _valid(int(found["y"]), number, int(found["d"]))
    if found := _SLASHED.search(text):
        return _from_slashes(int(found["a"]), int(found["b"]), int(found["y"]))
    return _from_unix(float(text)) if re.fullmatch(r"\d{9,13}", text.strip()) else None


def is_date_line(line: str) -> bool:
    """Say whether a line holds a date and nothing else but times, weekdays and words such as "Updated".

    >>> is_date_line("10:05 GMT 19.08.2021 (Updated: 11:09 GMT 19.08.2021)"), is_date_line("02 September 2021")
    (True, True)
    >>> is_date_line("The talks began on 2 September 2021.")
    False
    """
    return len(line) <= 120 and not _DATE_WORDS.sub("", line) and iso_date(line) is not None


def _from_slashes(first: int, second: int, year: int) -> str | None:
    if first > 12 or first == second:
        return _valid(year, second, first)
    return _valid(year, first, second) if second > 12 else None


def _from_unix(seconds: float) -> str | None:
    if 1e11 <= seconds < 1e13:
        seconds /= 1000
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d") if 1e8 <= seconds < 4.2e9 else None


def _valid(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat() if 1800 <= year <= 2200 else None
    except ValueError:
        return None
