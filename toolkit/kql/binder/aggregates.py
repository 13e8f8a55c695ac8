"""Aggregates met inside summarize: bound over the rows of the group, each given a column of its own."""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope
from toolkit.kql.binder.expressions import unknown
from toolkit.kql.binder.overloads import bind_argument, choose, coerce, result_type
from toolkit.kql.functions.registry import Function
from toolkit.kql.types import ScalarType

# Aggregates that yield several columns or whole rows: only allowed as an item of their own.
ROW_EXTREMES = frozenset({"arg_max", "arg_min", "argmax", "argmin"})


def bind_aggregate(b: Binder, function: Function, call: syntax.Call, scope: Scope) -> plan.Expr:
    """A reference to the column that will hold the aggregate's value."""
    collector = b.collector
    if collector is None:
        message = f"The aggregate '{function.name}' is not allowed in this context."
        b.report("aggregate-not-allowed", message, call.span, alias="KS111", hints=("Aggregates belong into summarize or make-series.",))
        return unknown(call.span)
    if collector.inside:
        b.report("nested-aggregate", f"The aggregate '{function.name}' cannot stand inside another one.", call.span, alias="KS111")
        return unknown(call.span)
    collector.inside = True
    try:
        args = [bind_argument(b, argument, collector.rows) for argument in call.arguments if not isinstance(argument, syntax.Star)]
    finally:
        collector.inside = False
    if function.name == "count" and any(isinstance(argument, syntax.Star) for argument in call.arguments):
        args = []
    if function.name == "count" and len(args) == 1 and args[0].type is ScalarType.BOOL:
        # the analyzer takes a predicate, the documentation knows none
        b.refuse("What count gives for a predicate is not documented; countif(...) counts the rows that pass.", call.span)
        args = []
    signature = choose(b, function, args, call)
    if signature is None:
        return unknown(call.span)
    args = coerce(b, function, signature, args, call)
    kind = _result(function, result_type(signature, args), args)
    column = b.column("", kind)
    collector.calls.append((column, plan.AggregateCall(function.canonical, tuple(args), kind, call.span)))
    return plan.Ref(column, call.span)


def _result(function: Function, kind: ScalarType, args: list[plan.Expr]) -> ScalarType:
    """Types of aggregates whose result the signature leaves to its own rule (R-248)."""
    if function.name in ("take_any", "any") and args:
        return args[0].type
    if function.name in ("percentile", "percentilew", "percentiles", "percentilesw") and args:
        return {ScalarType.INT: ScalarType.LONG, ScalarType.DECIMAL: ScalarType.REAL}.get(args[0].type, args[0].type)
    return kind
