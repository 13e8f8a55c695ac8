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


def total(name: str, kind: ScalarType, *args: plan.Expr | plan.Column) -> plan.AggregateCall:
    """An aggregate over columns and expressions."""
    return plan.AggregateCall(name, call(name, kind, *args).args, kind)


def same(left: plan.Column, right: plan.Column) -> plan.Expr:
    """Equality that is never null: two nulls are the same."""
    both = call("and", BOOL, call("isnull", BOOL, left), call("isnull", BOOL, right))
    return call("coalesce", BOOL, call("or", BOOL, both, call("==", BOOL, left, right)), plan.Const(False, BOOL))


def all_of(*tests: plan.Expr) -> plan.Expr:
    return reduce(lambda left, right: call("and", BOOL, left, right), tests)


def with_items(rel: plan.Rel, *items: Item) -> plan.Rel:
    """The relation with more columns."""
    return plan.Extend(rel, items, (*rel.columns, *(column for column, _ in items)))


def where(rel: plan.Rel, *tests: plan.Expr) -> plan.Rel:
    return plan.Filter(rel, all_of(*tests)) if tests else rel


def grouped(rel: plan.Rel, keys: Sequence[Item], aggregates: Sequence[tuple[plan.Column, plan.AggregateCall]] = ()) -> plan.Rel:
    """One row per key, keys first; without aggregates the distinct keys."""
    return plan.Aggregate(rel, tuple(keys), tuple(aggregates), (), tuple(column for column, _ in (*keys, *aggregates)))


def by(columns: Sequence[plan.Column], into: Sequence[plan.Column] | None = None) -> list[Item]:
    """Group keys that are columns; they keep their ids, or take those of `into`."""
    return [(new, plan.Ref(old)) for old, new in zip(columns, into or columns, strict=True)]


def ordered(rel: plan.Rel, *columns: plan.Column) -> plan.Rel:
    return plan.Sort(rel, tuple(plan.SortKey(plan.Ref(column), descending=False, nulls_first=True) for column in columns))


def pairs(left: Sequence[plan.Column], right: Sequence[plan.Column]) -> list[tuple[plan.Expr, plan.Expr]]:
    """The columns of two relations that have to be equal, by position."""
    return [(plan.Ref(one), plan.Ref(other)) for one, other in zip(left, right, strict=True)]


def joined(kind: str, left: plan.Rel, right: plan.Rel, *on: tuple[plan.Expr, plan.Expr]) -> plan.Rel:
    """All columns of both sides."""
    return plan.Join(kind, left, right, on, (*left.columns, *right.columns))
