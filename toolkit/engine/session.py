"""`Workspace`: tables of recorded logs, and the queries over them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from toolkit.catalog import Catalog
from toolkit.engine.budget import Budget
from toolkit.engine.database import Database, EngineFailure, Part
from toolkit.engine.discovery import columns_of, pending, probe
from toolkit.engine.environment import WorkspaceEnvironment
from toolkit.engine.errors import QueryFailed, failure
from toolkit.engine.lower.compile import Compiler
from toolkit.engine.neighbours import Neighbours, copied, filled
from toolkit.engine.result import Result
from toolkit.engine.select import Statement
from toolkit.engine.values import clock, instant
from toolkit.engine.watchlists import watchlist_records, watchlist_schema
from toolkit.kql import plan
from toolkit.kql.analysis import Analysis, SavedFunction, analyze
from toolkit.kql.diagnostics import Diagnostic, KqlError, UnsupportedKqlError
from toolkit.kql.discovery import NO_ROWS, Discovered, Place
from toolkit.kql.external import EXTERNAL_PREFIX, External
from toolkit.kql.passes.closed import closed
from toolkit.kql.passes.time_scope import WATCHLIST_PREFIX, is_log_table
from toolkit.kql.source import Source
from toolkit.kql.types import ScalarType, TableSchema

if TYPE_CHECKING:
    import pyarrow as pa

    from toolkit.engine.ingest import Finding


_T = TypeVar("_T")


@dataclass(frozen=True)
class IngestReport:
    """What an ingest brought: rows stored, records left out (lenient mode), and what was noticed."""

    rows: int
    skipped: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Step:
    """One pipe step of a query: its text, where it stands, and how many rows there are after it."""

    start: int
    end: int
    text: str
    rows: int


_KEPT_ANALYSES = 512


class Workspace:
    """Tables, saved functions and watchlists, and an engine to query them.

    `catalog`: None for the bundled tables of Log Analytics, Sentinel and Defender; a `Catalog`; or a mapping
    {"Table": {"Column": "kqltype"}}. `memory_limit` ("4GB") and `threads` bound what queries may use. `optimize`: False
    runs plans as they are bound, without rewriting: slower, the same rows.

    A workspace that holds nothing at all (no row, watchlist or external file) makes dry runs: every table of the catalogue is
    empty, and so is what is not at hand: external data (with the columns that the query declares), a watchlist, columns that
    only data could tell. From the first ingest on, a query that needs such a thing is refused, and so is one with rows of its
    own (datatable, print, range). `dry_runs=False` refuses it always; tests of rules want that, for they must not pass on a
    feed that is silently empty.

    Queries may run in several threads at once; ingesting and defining belong to one thread at a time. `fork()` gives a
    workspace that shares everything so far and changes on its own: prepare one, fork it per test.
    """

    def __init__(
        self,
        catalog: Catalog | Mapping[str, Mapping[str, str]] | None = None,
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
        dry_runs: bool = True,
        optimize: bool = True,
    ) -> None:
        self.catalog = _catalog(catalog)
        self._limits = (memory_limit, threads)
        self._dry_runs = dry_runs
        self._database: list[Database] = []
        self._schemas: dict[str, TableSchema] = {}
        self._parts: dict[str, tuple[Part, ...]] = {}
        self._functions: dict[str, SavedFunction] = {}
        self._watchlists: dict[str, TableSchema] = {}
        self._externals: dict[str, Path] = {}
        self._settings: dict[str, object] = {} if optimize else {"optimize": False}
        self._analyses: dict[Hashable, Analysis] = {}
        self._budget = Budget()
        self.neighbours: Neighbours | None = None

    def fork(self, budget: Budget | None = None) -> Workspace:
        """A workspace that begins with all of this one's contents; neither sees what the other adds later.

        `budget` is for the queries of the fork: how long they may take, how many rows they may give, and how to stop them
        without stopping those of others.
        """
        copy = Workspace(self.catalog, memory_limit=self._limits[0], threads=self._limits[1], dry_runs=self._dry_runs)
        copy._database = self._database
        copy._schemas = dict(self._schemas)
        copy._parts = dict(self._parts)
        copy._functions = dict(self._functions)
        copy._watchlists = dict(self._watchlists)
        copy._externals = dict(self._externals)
        copy._settings = dict(self._settings)
        copy._analyses = self._analyses
        copy._budget = budget or self._budget
        copy.neighbours = self.neighbours
        return copy

    @property
    def database(self) -> Database:
        """The engine, started when it is first needed: analysis does without."""
        if not self._database:
            self._database.append(Database(*self._limits))
        return self._database[0]

    def close(self) -> None:
        """Frees the engine's memory, for this workspace and all its forks."""
        for database in self._database:
            database.close()

    def interrupt(self) -> None:
        """Stops the queries that run in other threads, of this workspace and all its forks: they raise QueryCancelled."""
        for database in self._database:
            database.interrupt()

    # --- contents -----------------------------------------------------------------------------------------------------

    def ingest(self, table: str, source: Any, *, lenient: bool = False) -> IngestReport:
        """Adds rows to a table.

        `source`: a path or a list of paths (.jsonl .json .csv .tsv .parquet, also .gz and .zst; the logs of the Netskope client
        and of Zscaler NSS), a list of dicts, a pandas or Arrow table, or what `read_source` returned. Values take the catalogue's
        types. Raises IngestError with file and line for what cannot be read; with `lenient` such records are left out, counted
        and described in the report.
        """
        from toolkit.engine.ingest import Ingested, read_source

        known = self.schema(table)
        found = source if isinstance(source, Ingested) else read_source(source, table, known, lenient=lenient)
        self._schemas[table] = found.schema if known is None else _merged(known, found.schema)
        # nothing at all has no columns either, and the engine stores no such table
        parts = (self.database.store(found.table),) if found.table.num_columns else ()
        self._parts[table] = (*self._parts.get(table, ()), *parts)
        return IngestReport(found.rows, found.skipped, found.findings)

    def attach(self, table: str, source: str | Path | Sequence[str | Path]) -> int:
        """Adds the rows of Parquet files without loading them; returns how many there are.

        `source`: a file, a folder (hive-partitioned or flat), a pattern with `*`, or a list of these. A query reads the columns
        it names and, of them, the row groups whose times it asks for. The rows are those that `ingest` gives. Raises IngestError,
        by file and column, for what cannot be read in place: that can be ingested.
        """
        from toolkit.engine.files.attach import attach_files

        known = self.schema(table)
        found = attach_files(source, table, known)
        parts = self.database.attach(found.scans)
        self._schemas[table] = found.schema if known is None else _merged(known, found.schema)
        self._parts[table] = (*self._parts.get(table, ()), *parts)
        return found.rows

    def include(self, other: Workspace, fill: Mapping[str, str] | None = None) -> None:
        """Adds the rows of every table of another workspace, also where that has an engine of its own.

        `fill`: texts for columns of texts in which its rows have nothing.
        """
        for table in other.tables():
            known, found = self.schema(table), other.schema(table)
            if found is not None:
                self._schemas[table] = found if known is None else _merged(known, found)
            parts: Sequence[Part] = [copied(other.database, self.database, part) for part in other.stored(table)]
            for column, text in (fill or {}).items():
                parts = self._filled(table, parts, column, text)
            self._parts[table] = (*self._parts.get(table, ()), *parts)

    def reach(self, neighbours: Neighbours) -> None:
        """Lets queries read other workspaces by their names, as `workspace("b").T`. Without it every name means this one."""
        self.neighbours = neighbours

    def fill(self, column: str, text: str) -> None:
        """Rows that have nothing in a column of texts get this one, in all tables that have the column."""
        self._parts = {table: self._filled(table, parts, column, text) for table, parts in self._parts.items()}

    def _filled(self, table: str, parts: Sequence[Part], column: str, text: str) -> tuple[Part, ...]:
        schema = self.schema(table) if is_log_table(table) else None
        has_it = schema is not None and schema.column_type(column) is ScalarType.STRING
        return tuple(filled(part, column, text) for part in parts) if has_it else tuple(parts)

    def watchlists(self) -> Mapping[str, TableSchema]:
        """The columns of the watchlists, by alias."""
        return self._watchlists

    def functions(self) -> list[SavedFunction]:
        """The saved functions that queries may call."""
        return list(self._functions.values())

    def define_function(self, name: str, body: str, parameters: str = "") -> None:
        """Adds a saved function, with parameters as Azure writes them ("a:string, n:long = 5")."""
        self._functions[name] = SavedFunction(name, body, parameters)

    def define_watchlist(
        self, alias: str, rows: Iterable[Mapping[str, Any]], search_key: str | None = None, columns: Iterable[str] = ()
    ) -> None:
        """Sets the rows of `_GetWatchlist(alias)`: all text, and the service's own columns beside them (R-334).

        `columns`: those that a watchlist has besides the ones of its rows; a list without rows has columns too.
        """
        import pyarrow as pa

        records = [dict(row) for row in rows]
        schema = watchlist_schema(alias, [*records, dict.fromkeys(columns)])
        values = watchlist_records(schema, records, search_key)
        types = {name: pa.int64() if kind == "datetime" else pa.string() for name, kind in schema.columns.items()}
        self._watchlists[alias] = schema
        self._parts[WATCHLIST_PREFIX + alias] = (self.database.store(pa.table({n: pa.array(v, types[n]) for n, v in values.items()})),)

    def map_external(self, uri: str, path: str | Path) -> None:
        """Lets a local file stand for a URI of `externaldata`. It is read when a query asks for it, by that query's schema."""
        self._externals[uri] = Path(path)
        self._parts = {name: parts for name, parts in self._parts.items() if not name.startswith(EXTERNAL_PREFIX)}

    def map_ip_locations(self, path: str | Path) -> None:
        """Lets a local file stand for the database of `geo_info_from_ip_address`.

        CSV with the columns network, country, state, city, latitude, longitude; the longest network that holds an address
        counts. Raises IngestError with file and line for what cannot be read.
        """
        from toolkit.engine.geo.locations import read_locations

        self._settings["ip_locations"] = str(Path(path).resolve())
        read_locations.cache_clear()
        read_locations(str(Path(path).resolve()))

    def stored(self, table: str) -> Sequence[Part]:
        """The rows of a table as the engine has them; those of external data and of other workspaces are read the first time."""
        if self.neighbours is not None and table not in self._parts:
            found = self.neighbours.stored(table, self.database)
            if found is not None:
                return found
        if table.startswith(EXTERNAL_PREFIX) and table not in self._parts:
            from toolkit.engine.externals import read_external

            rows = read_external(External.of(table), self._externals, "externaldata")
            self._parts[table] = (self.database.store(rows.table),)
        parts = self._parts.get(table, ())
        for files in [part.files for part in parts if part.files is not None]:
            from toolkit.engine.files.stamps import check_unchanged

            check_unchanged(files.paths, files.stamps)
        return parts

    def schema(self, table: str) -> TableSchema | None:
        """The columns of a table: the catalogue's, and those that ingested rows brought."""
        return self._schemas.get(table) or self.catalog.table(table)

    def tables(self) -> list[str]:
        """The tables that rows were ingested into."""
        return [name for name in self._parts if is_log_table(name)]

    @property
    def is_dry(self) -> bool:
        """Whether queries run over no rows at all: nothing was ingested or defined that holds any."""
        return self._dry_runs and not self._parts and not self._externals and self.neighbours is None

    # --- queries ------------------------------------------------------------------------------------------------------

    def analyze(self, kql: str, *, parameters: Mapping[str, object] | None = None, name: str = "query") -> Analysis:
        """What the query means and what is wrong with it; never raises on bad KQL."""
        key = (kql, name, repr(sorted((parameters or {}).items())), self._surroundings())
        found = self._analyses.get(key)
        if found is None:
            found = analyze(kql, self._environment(parameters), name)
            if len(self._analyses) >= _KEPT_ANALYSES:
                self._analyses.clear()
            self._analyses[key] = found
        return found

    def _environment(self, parameters: Mapping[str, object] | None, discovered: Discovered | None = None) -> WorkspaceEnvironment:
        return WorkspaceEnvironment(self, self._functions, self._watchlists, parameters or {}, discovered, self._externals)

    def _surroundings(self) -> Hashable:
        """All that the meaning of a query depends on besides its text; forks mostly agree on it and share analyses."""
        schemas = tuple((name, tuple(schema.columns.items())) for name, schema in self._schemas.items())
        watchlists = tuple((alias, tuple(schema.columns.items())) for alias, schema in self._watchlists.items())
        own = (schemas, tuple(self._functions.values()), watchlists, tuple(self.tables()), tuple(self._externals), id(self.catalog))
        return own if self.neighbours is None else (*own, self.neighbours)

    def query(
        self,
        kql: str,
        now: object = None,
        start: object = None,
        end: object = None,
        parameters: Mapping[str, object] | None = None,
        timeout: float | None = None,
    ) -> Result:
        """Runs a query. What several statements, `fork` or `facet` yield besides the first result is in `Result.others`.

        `now`: the query's instant, the machine's clock when it is not given. `start`, `end`: only rows with
        start < TimeGenerated <= end, as the service scopes a run. All three are datetimes (naive is UTC) or ISO text.
        `parameters`: values for `declare query_parameters`. `timeout`: seconds.

        Raises KqlError for a query that is wrong, UnsupportedKqlError for one that this engine does not run, QueryFailed
        for one that fails on the data, IngestError for attached files that have changed, QueryTimeout and QueryCancelled.
        """
        compiler = self._compiler(now, start, end)
        analysis, bound = self._settled(kql, parameters, compiler, timeout)
        others = [self._result(other, compiler, analysis.source, timeout) for other in bound.others]
        return self._result(bound, compiler, analysis.source, timeout, others)

    def _result(
        self, bound: plan.QueryPlan, compiler: Compiler, source: Source, timeout: float | None, others: Sequence[Result] = ()
    ) -> Result:
        statement = _shallow(lambda: compiler.statement(bound.rel, source), source)
        table = self._run(statement, source, timeout, self._budget.rows)
        return Result(table, bound.columns, bound.visualization, statement.constants, name=bound.name, others=others)

    def sql(self, kql: str, now: object = None, parameters: Mapping[str, object] | None = None) -> str:
        """The SQL that a query becomes, for a look at it."""
        compiler = self._compiler(now, None, None)
        analysis, bound = self._settled(kql, parameters, compiler)
        return compiler.statement(bound.rel, analysis.source).text

    def trace(
        self,
        kql: str,
        now: object = None,
        start: object = None,
        end: object = None,
        parameters: Mapping[str, object] | None = None,
        timeout: float | None = None,
    ) -> list[Step]:
        """How many rows there are after each step of the query's outermost pipeline; arguments as for `query`."""
        compiler = self._compiler(now, start, end)
        analysis, bound = self._settled(kql, parameters, compiler, timeout)
        if not bound.steps:
            return []
        statement = _shallow(lambda: compiler.counts([step.rel for step in bound.steps], analysis.source), analysis.source)
        counts = dict(zip(*(column.to_pylist() for column in self._run(statement, analysis.source, timeout).columns), strict=True))
        return [
            Step(step.span.start, step.span.end, kql[step.span.start : step.span.end], counts[index])
            for index, step in enumerate(bound.steps)
        ]

    def _settled(
        self, kql: str, parameters: Mapping[str, object] | None, compiler: Compiler, timeout: float | None = None
    ) -> tuple[Analysis, plan.QueryPlan]:
        """The bound query; columns that only the data knows are looked up in it first (bag_unpack, pivot)."""
        analysis = self.analyze(kql, parameters=parameters)
        bound = _runnable(analysis)
        discovered: dict[Place, tuple[tuple[str, ScalarType], ...]] = {}
        while (rel := _shallow(partial(pending, bound, analysis.source), analysis.source)) is not None:
            question, source = probe(rel), analysis.source
            asked = _shallow(partial(closed, question), source) if self.is_dry else question
            statement = _shallow(partial(compiler.statement, asked, source), source)
            found = Result(self._run(statement, source, timeout), question.columns, None, statement.constants)
            discovered[rel.place] = NO_ROWS if self.is_dry and not len(found) else columns_of(rel, found.values(0), source)
            analysis = analyze(kql, self._environment(parameters, discovered), source.name)
            bound = _runnable(analysis)
        self._check_assertions(bound, compiler, analysis.source, timeout)
        return analysis, _shallow(partial(_closed, bound), analysis.source) if self.is_dry else bound

    def _check_assertions(self, bound: plan.QueryPlan, compiler: Compiler, source: Source, timeout: float | None) -> None:
        """Raises QueryFailed for every assert() of the query that does not hold."""
        if not bound.assertions:
            return
        values = [part for one in bound.assertions for part in (one.condition, one.message)]
        row = plan.Values(tuple(plan.Column(index, "", value.type) for index, value in enumerate(values, 1)), (tuple(values),))
        cells = self._result(plan.QueryPlan(row), compiler, source, timeout).rows()[0]
        failed = [
            Diagnostic("assertion", "error", "semantic", f"assert() has failed with message: '{text}'", one.span.start, one.span.end)
            for one, holds, text in zip(bound.assertions, cells[::2], cells[1::2], strict=True)
            if holds is not True
        ]
        if failed:
            raise QueryFailed(failed, source)

    def _compiler(self, now: object, start: object, end: object) -> Compiler:
        ticks = instant(clock() if now is None else now, "now")
        scope = (None if start is None else instant(start, "start"), None if end is None else instant(end, "end"))
        # once a query and table: where files are attached, each is looked at
        return Compiler(_Storage(cache(self.stored)), ticks, scope, self._settings)

    def _run(self, statement: Statement, source: Source, timeout: float | None, rows: int | None = None) -> pa.Table:
        try:
            return self.database.run(_shallow(lambda: statement.text, source), sorted(statement.udfs), timeout, self._budget, rows)
        except EngineFailure as error:
            raise failure(str(error), source) from None


class _Storage:
    def __init__(self, stored: Callable[[str], Sequence[Part]]) -> None:
        self._stored = stored

    def stored(self, table: str) -> Sequence[Part]:
        return self._stored(table)


def _runnable(analysis: Analysis) -> plan.QueryPlan:
    """The plan of a query that is right and that is not refused."""
    if analysis.errors or analysis.plan is None:
        raise KqlError(analysis.errors or (_no_result(analysis.source.text),), analysis.source)
    if analysis.refusals:
        raise UnsupportedKqlError(analysis.refusals, analysis.source)
    return analysis.plan


def _closed(bound: plan.QueryPlan) -> plan.QueryPlan:
    """The plan of a dry run: open columns are nulls."""
    steps = tuple(replace(step, rel=closed(step.rel)) for step in bound.steps)
    return replace(bound, rel=closed(bound.rel), steps=steps, others=tuple(map(_closed, bound.others)))


def _catalog(given: Catalog | Mapping[str, Mapping[str, str]] | None) -> Catalog:
    if given is None:
        return Catalog.bundled()
    return given if isinstance(given, Catalog) else Catalog.of(given)


def _merged(known: TableSchema, found: TableSchema) -> TableSchema:
    """The columns of both; a column keeps the type it had first."""
    return replace(known, columns={**found.columns, **known.columns} if set(found.columns) - set(known.columns) else known.columns)


def _shallow(build: Callable[[], _T], source: Source) -> _T:
    """What `build` gives; a query that nests deeper than Python's stack is refused instead of a crash."""
    try:
        return build()
    except RecursionError:
        message = "the query has too many steps that build on one another, or nests too deeply, to be run"
        raise UnsupportedKqlError([Diagnostic("too-deep", "error", "semantic", message, 0, len(source.text))], source) from None


def _no_result(kql: str) -> Diagnostic:
    return Diagnostic("no-result", "error", "semantic", "The query has no tabular result.", 0, len(kql))
