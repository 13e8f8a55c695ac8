"""Workspaces for cases: the project's functions and watchlists in all of them, each recorded file parsed once per run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
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
from toolkit.simulate.cells import cell_text
from toolkit.testing.cases import Case, LogItem
from toolkit.testing.logs import inline_row, patched_records
from toolkit.testing.patch import PatchError

if TYPE_CHECKING:
    from toolkit import Workspace


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
    """Makes the workspace of each case. `environment` is the one that functions are rendered for."""

    def __init__(self, project: Project, functions: Sequence[Item], watchlists: Sequence[Item], environment: str | None) -> None:
        self.project = project
        self.catalog: Catalog = catalog_of(project)
        self.surroundings = Surroundings(
            [function for item in functions if (function := self._function(item, environment))],
            [watchlist for item in watchlists if (watchlist := read_watchlist(item))],
        )
        self._base: Workspace | None = None
        self._files: dict[tuple[str, Path], Any] = {}

    def _function(self, item: Item, environment: str | None) -> Function | None:
        model = item.model
        if not isinstance(model, FunctionFile) or not model.name:
            return None
        query = ItemQuery(item, self.project, environment).render(item.collect())
        return Function(model.name, query.text, model.signature) if query else None

    @property
    def base(self) -> Workspace:
        """A workspace without logs: enough to analyse queries."""
        if self._base is None:
            self._base = self._prepared(self.surroundings.watchlists)
        return self._base

    def _prepared(self, watchlists: Sequence[Watchlist]) -> Workspace:
        from toolkit import Workspace

        workspace = Workspace(catalog=self.catalog)
        for function in self.surroundings.functions:
            workspace.define_function(function.name, function.body, function.parameters)
        for watchlist in watchlists:
            workspace.define_watchlist(watchlist.alias, watchlist.rows, watchlist.search_key)
        return workspace

    def workspace(self, case: Case, findings: Findings) -> tuple[Workspace, datetime] | None:
        """The workspace of a case with its logs, and its clock; None when the logs cannot be read."""
        workspace = self._prepared(self._watchlists(case))
        undated = [item for item in case.logs if item.row is not None and "TimeGenerated" not in item.row]
        dated = [item for item in case.logs if item not in undated]
        if not self._ingest(workspace, case, dated, case.model.now, findings):
            return None
        now = case.model.now or _latest(workspace, {item.table for item in dated})
        if now is None:
            hints = ["Give the time of the run, for example now: 2026-03-02T10:00:00Z."]
            findings.add("missing-key", "The case has no `now`, and no log row whose time could stand for it.", case.span(), hints=hints)
            return None
        return (workspace, now) if self._ingest(workspace, case, undated, now, findings) else None

    def _ingest(self, workspace: Workspace, case: Case, items: Sequence[LogItem], now: datetime | None, findings: Findings) -> bool:
        """Ingest log items, rows of one table in one call. False when one cannot be read."""
        rows: dict[str, list[dict[str, Any]]] = {}
        for item in items:
            schema = self.catalog.table(item.table)
            try:
                if item.row is not None:
                    rows.setdefault(item.table, []).append(inline_row(item, schema, now))
                elif item.patch is not None:
                    rows.setdefault(item.table, []).extend(patched_records(item, _file(case, item), schema))
                else:
                    workspace.ingest(item.table, self._parsed(item.table, _file(case, item)))
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

    def _parsed(self, table: str, path: Path) -> Any:
        return path

    def _watchlists(self, case: Case) -> list[Watchlist]:
        """The project's watchlists, with the rows that the case gives instead."""
        known = {watchlist.alias: watchlist for watchlist in self.surroundings.watchlists}
        for alias, given in case.model.watchlists.items():
            rows = [{name: cell_text(plain_value(value)) if not isinstance(value, Scalar) else value.text for name, value in row.items()}
                    for row in given]
            columns = list(dict.fromkeys(name for row in rows for name in row))
            before = known[alias].search_key if alias in known else None
            known[alias] = Watchlist(alias, rows, before if before in columns else _search_key(columns))
        return list(known.values())


def _search_key(columns: Sequence[str]) -> str | None:
    return "SearchKey" if "SearchKey" in columns else next(iter(columns), None)


def _file(case: Case, item: LogItem) -> Path:
    return case.folder / (item.file or "")


def _latest(workspace: Workspace, tables: set[str]) -> datetime | None:
    """The latest TimeGenerated of all logs."""
    times: list[datetime] = []
    for table in sorted(tables):
        analysis = workspace.analyze(table)
        if dict(analysis.columns).get("TimeGenerated") == "datetime":
            rows = list(workspace.query(f"{table} | summarize max(TimeGenerated)").rows())
            times += [row[0] for row in rows if row[0] is not None]
    return max((moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in times), default=None)


def _unreadable(case: Case, item: LogItem, error: ToolkitError, findings: Findings) -> None:
    """A log that cannot be read: the place in the tests file, and below it the place in the log."""
    message = f"The logs of {item.table} cannot be read{f': {item.file}' if item.file else ''}."
    findings.add("bad-logs", message, case.document.span(item.path))
    findings.found[-1] = replace(findings.found[-1], details="\n".join(f"  {line}" for line in str(error).split("\n")[:20]))
