"""Parquet files in place, read by DuckDB's own reader: columns and row groups that a query does not need stay unread.

Values are those that an ingest of the same files gives; a column for which that needs more than a conversion of the value is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.engine.files.paths import PlacedFile, sql_name, sql_text
from toolkit.engine.files.values import udf_of
from toolkit.engine.ingest.findings import Finding, IngestError, unreadable
from toolkit.engine.ingest.infer import kinds_of_arrow
from toolkit.engine.ingest.logtime import looks_like_time
from toolkit.engine.lower.context import StoredColumn
from toolkit.engine.lower.time_bounds import FILE, FROM_DATES, FROM_MICROSECONDS, FROM_NANOSECONDS, FROM_ZONED, FROM_ZONED_NANOSECONDS
from toolkit.engine.sql import PHYSICAL
from toolkit.kql.times import MAX_DATETIME_TICKS, UNIX_EPOCH_TICKS
from toolkit.kql.types import ScalarType

_WIDER = (ScalarType.INT, ScalarType.LONG, ScalarType.REAL)


@dataclass(frozen=True)
class ParquetGroup:
    """Files with the same columns."""

    files: tuple[PlacedFile, ...]
    schema: Any
    rows: int

    @property
    def name(self) -> str:
        return self.files[0].path

    @property
    def names(self) -> list[str]:
        return list(self.schema.names)

    def found(self, name: str) -> str:
        return str(self.schema.field(name).type)

    def natural(self, name: str) -> ScalarType | None:
        return natural_kind(self, self.schema.field(name))

    def reading(self, name: str, kind: ScalarType) -> StoredColumn | None:
        return reading(self, self.schema.field(name), kind)

    def sql(self, kinds: dict[str, ScalarType]) -> str:
        """The table function that reads these files."""
        paths = ", ".join(sql_text(file.path) for file in self.files)
        return f"read_parquet([{paths}], filename={sql_text(FILE)}, hive_partitioning=false)"


def parquet_groups(files: Iterable[PlacedFile]) -> list[ParquetGroup]:
    """The files by their columns and by the names of their partitions, each in its order. Raises IngestError."""
    found: dict[Any, list[tuple[PlacedFile, Any, int]]] = {}
    for file in files:
        schema, rows = _footer(file)
        keys = tuple(file.partition)
        found.setdefault((tuple(zip(schema.names, schema.types, strict=True)), keys), []).append((file, schema, rows))
    return [ParquetGroup(tuple(file for file, _, _ in group), group[0][1], sum(rows for _, _, rows in group)) for group in found.values()]


def _footer(file: PlacedFile) -> tuple[Any, int]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file.path) as parquet:
            schema, metadata = parquet.schema_arrow, parquet.metadata
            old = [parquet.schema.column(index).path for index in range(len(parquet.schema)) if _is_old_time(parquet.schema.column(index))]
    except (OSError, pa.ArrowException) as error:
        raise unreadable(file.path, f"expected a Parquet file: {str(error).splitlines()[0]}") from None
    if old:
        raise unreadable(file.path, f"column {old[0]!r}: times of the old INT96 kind are not read in place exactly: ingest the file")
    names = [name.lower() for name in schema.names]
    if len(set(names)) < len(names):
        raise unreadable(file.path, "columns whose names differ only by case cannot be read in place: ingest the file")
    return schema.remove_metadata(), metadata.num_rows


def _is_old_time(column: Any) -> bool:
    return str(column.physical_type) == "INT96"


def natural_kind(group: ParquetGroup, field: Any) -> ScalarType | None:
    """The type that an ingest gives a column by itself; None where its values need more than a conversion."""
    kind = _natural(field.type)
    if kind is ScalarType.STRING and _holds_only_times(group, field.name):
        return ScalarType.DATETIME
    return kind


def _holds_only_times(group: ParquetGroup, name: str) -> bool:
    """Whether every text of a column is a time: an ingest makes such a column one of times. Mostly the first rows say no."""
    seen = False
    for texts in _column(group, name):
        values = {text for text in texts.unique().to_pylist() if text}
        if not all(map(looks_like_time, values)):
            return False
        seen = seen or bool(values)
    return seen


def _column(group: ParquetGroup, name: str) -> Iterator[Any]:
    """The values of a column, some thousands at a time."""
    import pyarrow.parquet as pq

    for file in group.files:
        with pq.ParquetFile(file.path) as parquet:
            for batch in parquet.iter_batches(columns=[name], batch_size=8192):
                yield batch.column(0)


def _natural(source: Any) -> ScalarType | None:
    import pyarrow as pa

    kind = next(iter(kinds_of_arrow(source)), None)
    if kind is ScalarType.STRING:
        return kind if is_text(source) else None
    if kind is ScalarType.DECIMAL and (source.scale > 18 or source.precision - source.scale > 20):
        return None
    if kind is ScalarType.DYNAMIC and not _is_json(source):
        return None
    return None if kind is ScalarType.TIMESPAN or pa.types.is_time(source) else kind


def is_text(source: Any) -> bool:
    import pyarrow as pa

    text = source.value_type if pa.types.is_dictionary(source) else source
    return bool(pa.types.is_string(text) or pa.types.is_large_string(text) or pa.types.is_string_view(text))


def _is_json(source: Any) -> bool:
    """Whether values have one spelling in JSON: no times, fractions, bytes inside."""
    import pyarrow as pa

    if pa.types.is_nested(source):
        return not pa.types.is_map(source) and all(_is_json(source.field(index).type) for index in range(source.num_fields))
    return _natural(source) in (ScalarType.BOOL, ScalarType.INT, ScalarType.LONG, ScalarType.STRING)


def reading(group: ParquetGroup, field: Any, kind: ScalarType) -> StoredColumn | None:
    """How a column of the files becomes one of a KQL type; None where only an ingest can tell."""
    import pyarrow as pa

    name, natural = sql_name(field.name), _natural(field.type)
    if is_text(field.type):
        return text_column(name, field.name, kind)
    if natural is None:
        return None
    if kind is ScalarType.DATETIME and natural is kind:
        return StoredColumn(name, True, _time_template(field.type)) if _times_in_range(group, field.name) else None
    if kind is ScalarType.DYNAMIC and natural is kind:
        # DuckDB and Python spell escaped characters differently
        text = "CAST(to_json({0}) AS VARCHAR)"
        udf = udf_of(kind)
        template = f"CASE WHEN contains({text}, '\\u') THEN {udf}({text}, {literal(field.name)}, {sql_name(FILE)}) ELSE {text} END"
        return StoredColumn(name, True, template, udf=udf)
    if kind is ScalarType.STRING and pa.types.is_integer(field.type):
        return StoredColumn(name, True, "coalesce(CAST({0} AS VARCHAR), '')")
    widened = natural in _WIDER and (kind is ScalarType.DECIMAL if natural is not ScalarType.REAL else False)
    widened = widened or (natural in _WIDER and kind in _WIDER and _WIDER.index(natural) <= _WIDER.index(kind))
    return StoredColumn(name, True, f"CAST({{0}} AS {PHYSICAL[kind]})") if kind is natural or widened else None


def text_column(name: str, label: str, kind: ScalarType, *, json: bool = False) -> StoredColumn:
    """A column of texts, `name` as SQL writes it, in a type."""
    if kind in (ScalarType.STRING, ScalarType.UNKNOWN):
        return StoredColumn(name, True, "coalesce(CAST({0} AS VARCHAR), '')")
    udf = udf_of(kind, "json" if json else "field")
    return StoredColumn(name, True, f"{udf}(CAST({{0}} AS VARCHAR), {literal(label)}, {sql_name(FILE)})", udf=udf)


def literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace("{", "{{").replace("}", "}}") + "'"


def _time_template(source: Any) -> str:
    import pyarrow as pa

    if pa.types.is_date(source):
        return FROM_DATES
    if source.unit == "ns":
        return FROM_ZONED_NANOSECONDS if source.tz else FROM_NANOSECONDS
    return FROM_ZONED if source.tz else FROM_MICROSECONDS


def _times_in_range(group: ParquetGroup, name: str) -> bool:
    """Whether all times of a column are ones of KQL (years 1 to 9999); the files' own statistics mostly tell."""
    return all(_file_in_range(file, name) for file in group.files)


def _file_in_range(file: PlacedFile, name: str) -> bool:
    import pyarrow.parquet as pq

    with pq.ParquetFile(file.path) as parquet:
        place = next(index for index in range(len(parquet.schema)) if parquet.schema.column(index).path == name)
        for index in range(parquet.metadata.num_row_groups):
            statistics = parquet.metadata.row_group(index).column(place).statistics
            if statistics is None or not statistics.has_min_max:
                if statistics is not None and statistics.null_count == parquet.metadata.row_group(index).num_rows:
                    continue
                extremes = _extremes(parquet, index, name)
            else:
                extremes = (statistics.min_raw, statistics.max_raw)
            if not all(_in_range(value, parquet.schema_arrow.field(name).type) for value in extremes if value is not None):
                return False
    return True


def _extremes(parquet: Any, row_group: int, name: str) -> tuple[int | None, int | None]:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = parquet.read_row_group(row_group, columns=[name]).column(0)
    counts = column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64())
    found = pc.min_max(counts).as_py()
    return found["min"], found["max"]


def _in_range(count: int, source: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_date32(source):
        ticks = count * 864_000_000_000
    elif pa.types.is_date64(source):
        ticks = count * 10_000
    else:
        ticks = count // 100 if source.unit == "ns" else count * {"s": 10_000_000, "ms": 10_000, "us": 10}[source.unit]
    return bool(0 <= ticks + UNIX_EPOCH_TICKS <= MAX_DATETIME_TICKS)


def refused(source: str, column: str, found: str, kind: ScalarType | None) -> Finding:
    return Finding(f"column {column!r}: {found} is not read in place as {kind or 'any type'}: ingest the file", source)


def raise_all(wrong: Sequence[Finding]) -> None:
    if wrong:
        raise IngestError(wrong)
