"""Workspaces for cases: the project's functions and watchlists in all of them, each recorded file parsed once per run."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.catalog import Catalog
from toolkit.content.extensions import catalog_of
from toolkit.content.findings import Findings
from toolkit.content.items import Item
from toolkit.content.models.function import FunctionFile
from toolkit.content.project import Project
from toolkit.content.template.parameters import plain_value
from toolkit.content.values import ItemQuery
from toolkit.content.watchlists import Watchlist, read_watchlist
from toolkit.content.yaml.nodes import Scalar
from toolkit.kql.diagnostics import ToolkitError
from toolkit.kql.types import ScalarType
from toolkit.simulate.cells import cell_text
from toolkit.testing.cases import Case, LogItem
from toolkit.testing.logs import inline_row, patched_records
from toolkit.testing.patch import PatchError

if TYPE_CHECKING:
    from toolkit import Workspace
    from toolkit.engine.ingest import Ingested

_File = tuple[str, Path]
"""A table and a file of its logs."""


@dataclass(frozen=True)
class Function:
    """A saved function, rendered: what `define_function` takes."""

    name: str
    body: str
    parameters: str


@dataclass
class Surroundings:
    """What every query of a project may call, besides tables."""

    functions: list[Function] = field(default_factory=list)
    watchlists: list[Watchlist] = field(default_factory=list)


class Bench:
    """Makes the workspace of each case. `environment` is the one that functions are rendered for, `threads` what a query may use."""

    def __init__(
        self,
        project: Project,
        functions: Sequence[Item],
        watchlists: Sequence[Item],
        environment: str | None,
        *,
        threads: int | None = 1,
    ) -> None:
        self.project = project
        self._threads = threads
        self.catalog: Catalog = catalog_of(project)
        self.surroundings = Surroundings(
            [function for item in functions if (function := self._function(item, environment))],
            [watchlist for item in watchlists if (watchlist := read_watchlist(item))],
        )
        self._lock = threading.RLock()
        self._parsed: dict[_File, Ingested] = {}
        self._prepared: dict[tuple[_File, ...], Workspace] = {}

    def _function(self, item: Item, environment: str | None) -> Function | None:
        model = item.model
        if not isinstance(model, FunctionFile) or not model.name:
            return None
        query = ItemQuery(item, self.project, environment).render(item.collect())
        return Function(model.name, query.text, model.signature) if query else None

    @property
    def base(self) -> Workspace:
        """A workspace without logs: enough to analyse queries."""
        with self._lock:
            return self._with_files(())

    def close(self) -> None:
        """Frees the engine of all workspaces."""
        for workspace in list(self._prepared.values())[:1]:
            workspace.close()

    def interrupt(self) -> None:
        """Stops the queries of all workspaces."""
        for workspace in list(self._prepared.values())[:1]:
            workspace.interrupt()

    def _with_files(self, files: tuple[_File, ...]) -> Workspace:
        """A workspace with these log files, kept: cases share files, mostly the first ones. Raises IngestError."""
        if files not in self._prepared:
            workspace = self._with_files(files[:-1]).fork() if files else self._new()
            for table, path in files[-1:]:
                workspace.ingest(table, self._read(table, path))
            self._prepared[files] = workspace
        return self._prepared[files]

    def _read(self, table: str, path: Path) -> Ingested:
        from toolkit.engine.ingest import read_source

        if (table, path) not in self._parsed:
            self._parsed[table, path] = read_source(path, table, self.catalog.table(table))
        return self._parsed[table, path]

    def _new(self) -> Workspace:
        from toolkit import Workspace

        workspace = Workspace(catalog=self.catalog, threads=self._threads, dry_runs=False)
        for function in self.surroundings.functions:
            workspace.define_function(function.name, function.body, function.parameters)
        _define(workspace, self.surroundings.watchlists)
        return workspace

    def workspace(self, case: Case, findings: Findings) -> tuple[Workspace, datetime] | None:
        """The workspace of a case with its logs, and its clock; None when the logs cannot be read. One thread at a time."""
        with self._lock:
            return self._workspace(case, findings)

    def _workspace(self, case: Case, findings: Findings) -> tuple[Workspace, datetime] | None:
        workspace = self._files_of(case, findings)
        if workspace is None:
            return None
        _define(workspace, self._watchlists(case))
        undated = [item for item in case.logs if item.row is not None and "TimeGenerated" not in item.row]
        dated = [item for item in case.logs if item not in undated and not item.whole_file]
        if not self._ingest(workspace, case, dated, case.model.now, findings):
            return None
        now = case.model.now or _latest(workspace)
        if now is None:
            hints = ["Give the time of the run, for example now: 2026-03-02T10:00:00Z."]
            findings.add("missing-key", "The case has no `now`, and no log row whose time could stand for it.", case.span(), hints=hints)
            return None
        return (workspace, now) if self._ingest(workspace, case, undated, now, findings) else None

    def _files_of(self, case: Case, findings: Findings) -> Workspace | None:
        """A fresh workspace with the case's whole files."""
        files: tuple[_File, ...] = ()
        for item in case.logs:
            if item.whole_file:
                files = (*files, (item.table, _file(case, item)))
                try:
                    self._with_files(files)
                except ToolkitError as error:
                    _unreadable(case, item, error, findings)
                    return None
        return self._with_files(files).fork()

    def _ingest(self, workspace: Workspace, case: Case, items: Sequence[LogItem], now: datetime | None, findings: Findings) -> bool:
        """Ingest log items, rows of one table in one call. False when one cannot be read."""
        rows: dict[str, list[dict[str, Any]]] = {}
        for item in items:
            schema = self.catalog.table(item.table)
            try:
                if item.row is not None:
                    rows.setdefault(item.table, []).append(inline_row(item, schema, now))
                else:
                    rows.setdefault(item.table, []).extend(patched_records(item, _file(case, item), schema))
            except PatchError as error:
                findings.add("bad-logs", str(error), case.document.span(item.path), hints=error.hints)
                return False
            except ToolkitError as error:
                _unreadable(case, item, error, findings)
                return False
        return all(self._ingest_rows(workspace, case, table, records, findings) for table, records in rows.items())

    def _ingest_rows(self, workspace: Workspace, case: Case, table: str, records: list[dict[str, Any]], findings: Findings) -> bool:
        try:
            workspace.ingest(table, records)
        except ToolkitError as error:
            item = next(item for item in case.logs if item.table == table and (item.row is not None or item.patch is not None))
            _unreadable(case, item, error, findings)
            return False
        return True

    def _watchlists(self, case: Case) -> list[Watchlist]:
        """The watchlists whose rows the case gives itself; a column that only the project's rows have is empty."""
        known = {watchlist.alias: watchlist for watchlist in self.surroundings.watchlists}
        own: list[Watchlist] = []
        for alias, given in case.model.watchlists.items():
            rows = [
                {name: cell_text(plain_value(value)) if not isinstance(value, Scalar) else value.text for name, value in row.items()}
                for row in given
            ]
            before = known.get(alias)
            columns = list(dict.fromkeys(name for row in [before.columns if before else [], *rows] for name in row))
            key = before.search_key if before else _search_key(columns)
            own.append(Watchlist(alias, columns, rows, key))
        return own


def _define(workspace: Workspace, watchlists: Sequence[Watchlist]) -> None:
    for watchlist in watchlists:
        workspace.define_watchlist(watchlist.alias, watchlist.rows, watchlist.search_key, watchlist.columns)


def _search_key(columns: Sequence[str]) -> str | None:
    return "SearchKey" if "SearchKey" in columns else next(iter(columns), None)


def _file(case: Case, item: LogItem) -> Path:
    return Path(os.path.normpath(case.folder / (item.file or "")))


def _latest(workspace: Workspace) -> datetime | None:
    """The latest TimeGenerated of all logs."""
    times: list[datetime] = []
    for table in workspace.tables():
        schema = workspace.schema(table)
        if schema and schema.columns.get("TimeGenerated") is ScalarType.DATETIME:
            times += [row[0] for row in workspace.query(f"['{table}'] | summarize max(TimeGenerated)").rows() if row[0] is not None]
    return max(times, default=None)


def _unreadable(case: Case, item: LogItem, error: ToolkitError, findings: Findings) -> None:
    """A log that cannot be read: the place in the tests file, and below it the place in the log."""
    message = f"The logs of {item.table} cannot be read{f': {item.file}' if item.file else ''}."
    findings.add("bad-logs", message, case.document.span(item.path))
    findings.found[-1] = replace(findings.found[-1], details="\n".join(f"  {line}" for line in str(error).split("\n")[:20]))
