"""JSON lines and CSV files in place: DuckDB parses the columns that a query names, and Python converts what it does not read alike.

Attaching looks through the files once: for what an ingest would refuse (reported with file and line), for what DuckDB would read in
another way (refused), for the types of columns that no schema knows, and for the least and greatest time of each file.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from toolkit.engine.files import looks
from toolkit.engine.files.parquet import literal, text_column
from toolkit.engine.files.paths import PlacedFile, sql_name, sql_text
from toolkit.engine.files.values import register, udf_of
from toolkit.engine.ingest.csv_reader import _delimiter, _header
from toolkit.engine.ingest.files import SIDECAR, log_file
from toolkit.engine.ingest.findings import Report, unreadable
from toolkit.engine.ingest.json_reader import _WRAPPER_KEYS, WRAPPERS, first_line_is_object
from toolkit.engine.lower.context import StoredColumn
from toolkit.engine.lower.time_bounds import FILE
from toolkit.kql.types import ScalarType, TableSchema

_COMPRESSION = {None: "uncompressed", "gzip": "gzip", "zstd": "zstd"}
_LENIENT_JSON = r"""(?i),\s*[}\]]|[:\[,]\s*-?(nan|inf)"""
"""What DuckDB reads and JSON is not; it may also stand in a text, therefore Python looks at the line."""
_RESPELLED = r"""\\u|\d[eE][-+\d]|\d{15}|0\.000"""
"""What DuckDB spells in another way than Python, in the text of a value."""
_BATCH = 8192


@dataclass
class TextGroup:
    """Files of one format with the same columns. `bits`: the kinds of values of each column (`looks`)."""

    files: tuple[PlacedFile, ...]
    format: str
    delimiter: str
    names: list[str]
    known: TableSchema | None = None
    rows: int = 0
    bits: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.files[0].path

    @property
    def is_json(self) -> bool:
        return self.format == "json"

    def found(self, name: str) -> str:
        return f"a column of {self.format.upper()} {name!r}"

    def natural(self, name: str) -> ScalarType | None:
        column = sql_name(name).format()
        text = f"({column} ->> '$')" if self.is_json else column
        where = f"ascii({column}) = 34" if self.is_json else "true"
        times = _texts(f"SELECT {text} FROM {self.raw([name])} WHERE {where}")
        return looks.kind_of_bits(self.bits[name], times)

    def reading(self, name: str, kind: ScalarType) -> StoredColumn:
        return self._json_reading(name, kind) if self.is_json else text_column(sql_name(name), name, kind)

    def _json_reading(self, name: str, kind: ScalarType) -> StoredColumn:
        column, bits = sql_name(name), self.bits[name]
        if self._sql_type(name, kind) != "JSON":
            plain = not bits & (looks.TEXT | looks.MAYBE_TIME) and kind is not ScalarType.STRING and bits
            return StoredColumn(column, True, "{0}") if plain else text_column(column, name, kind, json=True)
        text = "CAST({0} AS VARCHAR)"
        rest = f"({text}, {literal(name)}, {sql_name(FILE)})"
        udf = udf_of(kind, "value")
        if kind is not ScalarType.DYNAMIC:
            call = f"{udf}{rest}"
            return StoredColumn(column, True, f"coalesce({call}, '')" if kind is ScalarType.STRING else call, udf=udf)
        odd = f"ascii({text}) = 34 OR regexp_matches({text}, {literal(_RESPELLED)})"
        return StoredColumn(column, True, f"CASE WHEN {odd} THEN {udf}{rest} ELSE {text} END", udf=udf)

    def _sql_type(self, name: str, kind: ScalarType) -> str:
        """The type by which DuckDB reads a column of JSON: values of one kind by theirs, mixtures as JSON."""
        bits = self.bits[name]
        if not bits & ~(looks.TEXT | looks.MAYBE_TIME) and kind is not ScalarType.DYNAMIC:
            return "VARCHAR"
        whole = not bits & ~(looks.INTEGER | looks.INEXACT | looks.NOT_INT)
        if whole and (kind is ScalarType.LONG or (kind is ScalarType.INT and not bits & looks.NOT_INT)):
            return "BIGINT" if kind is ScalarType.LONG else "INTEGER"
        if bits == looks.BOOL and kind is ScalarType.BOOL:
            return "BOOLEAN"
        return "JSON"

    def sql(self, kinds: dict[str, ScalarType], partition: Sequence[str]) -> str:
        """The table function that reads these files."""
        types = {name: self._sql_type(name, kinds[name]) if self.is_json else "VARCHAR" for name in self.names}
        hive = f"hive_partitioning={str(bool(partition)).lower()}, hive_types_autocast=false"
        return self._scan(types, f", filename={sql_text(FILE)}, {hive}")

    def raw(self, names: Sequence[str]) -> str:
        """The same with the values as they stand in the files."""
        wanted = dict.fromkeys(names if self.is_json else self.names, "JSON" if self.is_json else "VARCHAR")
        return self._scan(wanted, f", filename={sql_text(FILE)}, hive_partitioning=false")

    def _scan(self, types: dict[str, str], options: str) -> str:
        columns = ", ".join(f"{sql_text(name)}: '{kind}'" for name, kind in types.items())
        if self.is_json:
            return f"read_json({self._head()}, format='newline_delimited', records='true', columns={{{columns}}}{options})"
        marks = f"delim={sql_text(self.delimiter)}, quote='\"', escape='\"', strict_mode=true"
        return f"read_csv({self._head()}, header=true, auto_detect=false, {marks}, columns={{{columns}}}{options})"

    def _head(self) -> str:
        paths = ", ".join(sql_text(file.path) for file in self.files)
        return f"[{paths}], compression='{_COMPRESSION[self.files[0].compression]}'"

    # --- the look through the files -----------------------------------------------------------------------------------

    def look(self, table: str, unknown: Sequence[str] | None = None) -> None:
        """Fills in rows and bits. Raises IngestError for what an ingest refuses and for what DuckDB would read differently."""
        with _explained(self, table):
            if self.is_json:
                self._look_at_records(table)
            else:
                self._look_at_lines()
            names = self.names if self.is_json or unknown is None else [name for name in self.names if name in unknown]
            self.bits = dict.fromkeys(self.names, 0)
            bits = looks.json_bits if self.is_json else looks.field_bits
            for at in range(0, len(names), 200):
                some = names[at : at + 200]
                wanted = ", ".join(f"bit_or({bits(sql_name(name).format())})" for name in some)
                row = _rows(f"SELECT {wanted} FROM {self.raw(some)}")[0]
                self.bits.update({name: value or 0 for name, value in zip(some, row, strict=True)})

    def _look_at_records(self, table: str) -> None:
        lenient = f"regexp_matches(json, {sql_text(_LENIENT_JSON)})"
        lines = f"read_ndjson_objects({self._head()})"
        kinds = f"json_keys(json) AS ks, json_type(json) AS kind, {lenient} AS odd, row_number() OVER () AS i"
        counts = "count(*), min(i), count_if(odd), count_if(kind <> 'OBJECT')"
        found = _rows(f"SELECT ks, {counts} FROM (SELECT {kinds} FROM {lines}) GROUP BY ks ORDER BY 3")
        self.names = list(dict.fromkeys(key for keys, *_ in found for key in keys))
        self.rows = sum(row[1] for row in found)
        if any(row[4] for row in found) or any(len(set(row[0])) < len(row[0]) or not row[0] for row in found):
            _raise_of_ingest(self, table)
            raise unreadable(self.name, "a line is no plain JSON object, or has a key twice: ingest the files")
        if len({name.lower() for name in self.names}) < len(self.names):
            raise unreadable(self.name, "keys that differ only by case cannot be read in place: ingest the files")
        for keys, *_ in found:
            envelope = table == "AzureDiagnostics" and "properties" in keys and "time" in keys
            if envelope or (len(keys) <= 4 and _WRAPPER_KEYS.issuperset(keys) and any(key in keys for key in WRAPPERS)):
                raise unreadable(self.name, "records inside an export's envelope are not read in place: ingest the files")
        if any(row[3] for row in found):
            for texts in _texts(f"SELECT json FROM {lines} WHERE {lenient}"):
                for text in texts.to_pylist():
                    json.loads(text, parse_constant=_no_constant)

    def _look_at_lines(self) -> None:
        mark = re.escape(self.delimiter)
        cell = f'(?:[^"{mark}\\r\\n]*|"(?:[^"]|"")*")'
        regular, blank = sql_text(f"{cell}(?:{mark}{cell})*"), sql_text(f'(?:{mark}|"")*')
        marks = "header=true, auto_detect=false, delim='\x01', quote='', escape=''"
        lines = f"read_csv({self._head()}, {marks}, columns={{'l': 'VARCHAR'}}, hive_partitioning=false)"
        counts = f"count_if(NOT regexp_full_match(l, {regular})), count_if(l IS NULL OR regexp_full_match(l, {blank}))"
        rows, odd, empty = _rows(f"SELECT count(*), {counts} FROM {lines}")[0]
        self.rows = rows
        if odd:
            raise unreadable(
                self.name,
                f"{odd} lines have a quote inside a field, or a field over several lines, which is not read in place: ingest the files",
            )
        if empty:
            raise unreadable(self.name, f"{empty} lines have no value: ingest the files")

    def verify(
        self, columns: dict[str, StoredColumn], kinds: dict[str, ScalarType], time: str | None, table: str
    ) -> dict[str, tuple[int, int]]:
        """Converts every value once. The least and greatest time of each file that has times."""
        converted = {name: column.template.format(column.sql_name.format()) for name, column in columns.items()}
        counted = [f"count({text})" for name, text in converted.items() if columns[name].udf and name != time]
        span = f"min({converted[time]}), max({converted[time]})" if time else "NULL, NULL"
        with _explained(self, table):
            found = _rows(
                f"SELECT {sql_name(FILE)}, {', '.join([span, *counted])} FROM {self.sql(kinds, ())} GROUP BY 1",
                [column.udf for column in columns.values() if column.udf],
            )
        return {row[0]: (row[1], row[2]) for row in found if row[1] is not None}


def text_groups(files: Sequence[PlacedFile]) -> list[TextGroup]:
    """The files by format, columns and names of partitions. Raises IngestError for a file that is not of its format, or a special one."""
    found: dict[Any, list[PlacedFile]] = {}
    for file in files:
        opened = log_file_of(file)
        header: tuple[str, ...] = ()
        delimiter = ""
        if file.format == "json":
            if not first_line_is_object(opened):
                raise unreadable(
                    file.path, "the first line is no whole JSON object; only one object per line is read in place: ingest the file"
                )
        else:
            delimiter, header = _csv_head(opened)
        key = (file.format, opened.compression, delimiter, header, tuple(key for key, _ in file.partition))
        found.setdefault(key, []).append(PlacedFile(file.path, file.format, opened.compression, file.partition))
    return [TextGroup(tuple(group), key[0], key[2], list(key[3])) for key, group in found.items()]


def log_file_of(file: PlacedFile) -> Any:
    from pathlib import Path

    path = Path(file.path)
    opened = log_file(path)
    if opened.encoding != "utf-8":
        raise unreadable(path, f"{opened.encoding} text is not read in place: ingest the file")
    if path.with_name(path.name + SIDECAR).exists():
        raise unreadable(path, f"a file with {path.name}{SIDECAR} is not read in place: ingest the file")
    return opened


def _csv_head(file: Any) -> tuple[str, tuple[str, ...]]:
    import csv

    with file.open() as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        first = text.readline(1 << 20)
    delimiter = _delimiter(first, file.format)
    report = Report()
    try:
        cells = next(csv.reader([first], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise unreadable(file.path, f"the header line is not valid {file.format.upper()}: {error}", 1) from None
    names = _header(cells, file.name, report)
    if report.notes or len(names) < len(cells) or len({name.lower() for name in names}) < len(names):
        raise unreadable(file.path, "a header with a name twice, or with an empty one, is not read in place: ingest the file", 1)
    return delimiter, tuple(names)


@contextmanager
def _explained(group: TextGroup, table: str) -> Iterator[None]:
    """Inside it, what DuckDB cannot read becomes what an ingest says about it, with file and line."""
    import duckdb

    try:
        yield
    except (duckdb.Error, ValueError) as error:
        _raise_of_ingest(group, table)
        text = str(error).strip().splitlines()[0]
        path, _, message = text.partition("kql: ")[2].partition(": ")
        if path:
            raise unreadable(path, message) from None
        raise unreadable(group.name, f"cannot be read in place ({text}): ingest the files") from None


def _raise_of_ingest(group: TextGroup, table: str) -> None:
    """Raises what an ingest would, if it would; a chunk at a time, none kept."""
    from toolkit.engine.ingest.builder import SourceBuilder
    from toolkit.engine.ingest.naming import Naming
    from toolkit.engine.ingest.sidecar import Sidecar
    from toolkit.engine.ingest.sources import read_file

    report = Report()
    for file in group.files:
        for chunk in read_file(log_file_of(file), report):
            builder = SourceBuilder(file.path, Naming(table, group.known), report, Sidecar())
            builder.add(chunk)
            builder.finish()
    if report.total_errors:
        raise report.as_error()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _connection(functions: Sequence[str] = ()) -> Any:
    """An engine of its own for a look at the files, before the one for queries may reach them."""
    import duckdb

    off = dict.fromkeys(("autoinstall_known_extensions", "enable_external_file_cache"), "false")
    connection = duckdb.connect(config={**off, "temp_directory": "", "TimeZone": "UTC"})
    connection.execute("SET enable_progress_bar = false")
    for name in dict.fromkeys(functions):
        register(connection, name)
    return connection


def _rows(sql: str, functions: Sequence[str] = ()) -> list[Any]:
    with _connection(functions) as connection:
        rows: list[Any] = connection.sql(sql).fetchall()
        return rows


def _texts(sql: str) -> Iterator[Any]:
    import pyarrow as pa

    with _connection() as connection:
        for batch in connection.sql(sql).to_arrow_reader(_BATCH):
            yield batch.column(0).cast(pa.string())
