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

    outcomes: dict[int, Outcome[T]] = {}

    ready = Event()  # Ctrl-C while threads are being started could lose a thread; none of them works before all are there

    def one(number: int, task: Callable[[], T]) -> None:
        ready.wait()
        if cancel.is_set():
            return
        try:
            outcomes[number] = Outcome(task())
        except ToolkitError as error:
            outcomes[number] = Outcome(error=error)

    if not tasks:
        return []
    futures: list[Future[None]] = []
    with ThreadPoolExecutor(max_workers=min(parallelism, len(tasks)), thread_name_prefix="azure") as pool:
        try:
            futures.extend(pool.submit(one, number, task) for number, task in enumerate(tasks))
            ready.set()
            _all_done(futures)
        except KeyboardInterrupt:
            cancel.set()
            ready.set()
            _all_done(futures)
        finally:
            ready.set()
    for future in futures:
        future.result()
    return [outcomes.get(number) or _not_started() for number in range(len(tasks))]


def _all_done(futures: Sequence[Future[None]]) -> None:
    """Waits in short turns: a signal just before a wait without end would be seen only after it."""
    while wait(futures, timeout=0.2).not_done:
        pass


def _not_started() -> Outcome[T]:
    return Outcome(error=CancelledError(Facts("stopped before it was started")))
