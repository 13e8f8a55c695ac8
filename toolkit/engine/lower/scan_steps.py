"""One row of a scan against all its steps: levels of SELECT inside the recursion, two per step (R-274)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.engine.select import Nested, Select, Source
from toolkit.engine.sql import PHYSICAL, ColumnName, Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

if TYPE_CHECKING:
    from toolkit.engine.lower.relations import Relations

_FALSE = Literal(False, "BOOLEAN")
NO_MATCH = Literal(None, "BIGINT")
HIT, FRESH, MATCH = -1, -2, -3
"""What a step says of a row besides the columns that it assigns: that it matches, that this begins a series, the match's number."""


@dataclass(frozen=True)
class Slot:
    """A value that the state holds: `origin` of the row that matched `step`, read by steps up to `reader`."""

    step: int
    origin: plan.Column
    reader: int


@dataclass(frozen=True)
class State:
    """What a step remembers: the number of its match (NULL: nothing) and its slots by id, as columns of the level at hand.

    `match` is None where nobody asks for it.
    """

    match: Sql | None
    slots: Mapping[int, Sql]

    def columns(self) -> list[Sql]:
        return [*([self.match] if self.match is not None else []), *self.slots.values()]


class Row:
    """The row at hand. `states` and `counter` (the number of the next match) change with every step that is tried."""

    source: Source
    counter: Sql | None

    def __init__(self, lowering: Relations, slots: Mapping[int, Slot], defaults: Mapping[int, plan.Expr], blank: Mapping[int, Sql]) -> None:
        """`defaults`: values of columns that steps assign, in a step that does not. `blank`: what the slots of an empty state hold."""
        self._lowering = lowering
        self._slots = slots
        self._defaults = defaults
        self._blank = blank
        self._columns: Mapping[int, Lowered] = {}
        self._emitted: list[int] = []
        self.states: list[State] = []

    def begin(self, source: Source, columns: Mapping[int, Lowered], counter: Sql | None, states: Sequence[State]) -> None:
        """`columns` of the row, and the state before it, all by their names in `source`."""
        self.source, self._columns, self.counter, self.states = source, columns, counter, list(states)

    def step(self, index: int, step: plan.MatchStep, output: Mapping[int, int]) -> list[Sql]:
        """Tries one step; what it emits, in the order of `output`."""
        state = self.states[index]
        advanced, hit = self._hits(index, step)
        base = {number: self._before(index, number, advanced) for number in state.slots}
        values = self._values(step, base)
        slots = {
            number: _when(hit, values[self._slots[number].origin.id], before) if self._slots[number].step == index else base[number]
            for number, before in state.slots.items()
        }
        fresh = advanced if index else _unmatched(hit, state)
        match = self._match(index, advanced, hit)
        if index:
            self.states[index - 1] = self._promoted(self.states[index - 1], advanced)
        elif self.counter is not None:
            self.counter = Form("CASE WHEN {0} THEN {1} + 1 ELSE {1} END", (fresh, self.counter))
        self.states[index] = State(match, slots)
        said: dict[int, Sql] = {HIT: hit, FRESH: fresh}
        return self._settled([said[key] if key in said else values[key] for key in output])

    # --- parts of a step ---------------------------------------------------------------------------------------------------

    def _hits(self, index: int, step: plan.MatchStep) -> tuple[Sql, Sql]:
        """Whether the row goes on from the step before (check 1), and whether it matches at all (else by check 2)."""
        own = self.states[index]
        again = _holds(self._condition(step, own.slots))
        if not index:
            return _FALSE, again if not again.args else self._columns_of(again)[0]
        below = self.states[index - 1]
        fitting = {number: below.slots.get(number, self._blank[number]) for number in own.slots}
        first = _if_active(below, _holds(self._condition(step, fitting)))
        advanced, repeated = self._columns_of(first, _if_active(own, again))
        return advanced, Form("({0} OR {1})", (advanced, repeated))

    def _condition(self, step: plan.MatchStep, slots: Mapping[int, Sql]) -> Sql:
        return self._lowering.expressions({**self._columns, **self._lowered(slots)}).condition(step.condition)

    def _lowered(self, slots: Mapping[int, Sql]) -> dict[int, Lowered]:
        return {number: Lowered(sql, self._slots[number].origin.type is not ScalarType.STRING) for number, sql in slots.items()}

    def _before(self, index: int, number: int, advanced: Sql) -> Sql:
        """A slot as the assignments of the step read it: of the state that is promoted, or of the step's own."""
        own = self.states[index].slots[number]
        if not index:
            return own
        return _when(advanced, self.states[index - 1].slots.get(number, self._blank[number]), own)

    def _values(self, step: plan.MatchStep, base: Mapping[int, Sql]) -> dict[int, Sql]:
        """The row's columns by id, as the step extends them."""
        expressions = self._lowering.expressions({**self._columns, **self._lowered(base)})
        found: dict[int, Sql] = {number: value.sql for number, value in self._columns.items()}
        assigned = {column.id: value for column, value in step.assignments}
        kinds = {slot.origin.id: slot.origin.type for slot in self._slots.values()} | {c.id: c.type for c, _ in step.assignments}
        for number, default in self._defaults.items():
            if number in kinds:
                value = expressions.lower(assigned.get(number, default)).sql
                found[number] = Form(f"CAST({{0}} AS {PHYSICAL[kinds[number]]})", (value,))
        return found

    def _match(self, index: int, advanced: Sql, hit: Sql) -> Sql | None:
        """The first step begins a match where it remembers none; the others take it over."""
        own = self.states[index].match
        if own is None:
            return None
        if index:
            return _when(advanced, self.states[index - 1].match or NO_MATCH, own)
        return Form("CASE WHEN {0} THEN coalesce({1}, {2}) ELSE {1} END", (hit, own, self.counter or Literal(0, "BIGINT")))

    def _promoted(self, state: State, advanced: Sql) -> State:
        """What is left of a state when the row has taken it along."""
        slots = {number: _when(advanced, self._blank[number], sql) for number, sql in state.slots.items()}
        return State(None if state.match is None else _when(advanced, NO_MATCH, state.match), slots)

    # --- levels ------------------------------------------------------------------------------------------------------------

    def _columns_of(self, *values: Sql) -> list[Sql]:
        """One more SELECT: everything there is, and these values; as columns."""
        counter = [self.counter] if self.counter is not None else []
        kept = [*self._columns, *self._emitted, *map(number_of, (*counter, *(sql for state in self.states for sql in state.columns())))]
        items: dict[int, Sql] = {number: ColumnName(number) for number in kept}
        found = [self._named(value, items) for value in values]
        self.source = Nested(Select(tuple(items.items()), self.source))
        return found

    def _settled(self, emitted: Sequence[Sql]) -> list[Sql]:
        """A SELECT after which counter, states and what is emitted are columns again."""
        items: dict[int, Sql] = {number: ColumnName(number) for number in (*self._columns, *self._emitted)}
        if self.counter is not None:
            self.counter = self._named(self.counter, items)
        self.states = [
            State(
                None if state.match is None else self._named(state.match, items),
                {number: self._named(sql, items) for number, sql in state.slots.items()},
            )
            for state in self.states
        ]
        found = [self._named(sql, items) for sql in emitted]
        self._emitted += map(number_of, found)
        self.source = Nested(Select(tuple(items.items()), self.source))
        return found

    def _named(self, sql: Sql, items: dict[int, Sql]) -> Sql:
        number = sql.id if isinstance(sql, ColumnName) and sql.id not in items else self._lowering.context.fresh_id()
        items[number] = sql
        return ColumnName(number)


def number_of(sql: Sql) -> int:
    """The id of a column."""
    assert isinstance(sql, ColumnName)
    return sql.id


def _when(test: Sql, then: Sql, otherwise: Sql) -> Sql:
    return Form("CASE WHEN {0} THEN {1} ELSE {2} END", (test, then, otherwise))


def _holds(condition: Sql) -> Form:
    """NULL is not true; a form without arguments for what is known."""
    if isinstance(condition, Literal):
        return Form("TRUE" if condition.value else "FALSE")
    return Form("coalesce({0}, FALSE)", (condition,))


def _if_active(state: State, test: Sql) -> Sql:
    return test if state.match is None else Form("CASE WHEN {0} IS NULL THEN FALSE ELSE {1} END", (state.match, test))


def _unmatched(hit: Sql, state: State) -> Sql:
    return hit if state.match is None else Form("({0} AND {1} IS NULL)", (hit, state.match))
