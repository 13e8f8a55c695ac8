"""Drops the columns nobody reads, from the result down, so that a table of 200 columns costs what the query uses.

Demand flows by column id, therefore a column may be read above a `Narrow` that hides it (`fuse` makes such reads): it
then simply stays available below.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from toolkit.kql import plan
from toolkit.kql.passes.rewrite import map_children, map_expressions, own_expressions, references, relations_within


def prune(rel: plan.Rel) -> plan.Rel:
    """The same rows and result columns, computed from as few columns as possible."""
    demand = _Demand()
    demand.of(rel, {column.id for column in rel.columns})
    return _Rebuild(demand).rel(rel, frozenset(column.id for column in rel.columns))


def _refs(exprs: Iterable[plan.Expr]) -> set[int]:
    found: set[int] = set()
    for expr in exprs:
        found |= references(expr)
    return found


def _input_demand(rel: plan.Rel, needed: frozenset[int]) -> set[int]:
    """The ids that a relation with one input, or a join, reads from below to supply `needed`."""
    match rel:
        case plan.Extend():
            made = {column.id for column, _ in rel.items}
            return set(needed - made) | _refs(value for column, value in rel.items if column.id in needed)
        case plan.Window():
            return _window_demand(rel, needed)
        case plan.MatchSteps():
            return _scan_demand(rel, needed)
        case plan.Limit():
            return set(needed) | ({rel.partition.id} if rel.partition else set())
        case plan.Aggregate():
            return _refs(own_expressions(_pruned_aggregate(rel, needed)))
        case plan.Expand():
            made = {item.column.id for item in rel.items} | ({rel.index.id} if rel.index else set())
            return set(needed - made) | _refs(own_expressions(rel))
        case plan.Walk():
            return _walk_demand(rel, needed)
        case plan.Parse():
            made = {part.column.id for part in rel.parts if isinstance(part, plan.ParseCapture)}
            return set(needed - made) | references(rel.value)
        case _:
            return set(needed) | _refs(own_expressions(rel))


def _walk_demand(rel: plan.Walk, needed: frozenset[int]) -> set[int]:
    found = {gather.value.id for gather in rel.gathers if gather.column.id in needed}
    return found | {rel.seed.id, rel.row.id, rel.near.id, rel.far.id} | ({rel.passes.id} if rel.passes else set())


def _window_demand(rel: plan.Window, needed: frozenset[int]) -> set[int]:
    items = [(column, call) for column, call in rel.items if column.id in needed]
    partition = {rel.partition.id} if rel.partition and items else set()
    return set(needed - {column.id for column, _ in rel.items}) | _refs(call for _, call in items) | partition


def _scan_demand(rel: plan.MatchSteps, needed: frozenset[int]) -> set[int]:
    """What remembered columns are of the row comes from below, the columns that remember it do not."""
    used = _refs(own_expressions(rel))
    remembered = {held.id: origin.id for step in rel.steps for held, origin in step.state}
    made = {column.id for column, _ in rel.made} | ({rel.match_id.id} if rel.match_id else set())
    partition = {rel.partition.id} if rel.partition else set()
    read = set(needed) | {remembered.get(number, number) for number in used}
    return (read - made) | partition


def _pruned_aggregate(rel: plan.Aggregate, needed: frozenset[int]) -> plan.Aggregate:
    extremes = []
    for extreme in rel.extremes:
        values = tuple((column, value) for column, value in extreme.values if column.id in needed)
        by_column = extreme.by_column if extreme.by_column and extreme.by_column.id in needed else None
        if values or by_column:
            extremes.append(replace(extreme, values=values, by_column=by_column))
    aggregates = tuple((column, call) for column, call in rel.aggregates if column.id in needed)
    return replace(rel, aggregates=aggregates, extremes=tuple(extremes), columns=_kept(rel.columns, needed))


def _kept(columns: tuple[plan.Column, ...], needed: frozenset[int]) -> tuple[plan.Column, ...]:
    return tuple(column for column in columns if column.id in needed)


class _Demand:
    """Which columns of each shared relation any of its readers wants."""

    def __init__(self) -> None:
        self.shared: dict[int, set[int]] = {}
        self._seen: dict[int, frozenset[int]] = {}

    def of(self, rel: plan.Rel, wanted: set[int]) -> None:
        needed = frozenset(wanted)
        for expr in own_expressions(rel):
            for inner in relations_within(expr):
                self.of(inner, {inner.columns[0].id})
        match rel:
            case plan.Reuse():
                self._reuse(rel, needed)
            case plan.Union_():
                for leg in rel.legs:
                    self.of(leg.rel, _refs(value for column, value in zip(rel.columns, leg.values, strict=True) if column.id in needed))
            case plan.Unsupported():
                for inner in rel.inputs:
                    self.of(inner, {column.id for column in inner.columns})
            case plan.Scan() | plan.Values() | plan.RangeRows():
                return
            case _:
                below = _input_demand(rel, needed)
                for inner in plan.inputs(rel):
                    self.of(inner, below)

    def _reuse(self, rel: plan.Reuse, needed: frozenset[int]) -> None:
        wanted = self.shared.setdefault(id(rel.shared), set())
        inner = rel.shared.rel
        before = len(wanted)
        wanted |= {below.id for above, below in zip(rel.columns, inner.columns, strict=True) if above.id in needed}
        if id(rel.shared) not in self._seen or len(wanted) > before:
            self._seen[id(rel.shared)] = frozenset(wanted)
            self.of(inner, wanted)


class _Rebuild:
    def __init__(self, demand: _Demand) -> None:
        self._demand = demand
        self._shared: dict[int, plan.Shared] = {}

    def rel(self, rel: plan.Rel, needed: frozenset[int]) -> plan.Rel:
        rel = map_expressions(rel, self._expr)
        match rel:
            case plan.Scan():
                return replace(rel, columns=_kept(rel.columns, needed))
            case plan.Values():
                keep = [index for index, column in enumerate(rel.columns) if column.id in needed]
                return plan.Values(_kept(rel.columns, needed), tuple(tuple(row[index] for index in keep) for row in rel.rows))
            case plan.RangeRows():
                return rel
            case plan.Reuse():
                return self._reuse(rel, needed)
            case plan.Union_():
                return self._union(rel, needed)
            case plan.Join():
                below = frozenset(_input_demand(rel, needed))
                return replace(rel, left=self.rel(rel.left, below), right=self.rel(rel.right, below), columns=_kept(rel.columns, needed))
            case plan.Walk():
                below = frozenset(_input_demand(rel, needed))
                gathers = tuple(gather for gather in rel.gathers if gather.column.id in needed)
                return replace(rel, seeds=self.rel(rel.seeds, below), steps=self.rel(rel.steps, below), gathers=gathers)
            case plan.Unsupported():
                return rel
            case _:
                return self._row_wise(rel, needed)

    def _row_wise(self, rel: plan.Rel, needed: frozenset[int]) -> plan.Rel:
        below = frozenset(_input_demand(rel, needed))
        match rel:
            case plan.Extend():
                items = tuple((column, value) for column, value in rel.items if column.id in needed)
                return plan.Extend(self.rel(rel.input, below), items, _kept(rel.columns, needed))
            case plan.Aggregate():
                return replace(_pruned_aggregate(rel, needed), input=self.rel(rel.input, below))
            case plan.Narrow() | plan.Expand() | plan.Parse() | plan.MatchSteps():
                return replace(rel, input=self.rel(rel.input, below), columns=_kept(rel.columns, needed))
            case plan.Window():
                calls = tuple((column, call) for column, call in rel.items if column.id in needed)
                return replace(rel, input=self.rel(rel.input, below), items=calls)
            case plan.Filter() | plan.Sort() | plan.Limit() | plan.Serialize():
                return replace(rel, input=self.rel(rel.input, below))
            case _:
                raise TypeError(f"no pruning for {type(rel).__name__}")

    def _reuse(self, rel: plan.Reuse, needed: frozenset[int]) -> plan.Rel:
        wanted = frozenset(self._demand.shared.get(id(rel.shared), ()))
        # a column that another reader of the shared relation wants keeps its place here, so that positions still match
        columns = tuple(above for above, below in zip(rel.columns, rel.shared.rel.columns, strict=True) if below.id in wanted)
        return plan.Reuse(self._shared_of(rel.shared, wanted), columns)

    def _shared_of(self, shared: plan.Shared, wanted: frozenset[int]) -> plan.Shared:
        if id(shared) not in self._shared:
            columns = _kept(shared.rel.columns, wanted)
            self._shared[id(shared)] = plan.Shared(shared.name, plan.Narrow(self.rel(shared.rel, wanted), columns), shared.pinned)
        return self._shared[id(shared)]

    def _union(self, rel: plan.Union_, needed: frozenset[int]) -> plan.Rel:
        keep = [index for index, column in enumerate(rel.columns) if column.id in needed]
        legs = []
        for leg in rel.legs:
            values = tuple(leg.values[index] for index in keep)
            legs.append(plan.UnionLeg(self.rel(leg.rel, frozenset(_refs(values))), values))
        return plan.Union_(tuple(legs), _kept(rel.columns, needed))

    def _expr(self, expr: plan.Expr) -> plan.Expr:
        return map_children(expr, self._expr, lambda inner: self.rel(_first_only(inner), frozenset({inner.columns[0].id})))


def _first_only(rel: plan.Rel) -> plan.Rel:
    return plan.Narrow(rel, rel.columns[:1])
