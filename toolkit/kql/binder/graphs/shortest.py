"""graph-shortest-paths (R-321): of the paths that satisfy where, the shortest between the nodes of a match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from toolkit.kql import plan
from toolkit.kql.binder.context import Binder
from toolkit.kql.binder.graphs.matching import Matching
from toolkit.kql.binder.graphs.patterns import PathVariable, Pattern
from toolkit.kql.binder.graphs.value import LONG, ref
from toolkit.kql.passes.rewrite import references


def check_filters(b: Binder, pattern: Pattern, conditions: Sequence[plan.Expr]) -> None:
    """The service compares no two elements of the pattern with one another (CRT0001)."""
    owners: dict[int, int] = {}
    for node in pattern.nodes:
        owners |= {column.id: id(node) for element in (node.found, node.degrees) for column in element.rel.columns}
    for edge in pattern.edges:
        mine = [wanted.column for wanted in edge.wanted] if isinstance(edge, PathVariable) else edge.found.rel.columns
        owners |= {column.id: id(edge) for column in mine}
        if isinstance(edge, PathVariable):
            owners[edge.length.id] = id(edge)
    for condition in conditions:
        for test in _tests(condition):
            if len({owners[number] for number in references(test) if number in owners}) > 1:
                message = "The service does not compare two elements of a shortest path with one another."
                b.refuse(message, test.span, alias="CRT0001")


def _tests(expr: plan.Expr) -> list[plan.Expr]:
    if isinstance(expr, plan.Call) and expr.name in ("and", "or", "not"):
        return [test for arg in expr.args for test in _tests(arg)]
    return [expr]


def stops_early(matching: Matching) -> bool:
    """Whether a walk may stop where a shorter one was before: one path of at least one step, and no condition on the whole of it."""
    pattern = matching.pattern
    if len(pattern.edges) != 1:
        return False
    path = pattern.edges[0]
    if not isinstance(path, PathVariable) or path.low > 1 or path.left is path.right:
        return False
    every = {wanted.column.id for wanted in path.wanted if wanted.kind == "all"}
    of_path = {path.length.id, *(wanted.column.id for wanted in path.wanted)}
    for condition in matching.conditions:
        whole = isinstance(condition, plan.Ref) and condition.column.id in every
        if not whole and references(condition) & of_path:
            return False
    return True


def shortest_only(matching: Matching, rel: plan.Rel, output: str) -> plan.Rel:
    """Of all paths the shortest for each choice of the pattern's nodes."""
    b = matching.b
    total = b.column("", LONG)
    lengths: list[plan.Expr] = [ref(column) for column in matching.lengths]
    summed = reduce(lambda one, other: plan.Call("+", (one, other), LONG), lengths)
    rel = plan.Extend(rel, ((total, summed),), (*rel.columns, total))
    return _one_each(matching, rel, total) if output == "any" else _all_least(matching, rel, total)


def _one_each(matching: Matching, rel: plan.Rel, total: plan.Column) -> plan.Rel:
    """The first of the shortest in the order of the matches."""
    b = matching.b
    ordered = matching.sorted(rel)
    assert isinstance(ordered, plan.Sort)
    rank = b.column("", LONG)
    first = plan.SortKey(ref(total), descending=False, nulls_first=True)
    ranked = plan.Window(replace(ordered, keys=(first, *ordered.keys)), ((rank, plan.Call("row_place", (), LONG)),))
    keys = tuple((b.column("", LONG), ref(place)) for place in matching.places.values())
    kept = [(column, ref(column)) for column in rel.columns if column.id in matching.read]
    best = plan.RowExtreme("min", ref(rank), b.column("", LONG), tuple(kept))
    matching.places = dict(zip(matching.places, (key for key, _ in keys), strict=True))
    matching.traces = []
    return plan.Aggregate(ranked, keys, (), (best,), (*(key for key, _ in keys), *(column for column, _ in kept)))


def _all_least(matching: Matching, rel: plan.Rel, total: plan.Column) -> plan.Rel:
    b, nodes = matching.b, list(matching.places.values())
    shared = plan.Shared("paths", plan.Narrow(rel, rel.columns), pinned=True)
    again = b.fresh(rel.columns)
    made = {below.id: above for above, below in zip(again, rel.columns, strict=True)}
    keys = tuple((b.column("", LONG), ref(made[place.id])) for place in nodes)
    least = b.column("", LONG)
    call = plan.AggregateCall("min", (ref(made[total.id]),), LONG)
    minimum = plan.Aggregate(plan.Reuse(shared, again), keys, ((least, call),), (), (*(key for key, _ in keys), least))
    on = [(ref(place), ref(key)) for place, (key, _) in zip(nodes, keys, strict=True)]
    return plan.Join("leftsemi", plan.Reuse(shared, rel.columns), minimum, (*on, (ref(total), ref(least))), rel.columns)
