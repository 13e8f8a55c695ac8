"""A graph as the value of a pipeline: its nodes and its edges, each a relation that several patterns may read.

Every node has a `place`, a number that nothing else has: nodes of node tables first, then ids in the order in which edges
name them. Edges lead from place to place, so what an id is (null is one too: R-319) matters only where nodes are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, Binder, Scope, const
from toolkit.kql.binder.expressions import bind_scalar
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

LONG = ScalarType.LONG


@dataclass(frozen=True)
class Elements:
    """The nodes, the edges or the degrees of a graph: a relation, and what its columns are.

    `roles`: columns with a meaning of their own (place, id, row, source, target, in, out); `properties`: those of the user,
    in order. `open`: the properties are not all known.
    """

    rel: plan.Rel
    roles: dict[str, plan.Column]
    properties: tuple[plan.Column, ...] = ()
    open: bool = False

    def property(self, name: str) -> plan.Column | None:
        return next((column for column in self.properties if column.name == name), None)

    def shared(self, name: str) -> Elements:
        """The same, to be read several times. It is evaluated once: the numbers must not change between two readings."""
        columns = (*self.roles.values(), *self.properties)
        inner = plan.Narrow(self.rel, tuple({column.id: column for column in columns}.values()))
        return replace(self, rel=plan.Reuse(plan.Shared(name, inner, pinned=True), inner.columns))

    def read(self, b: Binder) -> Elements:
        """The rows once more, under columns of their own."""
        assert isinstance(self.rel, plan.Reuse)
        shared = self.rel.shared
        fresh = b.fresh(shared.rel.columns)
        made = {mine.id: above for above, mine in zip(fresh, self.rel.columns, strict=True)}
        # a property may be a role as well (the column that the edges begin at)
        properties = tuple(plan.Column(made[column.id].id, column.name, column.type) for column in self.properties)
        return replace(
            self,
            rel=plan.Reuse(shared, fresh),
            roles={role: made[column.id] for role, column in self.roles.items()},
            properties=properties,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Graph(plan.Unsupported):
    """The result of make-graph. To everything but a graph operator it is a construct that gives no rows.

    `nodes`: place, id. `edges`: row, from, to (the ids). `arcs`: row, source, target (the places). `degrees`: place, in, out.
    """

    nodes: Elements = field(kw_only=True)
    edges: Elements = field(kw_only=True)
    arcs: Elements = field(kw_only=True)
    degrees: Elements = field(kw_only=True)
    partitioned: bool = field(default=False, kw_only=True)


_MOST_ARGUMENTS = 2
_REASON = "a graph operator such as graph-match has to follow"


def graph(b: Binder, parts: tuple[Elements, Elements, Elements], span: Span, *, partitioned: bool) -> Graph:
    """A graph of these nodes, edges and arcs, all of them shared."""
    nodes, edges, arcs = parts
    degrees = _degrees(b, nodes, arcs).shared("degrees")
    return Graph("a graph as a table", _REASON, (), (), span, nodes=nodes, edges=edges, arcs=arcs, degrees=degrees, partitioned=partitioned)


def graph_of(rel: plan.Rel) -> Graph | None:
    """The graph that a relation stands for: itself, or what a let holds."""
    while isinstance(rel, plan.Reuse):
        rel = rel.shared.rel
    return rel if isinstance(rel, Graph) else None


def unknown_graph(b: Binder, construct: str, reason: str, span: Span) -> Graph:
    """A graph that is not at hand: any property may be read, nothing can be run."""
    names = ("place", "id", "row", "from", "to", "source", "target")
    roles = {name: b.column("", LONG) for name in names}
    missing = plan.Unsupported(construct, reason, (), tuple(roles.values()), span)
    all_of = Elements(missing, roles, (), open=True)
    nodes, arcs = all_of.shared("nodes"), all_of.shared("arcs")
    degrees = _degrees(b, nodes, arcs).shared("degrees")
    return Graph(construct, reason, (missing,), (), span, nodes=nodes, edges=all_of.shared("edges"), arcs=arcs, degrees=degrees)


def stored_graph(b: Binder, call: syntax.Call, scope: Scope) -> Graph:
    """graph("Model"): a model and its snapshots are in the service."""
    for argument in call.arguments:
        bind_scalar(b, argument.value if isinstance(argument, syntax.NamedArgument) else argument, scope.without_rows())
    if not 1 <= len(call.arguments) <= _MOST_ARGUMENTS:
        message = f"The function 'graph' expects 1 to {_MOST_ARGUMENTS} arguments, found {len(call.arguments)}."
        b.report("argument-count", message, call.span, alias="KS119")
    hints = ("make-graph makes a graph of the rows of a table.",)
    b.refuse("A stored graph model is in the service; it cannot be read here.", call.span, alias="KS260", hints=hints)
    return unknown_graph(b, "a stored graph model", "it is in the service", call.span)


def known(columns: Sequence[plan.Column]) -> tuple[plan.Column, ...]:
    return tuple(column for column in columns if not column.name.startswith(OPEN))


def long(value: int) -> plan.Const:
    return const(value, LONG)


def ref(column: plan.Column) -> plan.Ref:
    return plan.Ref(column)


def _degrees(b: Binder, nodes: Elements, arcs: Elements) -> Elements:
    """How many edges end and begin at each node (every edge row counts, and a loop on both sides)."""
    place = nodes.read(b)
    ends = [_counted(b, arcs.read(b), role) for role in ("target", "source")]
    rel: plan.Rel = plan.Narrow(place.rel, (place.roles["place"],))
    items: list[tuple[plan.Column, plan.Expr]] = []
    for counted, at, count in ends:
        joined = (*rel.columns, at, count)
        rel = plan.Join("leftouter", rel, counted, ((ref(place.roles["place"]), ref(at)),), joined)
        column = b.column("", LONG)
        items.append((column, plan.Call("coalesce", (ref(count), long(0)), LONG)))
    columns = (place.roles["place"], *(column for column, _ in items))
    result = plan.Extend(rel, tuple(items), columns)
    return Elements(result, {"place": place.roles["place"], "in": items[0][0], "out": items[1][0]})


def _counted(b: Binder, arcs: Elements, role: str) -> tuple[plan.Rel, plan.Column, plan.Column]:
    at, count = b.column("", LONG), b.column("", LONG)
    call = plan.AggregateCall("count", (), LONG)
    return plan.Aggregate(arcs.rel, ((at, ref(arcs.roles[role])),), ((count, call),), (), (at, count)), at, count
