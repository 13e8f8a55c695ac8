"""Short forms for plugins that are written as a composition of plan nodes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from toolkit.kql import plan
from toolkit.kql.binder.context import Binder
from toolkit.kql.types import ScalarType

BOOL = ScalarType.BOOL

Item = tuple[plan.Column, plan.Expr]


class Common:
    """A relation that is read several times, computed once; `again` gives its rows under fresh columns."""

    def __init__(self, b: Binder, name: str, rel: plan.Rel) -> None:
        self._b = b
        self._shared = plan.Shared(name, rel, pinned=True)

    def again(self) -> tuple[plan.Reuse, dict[int, plan.Column]]:
        """The rows once more, and the new column of each old one's id."""
        columns = self._b.fresh(self._shared.rel.columns)
        return plan.Reuse(self._shared, columns), {old.id: new for old, new in zip(self._shared.rel.columns, columns, strict=True)}


def call(name: str, kind: ScalarType, *args: plan.Expr | plan.Column) -> plan.Call:
    """A function or operator over columns and expressions."""
    return plan.Call(name, tuple(plan.Ref(arg) if isinstance(arg, plan.Column) else arg for arg in args), kind)


def all_of(*tests: plan.Expr) -> plan.Expr:
    return reduce(lambda left, right: call("and", BOOL, left, right), tests)


def with_items(rel: plan.Rel, *items: Item) -> plan.Extend:
    """The relation with more columns."""
    return plan.Extend(rel, items, (*rel.columns, *(column for column, _ in items)))


def where(rel: plan.Rel, *tests: plan.Expr) -> plan.Rel:
    return plan.Filter(rel, all_of(*tests)) if tests else rel


def grouped(rel: plan.Rel, keys: Sequence[Item], aggregates: Sequence[tuple[plan.Column, plan.AggregateCall]] = ()) -> plan.Aggregate:
    """One row per key, keys first; without aggregates the distinct keys."""
    return plan.Aggregate(rel, tuple(keys), tuple(aggregates), (), tuple(column for column, _ in (*keys, *aggregates)))


def joined(kind: str, left: plan.Rel, right: plan.Rel, *on: tuple[plan.Expr, plan.Expr]) -> plan.Join:
    """All columns of both sides."""
    return plan.Join(kind, left, right, on, (*left.columns, *right.columns))
