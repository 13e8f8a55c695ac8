"""A bound pattern as a plan: edges are joins, paths are walks, and the conditions stand where all they read is there (R-320, R-321)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

from toolkit.kql import plan
from toolkit.kql.binder.context import Binder
from toolkit.kql.binder.graphs.patterns import BOOL, DYNAMIC, FixedEdge, NodeVariable, PathVariable, Pattern
from toolkit.kql.binder.graphs.value import LONG, Elements, ref
from toolkit.kql.passes.rewrite import references

Edge = FixedEdge | PathVariable


@dataclass
class _Trace:
    """What a matched edge has used: the row of a fixed one, or the lists of a walk."""

    row: plan.Column | None = None
    trail: plan.Column | None = None
    inner: plan.Column | None = None


@dataclass
class Matching:
    """Matches a pattern piece by piece. `cycles`: unique_edges, all or none; `read`: the columns that where and project read."""

    b: Binder
    pattern: Pattern
    cycles: str
    conditions: list[plan.Expr] = field(default_factory=list)
    read: set[int] = field(default_factory=set)
    shortest: str = ""
    rel: plan.Rel | None = None
    places: dict[int, plan.Column] = field(default_factory=dict)
    traces: list[_Trace] = field(default_factory=list)
    lengths: list[plan.Column] = field(default_factory=list)

    @property
    def part(self) -> plan.Column | None:
        """The column of the result that tells the partitions of the graph apart."""
        first = next((edge for edge in self.pattern.edges if isinstance(edge, FixedEdge)), None)
        return (self.pattern.nodes[0].found if first is None else first.found).roles.get("part")

    def run(self) -> plan.Rel:
        """A row per match, with every column that the clauses read."""
        waiting: list[Edge] = list(self.pattern.edges)
        self._begin(waiting)
        while waiting:
            edge = self._next(waiting)
            waiting.remove(edge)
            if isinstance(edge, FixedEdge):
                self._fixed(edge)
            else:
                self._walk(edge)
        assert self.rel is not None
        for condition in self.conditions:
            self.rel = plan.Filter(self.rel, condition)
        return self.rel

    def sorted(self, rel: plan.Rel) -> plan.Rel:
        """The matches in an order of their own: several threads would else give them in another one each time."""
        used = [column for trace in self.traces for column in (trace.row, trace.trail) if column is not None]
        keys = [*self.places.values(), *used]
        return plan.Sort(rel, tuple(plan.SortKey(ref(column), descending=False, nulls_first=True) for column in keys))

    # --- the way through the pattern ----------------------------------------------------------------------------------

    def _begin(self, waiting: list[Edge]) -> None:
        """At the node that the conditions say most about; without any at the first fixed edge, which needs no table of nodes."""
        best = max(self.pattern.nodes, key=self._weight)
        first = next((edge for edge in waiting if isinstance(edge, FixedEdge)), None)
        if self._weight(best) or first is None:
            found = best.found
            self.rel = found.rel
            self._bind(best, found.roles["place"], attached=True)
            return
        waiting.remove(first)
        rel, near, far = self._ends(first, first.left)
        self.rel = rel
        if first.left is first.right:
            self.rel = plan.Filter(rel, _same(near, far))
        self.traces.append(_Trace(row=first.found.roles["row"]))
        self._bind(first.left, near)
        if first.right is not first.left:
            self._bind(first.right, far)

    def _weight(self, node: NodeVariable) -> int:
        mine = _ids(node.found) | _ids(node.degrees)
        own = [condition for condition in self.conditions if (used := references(condition)) and used <= mine]
        return sum(3 if isinstance(part, plan.Call) and part.name in ("==", "in", "=~") else 1 for part in own)

    def _next(self, waiting: Sequence[Edge]) -> Edge:
        """The next edge that touches what is matched: fixed ones first, they cost least."""
        ready = [edge for edge in waiting if id(edge.left) in self.places or id(edge.right) in self.places]
        return next((edge for edge in ready if isinstance(edge, FixedEdge)), ready[0])

    # --- nodes --------------------------------------------------------------------------------------------------------

    def _bind(self, node: NodeVariable, place: plan.Column, *, attached: bool = False) -> None:
        """Notes where a node is, and joins what the clauses read of it."""
        if self.cycles == "none":
            for other in self.places.values():
                self._keep(_differs(place, other))
            for trace in self.traces:
                if trace.inner is not None:
                    self._keep(_not("trail_has", trace.inner, place))
        self.places[id(node)] = place
        for elements, joined in ((node.found, attached), (node.degrees, False)):
            if not joined and _ids(elements) & self.read:
                self._attach(elements, place)
        self._apply_conditions()

    def _attach(self, elements: Elements, place: plan.Column) -> None:
        assert self.rel is not None
        on = ((ref(place), ref(elements.roles["place"])),)
        self.rel = plan.Join("inner", self.rel, elements.rel, on, (*self.rel.columns, *elements.rel.columns))

    def _apply_conditions(self) -> None:
        assert self.rel is not None
        there = {column.id for column in self.rel.columns}
        ready = [condition for condition in self.conditions if references(condition) <= there]
        for condition in ready:
            self._keep(condition)
        self.conditions = [condition for condition in self.conditions if not any(condition is done for done in ready)]

    def _keep(self, predicate: plan.Expr) -> None:
        assert self.rel is not None
        self.rel = plan.Filter(self.rel, predicate)

    # --- fixed edges --------------------------------------------------------------------------------------------------

    def _ends(self, edge: FixedEdge, start: NodeVariable) -> tuple[plan.Rel, plan.Column, plan.Column]:
        """The edge's rows, and the columns with the places of `start` and of the other end."""
        return _oriented(self.b, edge.found, edge.direction, backwards=start is not edge.left)

    def _fixed(self, edge: FixedEdge) -> None:
        start, other = (edge.left, edge.right) if id(edge.left) in self.places else (edge.right, edge.left)
        rel, near, far = self._ends(edge, start)
        on = [(ref(self.places[id(start)]), ref(near))]
        known = id(other) in self.places
        if known:
            on.append((ref(self.places[id(other)]), ref(far)))
        assert self.rel is not None
        self.rel = plan.Join("inner", self.rel, rel, tuple(on), (*self.rel.columns, *rel.columns))
        self._trace(_Trace(row=edge.found.roles["row"]))
        if not known:
            self._bind(other, far)
        self._apply_conditions()

    def _trace(self, trace: _Trace) -> None:
        """Adds an edge to the match: with unique_edges none comes twice."""
        if self.cycles == "unique_edges":
            for other in self.traces:
                self._keep(_disjoint(trace, other))
        self.traces.append(trace)

    # --- paths --------------------------------------------------------------------------------------------------------

    def _walk(self, path: PathVariable) -> None:
        backwards = id(path.left) not in self.places
        start, other = (path.right, path.left) if backwards else (path.left, path.right)
        seeds, seed = self._seeds(self.places[id(start)])
        walk = self._steps(path, seeds, seed, backwards=backwards)
        on = [(ref(self.places[id(start)]), ref(walk.start))]
        known = id(other) in self.places
        if known:
            on.append((ref(self.places[id(other)]), ref(walk.end)))
        assert self.rel is not None
        self.rel = plan.Join("inner", self.rel, walk, tuple(on), (*self.rel.columns, *walk.columns))
        self.lengths.append(walk.length)
        self._trace(_Trace(trail=walk.trail, inner=walk.inner))
        if self.cycles == "none":
            self._keep_apart(walk, {id(start), id(other)})
        if not known:
            self._bind(other, walk.end)
        self._apply_conditions()

    def _keep_apart(self, walk: plan.Walk, ends: set[int]) -> None:
        """cycles=none: the inner nodes of a path are nodes of nothing else in the match."""
        for number, place in self.places.items():
            if number not in ends:
                self._keep(_not("trail_has", walk.inner, place))
        for trace in self.traces[:-1]:
            if trace.inner is not None:
                self._keep(_not("trails_meet", walk.inner, trace.inner))

    def _seeds(self, place: plan.Column) -> tuple[plan.Rel, plan.Column]:
        """The places where the walk begins: those of the matches so far, each once."""
        assert self.rel is not None
        shared = plan.Shared("matched", plan.Narrow(self.rel, self.rel.columns), pinned=True)
        self.rel = plan.Reuse(shared, self.rel.columns)
        fresh = self.b.fresh(shared.rel.columns)
        at = next(above for above, below in zip(fresh, shared.rel.columns, strict=True) if below.id == place.id)
        seed = self.b.column("", LONG)
        return plan.Aggregate(plan.Reuse(shared, fresh), ((seed, ref(at)),), (), (), (seed,)), seed

    def _steps(self, path: PathVariable, seeds: plan.Rel, seed: plan.Column, *, backwards: bool) -> plan.Walk:
        """The walk of a path. What every edge or inner node has to meet stops it where that fails."""
        steps, near, far = _oriented(self.b, path.edges, path.direction, backwards=backwards)
        asked = {condition.column.id for condition in self.conditions if isinstance(condition, plan.Ref)}
        must = [wanted for wanted in path.wanted if wanted.kind == "all" and wanted.column.id in asked]
        for wanted in must:
            steps = steps if wanted.inner else plan.Filter(steps, wanted.value)
        collected = [wanted for wanted in path.wanted if wanted.column.id in self.read]
        for elements in (path.inner_nodes, path.inner_degrees):
            if any(_ids(elements) & references(wanted.value) for wanted in collected):
                steps = _joined_at(steps, near, elements)
        items = [(self.b.column("", wanted.value.type), wanted.value) for wanted in collected]
        gathers = [plan.Gather(want.column, value, want.kind, want.inner) for want, (value, _) in zip(collected, items, strict=True)]
        passing = [wanted.value for wanted in must if wanted.inner]
        passes = self.b.column("", BOOL) if passing else None
        if passes is not None:
            items.append((passes, reduce(lambda one, other: plan.Call("and", (one, other), BOOL), passing)))
        steps = plan.Extend(steps, tuple(items), (*steps.columns, *(column for column, _ in items)))
        once = {"unique_edges": "rows", "none": "nodes"}.get(self.cycles, "")
        start, end, trail, inner = (self.b.column("", kind) for kind in (LONG, LONG, DYNAMIC, DYNAMIC))
        return plan.Walk(
            seeds, seed, steps, path.edges.roles["row"], near, far, path.low, path.high, once, passes, backwards, tuple(gathers),
            start, end, path.length, trail, inner, self.shortest,
        )  # fmt: skip


def _oriented(b: Binder, edges: Elements, direction: str, *, backwards: bool) -> tuple[plan.Rel, plan.Column, plan.Column]:
    """The edges as steps, and the columns with the places they lead from and to. All other columns keep their ids."""
    source, target = edges.roles["source"], edges.roles["target"]
    if (direction == "in") is not backwards:
        source, target = target, source
    if direction != "any":
        return edges.rel, source, target
    # one edge in both directions, under one number: it is walked once, and a loop matches twice
    near, far = b.column("", LONG), b.column("", LONG)
    kept = [column for column in edges.rel.columns if column.id not in (source.id, target.id)]
    again = edges.read(b)
    other = {below.id: above for below, above in zip(edges.rel.columns, again.rel.columns, strict=True)}
    legs = (
        plan.UnionLeg(edges.rel, (ref(source), ref(target), *map(ref, kept))),
        plan.UnionLeg(again.rel, (ref(other[target.id]), ref(other[source.id]), *(ref(other[column.id]) for column in kept))),
    )
    return plan.Union_(legs, (near, far, *kept)), near, far


def _joined_at(steps: plan.Rel, near: plan.Column, elements: Elements) -> plan.Rel:
    on = ((ref(near), ref(elements.roles["place"])),)
    return plan.Join("inner", steps, elements.rel, on, (*steps.columns, *elements.rel.columns))


def _ids(elements: Elements) -> set[int]:
    return {column.id for column in (*elements.roles.values(), *elements.properties)}


def _same(one: plan.Column, other: plan.Column) -> plan.Expr:
    return plan.Call("==", (ref(one), ref(other)), BOOL)


def _differs(one: plan.Column, other: plan.Column) -> plan.Expr:
    return plan.Call("!=", (ref(one), ref(other)), BOOL)


def _not(name: str, *columns: plan.Column) -> plan.Expr:
    return plan.Call("not", (plan.Call(name, tuple(map(ref, columns)), BOOL),), BOOL)


def _disjoint(one: _Trace, other: _Trace) -> plan.Expr:
    if one.row is not None and other.row is not None:
        return _differs(one.row, other.row)
    if one.trail is not None and other.trail is not None:
        return _not("trails_meet", one.trail, other.trail)
    trail, row = (one.trail, other.row) if one.trail is not None else (other.trail, one.row)
    assert trail is not None
    assert row is not None
    return _not("trail_has", trail, row)
