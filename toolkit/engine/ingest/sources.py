"""`read_source`: any source of rows for a table -> one Arrow table in the engine's physical types."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from toolkit.engine.ingest import arrow_reader
from toolkit.engine.ingest.assemble import assemble
from toolkit.engine.ingest.builder import SourceBuilder
from toolkit.engine.ingest.chunks import Chunk, chunk_of_records
from toolkit.engine.ingest.csv_reader import read_csv
from toolkit.engine.ingest.envelope import unpack
from toolkit.engine.ingest.fast_json import read_json_fast
from toolkit.engine.ingest.files import SIDECAR, LogFile, log_file, log_files_below
from toolkit.engine.ingest.findings import Finding, Report, unreadable
from toolkit.engine.ingest.json_reader import read_json
from toolkit.engine.ingest.naming import Naming
from toolkit.engine.ingest.partitions import partition_of, partition_types
from toolkit.engine.ingest.sidecar import Sidecar, read_sidecar
from toolkit.engine.ingest.text_logs import read_text_log, text_logs
from toolkit.kql.types import ScalarType, TableSchema

_DIAGNOSTICS = "AzureDiagnostics"


@dataclass(frozen=True)
class Ingested:
    """The rows of a table.

    `table`: Arrow columns in the engine's physical types (`coerce.PHYSICAL`), only those that the source has, known columns
    first. `schema`: every column of the catalogue, and what the source has besides. `findings`: notes, and in lenient mode
    the records that were left out; `skipped` counts those.
    """

    table: Any
    schema: TableSchema
    rows: int
    skipped: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def present(self) -> tuple[str, ...]:
        """The columns that the source has."""
        names: list[str] = self.table.column_names
        return tuple(names)


def read_source(source: Any, table: str, schema: TableSchema | None, *, lenient: bool = False) -> Ingested:
    """Rows for `table` from a path, a list of paths, mappings, a data frame or an Arrow table.

    Values are coerced to the types of `schema`; a column that it does not have is kept, with the type of its suffix where
    the table allows that, else with an inferred one. `schema` None: all types are inferred (TimeGenerated is a datetime).

    Raises IngestError for a source that cannot be read, and for any record that cannot; with `lenient` such records are
    left out, counted in `skipped` and described in `findings`.
    """
    report = Report()
    items = list(_sources_of(source, table))
    schema = _with_text_logs(items, table, schema)
    naming = Naming(table, schema)
    builders = [_built(item, table, naming, report) for item in items]
    folders = _add_partitions(items, builders)
    assembled = assemble(builders)
    if report.total_errors and not lenient:
        raise report.as_error()
    for builder in builders:
        builder.note_placeholders()
    columns = _ordered(assembled.columns, schema, folders)
    _note_surprises(columns, table, schema, report)
    skipped = report.total_errors - sum(builder.value_errors for builder in builders) + sum(len(builder.bad) for builder in builders)
    arrow = pa.table({name: array for name, (_, array) in columns.items()})
    found_types = {name: kind for name, (kind, _) in columns.items()}
    return Ingested(arrow, _resolved(table, schema, found_types), assembled.rows, skipped, tuple(report.errors + report.notes))


@dataclass(frozen=True)
class _Item:
    """One thing to read: a file, or rows that are already in memory."""

    name: str
    file: LogFile | None = None
    memory: Any = None


def _sources_of(source: Any, table: str) -> list[_Item]:
    if isinstance(source, (str, Path)):
        return [_Item(file.name, file) for file in _files_of(Path(source))]
    if arrow_reader.is_arrow(source) or arrow_reader.is_pandas(source):
        return [_Item(table, memory=source)]
    if arrow_reader.is_records(source):
        if source and all(isinstance(item, (str, Path)) for item in source):
            return [_Item(file.name, file) for item in source for file in _files_of(Path(item))]
        return [_Item(table, memory=source)]
    raise unreadable(
        table, f"expected a path, a list of paths or of mappings, a data frame or an Arrow table, found {type(source).__name__}"
    )


def _with_text_logs(items: Sequence[_Item], table: str, schema: TableSchema | None) -> TableSchema | None:
    """The schema with the columns of the text logs among the files: these know their types."""
    for log in [text_logs()[item.file.format] for item in items if item.file and item.file.format in text_logs()]:
        known = schema.columns if schema else {}
        schema = replace(
            schema or replace(log.schema, name=table), columns={**known, **{k: v for k, v in log.schema.columns.items() if k not in known}}
        )
    return schema


def _files_of(path: Path) -> list[LogFile]:
    """The file, or every log file below a folder."""
    if not path.is_dir():
        return [log_file(path)]
    files = list(map(log_file, log_files_below(path)))
    if not files:
        raise unreadable(path, "expected a log file or a folder with log files, found a folder without any")
    return files


def _built(item: _Item, table: str, naming: Naming, report: Report) -> SourceBuilder:
    sidecar = read_sidecar(item.file.path) if item.file else Sidecar()
    if item.file is not None and item.file.format == "json":
        fast = _built_fast(item.file, naming, report, sidecar)
        if fast is not None:
            return fast
    if item.file is not None and item.file.format in text_logs() and not sidecar.has_zone:
        beside = f"{item.file.path.name}{SIDECAR}"
        report.note(
            f'times of this log are local ones and are read as UTC; {beside} can say {{"timeZone": "Europe/Berlin"}}', item.name, "warning"
        )
    builder = SourceBuilder(item.name, naming, report, sidecar)
    for chunk in _chunks(item, table, report):
        builder.add(chunk)
    builder.finish()
    return builder


def _add_partitions(items: Sequence[_Item], builders: Sequence[SourceBuilder]) -> list[str]:
    """Gives the rows of each file what its folders say; the columns that come of it."""
    found = [partition_of(item.file.path) if item.file else {} for item in items]
    types = partition_types(found)
    columns: dict[str, None] = {}
    for builder, folders in zip(builders, found, strict=True):
        for key, text in folders.items():
            target = builder.target(key)
            if builder.add_constant(key, replace(target, type=target.type or types[key]), text):
                columns[target.column] = None
    return list(columns)


def _built_fast(file: LogFile, naming: Naming, report: Report, sidecar: Sidecar) -> SourceBuilder | None:
    """The whole file at once, when it is large and every value of it is as expected."""
    chunk = read_json_fast(file, naming)
    if chunk is None:
        return None
    own = Report()
    builder = SourceBuilder(file.name, naming, own, sidecar)
    builder.add(chunk)
    builder.finish()
    if own.total_errors:
        return None
    builder.report_to(report)
    return builder


def _chunks(item: _Item, table: str, report: Report) -> Iterator[Chunk]:
    if item.file is None:
        chunks = _memory_chunks(item.memory, report, item.name)
    else:
        chunks = read_file(item.file, report)
    return map(_unpacked, chunks) if table == _DIAGNOSTICS else chunks


def read_file(file: LogFile, report: Report) -> Iterator[Chunk]:
    """The records of a file of any format, as they were read."""
    if file.format == "parquet":
        return arrow_reader.read_parquet(file)
    if file.format == "json":
        return read_json(file, report)
    return read_text_log(file, report) if file.format in text_logs() else read_csv(file, report)


def _memory_chunks(memory: Any, report: Report, name: str) -> Iterator[Chunk]:
    if arrow_reader.is_pandas(memory):
        return arrow_reader.read_pandas(memory)
    if arrow_reader.is_arrow(memory):
        return arrow_reader.read_arrow(memory)
    return arrow_reader.read_records(memory, report, name)


def _unpacked(chunk: Chunk) -> Chunk:
    """A chunk of diagnostic records with the envelopes of storage and Event Hub exports taken off."""
    if not (isinstance(chunk.columns.get("properties"), list) and "time" in chunk.columns):
        return chunk
    keys = list(chunk.columns)
    records = [dict(zip(keys, values, strict=True)) for values in zip(*chunk.columns.values(), strict=True)]
    return replace(chunk, columns=chunk_of_records(unpack(records), chunk.lines).columns)


def _ordered(
    columns: dict[str, tuple[ScalarType, Any]], schema: TableSchema | None, last: Collection[str]
) -> dict[str, tuple[ScalarType, Any]]:
    """Columns of the schema in its order, then the others as they appeared, then those of folders."""
    known = [name for name in schema.columns if name in columns] if schema else []
    return {name: columns[name] for name in dict.fromkeys([*known, *(name for name in columns if name not in last), *last])}


def _resolved(table: str, schema: TableSchema | None, found: dict[str, ScalarType]) -> TableSchema:
    if schema is None:
        return TableSchema(table, found, open_suffixes=table.endswith("_CL") or table == _DIAGNOSTICS)
    extra = {name: kind for name, kind in found.items() if name not in schema.columns}
    return replace(schema, columns={**schema.columns, **extra}) if extra else schema


def _note_surprises(columns: dict[str, tuple[ScalarType, Any]], table: str, schema: TableSchema | None, report: Report) -> None:
    unknown = [name for name in columns if schema is not None and schema.column_type(name) is None]
    for name in unknown:
        report.note(f"column {name!r} is not in the schema of the table; kept as {columns[name][0].value}", table)
    if columns and "TimeGenerated" not in columns:
        report.note("there is no column TimeGenerated, so queries that are bounded in time find none of these rows", table, "warning")
    if "Type" in columns and columns["Type"][0] is ScalarType.STRING:
        others = [text for text in pc.unique(columns["Type"][1]).to_pylist() if text and text != table]
        if others:
            shown = ", ".join(map(repr, others[:3]))
            report.note(f"the column Type names another table than {table}: {shown}", table)
