"""Cases on a few threads: most of a case is the engine's work, which does not hold Python's lock."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from toolkit.content.items import Item
from toolkit.testing.bench import Bench
from toolkit.testing.cases import Case
from toolkit.testing.runner import CaseResult, Settings, run_case

_MOST_THREADS = 4


class CasePool:
    """Runs cases while the block lasts. Ctrl-C stops what is running and forgets the rest."""

    def __init__(self, bench: Bench, settings: Settings) -> None:
        self._bench = bench
        self._settings = settings
        self._executor = ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="case")

    def submit(self, item: Item, case: Case) -> Future[CaseResult]:
        return self._executor.submit(run_case, self._bench, item, case, self._settings)

    def __enter__(self) -> CasePool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._bench.interrupt()
        self._executor.shutdown(wait=True)
