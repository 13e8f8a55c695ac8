"""`attach_files`: files of one table, each kind and each set of columns a scan of its own, all with the types of an ingest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from toolkit.engine.database import FileScan
from toolkit.engine.files.looker import Looker
from toolkit.engine.files.parquet import ParquetGroup, parquet_groups, raise_all, refused
from toolkit.engine.files.paths import Paths, placed_files
from toolkit.engine.files.readings import partition_reading
from toolkit.engine.files.text import TextGroup, text_groups
from toolkit.engine.ingest.findings import Finding, unreadable
from toolkit.engine.ingest.naming import Naming, Target, UnknownZoneError
from toolkit.engine.ingest.partitions import partition_types
from toolkit.engine.lower.context import StoredColumn
from toolkit.kql.types import ScalarType, TableSchema

Group = ParquetGroup | TextGroup
Scan = tuple[FileScan, dict[str, StoredColumn], int]
_TIME = "TimeGenerated"


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
    settled = _Settled(table, known)
    parquet = parquet_groups([file for file in files if file.format == "parquet"])
    with Looker() as engine:
        texts = text_groups([file for file in files if file.format != "parquet"], engine)
        for group in texts:
            group.known = known
            group.look(table, partial(settled.target, group))
        groups: list[Group] = [*parquet, *texts]
        for one in groups:
            settled.add(one)
        settled.add_partitions(groups)
        scans = [settled.scan(one) for one in groups]
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

    def add(self, group: Group) -> None:
        targets = self._targets(group)
        for name, target in targets.items():
            kind = target.type or group.natural(name)
            if kind is None:
                self.wrong.append(refused(group.name, name, group.found(name), None))
            else:
                self._settle(target.column, kind, group)

    def add_partitions(self, groups: Sequence[Group]) -> None:
        """The columns that the names of folders are, after those of all files."""
        types = partition_types(file.partition for group in groups for file in group.files)
        for group in groups:
            for key, target in self._partition(group).items():
                self._settle(target.column, target.type or types[key], group)

    def _settle(self, column: str, kind: ScalarType, group: Group) -> None:
        before = self.types.setdefault(column, kind)
        if before is not kind:
            message = f"column {column!r} would be {kind}, in other files of the table it is {before}: ingest the files"
            self.wrong.append(Finding(message, group.name))

    def target(self, group: Group, name: str) -> Target:
        try:
            target = self._naming.target(name)
        except UnknownZoneError as error:
            raise unreadable(group.name, str(error)) from None
        if target.zone is not None:
            raise unreadable(group.name, f"column {name!r}: a time zone of a column is not read in place: ingest the file")
        return target

    def _targets(self, group: Group) -> dict[str, Target]:
        targets = {name: self.target(group, name) for name in group.names}
        columns = [target.column for target in targets.values()]
        twice = next((name for name, target in targets.items() if columns.count(target.column) > 1), None)
        if twice is not None:
            raise unreadable(group.name, f"column {twice!r}: another spelling of a column is not read in place: ingest the file")
        return targets

    def _partition(self, group: Group) -> dict[str, Target]:
        """The names of the files' folders with the columns that they are, where the files themselves have no such column."""
        held = {name.lower() for name in group.names}
        taken = {target.column for target in self._targets(group).values()}
        found = {key: self.target(group, key) for key in group.files[0].partition if key.lower() not in held}
        return {key: target for key, target in found.items() if target.column not in taken}

    def scan(self, group: Group) -> Scan:
        targets = self._targets(group)
        columns: dict[str, StoredColumn] = {}
        kinds: dict[str, ScalarType] = {}
        for name, target in targets.items():
            kind = self.types.get(target.column)
            found = None if kind is None else group.reading(name, kind)
            if found is not None and kind is not None:
                columns[target.column], kinds[name] = found, kind
            elif kind is not None:
                self.wrong.append(refused(group.name, name, group.found(name), kind))
        if isinstance(group, TextGroup) and not self.wrong:
            columns = self._verified(group, columns, kinds)
        for key, target in self._partition(group).items():
            columns[target.column] = partition_reading(key, self.types[target.column], group.files)
        sql = "" if self.wrong else group.sql(kinds)
        scan = FileScan(tuple(file.path for file in group.files), sql, tuple(file.stamp for file in group.files))
        return scan, columns, group.rows

    def _verified(self, group: TextGroup, columns: dict[str, StoredColumn], kinds: dict[str, ScalarType]) -> dict[str, StoredColumn]:
        """The columns after every value was converted once; the table's time knows the files it is in."""
        time = _TIME if _TIME in columns and self.types[_TIME] is ScalarType.DATETIME else None
        found = group.verify(columns, kinds, time, self._table)
        if time is None:
            return columns
        spans = tuple((file.path, *found.get(file.path, (1, 0))) for file in group.files)
        return {**columns, time: replace(columns[time], spans=spans)}
