"""Window functions over the order of the rows (R-244, R-268..R-273)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from toolkit.engine.errors import failing
from toolkit.engine.functions.forms import register_python
from toolkit.engine.lower.block import Block, Ordering, plain_columns
from toolkit.engine.lower.expressions import Expressions, null_of
from toolkit.engine.select import Nested, Select, print_order
from toolkit.engine.sql import PHYSICAL, ColumnName, Form, Literal, Lowered, Sql
from toolkit.engine.udf.sessions import session_starts
from toolkit.kql import plan
from toolkit.kql.passes.rewrite import references
from toolkit.kql.types import ScalarType

if TYPE_CHECKING:
    from toolkit.engine.lower.relations import Relations

_SESSIONS = register_python("row_window_session", session_starts, ["BIGINT[]", "BOOLEAN[]", "BIGINT[]", "BIGINT[]"], "BIGINT[]")
_NULL_SUM = "'row_cumsum' found a null; what the service gives for it is not documented (R-271)"
_NULL_TIME = "'row_window_session' found a null; what the service gives for it is not documented (R-273)"
# Conditions stand inside the aggregates: with FILTER the time of a running aggregate grows with the square of the rows.
_RUNNING = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"


def placed(lowering: Relations, block: Block) -> Block:
    """The rows with a place each, in their order: rows that the order does not tell apart keep one from here on."""
    return block.sealed() if _is_placed(block) else _numbered(lowering, block, {})


def _is_placed(block: Block) -> bool:
    return len(block.order) == 1 and block.order[0].unique and not block.order[0].implicit


def _numbered(lowering: Relations, block: Block, further: dict[int, Lowered]) -> Block:
    """The rows with their places, and with window values over the same order: one sort for all of them."""
    number = lowering.context.fresh_id()
    place = Lowered(Form("row_number() OVER ({0})", (_order_by(block),)), False)
    columns = {**block.columns, number: place, **further}
    inner = Block(block.source, columns).select(columns)
    order = (Ordering(number, ScalarType.LONG, False, False, unique=True),)
    return Block(Nested(Select(inner.items, block.source, tuple(block.where))), plain_columns(columns), [], order)


def _beside(lowering: Relations, block: Block, rel: plan.Window) -> Block:
    """prev and next of rows that have no places yet."""
    clause = Form("({0})", (_order_by(block),))
    expressions = lowering.expressions(block.columns)
    return _numbered(
        lowering,
        block,
        {column.id: _neighbour_of(expressions, call, lambda sql: Form("{0} OVER {1}", (sql, clause))) for column, call in rel.items},
    )


def _with(block: Block, number: int) -> dict[int, Lowered]:
    return {**block.columns, number: Lowered(ColumnName(number), False)}


def _order_by(block: Block) -> Sql:
    keys = block.order_keys(implicit=True)
    return Form(("ORDER BY " + print_order(keys)).replace("{", "{{").replace("}", "}}")) if keys else Form("")


def first_of_each(lowering: Relations, block: Block, partition: plan.Column, count: Sql) -> Block:
    """The first rows of every partition, in the order of the block."""
    block = block.sealed()
    number = lowering.context.fresh_id()
    over = Form("row_number() OVER (PARTITION BY {0} {1})", (block.columns[partition.id].sql, _order_by(block)))
    items = (*block.select(block.columns).items, (number, over))
    columns = plain_columns(_with(block, number))
    kept: list[Sql] = [Form("{0} <= {1}", (ColumnName(number), count))]
    return Block(Nested(Select(items, block.source, tuple(block.where))), columns, kept, block.order)


def window(lowering: Relations, rel: plan.Window) -> Block:
    """All functions of one level; those that restart first number the stretches between two restarts."""
    block = lowering.in_order(rel.input)
    if not rel.items:
        return block
    block = block.ready_for(number for _, call in rel.items for number in references(call))
    if rel.partition is None and all(call.name in _NEIGHBOURS for _, call in rel.items) and not _is_placed(block):
        return _beside(lowering, block, rel)
    block = placed(lowering, block)
    partition = [block.columns[rel.partition.id].sql] if rel.partition is not None else []
    frames = _Frames(lowering, block, partition)
    simple: dict[int, Lowered] = {}
    for column, call in rel.items:
        if call.name == "row_window_session":
            frames.block = _sessions(lowering, frames, column, call)
        else:
            simple[column.id] = _FUNCTIONS[call.name](frames, call)
    return frames.computed(simple)


class _Frames:
    """The block that window functions are added to, and the clauses they run over."""

    def __init__(self, lowering: Relations, block: Block, partition: list[Sql]) -> None:
        self.lowering = lowering
        self.block = block
        self.partition = partition

    def expressions(self) -> Expressions:
        return self.lowering.expressions(self.block.columns)

    def over(self, template: str, *args: Sql, within: Sql | None = None, frame: str = "") -> Form:
        """`template` over the rows of the partition (and of the stretch `within`) in their order."""
        parts = [*self.partition, *([within] if within is not None else [])]
        places = ", ".join(f"{{{len(args) + index}}}" for index in range(len(parts)))
        head = f"PARTITION BY {places} " if parts else ""
        order = f"ORDER BY c{self.block.order[0].column}"
        return Form(f"{template} OVER ({head}{order} {frame})", (*args, *parts))

    def computed(self, values: dict[int, Lowered]) -> Block:
        """A level above the block that has the values too."""
        block = self.block
        columns = {**block.columns, **values}
        items = tuple((number, value.sql) for number, value in columns.items())
        return Block(Nested(Select(items, block.source, tuple(block.where))), plain_columns(columns), [], block.order)

    def level(self, value: Sql) -> Sql:
        """A window value as a plain column, for functions that stand on it."""
        number = self.lowering.context.fresh_id()
        self.block = self.computed({number: Lowered(value, False)})
        return ColumnName(number)

    def stretch(self, restart: plan.Expr) -> Sql | None:
        """The number of restarts up to each row; None when there is never one."""
        if isinstance(restart, plan.Const) and not restart.value:
            return None
        test = self.expressions().condition(restart)
        return self.level(self.over("count(CASE WHEN {0} THEN 1 END)", test, frame=_RUNNING))


_NEIGHBOURS = {"prev": "lag", "next": "lead"}


def _neighbour(frames: _Frames, call: plan.Call) -> Lowered:
    return _neighbour_of(frames.expressions(), call, lambda sql: frames.over("{0}", sql))


def _neighbour_of(expressions: Expressions, call: plan.Call, over: Callable[[Sql], Sql]) -> Lowered:
    """prev and next (R-270)."""
    value, offset, default = (expressions.lower(arg) for arg in call.args)
    template = f"{_NEIGHBOURS[call.name]}({{0}}, CAST({{1}} AS INTEGER), CAST({{2}} AS {PHYSICAL[call.type]}))"
    return Lowered(over(Form(template, (value.sql, offset.sql, default.sql))), value.nullable or default.nullable)


def _row_place(frames: _Frames, call: plan.Call) -> Lowered:
    """What tells the rows apart that a subquery runs for."""
    return Lowered(ColumnName(frames.block.order[0].column), False)


def _row_number(frames: _Frames, call: plan.Call) -> Lowered:
    """R-269."""
    start, restart = call.args
    within = frames.stretch(restart)
    first = frames.expressions().lower(start)
    return Lowered(Form("({0} + {1} - 1)", (frames.over("row_number()", within=within), first.sql)), first.nullable)


def _running_sum(frames: _Frames, call: plan.Call) -> Lowered:
    """R-271."""
    within = frames.stretch(call.args[1])
    value = frames.expressions().lower(call.args[0])
    term = value.sql
    if value.nullable:
        term = Form("CASE WHEN {0} IS NULL THEN error({1}) ELSE {0} END", (term, Literal(failing(_NULL_SUM, call.span), "VARCHAR")))
    total = frames.over("sum({0})", term, within=within, frame=_RUNNING)
    return Lowered(Form(f"CAST({{0}} AS {PHYSICAL[call.type]})", (total,)), False)


def _changes(frames: _Frames, call: plan.Call) -> tuple[Sql, Sql | None]:
    """Whether a row's value differs from the one before it in its stretch, and the stretch."""
    within = frames.stretch(call.args[1])
    value = frames.expressions().lower(call.args[0]).sql
    first = frames.over("row_number()", within=within)
    before = frames.over("lag({0})", value, within=within)
    return frames.level(Form("({0} > 1 AND {1} IS DISTINCT FROM {2})", (first, before, value))), within


def _dense_rank(frames: _Frames, call: plan.Call) -> Lowered:
    """R-272: counts the changes."""
    changed, within = _changes(frames, call)
    return Lowered(Form("(1 + {0})", (frames.over("count(CASE WHEN {0} THEN 1 END)", changed, within=within, frame=_RUNNING),)), False)


def _minimum_rank(frames: _Frames, call: plan.Call) -> Lowered:
    """R-272: the row number at the last change."""
    changed, within = _changes(frames, call)
    row = frames.level(frames.over("row_number()", within=within))
    last = frames.over("max(CASE WHEN {0} THEN {1} ELSE 1 END)", changed, row, within=within, frame=_RUNNING)
    return Lowered(last, False)


def _sessions(lowering: Relations, frames: _Frames, column: plan.Column, call: plan.Call) -> Block:
    """row_window_session (R-273): where a session starts depends on all rows before, so one call sees all the rows in order."""
    if frames.partition:
        lowering.context.refuse("'row_window_session' in a subquery that runs once per row is not supported", call.span)
        return frames.computed({column.id: null_of(column.type)})
    block, order = frames.block, f"ORDER BY c{frames.block.order[0].column}"
    expressions = frames.expressions()
    time, longest, gap = (expressions.lower(arg).sql for arg in call.args[:3])
    time = Form("coalesce({0}, error({1}))", (time, Literal(failing(_NULL_TIME, call.span), "VARCHAR")))
    restart = Form("coalesce({0}, FALSE)", (expressions.condition(call.args[3]),))
    rows, starts = lowering.context.fresh_id(), lowering.context.fresh_id()
    lists = tuple(Form(f"list({{0}} {order})", (part,)) for part in (_struct(block), time, restart, longest, gap))
    lowering.context.udfs.add(_SESSIONS)
    found = Form(f"{_SESSIONS}({{0}}, {{1}}, {{2}}, {{3}})", lists[1:])
    gathered = Select(((rows, lists[0]), (starts, found)), block.source, tuple(block.where))
    opened = Select(((rows, Form(f"unnest(c{rows})")), (starts, Form(f"unnest(c{starts})"))), Nested(gathered))
    items = [(number, Form(f"struct_extract({{0}}, 'c{number}')", (ColumnName(rows),))) for number in block.columns]
    source = Nested(Select((*items, (column.id, ColumnName(starts))), Nested(opened)))
    columns = {**plain_columns(block.columns), column.id: Lowered(ColumnName(column.id), False)}
    return Block(source, columns, [], block.order)


def _struct(block: Block) -> Sql:
    """All the columns of a block in one value."""
    fields = ", ".join(f"'c{number}': {{{index}}}" for index, number in enumerate(block.columns))
    return Form(f"{{{{{fields}}}}}", tuple(value.sql for value in block.columns.values()))


_FUNCTIONS: dict[str, Callable[[_Frames, plan.Call], Lowered]] = {
    "prev": _neighbour,
    "next": _neighbour,
    "row_place": _row_place,
    "row_number": _row_number,
    "row_cumsum": _running_sum,
    "row_rank_dense": _dense_rank,
    "row_rank_min": _minimum_rank,
}
