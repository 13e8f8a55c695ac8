"""Durations as rule files write them: `5m`, `1h`, `14d`, ISO 8601 (`PT5M`, `P1DT2H`) and `1.02:00:00`."""

from __future__ import annotations

import re
from datetime import timedelta

_SHORT = re.compile(r"(\d{1,6})\s*([smhd])", re.IGNORECASE)
_ISO = re.compile(r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,8})S)?)?", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,6})\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,6})\d?)?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(text: str) -> timedelta | None:
    """The duration a text says, or None when it says none."""
    text = text.strip()
    if short := _SHORT.fullmatch(text):
        return timedelta(**{_UNITS[short[2].lower()]: int(short[1])})
    if (iso := _ISO.fullmatch(text)) and any(iso.groups()):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
        return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if clock := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds = (int(part or 0) for part in clock.groups()[:4])
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=int((clock[5] or "0").ljust(6, "0")))
    return None


def show_duration(value: timedelta) -> str:
    """The shortest exact form: `14d`, `90m`, `1h`; `d.hh:mm:ss` for the rest."""
    for unit, size in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)), ("s", timedelta(seconds=1))):
        if value and not value % size:
            return f"{value // size}{unit}"
    hours, rest = divmod(value.seconds, 3600)
    clock = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    return f"{value.days}.{clock}" + (f".{value.microseconds:06}" if value.microseconds else "")
