"""Tabular expressions: what their source is, and one handler per operator."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, Binder, FunctionBinding, HiddenBinding, ScalarBinding, Scope, TableBinding
from toolkit.kql.binder.graphs.value import graph_of
from toolkit.kql.binder.opening import bound_over
from toolkit.kql.binder.options import check_options
from toolkit.kql.binder.stored import stored_function
from toolkit.kql.functions import registry
from toolkit.kql.types import ScalarType

Handler = Callable[[Binder, Any, plan.Rel, Scope], plan.Rel]
Source = Callable[[Binder, Any, Scope], plan.Rel]

# Marks the rows of a search over all tables: as a result, its columns are those of the workspace that runs it.
EVERY_TABLE = f"{OPEN}tables"

HANDLERS: dict[type[syntax.Operator], Handler] = {}
SOURCES: dict[type[syntax.Node], Source] = {}

# Path roots that lead to another workspace or service.
REMOTE = frozenset({"workspace", "app", "resource", "database", "cluster", "adx", "arg"})

TABLE_FUNCTIONS = frozenset(
    {"materialize", "table", "_GetWatchlist", "external_table", "materialized_view", "externaldata", "graph", "stored_query_result"}
)


def handles(kind: type[syntax.Operator]) -> Callable[[Handler], Handler]:
    """Decorator: the binder of one operator."""

    def register(handler: Handler) -> Handler:
        HANDLERS[kind] = handler
        return handler

    return register


def sources(kind: type[syntax.Node]) -> Callable[[Source], Source]:
    """Decorator: the binder of something that needs no input."""

    def register(source: Source) -> Source:
        SOURCES[kind] = source
        return source

    return register


def bind_tabular(b: Binder, expr: syntax.Node, scope: Scope) -> plan.Rel:
    """The relation of a tabular expression; after a finding an open, empty one, so that one mistake gives one message."""
    while isinstance(expr, syntax.Paren):
        expr = expr.inner
    source = SOURCES.get(type(expr))
    if isinstance(expr, syntax.Operator):
        check_options(b, expr, scope)
    if source is None:
        b.report("table-expected", "Expected a tabular expression, found a scalar value.", expr.span, alias="KS107")
        return nothing(b)
    outer, b.collector, windows, b.windows = b.collector, None, b.windows, None
    try:
        return source(b, expr, scope)
    finally:
        b.collector, b.windows = outer, windows


def nothing(b: Binder) -> plan.Rel:
    """A relation that stands for one that could not be bound: any column may be read from it."""
    return plan.Values((b.column(OPEN, ScalarType.UNKNOWN),), ())


def visible(columns: tuple[plan.Column, ...]) -> tuple[plan.Column, ...]:
    """The columns without the phantoms of open tables."""
    return tuple(column for column in columns if not column.name.startswith(OPEN))


def _pipeline(b: Binder, expr: syntax.Pipeline, scope: Scope) -> plan.Rel:
    rel = bind_tabular(b, expr.source, scope)
    return apply_operators(b, expr.operators, rel, scope)


SOURCES[syntax.Pipeline] = _pipeline


def apply_operators(b: Binder, operators: tuple[syntax.Operator, ...], rel: plan.Rel, scope: Scope, *, record: bool = False) -> plan.Rel:
    """The relation after all operators; `as` names become visible to the ones behind."""
    for operator in operators:
        handler = HANDLERS.get(type(operator))
        check_options(b, operator, scope.with_rows(rel.columns))
        if _is_out_of_place(b, operator, rel):
            rel = nothing(b)
        if handler is None:
            rel = unsupported_operator(b, operator, rel)
        else:
            rel = bound_over(b, rel, partial(_handled, handler, b, operator, scope))
        if isinstance(operator, syntax.As):
            scope = scope.child({operator.name.text: TableBinding(rel.shared)}) if isinstance(rel, plan.Reuse) else scope
        if record:
            b.steps.append(plan.Step(operator.span, rel))
    return rel


_ON_GRAPHS = (
    syntax.GraphMatch,
    syntax.GraphShortestPaths,
    syntax.GraphToTable,
    syntax.GraphMarkComponents,
    syntax.GraphWhere,
)


def _is_out_of_place(b: Binder, operator: syntax.Operator, rel: plan.Rel) -> bool:
    """Whether a graph operator stands behind a table, or another one behind a graph; the service refuses both."""
    on_graph = isinstance(operator, _ON_GRAPHS)
    if on_graph is (graph_of(rel) is not None):
        return False
    if on_graph and isinstance(rel, plan.Values) and any(column.name == OPEN for column in rel.columns):
        return True
    wanted, found = ("a graph", "a table") if on_graph else ("a table", "a graph")
    hints = ("make-graph makes a graph of edges.",) if on_graph else ("graph-match and graph-to-table make a table of a graph.",)
    b.refuse(f"The operator '{operator_word(operator)}' needs {wanted}, found {found}.", operator.span, alias="SEM0104", hints=hints)
    return True


def _handled(handler: Handler, b: Binder, operator: syntax.Operator, scope: Scope, rel: plan.Rel) -> plan.Rel:
    return handler(b, operator, rel, scope)


def unsupported_operator(b: Binder, operator: syntax.Operator, rel: plan.Rel) -> plan.Rel:
    """An operator whose binding is not there yet: the result is open, an engine refuses it by name."""
    word = operator_word(operator)
    column = b.column(OPEN, ScalarType.UNKNOWN)
    return plan.Unsupported(f"operator '{word}'", "it is not implemented yet", (rel,), (column,), operator.span)


def operator_word(operator: syntax.Operator) -> str:
    """The KQL word of an operator class: MakeSeries -> make-series."""
    name = type(operator).__name__.rstrip("_")
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


def parameter(operator: syntax.Operator, name: str) -> syntax.Parameter | None:
    """An option of an operator by name; the last one written wins."""
    found = None
    for option in operator.parameters:
        if option.name == name:
            found = option
    return found


def word(option: syntax.Parameter | None) -> str | None:
    """The text of an option's value: a bare word, or the value of a literal."""
    if option is None:
        return None
    value = option.value
    if isinstance(value, syntax.NameRef):
        return value.name
    if isinstance(value, syntax.Name):
        return value.text
    if isinstance(value, syntax.Literal):
        return str(value.value).lower() if isinstance(value.value, bool) else str(value.value)
    return None


# --- is it a table? -------------------------------------------------------------------------------------------------


def is_tabular(b: Binder, expr: syntax.Node, scope: Scope) -> bool:
    """Whether an expression yields a table, without binding it."""
    while isinstance(expr, syntax.Paren):
        expr = expr.inner
    match expr:
        case syntax.Pipeline(source=source, operators=operators):
            return bool(operators) or isinstance(source, syntax.Operator) or is_tabular(b, source, scope)
        case syntax.DataTable() | syntax.ExternalData() | syntax.InlineExternalTable() | syntax.ToTable():
            return True
        case syntax.NameRef(name=name):
            return _name_is_tabular(b, name, scope)
        case syntax.Call(name=syntax.Name(text=name)):
            return _call_is_tabular(b, name, scope)
        case syntax.Path(base=base):
            return _is_remote(base) or (isinstance(base, syntax.Call) and base.name.text in b.patterns)
        case _:
            return False


def _is_remote(base: syntax.Node) -> bool:
    while isinstance(base, syntax.Path):
        base = base.base
    return isinstance(base, syntax.Call) and base.name.text in REMOTE


def _name_is_tabular(b: Binder, name: str, scope: Scope) -> bool:
    if scope.columns is not None and name in scope.columns:
        return False
    binding = scope.binding(name)
    if isinstance(binding, (TableBinding, HiddenBinding)):
        return True
    if isinstance(binding, FunctionBinding):
        return _declaration_is_tabular(b, binding)
    if isinstance(binding, ScalarBinding):
        return False
    return b.environment.table(name) is not None or _stored_is_tabular(b, name, scope)


def _call_is_tabular(b: Binder, name: str, scope: Scope) -> bool:
    binding = scope.binding(name)
    if isinstance(binding, FunctionBinding):
        return _declaration_is_tabular(b, binding)
    if isinstance(binding, HiddenBinding):
        return True
    if name in TABLE_FUNCTIONS or name in b.patterns:
        return True
    return registry.find_function(name) is None and _stored_is_tabular(b, name, scope)


def _stored_is_tabular(b: Binder, name: str, scope: Scope) -> bool:
    stored = stored_function(b, name, scope)
    return stored is not None and _declaration_is_tabular(b, stored)


def _declaration_is_tabular(b: Binder, binding: FunctionBinding) -> bool:
    """By the shape of the body: its own tabular parameters and lets count as tables."""
    declaration = binding.declaration
    if declaration.body is None:
        return False
    if binding.name in b.call_stack:
        return True
    local: dict[str, bool] = {p.name.text: isinstance(p.type, syntax.Schema) for p in declaration.parameters}
    b.call_stack.append(binding.name)
    try:
        for statement in declaration.statements:
            if isinstance(statement, syntax.Let):
                local[statement.name.text] = _shape(b, statement.value, binding.scope, local)
        return _shape(b, declaration.body, binding.scope, local)
    finally:
        b.call_stack.pop()


def _shape(b: Binder, expr: syntax.Node, scope: Scope, local: dict[str, bool]) -> bool:
    while isinstance(expr, syntax.Paren) or (isinstance(expr, syntax.Pipeline) and not expr.operators):
        inner = expr.inner if isinstance(expr, syntax.Paren) else expr.source
        if isinstance(inner, syntax.Operator):
            return True
        expr = inner
    if isinstance(expr, syntax.FunctionDecl):
        inside = {**local, **{p.name.text: isinstance(p.type, syntax.Schema) for p in expr.parameters}}
        return expr.body is not None and _shape(b, expr.body, scope, inside)
    if isinstance(expr, syntax.NameRef) and expr.name in local:
        return local[expr.name]
    if isinstance(expr, syntax.Call) and expr.name.text in local:
        return local[expr.name.text]
    return is_tabular(b, expr, scope)
