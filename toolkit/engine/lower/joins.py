"""join, lookup and union (R-219 to R-236)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.engine.lower.block import Block, plain_columns
from toolkit.engine.lower.expressions import null_of
from toolkit.engine.lower.extraction import share_extractions
from toolkit.engine.select import Joined, Nested, NoRows, Select, UnionAll
from toolkit.engine.sql import ColumnName, Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

if TYPE_CHECKING:
    from toolkit.engine.lower.relations import Relations

_OPERATORS = {
    "inner": "JOIN",
    "innerunique": "JOIN",
    "leftouter": "LEFT JOIN",
    "rightouter": "RIGHT JOIN",
    "fullouter": "FULL JOIN",
    "leftsemi": "SEMI JOIN",
    "leftanti": "ANTI JOIN",
    "rightsemi": "SEMI JOIN",
    "rightanti": "ANTI JOIN",
}
_LEFT_MAY_MISS = frozenset({"rightouter", "fullouter"})
_RIGHT_MAY_MISS = frozenset({"leftouter", "fullouter"})


def join(lowering: Relations, rel: plan.Join) -> Block:
    """Both sides as subqueries; which columns of them are read is DuckDB's to find out."""
    # innerunique takes the first row of each key
    left = lowering.in_order(rel.left) if rel.kind == "innerunique" else lowering.lower(rel.left)
    right = lowering.lower(rel.right)
    if rel.kind == "innerunique" and rel.on:
        left = _unique(lowering, left, [key for key, _ in rel.on])
    else:
        left = left.sealed()
    right = right.sealed()
    condition = _condition(lowering, rel, left, right)
    operator = _OPERATORS[rel.kind] if condition is not None else "CROSS JOIN"
    first, second = (right, left) if rel.kind in ("rightsemi", "rightanti") else (left, right)
    source = Joined(operator, first.source, second.source, condition)
    return Block(source, _columns(rel, left, right))


def _unique(lowering: Relations, block: Block, keys: Iterable[plan.Expr]) -> Block:
    """innerunique: the first left row of each key (R-219)."""
    block = block.sealed()
    expressions = lowering.expressions(block.columns)
    values = tuple(_not_positional(expressions.lower(key).sql) for key in keys)
    # an inner order decides which row is first, so that the same data gives the same rows
    return block.nested(replace(block.select(block.columns), distinct_on=values))


def _not_positional(value: Sql) -> Sql:
    return Form("coalesce({0})", (value,)) if isinstance(value, Literal) else value


def _condition(lowering: Relations, rel: plan.Join, left: Block, right: Block) -> Sql | None:
    """Equality of all keys; null matches null (R-224), which costs DuckDB nothing where there are none."""
    tests: list[Sql] = []
    for left_key, right_key in rel.on:
        one = lowering.expressions(left.columns).lower(left_key)
        other = lowering.expressions(right.columns).lower(right_key)
        operator = "IS NOT DISTINCT FROM" if one.nullable and other.nullable else "="
        tests.append(Form(f"{{0}} {operator} {{1}}", (one.sql, other.sql)))
    if not tests:
        return None
    return Form(" AND ".join(f"{{{index}}}" for index in range(len(tests))), tuple(tests))


def _columns(rel: plan.Join, left: Block, right: Block) -> dict[int, Lowered]:
    columns: dict[int, Lowered] = {}
    for column in rel.columns:
        from_left = column.id in left.columns
        value = (left if from_left else right).columns.get(column.id) or null_of(column.type)
        if rel.kind in (_LEFT_MAY_MISS if from_left else _RIGHT_MAY_MISS):
            value = _or_missing(column, value)
        columns[column.id] = value
    return columns


def _or_missing(column: plan.Column, value: Lowered) -> Lowered:
    """A column of a side without a partner: null, '' for a string (R-225)."""
    if column.type is ScalarType.STRING:
        return Lowered(Form("coalesce({0}, '')", (value.sql,)), False)
    return Lowered(value.sql, True)


def union(lowering: Relations, rel: plan.Union_) -> Block:
    """UNION ALL; each leg computes its own expression per column."""
    if not rel.legs:
        return Block(NoRows(), {column.id: null_of(column.type) for column in rel.columns}, [Literal(False, "BOOLEAN")])
    selects: list[Select] = []
    nullable = [False] * len(rel.columns)
    for leg in rel.legs:
        block = lowering.lower(leg.rel)
        expressions = lowering.expressions(block.columns)
        values = [expressions.lower(value) for value in leg.values]
        nullable = [known or value.nullable for known, value in zip(nullable, values, strict=True)]
        items = tuple(zip((column.id for column in rel.columns), share_extractions([value.sql for value in values]), strict=True))
        selects.append(Select(items, block.source, tuple(block.where)))
    columns = {column.id: Lowered(ColumnName(column.id), may_miss) for column, may_miss in zip(rel.columns, nullable, strict=True)}
    source = Nested(selects[0] if len(selects) == 1 else UnionAll(tuple(selects)))
    return Block(source, plain_columns(columns))
