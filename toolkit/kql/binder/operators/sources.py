"""Where rows come from: tables, lets, functions, watchlists, datatable, print, range."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from toolkit.kql import plan, syntax
from toolkit.kql.binder import typing as rules
from toolkit.kql.binder.context import (
    OPEN,
    Binder,
    Environment,
    FunctionBinding,
    HiddenBinding,
    ScalarBinding,
    Scope,
    TableBinding,
    const,
    null_of,
)
from toolkit.kql.binder.elsewhere import label_of, place_of
from toolkit.kql.binder.expressions import bind_scalar, convert
from toolkit.kql.binder.graphs.value import stored_graph
from toolkit.kql.binder.opening import without_rows
from toolkit.kql.binder.operators.items import bind_items, duplicate
from toolkit.kql.binder.patterns import pattern_call
from toolkit.kql.binder.pipeline import (
    REMOTE,
    apply_operators,
    bind_tabular,
    handles,
    nothing,
    sources,
    word,
)
from toolkit.kql.binder.stored import stored_function
from toolkit.kql.binder.user_functions import call_tabular
from toolkit.kql.diagnostics import suggestion
from toolkit.kql.external import FORMATS, External
from toolkit.kql.functions import registry
from toolkit.kql.source import Span
from toolkit.kql.times import format_datetime_iso, format_timespan
from toolkit.kql.types import DECLARABLE, NUMBERS, ScalarType, TableSchema

WATCHLIST = "_watchlist:"
WATCHLIST_COLUMNS = {
    "_DTItemId": ScalarType.STRING,
    "LastUpdatedTimeUTC": ScalarType.DATETIME,
    "SearchKey": ScalarType.STRING,
    "WatchlistItem": ScalarType.DYNAMIC,
}


_IN_THE_SERVICE = {
    "external_table": "the tables that it names are declared in the service; externaldata can read local files",
    "materialized_view": "the views that it names are kept by the service",
    "stored_query_result": "the results that it names are kept by the service",
}


@sources(syntax.NameRef)
def _name(b: Binder, expr: syntax.NameRef, scope: Scope) -> plan.Rel:
    binding = scope.binding(expr.name)
    if isinstance(binding, TableBinding):
        return plan.Reuse(binding.shared, b.fresh(binding.shared.rel.columns))
    if isinstance(binding, FunctionBinding):
        return call_tabular(b, binding, _bare_call(expr), scope)
    if isinstance(binding, ScalarBinding):
        b.report("table-expected", f"Expected a table, found the scalar '{expr.name}'.", expr.span, alias="KS107")
        return nothing(b)
    if isinstance(binding, HiddenBinding):
        return _hidden(b, expr.name, expr.span)
    schema = b.environment.table(expr.name)
    if schema is not None and expr.name not in b.environment.functions:
        return scan(b, schema, expr.span)
    stored = stored_function(b, expr.name, scope)
    if stored is not None:
        return call_tabular(b, stored, _bare_call(expr), scope)
    return unknown_table(b, expr.name, expr.span, scope)


def _hidden(b: Binder, name: str, span: Span) -> plan.Rel:
    b.report("hidden-table", f"A 'restrict' statement before keeps '{name}' from being read here.", span, alias="KS204")
    return nothing(b)


def _bare_call(expr: syntax.NameRef) -> syntax.Call:
    return syntax.Call(syntax.Name(expr.name, span=expr.span), (), span=expr.span)


def scan(b: Binder, schema: TableSchema, span: Span) -> plan.Rel:
    """The rows of a stored table, with phantoms for the columns its schema leaves open."""
    columns = [b.column(name, kind) for name, kind in schema.columns.items()]
    if schema.is_open:
        columns.append(b.column(OPEN, ScalarType.UNKNOWN))
    elif schema.open_suffixes:
        columns.append(b.column(f"{OPEN}_", ScalarType.UNKNOWN))
    return plan.Scan(schema.name, tuple(columns), span)


def unknown_table(b: Binder, name: str, span: Span, scope: Scope) -> plan.Rel:
    if b.fuzzy:
        return without_rows(b, plan.Values((), ()), ())
    known = [*b.environment.table_names(), *scope.visible_names(), *b.environment.functions]
    message = f"The name '{name}' does not refer to any known table, tabular variable or function."
    b.report("unknown-table", message, span, alias="KS204", hints=suggestion(name, known))
    return nothing(b)


@sources(syntax.Call)
def _call(b: Binder, expr: syntax.Call, scope: Scope) -> plan.Rel:
    name = expr.name.text
    binding = scope.binding(name)
    if isinstance(binding, FunctionBinding):
        return call_tabular(b, binding, expr, scope)
    if isinstance(binding, HiddenBinding):
        return _hidden(b, name, expr.span)
    if isinstance(binding, TableBinding) and not expr.arguments:
        return plan.Reuse(binding.shared, b.fresh(binding.shared.rel.columns))
    if name in b.patterns:
        return pattern_call(b, expr, None, scope)
    if name == "materialize" and len(expr.arguments) == 1:
        rel = bind_tabular(b, expr.arguments[0], scope)
        return plan.Reuse(plan.Shared("materialize", rel, pinned=True), b.fresh(rel.columns))
    if name == "table" and expr.arguments:
        return _table_by_name(b, expr, scope)
    if name == "_GetWatchlist":
        return _watchlist(b, expr, scope)
    if name == "graph":
        return stored_graph(b, expr, scope)
    stored = stored_function(b, name, scope)
    if stored is not None:
        return call_tabular(b, stored, expr, scope)
    if name in _IN_THE_SERVICE:
        for argument in expr.arguments:
            bind_scalar(b, argument, scope.without_rows())
        return plan.Unsupported(f"{name}()", _IN_THE_SERVICE[name], (), (b.column(OPEN, ScalarType.UNKNOWN),), expr.span)
    if b.fuzzy and registry.find_function(name) is None:
        return without_rows(b, plan.Values((), ()), ())
    known = [*registry.names("function"), *b.environment.functions, *scope.visible_names()]
    if registry.find_function(name) is not None:
        b.report("table-expected", f"Expected a table, found the scalar function '{name}'.", expr.span, alias="KS107")
    else:
        message = f"The name '{name}' does not refer to any known function."
        b.report("unknown-function", message, expr.name.span, alias="KS211", hints=suggestion(name, known))
    return nothing(b)


def _constant_text(b: Binder, node: syntax.Node, scope: Scope) -> str | None:
    value = bind_scalar(b, node.value if isinstance(node, syntax.NamedArgument) else node, scope.without_rows())
    if isinstance(value, plan.Const) and isinstance(value.value, str):
        return value.value
    b.report("constant-expected", "Expected a constant text.", node.span, alias="KS129")
    return None


def _table_by_name(b: Binder, expr: syntax.Call, scope: Scope) -> plan.Rel:
    """table("T"): what a let calls T, the table, or what a saved function without parameters yields."""
    name = _constant_text(b, expr.arguments[0], scope)
    if name is None:
        return nothing(b)
    binding = scope.binding(name)
    if isinstance(binding, TableBinding):
        return plan.Reuse(binding.shared, b.fresh(binding.shared.rel.columns))
    if isinstance(binding, HiddenBinding):
        return _hidden(b, name, expr.span)
    schema = b.environment.table(name)
    if schema is not None:
        return scan(b, schema, expr.span)
    stored = stored_function(b, name, scope)
    if stored is not None and not stored.declaration.parameters:
        return call_tabular(b, stored, _bare_call(syntax.NameRef(name, span=expr.span)), scope)
    return unknown_table(b, name, expr.span, scope)


def _watchlist(b: Binder, expr: syntax.Call, scope: Scope) -> plan.Rel:
    """R-334: the watchlist's own columns when it is at hand, else an open table with the four that every one has."""
    alias = _constant_text(b, expr.arguments[0], scope) if expr.arguments else None
    if alias is None:
        if not expr.arguments:
            b.report("argument-count", "The function '_GetWatchlist' expects 1 argument, found 0.", expr.span, alias="KS119")
        return nothing(b)
    for extra in expr.arguments[1:]:
        bind_scalar(b, extra, scope)
    schema = b.environment.watchlists.get(alias)
    if schema is not None:
        return scan(b, TableSchema(f"{WATCHLIST}{schema.name}", schema.columns), expr.span)
    hints = (*suggestion(alias, b.environment.watchlists), "A file watchlists/<alias>.csv, or a case's `watchlists:`, supplies its rows.")
    missing = f"The watchlist '{alias}' is not at hand."
    if b.is_dry:
        b.report("not-at-hand", missing, expr.span, severity="warning", hints=hints)
    else:
        b.refuse(missing, expr.span, hints=hints)
    return scan(b, TableSchema(f"{WATCHLIST}{alias}", WATCHLIST_COLUMNS, is_open=True), expr.span)


@sources(syntax.Path)
def _path(b: Binder, expr: syntax.Path, scope: Scope) -> plan.Rel:
    """workspace("w").T and friends: the local table of that name (R-335)."""
    root: syntax.Node = expr
    while isinstance(root, syntax.Path):
        root = root.base
    if isinstance(expr.base, syntax.Call) and expr.base.name.text in b.patterns and isinstance(expr.member, syntax.Name):
        return pattern_call(b, expr.base, expr.member.text, scope)
    if not isinstance(root, syntax.Call) or root.name.text not in REMOTE:
        b.report("table-expected", "Expected a table.", expr.span, alias="KS204")
        return nothing(b)
    if root.name.text in ("adx", "arg"):
        message = f"The name '{root.name.text}' does not refer to any known function."
        hints = (f"{root.name.text}(...) reaches another service from the portal; a scheduled rule cannot (R-333).",)
        b.report("unknown-function", message, root.span, alias="KS211", hints=hints)
        return nothing(b)
    there = place_of(b, expr.base, scope)
    if there is None:
        return nothing(b)
    if there is not b.environment:
        return _of_another(b, expr, there, scope)
    if isinstance(expr.member, syntax.Name):
        return _name(b, syntax.NameRef(expr.member.text, span=expr.member.span), scope)
    if isinstance(expr.member, syntax.Call):
        return _call(b, expr.member, scope)
    b.refuse("Wildcards over another database are not supported.", expr.span)
    return nothing(b)


def _of_another(b: Binder, expr: syntax.Path, there: Environment, scope: Scope) -> plan.Rel:
    """The table or function of a workspace other than the one at hand. The query's own names mean nothing there."""
    member = expr.member
    if isinstance(member, syntax.Wildcard):
        b.refuse("Wildcards over another database are not supported.", expr.span)
        return nothing(b)
    call = member if isinstance(member, syntax.Call) else _bare_call(syntax.NameRef(member.text, span=member.span))
    here, b.environment = b.environment, there
    try:
        stored = stored_function(b, call.name.text, Scope())
        if isinstance(member, syntax.Name):
            schema = there.table(member.text)
            if schema is not None and stored is None:
                return scan(b, schema, member.span)
        if stored is None:
            return unknown_table(b, call.name.text, call.name.span, Scope()) if call is not member else _call(b, call, Scope())
    finally:
        b.environment = here
    shown = f"{label_of(expr.base)}.{stored.name}"
    return call_tabular(b, replace(stored, name=shown, home=there), call, scope)


@sources(syntax.ToTable)
def _to_table(b: Binder, expr: syntax.ToTable, scope: Scope) -> plan.Rel:
    return bind_tabular(b, expr.body, scope)


@sources(syntax.ExternalData)
def _external_data(b: Binder, expr: syntax.ExternalData, scope: Scope) -> plan.Rel:
    """R-215: reading a URI is refused; the columns are known, so analysis goes on. Files may stand for the URIs.

    A dry run, over nothing at all, has no rows of external data either.
    """
    columns = tuple(_declared(b, declared) for declared in expr.schema.columns)
    uris = tuple(filter(None, (_constant_text(b, uri, scope) for uri in expr.uris)))
    reason = "it reads from the network; a local file has to be mapped to it"
    if b.is_dry:
        return plan.Values(columns, ())
    if not uris or any(uri not in b.environment.externals for uri in uris):
        return plan.Unsupported("externaldata", reason, (), columns, expr.span)
    options = {option.name.lower(): (word(option) or "").lower() for option in expr.properties}
    suffixes = uris[0].split("?", 1)[0].lower().removesuffix(".gz").rsplit(".", 1)
    kind = options.pop("format", suffixes[-1] if suffixes[-1] in FORMATS else "csv")
    skip = options.pop("ignorefirstrecord", "false") == "true"
    if options or kind not in FORMATS:
        unknown = ", ".join(options) or f"format {kind}"
        return plan.Unsupported("externaldata", f"the option {unknown} is not implemented", (), columns, expr.span)
    external = External(uris, tuple((column.name, column.type) for column in columns), kind, skip)
    return plan.Scan(external.table, columns, expr.span)


def _declared(b: Binder, declared: syntax.ColumnDecl) -> plan.Column:
    return b.column(declared.name.text, DECLARABLE.get(declared.type or "string", ScalarType.STRING))


# --- rows written in the query --------------------------------------------------------------------------------------


@sources(syntax.DataTable)
def _datatable(b: Binder, expr: syntax.DataTable, scope: Scope) -> plan.Rel:
    columns = tuple(_declared(b, declared) for declared in expr.schema.columns)
    width = len(columns)
    if not width or len(expr.values) % width:
        message = f"Expected a multiple of {width} values, found {len(expr.values)}."
        b.report("datatable-values", message, expr.span, alias="KS218")
        return plan.Values(columns, ())
    rows: list[tuple[plan.Expr, ...]] = []
    for start in range(0, len(expr.values), width):
        cells = expr.values[start : start + width]
        rows.append(tuple(_cell(b, node, column.type, scope) for node, column in zip(cells, columns, strict=True)))
    return plan.Values(columns, tuple(rows))


def _cell(b: Binder, node: syntax.Node, kind: ScalarType, scope: Scope) -> plan.Expr:
    """A literal as a value of its column's type (R-214)."""
    value = bind_scalar(b, node, scope.without_rows())
    if value.type is kind or kind is ScalarType.UNKNOWN:
        return value
    if isinstance(value, plan.Const):
        if value.value is None:
            return null_of(kind)
        if kind is ScalarType.DYNAMIC:
            return const(as_json(value), kind, value.span)
        if kind is ScalarType.REAL and value.type.is_integer:
            return const(float(str(value.value)), kind, value.span)
        if kind in (ScalarType.INT, ScalarType.LONG) and value.type.is_integer:
            return const(value.value, kind, value.span)
    return convert(value, kind)


def as_json(value: plan.Const) -> str:
    """A constant as the JSON text of a dynamic: datetime and timespan as text, decimals as numbers (R-087)."""
    if value.type is ScalarType.DATETIME and isinstance(value.value, int):
        return json.dumps(format_datetime_iso(value.value))
    if value.type is ScalarType.TIMESPAN and isinstance(value.value, int):
        return json.dumps(format_timespan(value.value))
    if isinstance(value.value, Decimal):
        return str(value.value)
    if isinstance(value.value, float) and (value.value != value.value or value.value in (float("inf"), float("-inf"))):
        return json.dumps({"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value.value)])
    return json.dumps(value.value, ensure_ascii=False)


@sources(syntax.Print)
def _print(b: Binder, operator: syntax.Print, scope: Scope) -> plan.Rel:
    """R-206, R-212: one row; unnamed columns are numbered by their position among all."""
    items = bind_items(b, operator.items, scope.without_rows())
    columns: list[plan.Column] = []
    seen: set[str] = set()
    for position, item in enumerate(items):
        name = item.name or (item.carried if item.carried and len(items) != len(operator.items) else None) or f"print_{position}"
        if name in seen:
            duplicate(b, name, item.node)
        seen.add(name)
        columns.append(b.column(name, item.value.type))
    return plan.Values(tuple(columns), (tuple(item.value for item in items),))


@sources(syntax.Range)
def _range(b: Binder, operator: syntax.Range, scope: Scope) -> plan.Rel:
    """R-213: inclusive; integers give long, one real makes all real, datetimes step by timespan."""
    bounds = [bind_scalar(b, node, scope.without_rows()) for node in (operator.start, operator.stop, operator.step)]
    kinds = [bound.type for bound in bounds]
    kind = _range_type(kinds)
    if kind is None:
        message = f"range cannot step from {kinds[0]} to {kinds[1]} by {kinds[2]}."
        b.report("range-types", message, operator.span, alias="KS107")
        return nothing(b)
    step = bounds[2]
    if isinstance(step, plan.Const) and isinstance(step.value, (int, float)) and step.value <= 0:
        b.refuse("A step that is not positive is not documented (R-213).", operator.step.span)
    step_kind = ScalarType.TIMESPAN if kind is ScalarType.DATETIME else kind
    start, stop = (convert(bound, kind) for bound in bounds[:2])
    return plan.RangeRows(b.column(operator.name.text, kind), start, stop, convert(step, step_kind), operator.span)


def _range_type(kinds: Sequence[ScalarType]) -> ScalarType | None:
    first, last, step = kinds
    if ScalarType.UNKNOWN in kinds:
        return first if first is not ScalarType.UNKNOWN else ScalarType.LONG
    if ScalarType.DYNAMIC in kinds:
        typed = [kind for kind in kinds if kind is not ScalarType.DYNAMIC]
        return rules.common(typed) if typed and set(typed) <= NUMBERS else ScalarType.LONG if not typed else None
    if set(kinds) <= NUMBERS:
        common = rules.common(list(kinds))
        return ScalarType.LONG if common is ScalarType.INT else common
    if (first, last, step) == (ScalarType.DATETIME, ScalarType.DATETIME, ScalarType.TIMESPAN):
        return ScalarType.DATETIME
    return ScalarType.TIMESPAN if set(kinds) == {ScalarType.TIMESPAN} else None


@handles(syntax.Invoke)
def _invoke(b: Binder, operator: syntax.Invoke, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """R-296: the pipeline becomes the function's first tabular parameter."""
    call = operator.call
    if not isinstance(call, syntax.Call):
        b.report("function-expected", "invoke expects a function call.", operator.span, alias="KS211")
        return nothing(b)
    binding = scope.binding(call.name.text)
    function = binding if isinstance(binding, FunctionBinding) else stored_function(b, call.name.text, scope)
    if function is None:
        message = f"The name '{call.name.text}' does not refer to any known function."
        b.report("unknown-function", message, call.name.span, alias="KS211", hints=suggestion(call.name.text, b.environment.functions))
        return nothing(b)
    return call_tabular(b, function, call, scope, piped=rel)


__all__ = ["apply_operators", "scan"]
