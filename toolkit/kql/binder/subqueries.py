"""Tables inside scalar expressions: `value in (T)` and toscalar(T)."""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder import typing as rules
from toolkit.kql.binder.context import Binder, Scope, const
from toolkit.kql.binder.expressions import bind_scalar, convert, membership, scalars, unknown
from toolkit.kql.binder.pipeline import bind_tabular, is_tabular
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

UNKNOWN, STRING, DYNAMIC, BOOL = ScalarType.UNKNOWN, ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.BOOL


@scalars(syntax.In)
def _in(b: Binder, expr: syntax.In, scope: Scope) -> plan.Expr:
    value = bind_scalar(b, expr.value, scope)
    textual = expr.operator not in ("in", "!in")
    if textual and not rules.textual(value.type):
        message = f"The operator '{expr.operator}' expects a string or dynamic on its left, found {value.type}."
        b.report("undefined-operator", message, expr.value.span, alias="KS107")
        return unknown(expr.span)
    if len(expr.items) == 1:
        table = _table_item(b, expr.items[0], scope)
        if table is not None:
            return _in_table(b, expr, value, table)
    items = [bind_scalar(b, item, scope) for item in expr.items]
    return membership(b, expr.operator, value, items, expr.span)


def _table_item(b: Binder, item: syntax.Node, scope: Scope) -> plan.Rel | None:
    """The relation, when the single item of a list is tabular; a column of the same name wins (R-121)."""
    inner = item
    while isinstance(inner, syntax.Paren):
        inner = inner.inner
    return bind_tabular(b, inner, scope.without_rows()) if is_tabular(b, inner, scope) else None


def _in_table(b: Binder, expr: syntax.In, value: plan.Expr, table: plan.Rel) -> plan.Expr:
    if not table.columns:
        return unknown(expr.span)
    kind = table.columns[0].type
    if kind is DYNAMIC and value.type is DYNAMIC and expr.operator not in ("in", "!in"):
        value = convert(value, STRING)
    if kind is DYNAMIC and value.type is STRING:
        table, kind = _member_texts(b, table, expr.span), STRING
    of_terms = expr.operator in ("has_any", "has_all")
    if of_terms or expr.operator not in ("in", "!in") or value.type is DYNAMIC:
        value = convert(value, STRING if of_terms or kind in (DYNAMIC, UNKNOWN) else kind)
    if kind is DYNAMIC or not (of_terms or rules.same_family(value.type, kind)):
        b.refuse(f"'{expr.operator}' over a table needs the same type on both sides, found {value.type} and {kind} (R-036).", expr.span)
    return plan.InTable(expr.operator, value, table, expr.span)


def _member_texts(b: Binder, table: plan.Rel, span: Span) -> plan.Rel:
    """The texts of a dynamic column. Whether the service takes an array for its elements is not documented: the engine fails on one."""
    message = "The first column of this table is dynamic; toscalar(...) makes one list of an array, tostring(...) a text of a value."
    b.report("dynamic-in-table", message, span, severity="warning")
    first = plan.Ref(table.columns[0], span)
    length = plan.Call("array_length", (first,), ScalarType.LONG, span)
    some = plan.Call("!=", (length, const(0, ScalarType.LONG)), BOOL, span)
    kept = plan.Filter(table, plan.Call("and", (plan.Call("isnotnull", (first,), BOOL, span), some), BOOL, span))
    column = b.column(first.column.name, STRING)
    return plan.Extend(kept, ((column, plan.Call("member_text", (first,), STRING, span)),), (column,))


@scalars(syntax.ToScalar)
def _to_scalar(b: Binder, expr: syntax.ToScalar, scope: Scope) -> plan.Expr:
    if not is_tabular(b, expr.body, scope):
        return bind_scalar(b, expr.body, scope.without_rows())
    # the body cannot see the outer row
    rel = bind_tabular(b, expr.body, scope.without_rows())
    if not rel.columns:
        return unknown(expr.span)
    return plan.ScalarSubquery(rel, rel.columns[0].type, expr.span)
