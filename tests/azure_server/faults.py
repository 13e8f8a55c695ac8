"""What can go wrong between a client and Azure, on order or by a seeded chance."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Literal

from tests.azure_server.messages import Request, ServiceError


@dataclass(frozen=True)
class Fault:
    """One way to fail. `status` 0: the request is served, as far as `delay` and `drop` let it.

    `delay`: seconds before the answer. `drop`: the connection is cut before the request is served, or after it was served and
    before the client hears of it (the write has happened).
    """

    name: str
    status: int = 0
    code: str = ""
    message: str = ""
    retry_after: int | None = None
    delay: float = 0.0
    drop: Literal["", "before", "after"] = ""

    def error(self, action: str, scope: str) -> ServiceError:
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return ServiceError(self.status, self.code, self.message.format(action=action, scope=scope), headers=headers)


_DENIED = (
    "The client 'deployer@example.com' with object id '00000000-0000-0000-0000-0000000000aa' does not have authorization to perform "
    "action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
)
_BUSY = "Another operation is in progress on this resource. Please try again later."

FORBIDDEN = Fault("forbidden", 403, "AuthorizationFailed", _DENIED)
THROTTLED = Fault("throttled", 429, "TooManyRequests", "Too many requests. Please retry after 0 seconds.", retry_after=0)
THROTTLED_BARE = Fault("throttled-bare", 429, "ResourceRequestsThrottled", "Too many requests.")
SERVER_ERROR = Fault("server-error", 500, "InternalServerError", "An internal error occurred. Please try again later.")
UNAVAILABLE = Fault("unavailable", 503, "ServiceUnavailable", "The service is temporarily unavailable.")
CONFLICT = Fault("conflict", 409, "Conflict", _BUSY)
CONFLICT_RETRY = Fault("conflict-retry", 409, "Conflict", _BUSY, retry_after=0)
_UNREGISTERED = "The subscription is not registered to use namespace 'Microsoft.SecurityInsights'."
UNREGISTERED = Fault("unregistered", 409, "MissingSubscriptionRegistration", _UNREGISTERED)
_FRESH = "Failed to run the analytics rule query. The workspace could not be found."
NOT_READY = Fault("not-ready", 400, "BadRequest", _FRESH)  # a workspace that was made a minute ago
NOT_YET = Fault("not-yet", 404, "NotFound", "The resource was not found.")  # a GET right after a PUT, by method and path
DROPPED = Fault("dropped", drop="before")
DROPPED_AFTER = Fault("dropped-after", drop="after")
SLOW = Fault("slow", delay=0.05)

TRANSIENT = (THROTTLED, THROTTLED_BARE, SERVER_ERROR, UNAVAILABLE, DROPPED, DROPPED_AFTER, SLOW)
"""Faults that a good client survives by itself."""


@dataclass
class _Order:
    fault: Fault
    method: str
    path: re.Pattern[str]
    left: int | None


@dataclass
class FaultPlan:
    """Which requests fail, and how.

    Orders (`add`) come first, in their order. Otherwise a request fails with the probability `rate`, with one of `kinds`. What
    happens to the n-th request of a method and path depends on nothing but the seed: the same in every run, whatever threads do.
    No request fails more than `most` times in a row by chance.
    """

    seed: int = 0
    rate: float = 0.0
    kinds: Sequence[Fault] = TRANSIENT
    most: int = 2
    _orders: list[_Order] = field(default_factory=list)
    _attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _row: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def add(self, fault: Fault, *, method: str = "", path: str = "", times: int | None = 1) -> FaultPlan:
        """Fail the next `times` requests (None: all) of a method whose path a pattern is found in (any case)."""
        with self._lock:
            self._orders.append(_Order(fault, method, re.compile(path, re.IGNORECASE), times))
        return self

    def randomly(self, rate: float, seed: int | None = None, kinds: Sequence[Fault] | None = None) -> FaultPlan:
        """From now on a request fails with this probability; the seed and the kinds stay what they are where none are given."""
        with self._lock:
            self.rate = rate
            self.seed = self.seed if seed is None else seed
            self.kinds = self.kinds if kinds is None else tuple(kinds)
        return self

    def clear(self) -> None:
        with self._lock:
            self._orders.clear()
            self.rate = 0.0

    def next(self, request: Request) -> Fault | None:
        with self._lock:
            return self._ordered(request) or self._chance((request.method, request.path.casefold()))

    def _ordered(self, request: Request) -> Fault | None:
        for order in self._orders:
            if order.left != 0 and order.method in ("", request.method) and order.path.search(request.path):
                if order.left is not None:
                    order.left -= 1
                return order.fault
        return None

    def _chance(self, key: tuple[str, str]) -> Fault | None:
        self._attempts[key] += 1
        random = Random(f"{self.seed} {key} {self._attempts[key]}")
        if self.rate and self._row[key] < self.most and random.random() < self.rate:
            self._row[key] += 1
            return random.choice(self.kinds)
        self._row[key] = 0
        return None
