"""One call from text to meaning: parse, bind, report. Never raises on a bad query."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, SavedFunction
from toolkit.kql.diagnostics import Diagnostic
from toolkit.kql.discovery import Discovered
from toolkit.kql.passes.rewrite import relations
from toolkit.kql.passes.time_scope import is_log_table
from toolkit.kql.source import Source
from toolkit.kql.types import TableSchema

__all__ = ["Analysis", "Environment", "SavedFunction", "analyze"]


@dataclass
class Environment:
    """The names a query may use: tables, saved functions, watchlists and query parameters.

    `discovered`: the columns of plugins that an engine found in the data. `externals`: the URIs that files stand for.
    `dry`: nothing holds rows, and what is not at hand (external data, a watchlist) counts as empty instead of being refused.
    """

    tables: Mapping[str, TableSchema] = field(default_factory=dict)
    functions: Mapping[str, SavedFunction] = field(default_factory=dict)
    watchlists: Mapping[str, TableSchema] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    discovered: Discovered = field(default_factory=dict)
    externals: Container[str] = ()
    dry: bool = False

    def table(self, name: str) -> TableSchema | None:
        return self.tables.get(name)

    def table_names(self) -> Iterable[str]:
        return self.tables

    def has_rows(self, table: str) -> bool:
        """Whether a table holds rows; without an engine none does."""
        return False

    def other_names(self) -> Iterable[str]:
        """The names of other workspaces; without an engine there are none."""
        return ()

    def elsewhere(self, name: str) -> Environment:
        """The names of another workspace: every name means this one."""
        return self


@dataclass(frozen=True)
class Analysis:
    """What is known about a query without running it.

    `columns` are the result's (name, KQL type name) in order; empty when the query has no meaning. `plan` is None when
    there are errors. `refusals` are findings that do not stop analysis but stop the query from being run.
    """

    source: Source
    syntax: syntax.Query
    diagnostics: tuple[Diagnostic, ...]
    columns: tuple[tuple[str, str], ...]
    plan: plan.QueryPlan | None = None
    refusals: tuple[Diagnostic, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """The stored tables that the query reads, in the order of their names; none for a query that is wrong."""
        roots = [] if self.plan is None else [self.plan.rel, *(other.rel for other in self.plan.others)]
        return tuple(sorted({rel.table for rel in relations(roots) if isinstance(rel, plan.Scan) and is_log_table(rel.table)}))

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(found for found in self.diagnostics if found.severity == "error")


def analyze(text: str, environment: object, name: str = "query") -> Analysis:
    """The analysis of a query text against an `Environment` (or anything with its members)."""
    from toolkit.kql.binder import calls, operators, plugins, subqueries  # noqa: F401  # importing registers them
    from toolkit.kql.binder.statements import bind_query
    from toolkit.kql.parser import parse

    parsed = parse(text)
    source = Source(text, name)
    if any(found.severity == "error" for found in parsed.diagnostics):
        return Analysis(source, parsed.query, parsed.diagnostics, ())
    binder = Binder(environment)  # type: ignore[arg-type]  # a structural match is all the binder asks for
    try:
        binder.is_dry = binder.environment.dry and not _brings_rows(parsed.query)
        bound = bind_query(binder, parsed.query)
    except RecursionError:
        return Analysis(source, parsed.query, (_too_deep(text),), ())
    found = (*parsed.diagnostics, *_unique(binder.diagnostics))
    failed = any(diagnostic.severity == "error" for diagnostic in found)
    columns = tuple((column.name, column.type.value) for column in bound.columns) if bound is not None else ()
    return Analysis(source, parsed.query, found, columns, None if failed else bound, tuple(binder.refusals))


def _brings_rows(query: syntax.Node) -> bool:
    """Whether rows are written in the query itself: then what is not at hand would change its answer."""
    waiting: list[syntax.Node] = [query]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (syntax.Print, syntax.Range)) or (isinstance(node, syntax.DataTable) and node.values):
            return True
        waiting += node.children()
    return False


def _unique(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(dict.fromkeys(found))


def _too_deep(text: str) -> Diagnostic:
    return Diagnostic("too-deep", "error", "syntax", "The query is nested too deeply to be analysed.", 0, len(text))
