"""The shipped workbooks over their recorded logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from toolkit.content.project import Project
from toolkit.content.workbooks import read_workbook
from toolkit.engine.ingest import discover
from toolkit.testing.bench import Bench
from toolkit.workbooks.preview.session import Preview

ROOT = Path(__file__).resolve().parents[2]
BOOKS = {"aks-security": "aks", "aws-root-and-iam": "aws", "detection-health": "health"}
NOW = datetime(2026, 3, 3, tzinfo=UTC)


@contextmanager
def open_book(name: str) -> Iterator[Preview]:
    """A workbook with the logs of its system, opened after the day that they record."""
    project = Project.find(ROOT, ROOT)
    bench = Bench(project, list(project.items("function")), list(project.items("watchlist")), None)
    for table, paths in discover(ROOT / "detections" / BOOKS[name] / "samples").items():
        bench.base.ingest(table, paths)
    files, _ = read_workbook(ROOT / "workbooks" / f"{name}.json", f"workbooks/{name}.json")
    try:
        yield Preview(files, bench.base, NOW)
    finally:
        bench.close()
