"""The parameter `timespan` of the Logs query API: ISO 8601 durations and intervals."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from toolkit.serve.failures import RequestFailed

_DURATION = re.compile(r"P(?:([\d.]+)W)?(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?")


def interval(text: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The instants of `PT86400.0S`, `start/end`, `start/PT1H` or `PT1H/end`; a duration alone ends now.

    Raises RequestFailed with the code InvalidTimespan.
    """
    if not text:
        return None, None
    first, slash, second = text.partition("/")
    try:
        if not slash:
            return now - _duration(first), now
        if second.upper().startswith("P"):
            start = _instant(first)
            return start, start + _duration(second)
        end = _instant(second)
        return (end - _duration(first) if first.upper().startswith("P") else _instant(first)), end
    except (ValueError, OverflowError):
        message = f"The timespan '{text}' is not valid ISO 8601."
        raise RequestFailed("request", message, code="InvalidTimespan") from None


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text.upper())
    if match is None or not any(match.groups()):
        raise ValueError(text)
    weeks, days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
