"""Times as recorded logs spell them: everything that KQL reads, and what only loggers and portals write.

The day/month order of `3/4/2020` and a local time zone cannot be seen in one value; both are decided per file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal, InvalidOperation

from toolkit.kql import times

_DOTNET_TICKS = (630_822_816_000_000_000, 662_380_416_000_000_000)
_ZONE_SUFFIX = re.compile(r"^(?P<name>.*\S)\s+\[(?P<zone>[^\]]+)\]$", re.DOTALL)
_NUMERIC_ORDER = re.compile(r"\s*(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}(?!\d)", re.ASCII)
_EXPLICIT_OFFSET = re.compile(r"(?:z|gmt|utc|:\d{2}(?:\.\d+)?\s*[+-]\d{1,2}(?::?\d{2})?)$", re.IGNORECASE | re.ASCII)
_COLON_MILLISECONDS = re.compile(r"(:\d{2}:\d{2}):(\d{1,7})(?=\s*(?:am|pm)?$)", re.IGNORECASE | re.ASCII)
_COMMA_FRACTION = re.compile(r"(:\d{2}:\d{2}),(\d+)", re.ASCII)
_ACCESS_LOG = re.compile(r"^\[?(\d{1,2})/([A-Za-z]{3})/(\d{4}):(\d{2}:\d{2}:\d{2}[^\]]*)\]?$", re.ASCII)
_NUMBER = re.compile(r"\d{9,19}(?:\.\d+)?|\d(?:\.\d+)?[eE]\+?\d{1,2}", re.ASCII)
_LOOKS_LIKE_TIME = re.compile(
    r"\s*(?:\d{4}-\d{2}-\d{2}(?:[T ]|,\s*)\d{2}:\d{2}(?::\d{2})?|\d{1,2}[/.-]\d{1,2}[/.-]\d{4}(?:,\s*|\s+)\d{1,2}:\d{2})", re.ASCII
)

# The names that the Azure portal puts into headers are those of Windows; only the ones seen or likely in exports.
_WINDOWS_ZONES = {
    "utc": "UTC",
    "gmt": "UTC",
    "coordinated universal time": "UTC",
    "eastern time (us and canada)": "America/New_York",
    "central time (us and canada)": "America/Chicago",
    "mountain time (us and canada)": "America/Denver",
    "pacific time (us and canada)": "America/Los_Angeles",
    "dublin, edinburgh, lisbon, london": "Europe/London",
    "amsterdam, berlin, bern, rome, stockholm, vienna": "Europe/Berlin",
    "brussels, copenhagen, madrid, paris": "Europe/Paris",
    "jerusalem": "Asia/Jerusalem",
    "chennai, kolkata, mumbai, new delhi": "Asia/Kolkata",
    "kuala lumpur, singapore": "Asia/Singapore",
    "osaka, sapporo, tokyo": "Asia/Tokyo",
    "canberra, melbourne, sydney": "Australia/Sydney",
}


def split_zone(header: str) -> tuple[str, str | None]:
    """`TimeGenerated [UTC]` -> (`TimeGenerated`, `UTC`); a name without such a suffix is returned as it is."""
    match = _ZONE_SUFFIX.match(header)
    return (match["name"], match["zone"]) if match else (header, None)


def zone_of(label: str) -> tzinfo | None:
    """The time zone that a header or a sidecar names (Windows' or IANA's name), None when it is not known."""
    from zoneinfo import ZoneInfo

    label = label.strip()
    try:
        return ZoneInfo(_WINDOWS_ZONES.get(label.lower().replace("&", "and"), label))
    except (ValueError, OSError, KeyError):  # a bad key, a folder of zones such as "America", an unknown zone
        return None


@dataclass(frozen=True)
class TimeReading:
    """How the times of one file are read."""

    day_first: bool = False
    zone: tzinfo | None = None

    def ticks(self, text: str) -> int | None:
        """Ticks of a recorded time, None when no known format fits. An explicit offset wins over the file's zone."""
        found = _ticks(text, self.day_first)
        if found is None or self.zone is None or _EXPLICIT_OFFSET.search(text.strip()):
            return found
        offset = self.zone.utcoffset(times.datetime_from_ticks(found).replace(tzinfo=None))
        shifted = found - (times.ticks_from_timedelta(offset) if offset else 0)
        return shifted if 0 <= shifted <= times.MAX_DATETIME_TICKS else None


def _ticks(text: str, day_first: bool) -> int | None:
    text = text.strip()
    found = times.parse_datetime(text, day_first)
    if found is not None or len(text) > 100:
        return found
    if _NUMBER.fullmatch(text):
        return epoch_ticks(Decimal(text))
    access = _ACCESS_LOG.match(text)
    if access:
        return times.parse_datetime(f"{access[1]} {access[2]} {access[3]} {access[4]}")
    text = _COMMA_FRACTION.sub(r"\1.\2", _COLON_MILLISECONDS.sub(r"\1.\2", text))
    if text[-3:].lower() == "utc":
        text = text[:-3].rstrip() + "Z"
    return times.parse_datetime(text, day_first)


def epoch_ticks(value: int | float | Decimal) -> int | None:
    """Ticks of a Unix time in seconds, milliseconds, microseconds or nanoseconds, told apart by their size.

    Ticks of .NET from the years 2000 to 2100 are taken as such (as nanoseconds they would be in 1990). Seconds count from
    1973 on: smaller numbers are no times that a logger writes, except 0, which is kept.
    """
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or (number != 0 and number < 100_000_000):
        return None
    if _DOTNET_TICKS[0] <= number < _DOTNET_TICKS[1]:
        return int(number)
    for limit, ticks_per_unit in ((10**11, Decimal(10**7)), (10**14, Decimal(10**4)), (10**17, Decimal(10)), (10**20, Decimal("0.01"))):
        if number < limit:
            return times.UNIX_EPOCH_TICKS + int(number * ticks_per_unit)
    return None


def looks_like_time(text: str) -> bool:
    """Whether a text of unknown meaning is surely a date with a time of day (not a version, an id or a plain date)."""
    if _LOOKS_LIKE_TIME.match(text) is None:
        return False
    return _ticks(text, False) is not None or (has_numeric_order(text) and _ticks(text, True) is not None)


def has_numeric_order(text: str) -> bool:
    return _NUMERIC_ORDER.match(text) is not None


def day_month_order(texts: Iterable[str]) -> tuple[bool, bool]:
    """(a first number above 12 occurs, a second number above 12 occurs) among the numeric dates of a file."""
    first = second = False
    for text in texts:
        match = _NUMERIC_ORDER.match(text)
        if match:
            first = first or int(match[1]) > 12
            second = second or int(match[2]) > 12
    return first, second
