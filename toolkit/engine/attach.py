"""Parquet files read in place: what a file's columns are in KQL's types, and the dataset that DuckDB scans.

Only the columns and the row groups that a query needs are read: DuckDB hands both to the dataset. Values are those that
an ingest of the same files would give; where that needs more than a conversion of the value, the file is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.engine.ingest.findings import Finding, IngestError, unreadable
from toolkit.engine.ingest.infer import kinds_of_arrow
from toolkit.engine.lower.context import StoredColumn
from toolkit.engine.lower.time_bounds import FROM_MICROSECONDS, FROM_NANOSECONDS
from toolkit.engine.sql import PHYSICAL
from toolkit.kql.types import ScalarType, TableSchema

_NUMBERS = (ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL)


def open_dataset(source: str | Path | Sequence[str | Path]) -> Any:
    """A pyarrow dataset over a file, a folder (hive-partitioned or flat), a pattern with `*`, or a list of files."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    files = [Path(source)] if isinstance(source, (str, Path)) else [Path(item) for item in source]
    if isinstance(source, (str, Path)) and "*" in str(source):
        pattern = Path(source)
        files = sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
    if not files or not all(file.exists() for file in files):
        missing = next((file for file in files if not file.exists()), source)
        raise unreadable(str(missing), "there is no such file or folder")
    paths = str(files[0]) if len(files) == 1 else [str(file) for file in files]
    try:
        dataset = ds.dataset(paths, format="parquet", partitioning="hive")
    except (OSError, pa.ArrowException) as error:
        raise unreadable(str(source), f"expected Parquet files: {str(error).splitlines()[0]}") from None
    names = [name.lower() for name in dataset.schema.names]
    if len(set(names)) < len(names):
        raise unreadable(str(source), "columns whose names differ only by case cannot be read in place: ingest the file")
    return dataset


def attached_columns(dataset: Any, table: str, known: TableSchema | None, source: str) -> tuple[TableSchema, dict[str, StoredColumn]]:
    """The table's schema with the file's columns, and how each of these is read."""
    types: dict[str, ScalarType] = {}
    columns: dict[str, StoredColumn] = {}
    wrong: list[Finding] = []
    for field in dataset.schema:
        natural = _natural(field.type)
        kind = natural if known is None else known.columns.get(field.name, natural)
        found = None if kind is None or natural is None else _reading(field, kind, natural)
        if found is None or kind is None:
            message = f"column {field.name!r}: {field.type} is not read in place as {kind or 'any type'}: ingest the file"
            wrong.append(Finding(message, source))
        else:
            types[field.name], columns[field.name] = kind, found
    if wrong:
        raise IngestError(wrong)
    return TableSchema(table, {**({} if known is None else known.columns), **types}), columns


def _natural(source: Any) -> ScalarType | None:
    """The type that an ingest gives a column of the file by itself; None where its values need more than a conversion."""
    import pyarrow as pa

    kind = next(iter(kinds_of_arrow(source)), None)
    if kind is ScalarType.STRING:
        text = source.value_type if pa.types.is_dictionary(source) else source
        return kind if pa.types.is_string(text) or pa.types.is_large_string(text) or pa.types.is_string_view(text) else None
    if kind is ScalarType.DYNAMIC and not _is_json(source):
        return None
    return None if kind is ScalarType.TIMESPAN else kind


def _is_json(source: Any) -> bool:
    """Whether values have one spelling in JSON: no times, decimals, bytes inside."""
    import pyarrow as pa

    if pa.types.is_nested(source):
        return not pa.types.is_map(source) and all(_is_json(source.field(index).type) for index in range(source.num_fields))
    return _natural(source) in (ScalarType.BOOL, ScalarType.INT, ScalarType.LONG, ScalarType.STRING)


def _reading(field: Any, kind: ScalarType, natural: ScalarType) -> StoredColumn | None:
    """How a column of the file becomes one of a KQL type; None where only an ingest can tell."""
    import pyarrow as pa

    name = '"' + field.name.replace('"', '""').replace("{", "{{").replace("}", "}}") + '"'
    if natural is ScalarType.STRING and kind is not ScalarType.STRING:
        return StoredColumn(name, True, "coalesce(CAST({0} AS VARCHAR), '')", of_text=True)
    if kind is ScalarType.DATETIME and natural is kind:
        if pa.types.is_date(field.type):
            return StoredColumn(name, True, FROM_MICROSECONDS.format("CAST({0} AS TIMESTAMP)"))
        return StoredColumn(name, True, FROM_NANOSECONDS if field.type.unit == "ns" else FROM_MICROSECONDS)
    if kind is ScalarType.DYNAMIC and natural is kind:
        return StoredColumn(name, True, "CAST(to_json({0}) AS VARCHAR)")
    widened = natural in _NUMBERS and kind in _NUMBERS and _NUMBERS.index(natural) <= _NUMBERS.index(kind)
    if kind is natural or widened:
        return StoredColumn(name, True, f"CAST({{0}} AS {PHYSICAL[kind]})")
    return None
