"""Many calls in a few threads, each with its own outcome; Ctrl-C lets running ones end and starts no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event
from typing import Generic, TypeVar

from toolkit.azure.errors import CancelledError, Facts
from toolkit.kql.diagnostics import ToolkitError

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What came of one call: a value, or the error that it ended with."""

    value: T | None = None
    error: ToolkitError | None = None

    def get(self) -> T:
        """The value; the error is raised."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value] # T itself may be optional


def run_many(tasks: Sequence[Callable[[], T]], parallelism: int, cancel: Event) -> Sequence[Outcome[T]]:
    """The outcome of every task, in their order.

    A ToolkitError is an outcome and stops nothing; anything else is a defect and is raised after the running tasks ended.
    Ctrl-C sets `cancel`, waits for what runs and gives the rest as CancelledError; a second Ctrl-C is raised.
    """

    def one(task: Callable[[], T]) -> Outcome[T]:
        if cancel.is_set():
            return Outcome(error=CancelledError(Facts("stopped before it was started")))
        try:
            return Outcome(task())
        except ToolkitError as error:
            return Outcome(error=error)

    if not tasks:
        return []
    with ThreadPoolExecutor(max_workers=min(parallelism, len(tasks)), thread_name_prefix="azure") as pool:
        futures: list[Future[Outcome[T]]] = []
        try:
            futures.extend(pool.submit(one, task) for task in tasks)
            wait(futures)
        except KeyboardInterrupt:
            cancel.set()
            wait(futures)
        return [future.result() for future in futures]
