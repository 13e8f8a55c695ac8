"""`attach_files`: files of one table, each kind and each set of columns a scan of its own, all with the types of an ingest."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.engine.database import FileScan
from toolkit.engine.files.parquet import FILE, ParquetGroup, natural_kind, parquet_groups, raise_all, reading, refused, text_column
from toolkit.engine.files.paths import Paths, placed_files, sql_name, sql_text
from toolkit.engine.ingest.findings import Finding, unreadable
from toolkit.engine.ingest.infer import infer_type
from toolkit.engine.ingest.naming import Naming, Target, UnknownZoneError
from toolkit.engine.lower.context import StoredColumn
from toolkit.kql.types import ScalarType, TableSchema

Scan = tuple[FileScan, dict[str, StoredColumn], int]


@dataclass(frozen=True)
class Attached:
    """What `Database.attach` takes, and the table's schema with the columns of the files."""

    scans: list[Scan]
    schema: TableSchema

    @property
    def rows(self) -> int:
        return sum(rows for _, _, rows in self.scans)


def attach_files(source: Paths, table: str, known: TableSchema | None) -> Attached:
    """Raises IngestError for files that are not there or that cannot be read in place."""
    files = placed_files(source)
    other = next((file for file in files if file.format != "parquet" or file.compression), None)
    if other is not None:
        raise unreadable(other.path, "only Parquet files are read in place: ingest the file")
    groups = parquet_groups(files)
    settled = _Settled(table, known)
    for group in groups:
        settled.add(group)
    scans = [settled.scan(group) for group in groups]
    raise_all(settled.wrong)
    return Attached(scans, settled.schema)


class _Settled:
    """One type for each column of a table, over all groups of files."""

    def __init__(self, table: str, known: TableSchema | None) -> None:
        self._table, self._known = table, known
        self._naming = Naming(table, known)
        self.types: dict[str, ScalarType] = {}
        self.wrong: list[Finding] = []

    @property
    def schema(self) -> TableSchema:
        if self._known is not None:
            return TableSchema(
                self._known.name, {**self._known.columns, **{k: v for k, v in self.types.items() if k not in self._known.columns}}
            )
        open_suffixes = self._table.endswith("_CL") or self._table == "AzureDiagnostics"
        return TableSchema(self._table, dict(self.types), open_suffixes=open_suffixes)

    def add(self, group: ParquetGroup) -> None:
        targets = self._targets(group)
        for field in group.schema:
            target = targets[field.name]
            kind = target.type or natural_kind(group, field)
            self._settle(target.column, kind, group, field.type)
        for key, values in _partition_columns(group).items():
            self._settle(
                self._naming.target(key).column, self._naming.target(key).type or infer_type([values], text_source=True), group, "text"
            )

    def _settle(self, column: str, kind: ScalarType | None, group: ParquetGroup, found: object) -> None:
        before = self.types.setdefault(column, kind) if kind is not None else None
        if kind is None:
            self.wrong.append(refused(group.name, column, found, None))
        elif before is not kind:
            message = f"column {column!r} would be {kind}, in other files of the table it is {before}: ingest the files"
            self.wrong.append(Finding(message, group.name))

    def _targets(self, group: ParquetGroup) -> dict[str, Target]:
        try:
            targets = {name: self._naming.target(name) for name in group.schema.names}
        except UnknownZoneError as error:
            raise unreadable(group.name, str(error)) from None
        columns = [target.column for target in targets.values()]
        twice = next((name for name, target in targets.items() if columns.count(target.column) > 1 or target.zone is not None), None)
        if twice is not None:
            raise unreadable(
                group.name, f"column {twice!r}: another spelling or a time zone of a column is not read in place: ingest the file"
            )
        return targets

    def scan(self, group: ParquetGroup) -> Scan:
        targets = self._targets(group)
        columns: dict[str, StoredColumn] = {}
        for field in group.schema:
            kind = self.types.get(targets[field.name].column)
            found = None if kind is None else reading(group, field, kind)
            if found is not None:
                columns[targets[field.name].column] = found
            elif kind is not None:
                self.wrong.append(refused(group.name, field.name, field.type, kind))
        partition = _partition_columns(group)
        for key in partition:
            target = self._naming.target(key)
            columns[target.column] = text_column(sql_name(key), key, self.types[target.column])
        paths = tuple(file.path for file in group.files)
        options = f"filename={sql_text(FILE)}, hive_partitioning={str(bool(partition)).lower()}, hive_types_autocast=false"
        return FileScan(paths, f"read_parquet([{', '.join(map(sql_text, paths))}], {options})"), columns, group.rows


def _partition_columns(group: ParquetGroup) -> dict[str, list[str]]:
    """The names and values of the files' folders, where the files themselves have no such column."""
    held = {name.lower() for name in group.schema.names}
    keys = [key for key, _ in group.files[0].partition]
    fresh = [key for key in keys if key.lower() not in held]
    if fresh and len(fresh) < len(keys):
        both = next(key for key in keys if key not in fresh)
        raise unreadable(group.name, f"the folders' {both!r} is also a column of the files: ingest the files")
    return {key: [dict(file.partition)[key] for file in group.files] for key in fresh}
