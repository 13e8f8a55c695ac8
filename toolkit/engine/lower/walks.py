"""Walks over the edges of a graph (R-320, R-321): a recursive table expression, one row per way, a step longer each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.engine.lower.block import Block
from toolkit.engine.select import Joined, Named, Nested, OrderKey, Recursion, Select, TableExpression
from toolkit.engine.sql import ColumnName, Form, Literal, Lowered, Sql
from toolkit.kql import plan

if TYPE_CHECKING:
    from toolkit.engine.lower.relations import Relations

_NONE = Form("CAST([] AS BIGINT[])")
_START = {"list": Literal("", "VARCHAR"), "all": Literal(True, "BOOLEAN"), "any": Literal(False, "BOOLEAN")}


def walk(lowering: Relations, rel: plan.Walk) -> Block:
    """All walks; one that is shorter than `low` is only a beginning."""
    steps = _table(lowering, rel.steps, _step_columns(rel))
    first = _first(lowering, rel)
    if rel.shortest == "any":
        name = _recursion(lowering, first, lambda name: _nearest(rel, name, steps), (rel.start.id, rel.end.id))
    elif rel.shortest == "all":
        distances = _distances(lowering, rel, first, steps)
        name = _recursion(lowering, first, lambda name: _again(rel, name, steps, distances))
    else:
        name = _recursion(lowering, first, lambda name: _again(rel, name, steps))
    columns = {column.id: Lowered(ColumnName(column.id), False) for column in (rel.start, rel.end, rel.length, rel.trail, rel.inner)}
    for gather in rel.gathers:
        value: Sql = ColumnName(gather.column.id)
        columns[gather.column.id] = Lowered(Form("('[' || {0} || ']')", (value,)) if gather.kind == "list" else value, False)
    long_enough: list[Sql] = [Form("{0} >= {1}", (ColumnName(rel.length.id), Literal(rel.low, "BIGINT")))] if rel.low else []
    return Block(Named(name), columns, long_enough)


def _recursion(lowering: Relations, first: Select, again: Callable[[str], Select], keys: tuple[int, ...] = ()) -> str:
    """Adds a table expression that reads itself; its name."""
    name = f"w{len(lowering.context.tables) + 1}"
    lowering.context.tables.append(TableExpression(name, Recursion(first, again(name), keys)))
    return name


def _nearest(rel: plan.Walk, name: str, steps: str) -> Select:
    """Of the walks to a node that none has reached before, the one over the earliest edges: breadth first."""
    start, far = ColumnName(rel.start.id, name), ColumnName(rel.far.id, steps)
    new = Form(f"NOT EXISTS (SELECT 1 FROM recurring.{name} r WHERE r.c{rel.start.id} = {{0}} AND r.c{rel.end.id} = {{1}})", (start, far))
    found = _again(replace(rel, once=""), name, steps)
    found = replace(
        found, where=(new,), distinct_on=(start, far), order=(OrderKey(start), OrderKey(far), OrderKey(ColumnName(rel.trail.id)))
    )
    return Select(tuple((number, ColumnName(number)) for number, _ in found.items), Nested(found))


def _distances(lowering: Relations, rel: plan.Walk, first: Select, steps: str) -> tuple[str, plan.Walk]:
    """How far every node is from every seed, without the ways there: there may be very many of one length."""
    start, end, length, trail, inner = (
        replace(column, id=lowering.context.fresh_id()) for column in (rel.start, rel.end, rel.length, rel.trail, rel.inner)
    )
    bare = replace(rel, start=start, end=end, length=length, trail=trail, inner=inner, gathers=())
    made = tuple((column.id, value) for column, (_, value) in zip((start, end, length, trail, inner), first.items, strict=False))
    beginning = replace(first, items=made)
    return _recursion(lowering, beginning, lambda name: _nearest(bare, name, steps), (start.id, end.id)), bare


def _step_columns(rel: plan.Walk) -> list[int]:
    found = [rel.row.id, rel.near.id, rel.far.id, *(gather.value.id for gather in rel.gathers)]
    return list(dict.fromkeys(found if rel.passes is None else [*found, rel.passes.id]))


def _table(lowering: Relations, rel: plan.Rel, ids: list[int]) -> str:
    """The steps, evaluated once: every round reads them again."""
    query = lowering.lower(rel).select(ids)
    name = f"e{len(lowering.context.tables) + 1}"
    lowering.context.tables.append(TableExpression(name, query, materialized=True))
    return name


def _first(lowering: Relations, rel: plan.Walk) -> Select:
    """The walks of no step, one per seed."""
    block = lowering.lower(rel.seeds).sealed()
    seed = block.columns[rel.seed.id].sql
    items: list[tuple[int, Sql]] = [
        (rel.start.id, seed),
        (rel.end.id, seed),
        (rel.length.id, Literal(0, "BIGINT")),
        (rel.trail.id, _NONE),
        (rel.inner.id, _NONE),
    ]
    items += [(gather.column.id, _START[gather.kind]) for gather in rel.gathers]
    return Select(tuple(items), block.source, tuple(block.where))


def _again(rel: plan.Walk, name: str, steps: str, distances: tuple[str, plan.Walk] | None = None) -> Select:
    """Every walk that may go on, with every step that it may take."""
    start, end, length, trail, inner = (ColumnName(column.id, name) for column in (rel.start, rel.end, rel.length, rel.trail, rel.inner))
    row, near, far = (ColumnName(column.id, steps) for column in (rel.row, rel.near, rel.far))
    tests: list[Sql] = [Form("{0} = {1}", (near, end)), Form("{0} < {1}", (length, Literal(rel.high, "BIGINT")))]
    if rel.once == "rows":
        tests.append(Form("NOT list_contains({0}, {1})", (trail, row)))
    if rel.once == "nodes":
        tests.append(Form("{1} <> {2} AND {1} <> {3} AND NOT list_contains({0}, {1})", (inner, far, start, end)))
    if rel.passes is not None:
        tests.append(Form("({0} = 0 OR {1})", (length, ColumnName(rel.passes.id, steps))))
    condition = Form(" AND ".join(f"{{{index}}}" for index in range(len(tests))), tuple(tests))
    between = Form("CASE WHEN {0} = 0 THEN {1} ELSE list_append({1}, {2}) END", (length, inner, end))
    items: list[tuple[int, Sql]] = [
        (rel.start.id, start),
        (rel.end.id, far),
        (rel.length.id, Form("{0} + 1", (length,))),
        (rel.trail.id, Form("list_append({0}, {1})", (trail, row))),
        (rel.inner.id, between),
    ]
    items += [(gather.column.id, _gathered(rel, gather, name, steps)) for gather in rel.gathers]
    source: Joined = Joined("JOIN", Named(name), Named(steps), condition)
    if distances is not None:
        table, of = distances
        at = tuple(ColumnName(column.id, table) for column in (of.start, of.end, of.length))
        nearest = Form("{0} = {3} AND {1} = {4} AND {2} = {5} + 1", (*at, start, far, length))
        source = Joined("JOIN", source, Named(table), nearest)
    return Select(tuple(items), source)


def _gathered(rel: plan.Walk, gather: plan.Gather, name: str, steps: str) -> Sql:
    """What was gathered so far with the value of one more step; of inner nodes nothing comes with the first."""
    length, so_far, value = ColumnName(rel.length.id, name), ColumnName(gather.column.id, name), ColumnName(gather.value.id, steps)
    if gather.kind == "all":
        more: Sql = Form("({0} AND coalesce({1}, FALSE))", (so_far, value))
        return Form("({0} = 0 OR {1})", (length, more)) if gather.inner else more
    if gather.kind == "any":
        test = Form("coalesce({0}, FALSE)", (value,))
        return Form("({0} OR ({2} > 0 AND {1}))", (so_far, test, length)) if gather.inner else Form("({0} OR {1})", (so_far, test))
    text = Form("coalesce({0}, 'null')", (value,))
    longer = Form("{1} || ',' || {0}" if rel.backwards else "{0} || ',' || {1}", (so_far, text))
    template = "CASE WHEN {0} = 0 THEN '' WHEN {0} = 1 THEN {1} ELSE {2} END" if gather.inner else "CASE WHEN {0} = 0 THEN {1} ELSE {2} END"
    return Form(template, (length, text, longer))
