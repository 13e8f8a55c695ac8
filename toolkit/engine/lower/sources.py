"""Where rows come from: stored tables, rows written in the query, ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from toolkit.engine.errors import failing
from toolkit.engine.lower import time_bounds
from toolkit.engine.lower.block import Block, Ordering
from toolkit.engine.lower.context import ONE_THREAD, StoredColumn, StoredPart
from toolkit.engine.lower.expressions import null_of
from toolkit.engine.select import Generated, Named, Nested, NoRows, UnionAll
from toolkit.engine.sql import PHYSICAL, ColumnName, Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

if TYPE_CHECKING:
    from toolkit.engine.lower.relations import Relations

_FALSE = Literal(False, "BOOLEAN")


def scan(lowering: Relations, rel: plan.Scan) -> Block:
    """A stored table; columns that an ingested file did not have are null in its rows. Without data there are no rows."""
    parts = lowering.context.storage.stored(rel.table)
    if not parts:
        return Block(NoRows(), {column.id: null_of(column.type) for column in rel.columns}, [_FALSE])
    blocks = [Block(Named(part.sql_name), {column.id: _stored(lowering, part, column) for column in rel.columns}) for part in parts]
    if any(part.in_place for part in parts):
        lowering.context.threads_share = True
    if len(blocks) == 1:
        return _placed(lowering, blocks[0]) if parts[0].rows > ONE_THREAD and not parts[0].in_place else blocks[0]
    ids = [column.id for column in rel.columns]
    columns = {number: Lowered(ColumnName(number), any(block.columns[number].nullable for block in blocks)) for number in ids}
    return Block(
        Nested(UnionAll(tuple(block.select(ids) for block in blocks))),
        columns,
        parts=tuple(blocks) if any(part.in_place for part in parts) else (),
    )


def bounded(block: Block, predicates: Sequence[plan.Expr], lowering: Relations) -> Block:
    """The same block without the row groups and files whose times the predicates exclude; so each part of a union of files."""
    if block.parts:
        parts = tuple(bounded(part, predicates, lowering) for part in block.parts)
        source = Nested(UnionAll(tuple(part.select(part.columns) for part in parts)))
        return Block(source, block.columns, block.where, block.order, parts)
    lower, spans = lowering.expressions(block.columns).lower, lowering.context.spans
    tests = [bound for predicate in predicates for bound in time_bounds.bounds(predicate, block.columns, lower, spans)]
    return Block(block.source, block.columns, [*block.where, *tests], block.order)


def _placed(lowering: Relations, block: Block) -> Block:
    """A table that several threads read: each row keeps its place, for what would else depend on the threads."""
    lowering.context.threads_share = True
    place = lowering.context.fresh_id()
    columns = {**block.columns, place: Lowered(Form("rowid"), False)}
    return Block(block.source, columns, [], (Ordering(place, ScalarType.LONG, False, False, unique=True, implicit=True),))


def _stored(lowering: Relations, part: StoredPart, column: plan.Column) -> Lowered:
    physical = part.columns.get(column.name)
    if physical is None:
        return null_of(column.type)
    if physical.template:
        return _read(lowering, physical, column)
    if column.type is ScalarType.STRING and physical.nullable:
        return Lowered(Form("coalesce({0}, '')", (Form(physical.sql_name),)), False)
    return Lowered(Form(physical.sql_name), physical.nullable)


def _read(lowering: Relations, physical: StoredColumn, column: plan.Column) -> Lowered:
    """A column of a file, in KQL's terms."""
    if physical.udf:
        lowering.context.udfs.add(physical.udf)
    value = Form(physical.template, (Form(physical.sql_name),))
    if physical.spans:
        lowering.context.spans[value] = (*lowering.context.spans.get(value, ()), *physical.spans)
    return Lowered(value, column.type is not ScalarType.STRING)


def values(lowering: Relations, rel: plan.Values) -> Block:
    """Rows of constant expressions: one row needs no table at all."""
    expressions = lowering.expressions({})
    rows = [[expressions.lower(value) for value in row] for row in rel.rows]
    if not rows:
        return Block(NoRows(), {column.id: null_of(column.type) for column in rel.columns}, [_FALSE])
    if len(rows) == 1:
        return Block(NoRows(), {column.id: value for column, value in zip(rel.columns, rows[0], strict=True)})
    if not rel.columns:
        return Block(Generated(Form(f"range({len(rows)})"), (lowering.context.fresh_id(),)), {})
    width = len(rel.columns)
    places = (", ".join(f"{{{start + index}}}" for index in range(width)) for start in range(0, len(rows) * width, width))
    body = Form("(VALUES " + ", ".join(f"({row})" for row in places) + ")", tuple(value.sql for row in rows for value in row))
    columns = {
        column.id: Lowered(ColumnName(column.id), any(row[index].nullable for row in rows)) for index, column in enumerate(rel.columns)
    }
    return Block(Generated(body, tuple(column.id for column in rel.columns)), columns)


def range_rows(lowering: Relations, rel: plan.RangeRows) -> Block:
    """`range`: inclusive, empty when the start is beyond the stop; only positive steps are documented (R-213)."""
    expressions = lowering.expressions({})
    start, stop, step = (expressions.lower(part) for part in (rel.start, rel.stop, rel.step))
    number = rel.column.id
    if isinstance(step.sql, Literal) and isinstance(step.sql.value, (int, float)) and not step.sql.value > 0:
        lowering.context.refuse("'range' needs a step greater than zero", rel.span)
    checked = _checked_step(step.sql, rel.span)
    if rel.most is not None and rel.column.type is not ScalarType.INT and not _is_short(start.sql, stop.sql, step.sql, rel.most):
        return _limited_range(rel, (start.sql, stop.sql, checked), rel.most)
    if rel.column.type is ScalarType.REAL:
        as_real = tuple(_cast(part, "DOUBLE") for part in (start.sql, stop.sql, checked))
        counter = lowering.context.fresh_id()
        last = Form("CAST(floor(({1} - {0}) / {2} + 1e-9) AS BIGINT)", as_real)
        rows = Generated(Form("(SELECT unnest(generate_series(0, {0})))", (last,)), (counter,))
        value = Form("({0} + {1} * {2})", (as_real[0], ColumnName(counter), as_real[2]))
        return Block(rows, {number: Lowered(value, False)})
    bounds = tuple(_cast(part, "BIGINT") for part in (start.sql, stop.sql, checked))
    constant = all(isinstance(part, Literal) for part in bounds)
    template = "generate_series({0}, {1}, {2})" if constant else "(SELECT unnest(generate_series({0}, {1}, {2})))"
    counted: Sql = ColumnName(number)
    if rel.column.type is ScalarType.INT:
        return Block(Generated(Form(template, bounds), (number,)), {number: Lowered(Form("CAST({0} AS INTEGER)", (counted,)), False)})
    return Block(Generated(Form(template, bounds), (number,)), {number: Lowered(counted, False)})


def _is_short(start: Sql, stop: Sql, step: Sql, most: int) -> bool:
    """Whether constants say that a range has at most that many steps."""
    known = [part.value for part in (start, stop, step) if isinstance(part, Literal) and isinstance(part.value, int)]
    return len(known) == 3 and known[2] > 0 and (known[1] - known[0]) // known[2] < most


def _limited_range(rel: plan.RangeRows, bounds: tuple[Sql, Sql, Sql], most: int) -> Block:
    """A range that fails beyond `most` steps; the bounds may be costly, so that they stand there once."""
    kind = PHYSICAL[rel.column.type]
    failure = Literal(failing(f"'make-series' would make more than {most} values", rel.span), "VARCHAR")
    steps = "floor((b - a) / c)" if rel.column.type is ScalarType.REAL else "((b - a) // c)"
    last = f"CASE WHEN {steps} < {most} THEN CAST({steps} AS BIGINT) ELSE CAST(error({{3}}) AS BIGINT) END"
    value = f"a + unnest(generate_series(0, CASE WHEN a IS NULL OR b IS NULL THEN -1 ELSE {last} END)) * c"
    inner = ", ".join(f"CAST({{{index}}} AS {kind}) AS {name}" for index, name in enumerate("abc"))
    rows = Form(f"(SELECT {value} FROM (SELECT {inner}))", (*bounds, failure))
    return Block(Generated(rows, (rel.column.id,)), {rel.column.id: Lowered(ColumnName(rel.column.id), False)})


def _cast(value: Sql, sql_type: str) -> Sql:
    if isinstance(value, Literal) and isinstance(value.value, (int, float)) and not isinstance(value.value, bool):
        number = float(value.value) if sql_type == PHYSICAL[ScalarType.REAL] else value.value
        return Literal(number, sql_type)
    return Form(f"CAST({{0}} AS {sql_type})", (value,))


def _checked_step(step: Sql, span: Span) -> Sql:
    if isinstance(step, Literal):
        return step
    message = Literal(failing("'range' needs a step greater than zero", span), "VARCHAR")
    return Form("CASE WHEN {0} > 0 THEN {0} ELSE error({1}) END", (step, message))
