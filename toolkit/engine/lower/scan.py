"""scan (R-274): one recursion over the rows in their order, which carries what the steps remember.

What does not depend on the state is computed for all rows first; rows that no step can match are left out. The recursion
then goes from row to row (of every partition at once); what each step emits is read from its rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.engine.lower.block import Block, Ordering, plain_columns
from toolkit.engine.lower.expressions import null_of
from toolkit.engine.lower.scan_steps import FRESH, HIT, MATCH, NO_MATCH, Row, Slot, State, number_of
from toolkit.engine.lower.windows import placed
from toolkit.engine.select import Joined, Named, Nested, Query, Select, Source, TableExpression, UnionAll
from toolkit.engine.sql import PHYSICAL, ColumnName, Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.passes.rewrite import conjuncts, map_children, own_expressions, references, relations_within
from toolkit.kql.types import ScalarType

if TYPE_CHECKING:
    from toolkit.engine.lower.relations import Relations

_FALSE = Literal(False, "BOOLEAN")
_ZERO = Literal(0, "BIGINT")


def match_steps(lowering: Relations, rel: plan.MatchSteps) -> Block:
    """The rows that the steps emit, in the order of the input; a row that several steps emit from the last step on."""
    block = lowering.in_order(rel.input)
    block = placed(lowering, block.ready_for(number for expr in own_expressions(rel) for number in references(expr)))
    return _Scan(lowering, rel, block).emitted()


class _Scan:
    def __init__(self, lowering: Relations, rel: plan.MatchSteps, block: Block) -> None:
        self._lowering = lowering
        self._context = lowering.context
        self._rel = rel
        self._block = block
        self._defaults = {column.id: value for column, value in rel.made}
        self._held = {held.id: index for index, step in enumerate(rel.steps) for held, _ in step.state}
        self._hoisted: dict[int, Lowered] = {}
        self._known: dict[plan.Expr, plan.Expr] = {}
        self._own = lowering.expressions(block.columns)
        self._steps = [self._prepared(step) for step in rel.steps]
        self._slots = self._read_slots()
        self._place = block.order[0].column
        self._previous = self._context.fresh_id()
        self._rows_name, self._columns = self._rows()

    # --- the rows, with what does not depend on the state -----------------------------------------------------------------

    def _prepared(self, step: plan.MatchStep) -> plan.MatchStep:
        assignments = tuple((column, self._hoist(value)) for column, value in step.assignments)
        return replace(step, condition=self._condition(step.condition), assignments=assignments)

    def _condition(self, condition: plan.Expr) -> plan.Expr:
        """The condition with all parts of its conjunction that read no state in one column."""
        parts = conjuncts(condition)
        plain = [part for part in parts if not self._reads_state(part)]
        rest = [self._hoist(part) for part in parts if self._reads_state(part)]
        both = [self._hoist(_conjunction(plain)), *rest] if plain else rest
        return _conjunction(both)

    def _reads_state(self, expr: plan.Expr) -> bool:
        return any(isinstance(part, plan.Ref) and part.column.id in self._held for part in plan.subexpressions(expr))

    def _hoist(self, expr: plan.Expr) -> plan.Expr:
        """The expression with every part that reads no state as a column of the rows."""
        if isinstance(expr, (plan.Const, plan.Ref, plan.Now)):
            return expr
        if self._reads_state(expr):
            for _ in relations_within(expr):
                if isinstance(expr, plan.InTable):
                    self._context.refuse("a table with remembered values of a scan on its left is not supported", expr.span)
            return map_children(expr, self._hoist)
        if expr not in self._known:
            column = plan.Column(self._context.fresh_id(), "", expr.type)
            self._hoisted[column.id] = self._own.lower(expr)
            self._known[expr] = plan.Ref(column, expr.span)
        return self._known[expr]

    def _rows(self) -> tuple[str, dict[int, Lowered]]:
        """The rows that some step may match, each with the place of the one before it; the first one with its own, negative."""
        block = self._block
        columns = {**block.columns, **self._hoisted}
        inner = Nested(Select(tuple((number, value.sql) for number, value in columns.items()), block.source, tuple(block.where)))
        columns = plain_columns(columns)
        where = self._candidates(columns)
        partition = f"PARTITION BY c{self._rel.partition.id} " if self._rel.partition is not None else ""
        before = Form(f"coalesce(lag(c{self._place}) OVER ({partition}ORDER BY c{self._place}), -c{self._place})")
        items = (*((number, value.sql) for number, value in columns.items()), (self._previous, before))
        return self._table(Select(items, inner, where)), {**columns, self._previous: Lowered(ColumnName(self._previous), False)}

    def _candidates(self, columns: Mapping[int, Lowered]) -> tuple[Sql, ...]:
        expressions = self._lowering.expressions(columns)
        tests: list[Sql] = []
        for step in self._steps:
            first = step.condition.args[0] if isinstance(step.condition, plan.Call) and step.condition.name == "and" else step.condition
            if self._reads_state(first) or (isinstance(first, plan.Const) and first.value):
                return ()
            tests.append(expressions.condition(first))
        return (Form("(" + " OR ".join(f"{{{index}}}" for index in range(len(tests))) + ")", tuple(tests)),)

    def _table(self, query: Query) -> str:
        name = f"s{len(self._context.tables) + 1}"
        self._context.tables.append(TableExpression(name, query, materialized=True))
        return name

    # --- the state --------------------------------------------------------------------------------------------------------

    def _read_slots(self) -> dict[int, Slot]:
        """What expressions read of the state, and the last step that does."""
        origins = {held.id: (index, origin) for index, step in enumerate(self._steps) for held, origin in step.state}
        found: dict[int, Slot] = {}
        for reader, step in enumerate(self._steps):
            for expr in _expressions(step):
                for number in references(expr) & origins.keys():
                    found[number] = Slot(*origins[number], reader)
        return found

    def _kept(self, index: int) -> list[int]:
        """The slots in the state of a step: of itself and of those before it, as long as it or a later one reads them."""
        return [number for number, slot in self._slots.items() if slot.step <= index <= slot.reader]

    def _type(self, number: int) -> str:
        return PHYSICAL[self._slots[number].origin.type]

    def _blank(self, number: int) -> Sql:
        """What an empty state holds: the default of a declared column, else null."""
        origin = self._slots[number].origin
        default = self._defaults.get(origin.id)
        found = null_of(origin.type) if default is None or isinstance(default, plan.Ref) else self._own.lower(default)
        return Form(f"CAST({{0}} AS {self._type(number)})", (found.sql,))

    # --- the recursion ----------------------------------------------------------------------------------------------------

    def _recursion(self) -> tuple[str, int, list[dict[int, int]]]:
        """The table of the recursion, its column for the place of the row, and per step where it says what it emits.

        Keys of those: HIT, FRESH, MATCH, and the id of each column that the step assigns from the state. What the state
        holds afterwards anyway (MATCH, and columns that are remembered) is read there.
        """
        fresh = self._context.fresh_id
        place, counter = fresh(), fresh() if self._rel.match_id else None
        states = [self._state(index) for index in range(len(self._steps))]
        told = [{key: fresh() for key in _told(step)} for step in self._steps]
        outputs = [{**told[index], **self._held_outputs(index, states[index])} for index in range(len(self._steps))]
        for index, step in enumerate(self._steps):
            told[index] |= {
                column: outputs[index].setdefault(column, fresh()) for column in self._computed(step) if column not in outputs[index]
            }
        anchor: list[tuple[int, Sql]] = [(place, ColumnName(self._previous)), *([(counter, _ZERO)] if counter is not None else [])]
        for state in states:
            anchor += [(number_of(state.match), NO_MATCH)] if state.match is not None else []
            anchor += [(number_of(sql), self._blank(slot)) for slot, sql in state.slots.items()]
        types = {column.id: PHYSICAL[column.type] for column, _ in self._rel.made}
        for output in told:
            anchor += [(number, Literal(None, "BOOLEAN" if key < 0 else types[key])) for key, number in output.items()]
        name = f"r{fresh()}"
        first = Select(tuple(anchor), Named(self._rows_name), (Form(f"c{self._previous} < 0"),))
        following = self._next_row(name, place, counter, states, told)
        self._context.tables.append(TableExpression(name, UnionAll((first, following)), recursive=True))
        return name, place, outputs

    def _state(self, index: int) -> State:
        """The columns of a step's state. Whether there is one matters to other steps and to the rows of a match."""
        fresh = self._context.fresh_id
        asked = len(self._steps) > 1 or self._rel.match_id is not None or self._steps[index].output == "last"
        return State(ColumnName(fresh()) if asked else None, {slot: ColumnName(fresh()) for slot in self._kept(index)})

    def _held_outputs(self, index: int, state: State) -> dict[int, int]:
        found = {} if state.match is None else {MATCH: number_of(state.match)}
        own = {number: slot.origin.id for number, slot in self._slots.items() if slot.step == index}
        return found | {own[number]: number_of(sql) for number, sql in state.slots.items() if number in own}

    def _computed(self, step: plan.MatchStep) -> list[int]:
        if step.output == "none":
            return []
        return [column.id for column, value in step.assignments if self._reads_state(value)]

    def _next_row(self, name: str, place: int, counter: int | None, states: Sequence[State], told: Sequence[Mapping[int, int]]) -> Select:
        """The row after each row of the recursion, and the state after it; the steps are tried from the last to the first."""
        read = {number for step in self._steps for expr in _expressions(step) for number in references(expr)}
        read |= {slot.origin.id for slot in self._slots.values()}
        read |= {value.column.id for value in self._defaults.values() if isinstance(value, plan.Ref)}
        carried = {number: value for number, value in self._columns.items() if number in read or number == self._place}
        joined = Joined("JOIN", Named(name), Named(self._rows_name), Form(f"c{place} = c{self._previous}"))
        row = Row(self._lowering, self._slots, self._defaults, {slot: self._blank(slot) for slot in self._slots})
        row.begin(joined, carried, None if counter is None else ColumnName(counter), states)
        emitted = [row.step(index, self._steps[index], told[index]) for index in reversed(range(len(self._steps)))][::-1]
        items: list[Sql] = [ColumnName(self._place), *([row.counter] if row.counter is not None else [])]
        items += [sql for state in row.states for sql in state.columns()]
        items += [sql for found in emitted for sql in found]
        return Select(tuple((self._context.fresh_id(), item) for item in items), row.source)

    # --- what comes out ---------------------------------------------------------------------------------------------------

    def emitted(self) -> Block:
        name, place, outputs = self._recursion()
        numbers = dict.fromkeys([place, *(number for output in outputs for number in output.values())])
        found = Select(tuple((number, ColumnName(number)) for number in numbers), Named(name), (Form(f"c{place} > 0"),))
        emitting = [index for index, step in enumerate(self._steps) if step.output != "none"]
        source = self._table(found) if len(emitting) > 1 else None
        rank = self._context.fresh_id()
        legs = [self._leg(Named(source) if source else Nested(found), place, index, outputs[index], rank) for index in emitting]
        columns = self._result_columns(rank)
        if not legs:
            empty = {number: null_of(column.type) for column in self._rel.columns for number in (column.id,)}
            return Block(Nested(Select(((rank, _ZERO),), Named(self._rows_name), (_FALSE,))), empty)
        order: tuple[Ordering, ...] = (Ordering(self._place, ScalarType.LONG, False, False, unique=len(legs) == 1),)
        if len(legs) > 1:
            order = (*order, Ordering(rank, ScalarType.LONG, descending=True, nulls_first=False))
        return Block(Nested(legs[0] if len(legs) == 1 else UnionAll(tuple(legs))), columns, [], order)

    def _result_columns(self, rank: int) -> dict[int, Lowered]:
        columns = {number: Lowered(ColumnName(number), value.nullable) for number, value in self._block.columns.items()}
        for column, _ in self._rel.made:
            columns[column.id] = Lowered(ColumnName(column.id), column.type is not ScalarType.STRING)
        if self._rel.match_id is not None:
            columns[self._rel.match_id.id] = Lowered(ColumnName(self._rel.match_id.id), False)
        return {**columns, rank: Lowered(ColumnName(rank), False)}

    def _leg(self, source: Source, place: int, index: int, output: Mapping[int, int], rank: int) -> Select:
        """The rows that one step emits."""
        step = self._steps[index]
        joined = Joined("JOIN", source, Named(self._rows_name), Form(f"c{place} = c{self._place}"))
        items: dict[int, Sql] = {number: ColumnName(number) for number in self._block.columns}
        assigned = dict(step.assignments)
        own = self._lowering.expressions(self._columns)
        for column, default in self._rel.made:
            value = assigned.get(column, default)
            found = ColumnName(output[column.id]) if column.id in output else own.lower(value).sql
            items[column.id] = Form(f"CAST({{0}} AS {PHYSICAL[column.type]})", (found,))
        if self._rel.match_id is not None:
            items[self._rel.match_id.id] = ColumnName(output[MATCH])
        items[rank] = Literal(index, "BIGINT")
        hit: Sql = ColumnName(output[HIT])
        if step.output != "last":
            return Select(tuple(items.items()), joined, (hit,))
        partition = f"PARTITION BY c{self._rel.partition.id} " if self._rel.partition is not None else ""
        last = self._context.fresh_id()
        items[last] = Form(f"coalesce(lead(c{output[FRESH]}) OVER ({partition}ORDER BY c{self._place}), TRUE)")
        inner = Nested(Select(tuple(items.items()), joined, (hit,)))
        return Select(tuple((number, ColumnName(number)) for number in items if number != last), inner, (ColumnName(last),))


def _expressions(step: plan.MatchStep) -> list[plan.Expr]:
    return [step.condition, *(value for _, value in step.assignments)]


def _conjunction(parts: Sequence[plan.Expr]) -> plan.Expr:
    return parts[0] if len(parts) == 1 else plan.Call("and", tuple(parts), ScalarType.BOOL, parts[0].span)


def _told(step: plan.MatchStep) -> list[int]:
    """What a step says of a row besides what its state holds."""
    return [] if step.output == "none" else [HIT, FRESH] if step.output == "last" else [HIT]
