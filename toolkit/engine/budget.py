"""What the queries of one caller may use, and how another thread stops them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from toolkit.engine.errors import QueryCancelled, QueryTimeout


class Budget:
    """Limits of all the queries of one workspace, which `Workspace.fork(budget)` gives.

    `seconds`: how long they may take together, counted from now; then they raise QueryTimeout. `rows`: how many rows a
    result may have; further ones are not fetched, and a caller that has to know of them asks for one more than it wants.
    """

    def __init__(self, seconds: float | None = None, rows: int | None = None) -> None:
        self.rows = rows
        self._seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds
        self._cancelled = False
        self._lock = threading.Lock()
        self._waiting: set[threading.Event] = set()

    def cancel(self) -> None:
        """Stops what runs and what would run later: QueryCancelled. Any thread may call it; it does not wait."""
        with self._lock:
            self._cancelled = True
            for event in self._waiting:
                event.set()

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def left(self) -> float | None:
        """Seconds that are left, None when there is no limit. Raises QueryCancelled and QueryTimeout when it is over."""
        if self._cancelled:
            raise QueryCancelled("the query was stopped")
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.timeout()
        return left

    def timeout(self) -> QueryTimeout:
        return QueryTimeout(f"the query was stopped after {self._seconds:g} seconds, its time limit")

    @contextmanager
    def wakes(self, event: threading.Event) -> Iterator[None]:
        """Inside, `cancel` sets the event."""
        with self._lock:
            self._waiting.add(event)
            if self._cancelled:
                event.set()
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(event)
