"""The clock that the local Azure lives by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


class Clock:
    """An instant that moves when a test says so, or (`running`) with the machine's clock from `start` on."""

    def __init__(self, start: datetime = START, *, running: bool = False) -> None:
        self._start = start
        self._began = monotonic() if running else None
        self._lock = Lock()

    def now(self) -> datetime:
        with self._lock:
            passed = 0.0 if self._began is None else monotonic() - self._began
            return self._start + timedelta(seconds=passed)

    def advance(self, seconds: float = 0, *, hours: float = 0, days: float = 0) -> None:
        with self._lock:
            self._start += timedelta(days=days, hours=hours, seconds=seconds)


def timestamp(moment: datetime) -> str:
    """ISO 8601 with seven digits, as the content APIs answer: 2026-03-02T10:00:00.0000000Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
