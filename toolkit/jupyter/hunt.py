"""What a notebook works on: recorded logs with the project's functions and watchlists, or the workspaces of environments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.jupyter.options import MagicError, Settings
from toolkit.kql.diagnostics import Diagnostic, KqlError, ToolkitError
from toolkit.kql.source import Source

if TYPE_CHECKING:
    from toolkit import Result, Workspace
    from toolkit.deploy.connection import Connection

TOKEN_VARIABLE = "TOOLKIT_LOCAL_TOKEN"  # noqa: S105  # the variable's name, not a token
_MOST_WAIT = 600


@dataclass(frozen=True)
class Answer:
    """A result, and sentences about it."""

    result: Result
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Loaded:
    """A workspace with logs, the state of the files that they came from, and what was noticed in them."""

    workspace: Workspace
    files: tuple[tuple[str, int, int], ...]
    notes: tuple[str, ...]


@dataclass
class Hunt:
    """Keeps what is loaded from one cell to the next. `folder`: where the notebook runs."""

    folder: Path
    settings: Settings = field(default_factory=Settings)
    _loaded: dict[tuple[Any, ...], _Loaded] = field(default_factory=dict)
    _connections: dict[str, Connection] = field(default_factory=dict)

    def run(self, kql: str, settings: Settings, variables: Mapping[str, object] | None = None, *, name: str = "cell") -> Answer:
        """Runs a query where the settings say. `variables` become lets in front of it.

        Raises MagicError with the places of what is wrong, as lines and columns of the cell.
        """
        lets = "".join(f"let {key} = {_literal(key, value)};" for key, value in (variables or {}).items())
        try:
            return self._remote(lets + kql, settings) if settings.env else self._local(lets + kql, settings)
        except KqlError as error:
            raise MagicError(_in_cell(error, kql, len(lets), name)) from None
        except ToolkitError as error:
            raise error if isinstance(error, MagicError) else MagicError(str(error)) from None

    def workspace(self, settings: Settings) -> Workspace:
        """The recorded logs of the settings, read again when their files have changed."""
        return self._load(settings).workspace

    def interrupt(self) -> None:
        for loaded in self._loaded.values():
            loaded.workspace.interrupt()

    def close(self) -> None:
        for loaded in self._loaded.values():
            loaded.workspace.close()
        for connection in self._connections.values():
            connection.close()
        self._loaded.clear()
        self._connections.clear()

    # --- recorded logs ------------------------------------------------------------------------------------------------

    def _local(self, kql: str, settings: Settings) -> Answer:
        loaded = self._load(settings)
        tables = [] if settings.data else loaded.workspace.analyze(kql).tables
        if tables:
            raise MagicError(f"The query reads {', '.join(tables)}, and there are no logs. Say where they are: %kql --data DIR")
        result = loaded.workspace.query(kql, now=settings.now, start=settings.start, end=settings.end, timeout=settings.timeout)
        return Answer(result)

    def _load(self, settings: Settings) -> _Loaded:
        found = [pair for place in settings.data for pair in self._files(place)]
        state = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for _, path in found)
        key = (settings.data, settings.lenient)
        known = self._loaded.get(key)
        if known is not None and known.files == state:
            return known
        if known is not None:
            known.workspace.close()
        workspace = _prepared(self.folder / settings.data[0] if settings.data else self.folder)
        notes: list[str] = []
        for table, path in found:
            report = workspace.ingest(table, path, lenient=settings.lenient)
            notes += [each.render() for each in report.findings if each.severity != "info"]
            notes += [f"{path.name}: {report.skipped} records left out, {report.rows} read."] if report.skipped else []
        self._loaded[key] = _Loaded(workspace, state, tuple(notes))
        return self._loaded[key]

    def _files(self, place: str) -> list[tuple[str, Path]]:
        """The log files of a folder, or the one file, each with its table. Raises MagicError where there are none."""
        from toolkit.engine.ingest import discover
        from toolkit.engine.ingest.files import table_of

        path = self.folder / place
        if path.is_file():
            return [(table_of(path), path)]
        if not path.exists():
            raise MagicError(f"--data {place}: error: no such file or folder, seen from {self.folder}")
        found = [(table, file) for table, files in discover(path).items() for file in files]
        if not found:
            raise MagicError(
                f"--data {place}: error: no logs in this folder. Files are named after their table: SigninLogs.jsonl, SigninLogs.2.csv"
            )
        return found

    def summary(self, settings: Settings) -> tuple[Result, tuple[str, ...]]:
        """The tables at hand with their rows and times, and what was noticed while they were read. Raises MagicError."""
        try:
            loaded = self._load(settings)
        except ToolkitError as error:
            raise error if isinstance(error, MagicError) else MagicError(str(error)) from None
        tables = loaded.workspace.tables()
        legs = [f"(['{name}'] | summarize Rows=count(){_times(loaded.workspace, name)} | extend Table='{name}')" for name in sorted(tables)]
        empty = "print Table='', Rows=0 | where false"
        kql = f"union {', '.join(legs)} | project-reorder Table, Rows | sort by Table asc" if legs else empty
        return loaded.workspace.query(kql), loaded.notes

    # --- workspaces ---------------------------------------------------------------------------------------------------

    def _remote(self, kql: str, settings: Settings) -> Answer:
        from toolkit.azure.logs import LogsQuery

        assert settings.env is not None
        connection = self._connection(settings.env)
        span = None
        if settings.start or settings.end:
            end = settings.end or datetime.now(UTC)
            span = (settings.start or datetime(1900, 1, 1, tzinfo=UTC), end)
        wait = int(min(max(settings.timeout or 180, 1), _MOST_WAIT))
        answer = connection.logs.run(LogsQuery(connection.workspace_id, kql, span, wait=wait, render=True))
        return Answer(answer.result, (str(answer.error),) if answer.error else ())

    def _connection(self, environment: str) -> Connection:
        from toolkit.content.findings import ContentError
        from toolkit.content.project import Project
        from toolkit.deploy.connection import Connection, cloud_of, loopback_credential

        if environment not in self._connections:
            try:
                project = Project.find(self.folder, self.folder)
                credential = loopback_credential(cloud_of(project, environment), os.environ.get(TOKEN_VARIABLE) or "local")
                self._connections[environment] = Connection.open(project, environment, credential)
            except ContentError as error:
                raise MagicError("\n".join(finding.render() for finding in error.findings)) from None
        return self._connections[environment]


def _prepared(folder: Path) -> Workspace:
    """A workspace with the functions and watchlists of the project that a folder lies in."""
    from toolkit import Workspace
    from toolkit.content.findings import ContentError
    from toolkit.content.project import Project
    from toolkit.testing.bench import Bench

    try:
        project = Project.find(folder, folder)
        bench = Bench(project, list(project.items("function")), list(project.items("watchlist")), None)
    except ContentError as error:
        raise MagicError("\n".join(finding.render() for finding in error.findings)) from None
    workspace = Workspace(catalog=bench.catalog, dry_runs=False)
    for function in bench.surroundings.functions:
        workspace.define_function(function.name, function.body, function.parameters)
    for watchlist in bench.surroundings.watchlists:
        workspace.define_watchlist(watchlist.alias, watchlist.rows, watchlist.search_key, watchlist.columns)
    return workspace


def _times(workspace: Workspace, table: str) -> str:
    schema = workspace.schema(table)
    dated = schema is not None and "TimeGenerated" in schema.columns
    return ", From=min(TimeGenerated), To=max(TimeGenerated)" if dated else ", From=datetime(null), To=datetime(null)"


def _literal(name: str, value: object) -> str:
    from toolkit.content.template.literals import kql_literal

    try:
        return str(kql_literal(value))
    except (TypeError, ValueError) as error:
        raise MagicError(f"--let {name}: {error}") from None


def _in_cell(error: KqlError, kql: str, offset: int, name: str) -> str:
    """The findings with the places that they have in the cell: below the line of the magic, without the lets."""
    source = Source(kql, name, 2) if "\n" in kql or name == "cell" else Source(kql, name)
    shown = []
    for found in error.diagnostics:
        start, end = max(found.start - offset, 0), max(found.end - offset, 0)
        moved = Diagnostic(found.code, found.severity, found.stage, found.message, start, end, found.hints, found.alias)
        shown.append(moved.render(source))
    return "\n".join(shown)
