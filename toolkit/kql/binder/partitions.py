"""Subqueries that run once per row or per key (mv-apply, partition): their operators rewritten to work on all partitions at once.

A subquery is bound over all rows as if there were one partition. Then every operator that looks at more than one row gets
the partition into what it does: sort keys begin with it, aggregates group by it, limits and window functions count within it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from toolkit.kql import plan
from toolkit.kql.binder.context import Binder
from toolkit.kql.binder.windows import is_serialized
from toolkit.kql.passes.rewrite import map_children, map_expressions, own_expressions, relations_within
from toolkit.kql.types import ScalarType

_KEPT_BY_JOIN = frozenset({"inner", "leftouter", "leftsemi", "leftanti"})


class NotPartitionedError(Exception):
    """A subquery that cannot be run on all partitions at once; the text says why."""


@dataclass(frozen=True)
class Partitioned:
    """A rewritten relation. `column` tells the partitions apart; `carried`: where columns of the base are now, by their id."""

    rel: plan.Rel
    column: plan.Column
    carried: Mapping[int, plan.Column]


def partitioned(b: Binder, rel: plan.Rel, base: plan.Rel, column: plan.Column, carried: Sequence[plan.Column] = ()) -> Partitioned:
    """`rel`, a subquery bound over `base`, for each value of `column` by itself; NotPartitionedError where that cannot be done."""
    rewrite = _Rewrite(b, base, column, carried)
    rewrite.lift(rel)
    return rewrite.rel(rel)


def _subqueries(rel: plan.Rel, base: plan.Rel) -> Iterator[plan.ScalarSubquery]:
    """The scalar subqueries of a subquery's own operators, down to the rows it is given."""
    if rel is base:
        return
    for expr in own_expressions(rel):
        yield from (part for part in plan.subexpressions(expr) if isinstance(part, plan.ScalarSubquery))
    for below in plan.inputs(rel):
        yield from _subqueries(below, base)


def _check_total(rel: plan.Rel, base: plan.Rel) -> None:
    """An aggregate without keys has a value also for no rows; grouped by partition it has none where a filter left no row."""
    total = False
    while rel is not base:
        match rel:
            case plan.Aggregate(keys=()):
                total = True
            case plan.Extend() | plan.Narrow() | plan.Sort() | plan.Serialize() | plan.Window() | plan.Aggregate():
                pass
            case plan.Reuse():
                rel = rel.shared.rel
                continue
            case _ if total:
                raise NotPartitionedError("toscalar of an aggregate over a part of the partition's rows is not supported")
        rel = plan.inputs(rel)[0]


def _copied(b: Binder, shared: plan.Shared) -> plan.Rel:
    """The rows of a shared relation under the ids that its columns have inside it."""
    reuse = plan.Reuse(shared, b.fresh(shared.rel.columns))
    items = tuple((inner, plan.Ref(outer)) for inner, outer in zip(shared.rel.columns, reuse.columns, strict=True))
    return plan.Extend(reuse, items, shared.rel.columns)


class _Rewrite:
    def __init__(self, b: Binder, base: plan.Rel, column: plan.Column, carried: Sequence[plan.Column]) -> None:
        self._b = b
        self._base = base
        self._start = Partitioned(base, column, {kept.id: kept for kept in carried})
        self._values: dict[plan.ScalarSubquery, plan.Ref] = {}

    def lift(self, rel: plan.Rel) -> None:
        """toscalar over the rows of the partition itself: one value per partition, beside each of its rows from the start on."""
        inside = [part for part in _subqueries(rel, self._base) if self._reads_base(part.rel)]
        if not inside:
            return
        if is_serialized(self._b, self._base):
            raise NotPartitionedError("toscalar of the partition's own rows would lose their order")
        hidden = (self._start.column, *self._start.carried.values())
        columns = (*self._base.columns, *(column for column in hidden if column not in self._base.columns))
        shared = plan.Shared("partition", plan.Narrow(self._base, columns), pinned=True)
        self._start = replace(self._start, rel=_copied(self._b, shared))
        values: dict[plan.ScalarSubquery, plan.Ref] = {}
        joined = _copied(self._b, shared)
        for part in dict.fromkeys(inside):
            _check_total(part.rel, self._base)
            found = self.rel(plan.Limit(part.rel, plan.Const(1, ScalarType.LONG)))
            value = plan.Shared("value", plan.Narrow(found.rel, (found.column, part.rel.columns[0])), pinned=True)
            right = plan.Reuse(value, self._b.fresh(value.rel.columns))
            on = ((plan.Ref(self._start.column), plan.Ref(right.columns[0])),)
            joined = plan.Join("leftouter", joined, right, on, (*joined.columns, *right.columns))
            values[part] = plan.Ref(right.columns[1], part.span)
        self._start = replace(self._start, rel=plan.Narrow(joined, self._base.columns))
        self._values = values

    def _lifted(self, expr: plan.Expr) -> plan.Expr:
        if isinstance(expr, plan.ScalarSubquery) and expr in self._values:
            return self._values[expr]
        return map_children(expr, self._lifted)

    def rel(self, rel: plan.Rel) -> Partitioned:
        if rel is self._base:
            return self._start
        if self._values:
            rel = map_expressions(rel, self._lifted)
        if any(self._reads_base(inner) for expr in own_expressions(rel) for inner in relations_within(expr)):
            raise NotPartitionedError("an expression of the subquery reads the table of the subquery")
        match rel:
            case plan.Filter() | plan.Extend() | plan.Narrow() | plan.Parse() | plan.Expand() | plan.Serialize():
                below = self.rel(rel.input)
                return replace(below, rel=replace(rel, input=below.rel))
            case plan.Sort():
                below = self.rel(rel.input)
                first = plan.SortKey(plan.Ref(below.column), descending=False, nulls_first=True)
                return replace(below, rel=replace(rel, input=below.rel, keys=(first, *rel.keys)))
            case plan.Limit() | plan.Window() | plan.MatchSteps():
                if rel.partition is not None:
                    raise NotPartitionedError("subqueries inside each other that both count rows are not supported")
                below = self.rel(rel.input)
                return replace(below, rel=replace(rel, input=below.rel, partition=below.column))
            case plan.Aggregate():
                return self._aggregate(rel)
            case plan.Join():
                return self._join(rel)
            case plan.Union_():
                return self._union(rel)
            case plan.Reuse():
                return self._reuse(rel)
            case _:
                raise NotPartitionedError("the subquery does not begin with the rows that it is given")

    def _reads_base(self, rel: plan.Rel) -> bool:
        if rel is self._base:
            return True
        nested = (inner for expr in own_expressions(rel) for inner in relations_within(expr))
        return any(map(self._reads_base, (*plan.inputs(rel), *nested)))

    def _aggregate(self, rel: plan.Aggregate) -> Partitioned:
        """One more key; the other columns of the base are the same in all rows of a partition, so any row supplies them."""
        below = self.rel(rel.input)
        key = self._b.column("", below.column.type)
        kept = {origin: self._b.column(column.name, column.type) for origin, column in below.carried.items()}
        values = tuple((kept[origin], plan.Ref(column)) for origin, column in below.carried.items())
        extremes = (*rel.extremes, plan.RowExtreme("any", None, None, values)) if values else rel.extremes
        keys = ((key, plan.Ref(below.column)), *rel.keys)
        return Partitioned(replace(rel, input=below.rel, keys=keys, extremes=extremes), key, kept)

    def _join(self, rel: plan.Join) -> Partitioned:
        """Each partition with the whole right side, or with its own rows of it where that side too reads the subquery's table."""
        both = self._reads_base(rel.right)
        # the first row per key is one of each partition only where the partition is part of the key
        if rel.kind not in _KEPT_BY_JOIN and not (both and rel.kind == "innerunique"):
            raise NotPartitionedError(
                f"a join of kind {rel.kind} in the subquery is not supported, one of {', '.join(sorted(_KEPT_BY_JOIN))} is"
            )
        below, right, on = self.rel(rel.left), rel.right, rel.on
        if both:
            other = self.rel(right)
            own = self._b.column("", other.column.type)
            right = self._only(plan.Extend(other.rel, ((own, plan.Ref(other.column)),), (*rel.right.columns, own)))
            on = ((plan.Ref(below.column), plan.Ref(own)), *on)
        hidden = [column for column in (below.column, *below.carried.values()) if column not in rel.columns]
        return replace(below, rel=replace(rel, left=below.rel, right=right, on=on, columns=(*rel.columns, *hidden)))

    def _only(self, rel: plan.Extend) -> plan.Rel:
        """The relation without what lies hidden below it: two sides of a join may not both have a column of the table."""
        shared = plan.Shared("side", rel)
        fresh = self._b.fresh(rel.columns)
        items = tuple((column, plan.Ref(below)) for column, below in zip(rel.columns, fresh, strict=True))
        return plan.Extend(plan.Reuse(shared, fresh), items, rel.columns)

    def _union(self, rel: plan.Union_) -> Partitioned:
        legs = [self.rel(leg.rel) for leg in rel.legs]
        key = self._b.column("", self._start.column.type)
        kept = {origin: self._b.column(column.name, column.type) for origin, column in self._start.carried.items()}
        values = [
            (*leg.values, plan.Ref(found.column), *(plan.Ref(found.carried[origin]) for origin in kept))
            for leg, found in zip(rel.legs, legs, strict=True)
        ]
        rows = tuple(plan.UnionLeg(found.rel, row) for found, row in zip(legs, values, strict=True))
        return Partitioned(plan.Union_(rows, (*rel.columns, key, *kept.values())), key, kept)

    def _reuse(self, rel: plan.Reuse) -> Partitioned:
        """Written out in place: a shared relation has no room for the partition."""
        below = self.rel(rel.shared.rel)
        items = tuple((above, plan.Ref(column)) for above, column in zip(rel.columns, rel.shared.rel.columns, strict=True))
        return replace(below, rel=plan.Extend(below.rel, items, rel.columns))
