"""summarize and distinct: GROUP BY, and the row-supplying aggregates arg_max, arg_min and take_any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.engine.functions.registry import REGISTRY, Refusal
from toolkit.engine.lower.block import Block, plain_columns
from toolkit.engine.lower.expressions import Expressions, null_of
from toolkit.engine.lower.extraction import share_extractions
from toolkit.engine.select import Nested, Select
from toolkit.engine.sql import PHYSICAL, ColumnName, Form, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.passes.rewrite import own_expressions, references
from toolkit.kql.types import ScalarType

if TYPE_CHECKING:
    from toolkit.engine.lower.relations import Relations


@dataclass
class _Grouping:
    """The SELECT items of a GROUP BY, and the visible columns in terms of them."""

    items: dict[int, Lowered]
    columns: dict[int, Lowered]


def aggregate(lowering: Relations, rel: plan.Aggregate) -> Block:
    """One level: keys, aggregates, and one row (a struct) per extreme."""
    with lowering.context.order_matters(not _order_is_idle(rel)):
        block = lowering.lower(rel.input)
    block = block.ready_for({number for expr in own_expressions(rel) for number in references(expr)})
    expressions = lowering.expressions(block.columns, block)
    found = _Grouping({}, {})
    for column, value in rel.keys:
        found.items[column.id] = expressions.lower(value)
    keys = len(found.items)
    for column, call in rel.aggregates:
        found.items[column.id] = _aggregate_call(lowering, expressions, call)
    found.columns = plain_columns(found.items)
    for extreme in rel.extremes:
        _extreme(lowering, expressions, extreme, found, block.place)
    if not found.items:
        # every aggregate was pruned, but there is still exactly one row
        found.items[lowering.context.fresh_id()] = Lowered(Form("count(*)"), False)
    items = tuple(zip(found.items, share_extractions([value.sql for value in found.items.values()]), strict=True))
    # by position: a constant key would be read as one anyway
    groups = tuple(Form(str(position)) for position in range(1, keys + 1)) or None
    return Block(Nested(Select(items, block.source, tuple(block.where), groups)), found.columns)


# Aggregates whose result is the same in whatever order the rows come.
_ORDERLESS = frozenset({"count", "countif", "dcount", "dcountif", "count_distinct", "count_distinctif", "min", "max", "minif", "maxif"})


def _order_is_idle(rel: plan.Aggregate) -> bool:
    return not rel.extremes and all(call.name in _ORDERLESS for _, call in rel.aggregates)


def _aggregate_call(lowering: Relations, expressions: Expressions, call: plan.AggregateCall) -> Lowered:
    build = REGISTRY.aggregates.get(call.name)
    args = [expressions.lower(arg) for arg in call.args]
    if build is None:
        lowering.context.refuse(f"the aggregate {call.name!r} is not supported yet", call.span)
        return null_of(call.type)
    try:
        return build(call, args, expressions)
    except Refusal as refusal:
        lowering.context.refuse(refusal.reason, refusal.span or call.span)
        return null_of(call.type)


def _extreme(lowering: Relations, expressions: Expressions, extreme: plan.RowExtreme, found: _Grouping, place: Sql | None) -> None:
    values = [(column, expressions.lower(value)) for column, value in extreme.values]
    by = None if extreme.by is None else _sortable(lowering, expressions, extreme.by)
    if extreme.by_column is not None and extreme.by is not None and by is not None:
        function = "max" if extreme.kind == "max" else "min"
        value = _text_or_null(extreme.by_column, Form(f"{function}({{0}})", (expressions.lower(extreme.by).sql,)), nullable=True)
        found.items[extreme.by_column.id] = value
        found.columns[extreme.by_column.id] = Lowered(ColumnName(extreme.by_column.id), value.nullable)
    if not values:
        return
    if by is None and len(values) == 1:
        column, any_row = values[0][0], _any_value(*values[0], expressions.row_order)
        found.items[column.id] = any_row
        found.columns[column.id] = Lowered(ColumnName(column.id), any_row.nullable)
        return
    number = lowering.context.fresh_id()
    found.items[number] = Lowered(_row_of(extreme.kind, by, [value for _, value in values], place), True)
    for index, (column, _) in enumerate(values):
        field = Form(f"struct_extract({{0}}, 'f{index}')", (ColumnName(number),))
        found.columns[column.id] = _text_or_null(column, field, nullable=True)


def _sortable(lowering: Relations, expressions: Expressions, by: plan.Expr) -> Lowered:
    value = expressions.lower(by)
    if by.type is ScalarType.DYNAMIC:
        lowering.context.refuse("arg_max and arg_min by a dynamic value are not supported: convert it, for example with tolong()", by.span)
    if by.type is ScalarType.BOOL:
        return Lowered(Form("CAST({0} AS INTEGER)", (value.sql,)), value.nullable)
    return value


def _row_of(kind: str, by: Lowered | None, values: list[Lowered], place: Sql | None) -> Sql:
    """The values of one row of the group as a struct. A null `by` loses, but all null still gives a row (R-253).

    `place`: among equals the first stored row counts, where several threads would else make it any of them.
    """
    fields = ", ".join(f"'f{index}': {{{index}}}" for index in range(len(values)))
    row = Form(f"{{{{{fields}}}}}", tuple(value.sql for value in values))
    anyone = Form("any_value({0})", (row,)) if place is None else Form("any_value({0} ORDER BY {1})", (row, place))
    if by is None:
        return anyone
    best = Form(f"arg_{kind}({{0}}, {{1}})", (row, by.sql if place is None else _placed(kind, by, place)))
    return Form("coalesce({0}, {1})", (best, anyone)) if by.nullable else best


def _placed(kind: str, by: Lowered, place: Sql) -> Sql:
    """The ordering value with the row's place behind it."""
    pair = Form("{{'value': {0}, 'place': {1}}}", (by.sql, Form("-{0}", (place,)) if kind == "max" else place))
    return Form("(CASE WHEN {0} IS NOT NULL THEN {1} END)", (by.sql, pair)) if by.nullable else pair


def _any_value(column: plan.Column, value: Lowered, row_order: Sequence[Sql]) -> Lowered:
    """take_any prefers a value that is neither null nor '' (R-254): the first one, where the rows have an order."""
    found = Form("nullif({0}, '')", (value.sql,)) if column.type is ScalarType.STRING else value.sql
    places = ", ".join(f"{{{index}}}" for index in range(1, len(row_order) + 1))
    sql = Form(f"any_value({{0}} ORDER BY {places})" if row_order else "any_value({0})", (found, *row_order))
    return _text_or_null(column, sql, nullable=True)


def _text_or_null(column: plan.Column, sql: Sql, *, nullable: bool) -> Lowered:
    if PHYSICAL[column.type] == "VARCHAR" and column.type is ScalarType.STRING:
        return Lowered(Form("coalesce({0}, '')", (sql,)), False)
    return Lowered(sql, nullable)
