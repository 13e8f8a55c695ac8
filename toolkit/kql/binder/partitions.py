"""Subqueries that run once per row or per key (mv-apply, partition): their operators rewritten to work on all partitions at once.

A subquery is bound over all rows as if there were one partition. Then every operator that looks at more than one row gets
the partition into what it does: sort keys begin with it, aggregates group by it, limits and window functions count within it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from toolkit.kql import plan
from toolkit.kql.binder.context import Binder
from toolkit.kql.passes.rewrite import own_expressions, relations_within

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
    return _Rewrite(b, base, column, carried).rel(rel)


class _Rewrite:
    def __init__(self, b: Binder, base: plan.Rel, column: plan.Column, carried: Sequence[plan.Column]) -> None:
        self._b = b
        self._base = base
        self._start = Partitioned(base, column, {kept.id: kept for kept in carried})

    def rel(self, rel: plan.Rel) -> Partitioned:
        if rel is self._base:
            return self._start
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
