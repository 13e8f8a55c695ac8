"""Open relations: a name that nothing declares becomes a column of unknown type, and stays one (as in Microsoft's analyzer)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter

from toolkit.kql import plan
from toolkit.kql.binder.context import OPEN, Binder, null_of
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

# Subqueries inside subqueries of open relations are bound twice per level; deeper ones keep their columns to themselves.
_MAX_DEPTH = 6
_NAME = attrgetter("name")


def is_open(rel: plan.Rel) -> bool:
    """Whether any column name may be read from a relation."""
    return OPEN in map(_NAME, rel.columns)  # every operator asks, over tables of hundreds of columns


def without_rows(b: Binder, rel: plan.Rel, kept: Sequence[plan.Column]) -> plan.Rel:
    """Some columns of a relation without rows, and whatever else is read from it."""
    made = b.column(OPEN, ScalarType.UNKNOWN)
    return plan.Extend(rel, ((made, null_of(made.type)),), (*kept, made))


def meet(b: Binder, name: str, span: Span) -> plan.Expr:
    """A reference to a column of an open relation that was not known before."""
    column = b.column(name, ScalarType.UNKNOWN)
    b.met.append(column)
    return plan.Ref(column, span)


def opened(b: Binder, rel: plan.Rel, column: plan.Column) -> plan.Rel:
    """An open relation that is not the operator's input, with a column that was met in it."""
    b.met = [other for other in b.met if other is not column]
    at = next(index for index, other in enumerate(rel.columns) if other.name == OPEN)
    value = plan.Ref(b.column(column.name, ScalarType.UNKNOWN))
    return plan.Extend(rel, ((column, value),), (*rel.columns[:at], column, *rel.columns[at:]))


def bound_over(b: Binder, rel: plan.Rel, bind: Callable[[plan.Rel], plan.Rel]) -> plan.Rel:
    """What `bind` makes of an open relation, bound again with the columns that it met the first time."""
    if not is_open(rel) or isinstance(rel, plan.Values) or b.depth > _MAX_DEPTH:
        return bind(rel)
    outer, b.met = b.met, []
    b.depth += 1
    try:
        result = bind(rel)
        return bind(with_names(b, rel, [column.name for column in b.met])) if b.met else result
    finally:
        b.met = outer
        b.depth -= 1


def with_names(b: Binder, rel: plan.Rel, met: Sequence[str]) -> plan.Rel:
    """The relation with the met columns behind all others; an engine refuses them when it is to compute them."""
    known = {column.name for column in rel.columns}
    names = [name for name in dict.fromkeys(met) if name not in known]
    if not names:
        return rel
    items = tuple((b.column(name, ScalarType.UNKNOWN), plan.Ref(b.column(name, ScalarType.UNKNOWN))) for name in names)
    return plan.Extend(rel, items, (*rel.columns, *(column for column, _ in items)))
