"""The recorded logs of a case: files, patched copies and inline rows, as sources that a workspace ingests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from toolkit.content.template.parameters import plain_value
from toolkit.content.yaml.nodes import Scalar, scalar_value
from toolkit.kql.diagnostics import suggestion
from toolkit.kql.types import ScalarType, TableSchema
from toolkit.testing.cases import LogItem
from toolkit.testing.patch import PatchError, compact, matches, patched

_FEW_RECORDS = 200_000
_YAML_TYPED = frozenset({ScalarType.BOOL, ScalarType.INT, ScalarType.LONG, ScalarType.REAL})


def patched_records(item: LogItem, path: Path, schema: TableSchema | None) -> list[dict[str, Any]]:
    """The records of a file that have the values of `where`, each with the values of `set`. Raises PatchError, IngestError."""
    records = _records(path, path.stat().st_mtime_ns if path.exists() else 0)
    taken = [record for record in records if not item.where or matches(record, item.where)]
    if not taken:
        raise PatchError(f"No record of {path.name} has the values of `where`.")
    columns = list(schema.columns) if schema else []
    for name, value in (item.patch or {}).items():
        taken = [patched(record, name, _typed(name, value, schema), columns) for record in taken]
    return [dict(record) for record in taken]


def _typed(name: str, value: Any, schema: TableSchema | None) -> Any:
    """A value for a whole column by the column's type; for a path into JSON as YAML has it."""
    kind = schema.column_type(name) if schema else None
    return Scalar(value.text, "str", "", value.span) if kind is ScalarType.STRING and _is_value(value) else value


def _is_value(value: Any) -> bool:
    return isinstance(value, Scalar) and value.kind != "null"


@lru_cache(maxsize=64)
def _records(path: Path, changed: int) -> list[Mapping[str, Any]]:
    """The raw records of a file; `changed` (its time stamp) only keeps the cache honest."""
    from toolkit.engine.ingest.files import log_file
    from toolkit.engine.ingest.findings import Report
    from toolkit.engine.ingest.sources import read_file

    file, report = log_file(path), Report()
    records: list[Mapping[str, Any]] = []
    for chunk in read_file(file, report):
        columns = {name: values if isinstance(values, list) else values.to_pylist() for name, values in chunk.columns.items()}
        rows = zip(*columns.values(), strict=True)
        records += [{name: value for name, value in zip(columns, row, strict=True) if value is not None} for row in rows]
        if len(records) > _FEW_RECORDS:
            raise PatchError(f"{path.name} has more than {_FEW_RECORDS:,} records, too many for a patched copy.")
    if report.total_errors:
        raise report.as_error()
    return records


def inline_row(item: LogItem, schema: TableSchema | None, now: datetime | None) -> dict[str, Any]:
    """An inline row by the column types of its table. A row without TimeGenerated stands at the run's time.

    Raises PatchError for a column that the table does not have.
    """
    row: dict[str, Any] = {}
    for name, value in (item.row or {}).items():
        kind = schema.column_type(name) if schema else None
        if schema and kind is None:
            raise PatchError(f"The table {item.table} has no column {name!r}.", suggestion(name, schema.columns))
        row[name] = _cell(value, kind)
    if "TimeGenerated" not in row and now is not None and (schema is None or "TimeGenerated" in schema.columns):
        row["TimeGenerated"] = now.isoformat()
    return row


def _cell(value: Any, kind: ScalarType | None) -> Any:
    if not isinstance(value, Scalar):
        plain = plain_value(value)
        return compact(plain) if kind is ScalarType.STRING else plain
    if value.kind == "null":
        return None
    if kind is None or kind in _YAML_TYPED or kind is ScalarType.DYNAMIC or kind is ScalarType.UNKNOWN:
        return scalar_value(value)
    return value.text
