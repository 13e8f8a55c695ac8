"""Whether a file in place is still the one that was looked through when it was attached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from toolkit.engine.ingest.findings import Finding, IngestError

Stamp = tuple[int, int]
"""Size in bytes, and the time of the last change in nanoseconds."""


def stamp_of(path: str) -> Stamp:
    """Raises OSError for a file that is not there."""
    found = Path(path).stat()
    return found.st_size, found.st_mtime_ns


def check_unchanged(paths: Sequence[str], stamps: Sequence[Stamp]) -> None:
    """Raises IngestError for files that have changed or vanished: what is known of their types and times may be wrong now."""
    wrong = [Finding(found, path) for path, stamp in zip(paths, stamps, strict=True) if (found := _difference(path, stamp))]
    if wrong:
        raise IngestError(wrong)


def _difference(path: str, stamp: Stamp) -> str:
    try:
        found = stamp_of(path)
    except OSError as error:
        return f"cannot be read any more ({error.strerror}): attach the table's files again, in a new workspace"
    return "" if found == stamp else "has changed since it was attached: attach the table's files again, in a new workspace"
