"""Window functions in extend, where, project and serialize (R-244, R-268): taken out of the expressions into a `plan.Window` below.

So are long values of lets and parameters that a function's body reads: a chain of lets, each of which reads the one before
it twice, would otherwise double with every link.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from toolkit.kql import plan
from toolkit.kql.binder.context import Binder
from toolkit.kql.passes.rewrite import references
from toolkit.kql.source import Span

T = TypeVar("T")

# Parts from which on a value is computed once, below the operator that reads it.
_LONG = 40


@dataclass
class _Level:
    windows: list[tuple[plan.Column, plan.Call]] = field(default_factory=list)
    values: list[tuple[plan.Column, plan.Expr]] = field(default_factory=list)

    def makes(self, used: Collection[int]) -> bool:
        return any(made.id in used for made, _ in (*self.windows, *self.values))


@dataclass
class WindowCollector:
    """The window functions met while one operator is bound. A level reads the rows and the levels before it.

    `values_only`: the operator takes no window functions, only long values are computed below it.
    """

    serialized: bool
    values_only: bool = False
    levels: list[_Level] = field(default_factory=list)
    # by the identity of the value, which is kept so that nothing else gets it
    named: dict[int, tuple[plan.Expr, plan.Column]] = field(default_factory=dict)

    def add(self, column: plan.Column, call: plan.Call) -> None:
        self._level(call).windows.append((column, call))

    def column_of(self, b: Binder, value: plan.Expr) -> plan.Column:
        """The column that holds a value, made when it is first asked for."""
        if id(value) not in self.named:
            column = b.column("", value.type)
            self._level(value).values.append((column, value))
            self.named[id(value)] = (value, column)
        return self.named[id(value)][1]

    def _level(self, value: plan.Expr) -> _Level:
        used = references(value)
        depth = max((index + 1 for index, level in enumerate(self.levels) if level.makes(used)), default=0)
        if depth == len(self.levels):
            self.levels.append(_Level())
        return self.levels[depth]


def named_value(b: Binder, value: plan.Expr, span: Span) -> plan.Expr:
    """What reading a let or a parameter gives: its value, or the column of the rows below that a long one is computed in."""
    if b.windows is None or (b.collector is not None and not b.collector.inside) or not _is_long(value) or not references(value):
        return value
    return plan.Ref(b.windows.column_of(b, value), span)


def _is_long(value: plan.Expr) -> bool:
    return sum(1 for _ in islice(plan.subexpressions(value), _LONG)) == _LONG


def with_windows(b: Binder, rel: plan.Rel, bind: Callable[[], T], *, serialized: bool = False) -> tuple[plan.Rel, T]:
    """What `bind` gives, and the relation with the window functions it met computed. `serialized`: the operator sees to the order."""
    return _collected(b, rel, bind, WindowCollector(serialized or is_serialized(b, rel)))


def _collected(b: Binder, rel: plan.Rel, bind: Callable[[], T], collector: WindowCollector) -> tuple[plan.Rel, T]:
    outer, b.windows = b.windows, collector
    try:
        bound = bind()
    finally:
        b.windows = outer
    for level in collector.levels:
        if level.windows:
            rel = plan.Window(rel, tuple(level.windows))
        if level.values:
            rel = plan.Extend(rel, tuple(level.values), rel.columns)
    return rel, bound


def with_values(b: Binder, rel: plan.Rel, bind: Callable[[], T]) -> tuple[plan.Rel, T]:
    """`with_windows` for operators in which window functions are not possible."""
    return _collected(b, rel, bind, WindowCollector(serialized=False, values_only=True))


def is_serialized(b: Binder, rel: plan.Rel) -> bool:
    """R-244: sort, top, serialize and range give the rows a place, row-wise operators keep it, all others lose it."""
    while not any(rel is shuffled for shuffled in b.unordered):
        match rel:
            case plan.Sort() | plan.Serialize() | plan.RangeRows():
                return True
            case plan.Filter() | plan.Extend() | plan.Narrow() | plan.Parse() | plan.Expand() | plan.Limit() | plan.Window():
                rel = rel.input
            case plan.MatchSteps():
                # when a step with output=last gives its row is not documented
                return all(step.output != "last" for step in rel.steps)
            case plan.Reuse():
                rel = rel.shared.rel
            case plan.Values(columns=columns):
                # stands for what could not be bound: one finding is enough
                return any(column.name.startswith("*") for column in columns)
            case plan.Unsupported():
                return True
            case _:
                return False
    return False
