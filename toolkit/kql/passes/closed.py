"""Columns of open relations for a run over no rows at all: nulls of the types that their readers expect.

A watchlist that is not at hand, an input of bag_unpack without rows: analysis accepts any column of such a relation and
leaves its type unknown. Where no table has a row such a column has no value either, and the query can run. An expression
of unknown type is then null; where it is read, it becomes the null of a type that its reader takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolkit.kql import plan
from toolkit.kql.binder.context import null_of
from toolkit.kql.binder.typing import ARITHMETIC
from toolkit.kql.functions import registry
from toolkit.kql.functions.registry import Function
from toolkit.kql.passes.idle_legs import is_empty
from toolkit.kql.passes.rewrite import map_children, map_expressions, transform
from toolkit.kql.types import ScalarType

UNKNOWN, STRING, DYNAMIC, BOOL, LONG = (
    ScalarType.UNKNOWN,
    ScalarType.STRING,
    ScalarType.DYNAMIC,
    ScalarType.BOOL,
    ScalarType.LONG,
)

# Operators over text: what stands beside the unknown operand says nothing about it (a list may be dynamic).
_TEXTUAL = (
    "has",
    "contains",
    "startswith",
    "endswith",
    "matches",
    "=~",
    "!~",
    "in",
    "!in",
    "!has",
    "!contains",
    "!startswith",
    "!endswith",
)

# The first of these that a parameter takes.
_PREFERRED = (STRING, LONG, DYNAMIC, ScalarType.DATETIME, ScalarType.TIMESPAN, BOOL)


def closed(rel: plan.Rel) -> plan.Rel:
    """The plan without expressions of unknown type below its result columns."""
    return transform(rel, _relation, _expression)


def _as(expr: plan.Expr, kind: ScalarType) -> plan.Expr:
    """The expression, or the null of a type where its own is unknown."""
    return replace(null_of(kind), span=expr.span) if expr.type is UNKNOWN else expr


def _expression(expr: plan.Expr) -> plan.Expr:
    match expr:
        case plan.Call(name=name, args=args) if any(arg.type is UNKNOWN for arg in args):
            if name in ARITHMETIC or name == "negate" or expr.type is UNKNOWN:
                return replace(null_of(expr.type), span=expr.span)
            return replace(expr, args=_arguments(registry.find_function(name), name, args))
        case plan.DynamicPath(base=base, steps=steps):
            typed = tuple(step if isinstance(step, (str, int)) else _as(step, STRING) for step in steps)
            return replace(expr, base=_as(base, DYNAMIC), steps=typed)
        case plan.InTable(value=value, rel=rel):
            first = replace(rel.columns[0], type=_known(rel.columns[0].type))
            items = rel if first == rel.columns[0] else plan.Narrow(rel, (first,))
            return replace(expr, value=_as(value, first.type), rel=items)
        case _:
            return expr


def _known(kind: ScalarType) -> ScalarType:
    return STRING if kind is UNKNOWN else kind


def _arguments(function: Function | None, name: str, args: Sequence[plan.Expr]) -> tuple[plan.Expr, ...]:
    """The arguments of a call; those whose parameters share a kind of types share a type."""
    signature = next((found for found in function.signatures if found.accepts(len(args))), None) if function is not None else None
    if signature is None:
        kinds = {arg.type for arg in args} - {UNKNOWN, DYNAMIC}
        kind = STRING if name.startswith(_TEXTUAL) or not kinds else next(arg.type for arg in args if arg.type in kinds)
        return tuple(_as(arg, kind) for arg in args)
    result: list[plan.Expr] = []
    spread = [signature.parameter_for(index, len(args)) for index in range(len(args))]
    for arg, parameter in zip(args, spread, strict=True):
        assert parameter is not None
        beside = [other.type for other, its in zip(args, spread, strict=True) if its is not None and its.kinds == parameter.kinds]
        same = next((kind for kind in beside if kind not in (UNKNOWN, DYNAMIC)), None)
        taken = next((kind for kind in _PREFERRED if registry.fit(parameter, kind) >= registry.KIND), STRING)
        result.append(_as(arg, same or taken))
    return tuple(result)


def _relation(rel: plan.Rel) -> plan.Rel:
    if isinstance(rel, (plan.Filter, plan.Extend)) and is_empty(rel.input, lambda table: False):
        rel = map_expressions(rel, _without_rows)
    match rel:
        case plan.Filter():
            return replace(rel, predicate=_as(rel.predicate, BOOL))
        case plan.Extend():
            return replace(rel, items=tuple((column, _as(value, column.type)) for column, value in rel.items))
        case plan.Values():
            rows = tuple(tuple(_as(value, column.type) for column, value in zip(rel.columns, row, strict=True)) for row in rel.rows)
            return replace(rel, rows=rows)
        case plan.RangeRows():
            start, stop, step = (_as(part, rel.column.type) for part in (rel.start, rel.stop, rel.step))
            return replace(rel, start=start, stop=stop, step=step)
        case plan.Sort():
            return replace(rel, keys=tuple(replace(key, value=_as(key.value, STRING)) for key in rel.keys))
        case plan.Limit():
            return replace(rel, count=_as(rel.count, LONG))
        case plan.Window():
            return replace(rel, items=tuple((column, _call(call)) for column, call in rel.items))
        case plan.Join():
            return replace(rel, on=tuple((_as(left, _known(right.type)), _as(right, _known(left.type))) for left, right in rel.on))
        case plan.Union_():
            legs = tuple(
                replace(leg, values=tuple(_as(value, column.type) for value, column in zip(leg.values, rel.columns, strict=True)))
                for leg in rel.legs
            )
            return replace(rel, legs=legs)
        case plan.Expand():
            return replace(rel, items=tuple(replace(item, value=_as(item.value, DYNAMIC)) for item in rel.items))
        case plan.Parse():
            return replace(rel, value=_as(rel.value, STRING))
        case plan.Aggregate():
            return _aggregate(rel)
        case _:
            return rel


def _without_rows(expr: plan.Expr) -> plan.Expr:
    """When a row came in is known of stored rows only (R-336): over none at all it is null."""
    done = map_children(expr, _without_rows, None)
    return replace(null_of(done.type), span=done.span) if isinstance(done, plan.Call) and done.name == "ingestion_time" else done


def _call(call: plan.Call) -> plan.Call:
    return replace(call, args=_arguments(registry.find_function(call.name), call.name, call.args))


def _aggregate(rel: plan.Aggregate) -> plan.Aggregate:
    keys = tuple((column, _as(value, column.type)) for column, value in rel.keys)
    aggregates = tuple(
        (column, replace(call, args=_arguments(registry.find_aggregate(call.name), call.name, call.args)))
        for column, call in rel.aggregates
    )
    extremes = tuple(
        replace(
            extreme,
            by=None if extreme.by is None else _as(extreme.by, LONG),
            values=tuple((column, _as(value, column.type)) for column, value in extreme.values),
        )
        for extreme in rel.extremes
    )
    return replace(rel, keys=keys, aggregates=aggregates, extremes=extremes)
