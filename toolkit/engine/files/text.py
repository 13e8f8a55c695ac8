"""JSON lines and CSV files in place: DuckDB parses the columns that a query names, and Python converts what it does not read alike.

Attaching looks through the files once: for what an ingest would refuse (reported with file and line), for what DuckDB would read in
another way (refused), for the types of columns that no schema knows, for the least and greatest time of each file, and for the form
of the values: those of a column that all have the plain form of its type are left to DuckDB.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.engine.files import looks
from toolkit.engine.files.looker import Looker
from toolkit.engine.files.paths import PlacedFile, sql_name, sql_text
from toolkit.engine.files.readings import Reading, field_reading, json_reading
from toolkit.engine.ingest.csv_reader import delimiter_of, names_of
from toolkit.engine.ingest.files import SIDECAR, LogFile, log_file
from toolkit.engine.ingest.findings import Report, unreadable
from toolkit.engine.ingest.json_reader import first_line_is_object, is_wrapper, strict_json
from toolkit.engine.ingest.naming import Target
from toolkit.engine.lower.context import StoredColumn
from toolkit.engine.lower.time_bounds import FILE
from toolkit.kql.times import TICKS_PER_MICROSECOND, UNIX_EPOCH_TICKS
from toolkit.kql.types import ScalarType, TableSchema

_COMPRESSION = {None: "uncompressed", "gzip": "gzip", "zstd": "zstd"}
_TRAILING_COMMA = r",\s*[}\]]"
"""What DuckDB reads and JSON is not; it may also stand in a text, therefore Python looks at the line."""
_COLUMNS_AT_ONCE = 200
_TIME = "TimeGenerated"


@dataclass
class TextGroup:
    """Files of one format with the same columns.

    What a look through them fills in: the columns of JSON lines, `rows`, `bits` (the kinds of values of each column, see `looks`)
    and `spans` (path -> bounds in ticks for the times that the file holds, as far as they are plain).
    """

    files: tuple[PlacedFile, ...]
    format: str
    delimiter: str
    names: list[str]
    engine: Looker
    known: TableSchema | None = None
    rows: int = 0
    bits: dict[str, int] = field(default_factory=dict)
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)

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
        bits, text = (looks.json_bits("v", None), f"({column} ->> '$')") if self.is_json else (looks.field_bits("v", None), column)
        values = f"SELECT {text} AS t, CAST({column} AS VARCHAR) AS v FROM {self.raw([name])}"
        return looks.kind_of_bits(self.bits[name], self.engine.texts(f"SELECT t FROM ({values}) WHERE {bits} = {looks.MAYBE_TIME}"))

    def reading(self, name: str, kind: ScalarType) -> StoredColumn:
        return self._reading(name, kind).column

    def _reading(self, name: str, kind: ScalarType) -> Reading:
        return (json_reading if self.is_json else field_reading)(name, kind, self.bits[name])

    def sql(self, kinds: dict[str, ScalarType]) -> str:
        """The table function that reads these files."""
        return self._scan({name: self._reading(name, kinds[name]).sql_type for name in self.names})

    def raw(self, names: Sequence[str]) -> str:
        """The same with the values as they stand in the files."""
        return self._scan(dict.fromkeys(names if self.is_json else self.names, "JSON" if self.is_json else "VARCHAR"))

    def _scan(self, types: dict[str, str]) -> str:
        columns = ", ".join(f"{sql_text(name)}: '{kind}'" for name, kind in types.items())
        options = f"columns={{{columns}}}, filename={sql_text(FILE)}, hive_partitioning=false"
        if self.is_json:
            return f"read_json({self._head()}, format='newline_delimited', records='true', {options})"
        marks = f"delim={sql_text(self.delimiter)}, quote='\"', escape='\"', strict_mode=true"
        return f"read_csv({self._head()}, header=true, auto_detect=false, {marks}, {options})"

    def _head(self) -> str:
        paths = ", ".join(sql_text(file.path) for file in self.files)
        return f"[{paths}], compression='{_COMPRESSION[self.files[0].compression]}'"

    # --- the look through the files -----------------------------------------------------------------------------------

    def look(self, table: str, target: Callable[[str], Target]) -> None:
        """Fills in what is to be known of the files. `target`: the column that a name of theirs means.

        Raises IngestError for what an ingest refuses and for what DuckDB would read differently.
        """
        with _explained(self, table):
            if self.is_json:
                self._look_at_records(table)
            else:
                self._look_at_lines()
            targets = {name: target(name) for name in self.names}
            self.bits = dict.fromkeys(self.names, 0)
            # the fields of a CSV file are texts anyway
            names = [name for name, one in targets.items() if self.is_json or one.type is not ScalarType.STRING]
            for at in range(0, len(names), _COLUMNS_AT_ONCE):
                self._look_at_values({name: targets[name] for name in names[at : at + _COLUMNS_AT_ONCE]})

    def _look_at_values(self, targets: dict[str, Target]) -> None:
        time = next((at for at, one in enumerate(targets.values()) if one.column == _TIME and one.type in (None, ScalarType.DATETIME)), -1)
        texts = [f"CAST({sql_name(name).format()} AS VARCHAR) AS v{at}" for at, name in enumerate(targets)]
        file, span, group, bits = "NULL", "NULL, NULL", "", looks.json_bits if self.is_json else looks.field_bits
        source = f"SELECT {sql_name(FILE)} AS f, {', '.join(texts)} FROM {self.raw(list(targets))}"
        if time >= 0:
            source = f"SELECT *, {looks.moment(f'v{time}', quoted=self.is_json)} AS m FROM ({source})"
            file, span, group = "f", "min(epoch_us(m)), max(epoch_us(m))", "GROUP BY f"
        kinds = [f"bit_or({bits(f'v{at}', one.type, 'm' if at == time else '')})" for at, one in enumerate(targets.values())]
        for path, least, greatest, *found in self.engine.rows(f"SELECT {file}, {span}, {', '.join(kinds)} FROM ({source}) {group}"):
            for name, value in zip(targets, found, strict=True):
                self.bits[name] |= value or 0
            if least is not None:
                self.spans[path] = (_ticks(least), _ticks(greatest) + TICKS_PER_MICROSECOND - 1)

    def _look_at_records(self, table: str) -> None:
        lines, odd = f"read_ndjson_objects({self._head()})", f"regexp_matches(json, {sql_text(_TRAILING_COMMA)})"
        found = self.engine.rows(f"SELECT json_keys(json), count(*), count_if({odd}) FROM {lines} GROUP BY 1")
        self.rows = sum(count for _, count, _ in found)
        if any(not keys or len(set(keys)) < len(keys) for keys, *_ in found):
            _raise_of_ingest(self, table)
            raise unreadable(self.name, "a line is no plain JSON object, or has a key twice: ingest the files")
        self.names = _in_order([keys for keys, *_ in found], lines, self.engine)
        if len({name.lower() for name in self.names}) < len(self.names):
            raise unreadable(self.name, "keys that differ only by case cannot be read in place: ingest the files")
        for keys, *_ in found:
            if (table == "AzureDiagnostics" and "properties" in keys and "time" in keys) or is_wrapper(keys):
                raise unreadable(self.name, "records inside an export's envelope are not read in place: ingest the files")
        if any(count for *_, count in found):
            for texts in self.engine.texts(f"SELECT json FROM {lines} WHERE {odd}"):
                for text in texts.to_pylist():
                    strict_json(text)

    def _look_at_lines(self) -> None:
        mark = re.escape(self.delimiter)
        cell = f'(?:[^"{mark}\\r\\n]*|"(?:[^"]|"")*")'
        regular, blank = sql_text(f"{cell}(?:{mark}{cell})*"), sql_text(f'(?:{mark}|"")*')
        marks = "header=true, auto_detect=false, delim='\x01', quote='', escape=''"
        lines = f"read_csv({self._head()}, {marks}, columns={{'l': 'VARCHAR'}}, hive_partitioning=false)"
        counts = f"count_if(NOT regexp_full_match(l, {regular})), count_if(l IS NULL OR regexp_full_match(l, {blank}))"
        rows, odd, empty = self.engine.rows(f"SELECT count(*), {counts} FROM {lines}")[0]
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
        """Converts once every value that Python has to convert. Bounds for the times of each file that has times."""
        converted = {name: column.template.format(column.sql_name.format()) for name, column in columns.items() if column.udf}
        if not converted:
            return self.spans
        counted = [f"count({text})" for name, text in converted.items() if name != time]
        span = f"min({converted[time]}), max({converted[time]})" if time in converted else "NULL, NULL"
        with _explained(self, table):
            found = self.engine.rows(
                f"SELECT {sql_name(FILE)}, {', '.join([span, *counted])} FROM {self.sql(kinds)} GROUP BY 1",
                [columns[name].udf for name in converted],
            )
        return {row[0]: (row[1], row[2]) for row in found if row[1] is not None} if time in converted else self.spans


def _ticks(microseconds: int) -> int:
    return microseconds * TICKS_PER_MICROSECOND + UNIX_EPOCH_TICKS


def _in_order(keys: Sequence[Sequence[str]], lines: str, engine: Looker) -> list[str]:
    """All keys in order of first appearance in the records of `lines`."""
    names = {key for some in keys for key in some}
    first: Sequence[str] = keys[0] if len(keys) == 1 else engine.rows(f"SELECT json_keys(json) FROM {lines} LIMIT 1")[0][0]
    if len(first) == len(names):
        return list(first)
    # numbering the records takes one thread
    found = engine.rows(
        f"SELECT ks FROM (SELECT json_keys(json) AS ks, row_number() OVER () AS i FROM {lines}) GROUP BY ks ORDER BY min(i)"
    )
    return list(dict.fromkeys(key for (some,) in found for key in some))


def text_groups(files: Sequence[PlacedFile], engine: Looker) -> list[TextGroup]:
    """The files by format, columns and names of partitions. Raises IngestError for a file that is not of its format, or a special one."""
    found: dict[Any, list[PlacedFile]] = {}
    for file in files:
        opened = log_file_of(file)
        header: tuple[str, ...] = ()
        delimiter = ""
        if file.format == "json":
            if not first_line_is_object(opened):
                raise unreadable(file.path, _not_lines(opened))
        else:
            delimiter, header = _csv_head(opened)
        key = (file.format, opened.compression, delimiter, header, tuple(file.partition))
        found.setdefault(key, []).append(replace(file, compression=opened.compression))
    return [TextGroup(tuple(group), key[0], key[2], list(key[3]), engine) for key, group in found.items()]


def _not_lines(file: LogFile) -> str:
    with file.open() as stream:
        if not stream.read(1):
            return "expected JSON, found an empty file"
    return "the first line is no whole JSON object; only one object per line is read in place: ingest the file"


def log_file_of(file: PlacedFile) -> LogFile:
    path = Path(file.path)
    opened = log_file(path)
    if opened.encoding != "utf-8":
        raise unreadable(path, f"{opened.encoding} text is not read in place: ingest the file")
    if path.with_name(path.name + SIDECAR).exists():
        raise unreadable(path, f"a file with {path.name}{SIDECAR} is not read in place: ingest the file")
    return opened


def _csv_head(file: LogFile) -> tuple[str, tuple[str, ...]]:
    import csv

    with file.open() as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        first = text.readline(1 << 20)
    delimiter = delimiter_of(first, file.format)
    report = Report()
    try:
        cells = next(csv.reader([first], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise unreadable(file.path, f"the header line is not valid {file.format.upper()}: {error}", 1) from None
    names = names_of(cells, file.name, report)
    if report.notes or len(names) < len(cells) or len({name.lower() for name in names}) < len(names):
        raise unreadable(file.path, "a header with a name twice, or with an empty one, is not read in place: ingest the file", 1)
    return delimiter, tuple(names)


@contextmanager
def _explained(group: TextGroup, table: str) -> Iterator[None]:
    """Inside it, what DuckDB cannot read becomes what an ingest says about it, with file and line."""
    import duckdb

    try:
        yield
    except (duckdb.Error, ValueError, RecursionError) as error:
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
