"""Queries in threads: so many at once, so many waiting, each one stopped when nobody waits for it any more."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from toolkit.engine.budget import Budget
from toolkit.serve.answers import Part, written
from toolkit.serve.failures import RequestFailed

_T = TypeVar("_T")

FIRST_BYTES = 256 * 1024
"""What is at most written before an answer begins; a smaller one goes out whole, with its length."""


_AHEAD = 3


class ClientGone(Exception):  # nothing failed
    """The client has gone: there is nobody to answer."""


class Runner:
    """A bounded pool. `at_once`: queries that run side by side; `waiting`: how many more may wait for their turn."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="serve")
        self._writers = ThreadPoolExecutor(2, thread_name_prefix="write")
        self._most = at_once + waiting
        self._budgets: set[Budget] = set()

    @property
    def running(self) -> int:
        return len(self._budgets)

    async def run(self, work: Callable[[], _T], budget: Budget, gone: Callable[[], Awaitable[object]]) -> _T:
        """What `work` gives. `gone` returns when the client has left: then the query is stopped and ClientGone raised.

        Raises RequestFailed when too many queries wait already, and whatever `work` raises.
        """
        if self.running >= self._most:
            raise RequestFailed("busy", f"{self.running} queries are running or waiting already; try again in a moment.")
        self._budgets.add(budget)
        leaving = asyncio.ensure_future(gone())
        running = asyncio.get_running_loop().run_in_executor(self._pool, work)
        try:
            waiting: set[asyncio.Future[Any]] = {leaving, running}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                budget.cancel()
                await asyncio.wait({running})
                running.exception()  # whatever it is: nobody is there to read it
                raise ClientGone
            return await running
        except asyncio.CancelledError:
            budget.cancel()
            raise
        finally:
            leaving.cancel()
            self._budgets.discard(budget)

    async def write(self, parts: Iterator[Part]) -> AsyncIterator[bytes]:
        """The parts of an answer, written a little ahead of whoever takes them, two at a time."""
        loop = asyncio.get_running_loop()
        ahead: deque[asyncio.Future[bytes]] = deque()
        try:
            for part in parts:
                ahead.append(loop.run_in_executor(self._writers, written, part))
                if len(ahead) > _AHEAD:
                    yield await ahead.popleft()
            while ahead:
                yield await ahead.popleft()
        finally:
            for future in ahead:
                future.cancel()

    def stop(self) -> None:
        """Stops all queries: they raise QueryCancelled."""
        for budget in list(self._budgets):
            budget.cancel()

    def close(self) -> None:
        """Stops all queries and waits for their threads."""
        self.stop()
        self._pool.shutdown()
        self._writers.shutdown()


def begin(parts: Iterator[Part]) -> tuple[bytes, Iterator[Part] | None]:
    """The first part of an answer, and what follows it; None when that was all."""
    first: list[bytes] = []
    size = 0
    for part in parts:
        first.append(written(part))
        size += len(first[-1])
        if size > FIRST_BYTES:
            return b"", itertools.chain(first, parts)
    return b"".join(first), None
