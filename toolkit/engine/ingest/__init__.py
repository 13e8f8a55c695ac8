"""Recorded logs -> typed columns: files of every usual shape, rows in memory, data frames.

`read_source` brings Arrow in, therefore it is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toolkit.engine.ingest.files import discover
from toolkit.engine.ingest.findings import Finding, IngestError

if TYPE_CHECKING:
    from toolkit.engine.ingest.sources import Ingested, read_source

__all__ = ["Finding", "IngestError", "Ingested", "discover", "read_source"]

_LAZY = ("Ingested", "read_source")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from toolkit.engine.ingest import sources

        return getattr(sources, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
