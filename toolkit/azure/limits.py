"""How fast and how wide requests may go: ARM's token buckets as this client sees them, and the clock that waits.

Since 2024 ARM counts per subscription, region and principal: 250 reads (25 more per second), 200 writes and 200 deletes
(10 more per second). All threads of a client share one `Gate`, which also takes over what answers say about what is left.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

READS, WRITES, DELETES, QUERIES = "reads", "writes", "deletes", "queries"

_SIZES: dict[str, tuple[float, float]] = {READS: (250, 25), WRITES: (200, 10), DELETES: (200, 10), QUERIES: (200, 200 / 30)}
_REMAINING = re.compile(r"x-ms-ratelimit-remaining-(?:subscription|tenant)-(?:global-)?(reads|writes|deletes)", re.IGNORECASE)
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/?]+)", re.IGNORECASE)


class Stopped(Exception):
    """The cancel event was set while something waited; the pipeline turns it into a CancelledError."""


class Clock(Protocol):
    """Time as the pipeline sees it; tests bring their own."""

    def now(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float, cancel: threading.Event) -> None:
        """Wait, at most until the event is set."""
        ...


class SystemClock:
    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float, cancel: threading.Event) -> None:
        cancel.wait(seconds)


@dataclass
class Bucket:
    """Tokens that refill with time. A request takes one at once and is told how long to wait until it is due."""

    capacity: float
    rate: float
    tokens: float = field(init=False)
    updated: float = 0.0
    closed_until: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = self.capacity

    def take(self, now: float) -> float:
        """Seconds until the taken token is due."""
        self._refill(now)
        self.tokens -= 1
        return max(0.0, -self.tokens / self.rate, self.closed_until - now)

    def observe(self, remaining: int, now: float) -> None:
        """An answer says how many the service has left: never more than that are assumed."""
        self._refill(now)
        self.tokens = min(self.tokens, float(remaining))

    def _refill(self, now: float) -> None:
        self.tokens = min(self.capacity, self.tokens + max(0.0, now - self.updated) * self.rate)
        self.updated = max(now, self.updated)


class Gate:
    """What every request passes: the shared buckets, the bound on requests at one time, and the cancel event."""

    def __init__(self, clock: Clock, cancel: threading.Event, parallelism: int) -> None:
        self.clock = clock
        self.cancel = cancel
        self._slots = threading.Semaphore(parallelism)
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], Bucket] = {}

    @contextmanager
    def slot(self, url: str, operation: str) -> Iterator[None]:
        """Wait for a token and a free place; Stopped when the run is cancelled first."""
        self.check()
        with self._lock:
            wait = self._bucket(url, operation).take(self.clock.now())
        while wait > 0:
            self.pause(wait)
            with self._lock:  # the bucket may have been closed meanwhile
                wait = self._bucket(url, operation).closed_until - self.clock.now()
        with self._slots:
            self.check()
            yield

    def pause(self, seconds: float) -> None:
        """Sleep; Stopped when the run is cancelled."""
        self.check()
        if seconds > 0:
            self.clock.sleep(seconds, self.cancel)
            self.check()

    def check(self) -> None:
        if self.cancel.is_set():
            raise Stopped

    def observe(self, url: str, headers: Mapping[str, str]) -> None:
        """Take over the rate-limit headers of an answer."""
        for name, value in headers.items():
            match = _REMAINING.fullmatch(name)
            if match and value.strip().isdigit():
                with self._lock:
                    self._bucket(url, match[1].lower()).observe(int(value), self.clock.now())

    def close(self, url: str, operation: str, seconds: float) -> None:
        """The service said 429: nothing of this kind goes out for so long, in any thread."""
        with self._lock:
            bucket = self._bucket(url, operation)
            bucket.closed_until = max(bucket.closed_until, self.clock.now() + seconds)

    def _bucket(self, url: str, operation: str) -> Bucket:
        found = _SUBSCRIPTION.search(url)
        key = (found[1].lower() if found else "", operation)
        if key not in self._buckets:
            self._buckets[key] = Bucket(*_SIZES[operation], updated=self.clock.now())
        return self._buckets[key]


def operation_of(method: str) -> str:
    """The bucket that ARM counts a method in."""
    return {"GET": READS, "HEAD": READS, "DELETE": DELETES}.get(method, WRITES)
