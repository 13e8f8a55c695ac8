"""Datetimes and timespans of KQL as counts of 100 ns ticks: text in, text out, exact to the seventh digit.

A datetime is the number of ticks since 0001-01-01T00:00:00Z, a timespan a signed number of ticks (R-033). Python's own
datetime stops at microseconds, therefore nothing here goes through it except the calendar.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

TICKS_PER_MICROSECOND = 10
TICKS_PER_MILLISECOND = 10_000
TICKS_PER_SECOND = 10_000_000
TICKS_PER_MINUTE = 60 * TICKS_PER_SECOND
TICKS_PER_HOUR = 60 * TICKS_PER_MINUTE
TICKS_PER_DAY = 24 * TICKS_PER_HOUR
UNIX_EPOCH_TICKS = (date(1970, 1, 1).toordinal() - 1) * TICKS_PER_DAY
MIN_DATETIME_TICKS = 0
MAX_DATETIME_TICKS = date(9999, 12, 31).toordinal() * TICKS_PER_DAY - 1
MIN_TIMESPAN_TICKS = -(2**63)
MAX_TIMESPAN_TICKS = 2**63 - 1

_LONGEST_TEXT = 100
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_MONTH_NUMBERS = {name[:length]: number for number, name in enumerate(_MONTHS, 1) for length in (3, len(name))}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY_NUMBERS = {name[:length]: number for number, name in enumerate(_WEEKDAYS) for length in (3, len(name))}

_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d+))?)?"
    r"(?:\s*(?P<half>am|pm))?(?:\s*(?P<zone>z|gmt|[+-]\d{1,2}(?::?\d{2})?))?"
)
_TAIL = rf"(?:(?:t|\s*,\s*|\s+){_CLOCK})?"
_MONTH = "|".join(sorted(_MONTH_NUMBERS, key=len, reverse=True))
_WEEKDAY = "|".join(sorted(_WEEKDAY_NUMBERS, key=len, reverse=True))
_NAMED_DAY = rf"(?:(?P<weekday>{_WEEKDAY})(?:\s*,\s*|\s+))?"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text + _TAIL, re.ASCII | re.IGNORECASE)


_YEAR_FIRST = _pattern(r"(?P<year>\d{4})(?P<sep>\s*-\s*|/|\.)(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})")
_YEAR_LAST = _pattern(r"(?P<first>\d{1,2})(?P<sep>[-/.])(?P<other>\d{1,2})(?P=sep)(?P<year>\d{4})")
_DAY_NAME_YEAR = _pattern(rf"{_NAMED_DAY}(?P<day>\d{{1,2}})(?:\s+|-)(?P<name>{_MONTH})(?:\s+|-)(?P<year>\d{{4}}|\d{{2}})")
_NAME_DAY_YEAR = _pattern(rf"{_NAMED_DAY}(?P<name>{_MONTH})\s+(?P<day>\d{{1,2}})(?:\s*,\s*|\s+)(?P<year>\d{{4}})")
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})", re.ASCII)
_COMMA = re.compile(r"(?P<year>\d{4})\s*,\s*(?P<month>\d{1,2})(?:\s*,\s*(?P<day>\d{1,2}))?", re.ASCII)
_PATTERNS = (_YEAR_FIRST, _YEAR_LAST, _DAY_NAME_YEAR, _NAME_DAY_YEAR, _COMPACT)

_TIMESPAN = re.compile(
    r"(?P<sign>-)?(?:(?P<days>\d{1,8})\.)?(?P<hour>\d{1,2}):(?P<minute>\d{1,2})"
    r"(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d+))?)?",
    re.ASCII,
)
_SUFFIXED = re.compile(r"(?P<sign>[+-])?(?P<number>\d{1,19}(?:\.\d{0,40})?)(?P<unit>[a-z]+)?", re.ASCII)
_UNIT_NAMES: dict[int, str] = {
    TICKS_PER_DAY: "d day days",
    TICKS_PER_HOUR: "h hr hrs hour hours",
    TICKS_PER_MINUTE: "m min minute minutes",
    TICKS_PER_SECOND: "s sec second seconds",
    TICKS_PER_MILLISECOND: "ms milli millis millisecond milliseconds",
    TICKS_PER_MICROSECOND: "micro micros microsec microsecond microseconds",
    1: "tick ticks",
}
_NANOSECONDS = {name: Decimal("0.01") for name in ("nano", "nanos", "nanosec", "nanosecond", "nanoseconds")}
TIMESPAN_UNITS: dict[str, Decimal] = {name: Decimal(ticks) for ticks, names in _UNIT_NAMES.items() for name in names.split()} | _NANOSECONDS
"""Suffix of a timespan literal -> ticks of one unit (R-017); a nanosecond is a hundredth of a tick."""


def parse_datetime(text: str, day_first: bool = False) -> int | None:
    """Ticks of a datetime text in any format that `todatetime` takes, None when it is none of them (R-064 to R-067).

    An offset is applied, a text without one is UTC. Digits after the seventh are dropped. `12/02/2022` is month first
    unless `day_first` is set (recorded logs of other locales); there is no fallback from one reading to the other.
    """
    text = text.strip()
    if len(text) > _LONGEST_TEXT:
        return None
    for pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match is not None:
            return _ticks_of_match(match.groupdict(), day_first)
    return None


def parse_datetime_literal(text: str) -> int | None:
    """Ticks of what stands inside `datetime(...)` (R-018): a year or eight digits alone, `year, month[, day]`, any text of R-067."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return parse_datetime(text[1:-1])
    if len(text) == 4 and text.isascii() and text.isdigit():
        return _ticks_of_match({"year": text, "month": "1", "day": "1"}, False)
    if len(text) == 8 and text.isascii() and text.isdigit():
        return _ticks_of_match({"year": text[:4], "month": text[4:6], "day": text[6:]}, False)
    comma = _COMMA.fullmatch(text)
    if comma is not None:
        parts = comma.groupdict()
        return _ticks_of_match({**parts, "day": parts["day"] or "1"}, False)
    return parse_datetime(text)


def _ticks_of_match(parts: dict[str, str | None], day_first: bool) -> int | None:
    day = _calendar_day(parts, day_first)
    clock = _clock_ticks(parts)
    if day is None or clock is None:
        return None
    ticks = (day.toordinal() - 1) * TICKS_PER_DAY + clock
    return ticks if MIN_DATETIME_TICKS <= ticks <= MAX_DATETIME_TICKS else None


def _calendar_day(parts: dict[str, str | None], day_first: bool) -> date | None:
    year = _full_year(parts["year"] or "")
    name = parts.get("name")
    if name:
        month, day = _MONTH_NUMBERS[name.lower()], int(parts["day"] or 0)
    elif parts.get("first"):
        month, day = int(parts["first"] or 0), int(parts["other"] or 0)
        if day_first:
            month, day = day, month
    else:
        month, day = int(parts["month"] or 0), int(parts["day"] or 0)
    if year is None:
        return None
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    weekday = parts.get("weekday")
    if weekday and found.weekday() != _WEEKDAY_NUMBERS[weekday.lower()]:
        return None
    return found


def _full_year(text: str) -> int | None:
    """Two digits: 00-29 is this century, 50-99 the last one; in between the runtimes of the service disagree."""
    year = int(text)
    if len(text) == 4:
        return year
    if year < 30:
        return 2000 + year
    return 1900 + year if year >= 50 else None


def _clock_ticks(parts: dict[str, str | None]) -> int | None:
    """Ticks since midnight UTC: the offset is taken off, so the result may be negative or more than a day."""
    if not parts.get("hour"):
        return 0
    hour, minute, second = int(parts["hour"] or 0), int(parts["minute"] or 0), int(parts["second"] or 0)
    half = parts["half"]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    offset = _offset_ticks(parts["zone"])
    if hour > 23 or minute > 59 or second > 59 or offset is None:
        return None
    return hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + second * TICKS_PER_SECOND + _fraction_ticks(parts["fraction"]) - offset


@lru_cache(maxsize=256)
def _offset_ticks(zone: str | None) -> int | None:
    if not zone or zone.lower() in ("z", "gmt"):
        return 0
    digits = zone[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    if hours * 60 + minutes > 14 * 60 or minutes > 59:
        return None
    ticks = hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE
    return -ticks if zone[0] == "-" else ticks


def _fraction_ticks(digits: str | None) -> int:
    return int(digits[:7].ljust(7, "0")) if digits else 0


def parse_timespan(text: str) -> int | None:
    """Ticks of `[-][d.]hh:mm[:ss[.fffffff]]` as `totimespan` reads text, None for anything else (R-068).

    A bare number is not a timespan here; digits after the seventh are dropped.
    """
    match = _TIMESPAN.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    ticks = int(match["days"] or 0) * TICKS_PER_DAY + hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE
    ticks += second * TICKS_PER_SECOND + _fraction_ticks(match["fraction"])
    return _in_timespan_range(-ticks if match["sign"] else ticks)


def parse_timespan_literal(text: str) -> int | None:
    """Ticks of a timespan literal, or of what stands inside `timespan(...)` (R-017).

    A clock text, a number with a suffix (`1.5h`), or a bare number, which counts days. Less than a tick is dropped.
    """
    clock = parse_timespan(text)
    if clock is not None:
        return clock
    match = _SUFFIXED.fullmatch(text.strip())
    if match is None:
        return None
    unit = TIMESPAN_UNITS.get(match["unit"] or "d")
    if unit is None:
        return None
    ticks = int(Decimal(match["number"]) * unit)
    return _in_timespan_range(-ticks if match["sign"] == "-" else ticks)


def _in_timespan_range(ticks: int) -> int | None:
    return ticks if MIN_TIMESPAN_TICKS <= ticks <= MAX_TIMESPAN_TICKS else None


@lru_cache(maxsize=4096)
def _day_text(day: int) -> str:
    return date.fromordinal(day + 1).isoformat()


def format_datetime_iso(ticks: int) -> str:
    """`yyyy-MM-ddTHH:mm:ss.fffffffZ` (R-069). ValueError outside the years 0001 to 9999."""
    if not MIN_DATETIME_TICKS <= ticks <= MAX_DATETIME_TICKS:
        raise ValueError(f"{ticks} ticks is outside the range of datetime, 0001-01-01 to 9999-12-31")
    day, rest = divmod(ticks, TICKS_PER_DAY)
    seconds, fraction = divmod(rest, TICKS_PER_SECOND)
    return f"{_day_text(day)}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:07d}Z"


def format_timespan(ticks: int) -> str:
    """`[-][d.]hh:mm:ss[.fffffff]`: days and fraction only where they are not zero (R-070)."""
    day, rest = divmod(abs(ticks), TICKS_PER_DAY)
    seconds, fraction = divmod(rest, TICKS_PER_SECOND)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return ("-" if ticks < 0 else "") + (f"{day}." if day else "") + text + (f".{fraction:07d}" if fraction else "")


def ticks_from_datetime(value: datetime) -> int:
    """Ticks of a Python datetime; a naive one is UTC. ValueError when its UTC time leaves the years 0001 to 9999."""
    offset = value.utcoffset() or timedelta(0)
    ticks = (value.toordinal() - 1) * TICKS_PER_DAY
    ticks += (value.hour * 3600 + value.minute * 60 + value.second) * TICKS_PER_SECOND + value.microsecond * TICKS_PER_MICROSECOND
    ticks -= ticks_from_timedelta(offset)
    if not MIN_DATETIME_TICKS <= ticks <= MAX_DATETIME_TICKS:
        raise ValueError(f"{value.isoformat()} is outside the range of datetime, 0001-01-01 to 9999-12-31 UTC")
    return ticks


def ticks_from_timedelta(value: timedelta) -> int:
    return value.days * TICKS_PER_DAY + value.seconds * TICKS_PER_SECOND + value.microseconds * TICKS_PER_MICROSECOND


def datetime_from_ticks(ticks: int) -> datetime:
    """An aware UTC datetime; the seventh digit is dropped, because Python's datetime has six."""
    return datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // TICKS_PER_MICROSECOND)


def timedelta_from_ticks(ticks: int) -> timedelta:
    """The timespan toward zero in whole microseconds. OverflowError cannot occur: 64-bit ticks fit into a timedelta."""
    micros = abs(ticks) // TICKS_PER_MICROSECOND
    return timedelta(microseconds=-micros if ticks < 0 else micros)
