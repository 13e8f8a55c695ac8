"""Shared by the ingest tests: rows of a result as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolkit.catalog import Catalog
from toolkit.engine.ingest import Ingested, read_source
from toolkit.kql.times import format_datetime_iso, format_timespan
from toolkit.kql.types import ScalarType, TableSchema

DATA = Path(__file__).parent / "data"


def ingest(source: Any, table: str, schema: TableSchema | None = None, *, lenient: bool = False) -> Ingested:
    """With the bundled schema of the table unless one is given."""
    return read_source(source, table, schema or Catalog.bundled().table(table), lenient=lenient)


def cells(result: Ingested) -> list[dict[str, Any]]:
    """The rows without their empty cells, times as text."""
    rows: list[dict[str, Any]] = result.table.to_pylist()
    return [{name: _shown(result, name, value) for name, value in row.items() if value not in (None, "")} for row in rows]


def _shown(result: Ingested, name: str, value: Any) -> Any:
    kind = result.schema.column_type(name)
    if kind is ScalarType.DATETIME:
        return format_datetime_iso(value)
    return format_timespan(value) if kind is ScalarType.TIMESPAN else value


def messages(result: Ingested) -> list[str]:
    return [found.render() for found in result.findings]
