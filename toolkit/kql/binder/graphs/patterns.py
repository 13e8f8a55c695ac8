"""Patterns of graph-match and graph-shortest-paths: their variables, and what their names mean in where and project."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope, const
from toolkit.kql.binder.graphs.value import LONG, Elements, Graph
from toolkit.kql.source import NOWHERE, Span
from toolkit.kql.types import ScalarType

BOOL, DYNAMIC, UNKNOWN = ScalarType.BOOL, ScalarType.DYNAMIC, ScalarType.UNKNOWN

# A longer walk than this is a mistake: the number of paths grows with the power of the length.
MOST_STEPS = 10_000


@dataclass
class NodeVariable:
    """A node of the pattern. `found`: its properties, `degrees`: its degrees; both are joined where something reads them."""

    name: str | None
    found: Elements
    degrees: Elements


@dataclass
class EdgeVariable:
    """An edge of the pattern between the nodes `left` and `right`, in the order of the text."""

    name: str | None
    direction: str
    left: NodeVariable
    right: NodeVariable
    span: Span = NOWHERE


@dataclass
class FixedEdge(EdgeVariable):
    found: Elements = field(kw_only=True)


@dataclass
class PathVariable(EdgeVariable):
    """`-[p*low..high]-`. What where and project compute along the path is collected while they are bound.

    `wanted`: result column, the expression over the properties of `edges` or (`inner`) of `inner_nodes`, and its kind.
    """

    low: int = field(kw_only=True)
    high: int = field(kw_only=True)
    edges: Elements = field(kw_only=True)
    inner_nodes: Elements = field(kw_only=True)
    inner_degrees: Elements = field(kw_only=True)
    length: plan.Column = field(kw_only=True)
    wanted: list[Wanted] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    column: plan.Column
    value: plan.Expr
    kind: str
    inner: bool


Variable = NodeVariable | FixedEdge | PathVariable


@dataclass(frozen=True)
class PatternNames(ABC):
    """What names mean inside a pattern's clauses; the methods give None where they mean what they do elsewhere.

    `element`: "edge" or "node" where the properties of one are in reach by their bare names (inside map(), all() and any());
    `node`: that node, and its degrees.
    """

    variables: Mapping[str, Variable]
    clause: str
    element: str = ""
    node: tuple[Elements, Elements] | None = None

    @abstractmethod
    def name(self, b: Binder, expr: syntax.NameRef, scope: Scope) -> plan.Expr | None: ...

    @abstractmethod
    def path(self, b: Binder, expr: syntax.Path, scope: Scope) -> plan.Expr | None: ...

    @abstractmethod
    def call(self, b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr | None: ...

    @abstractmethod
    def refuses_index(self, b: Binder, expr: syntax.Index, scope: Scope) -> bool: ...


@dataclass
class Pattern:
    """All sequences of a pattern together: `nodes` in the order of the text, and `edges`."""

    nodes: list[NodeVariable] = field(default_factory=list)
    edges: list[FixedEdge | PathVariable] = field(default_factory=list)
    variables: dict[str, Variable] = field(default_factory=dict)


def bind_pattern(
    b: Binder, graph: Graph, sequences: tuple[tuple[syntax.Node, ...], ...], low_high: Mapping[int, tuple[int, int]]
) -> Pattern:
    """The variables of a pattern; a name that comes twice is one node (R-319). `low_high`: the range of an edge, by its identity."""
    pattern = Pattern()
    for sequence in sequences:
        left: NodeVariable | None = None
        pending: syntax.GraphEdge | None = None
        for part in sequence:
            if isinstance(part, syntax.GraphNode):
                node = _node(b, graph, pattern, part)
                if left is not None and pending is not None:
                    _edge(b, graph, pattern, pending, (left, node), low_high.get(id(pending)))
                left, pending = node, None
            elif isinstance(part, syntax.GraphEdge):
                pending = part
    return pattern


def _node(b: Binder, graph: Graph, pattern: Pattern, part: syntax.GraphNode) -> NodeVariable:
    name = part.name.text if part.name is not None else None
    known = pattern.variables.get(name) if name is not None else None
    if isinstance(known, NodeVariable):
        return known
    if known is not None:
        b.refuse(f"'{name}' is the name of a node and of an edge; which of them is meant is not documented.", part.span)
    node = NodeVariable(name, graph.nodes.read(b), graph.degrees.read(b))
    pattern.nodes.append(node)
    if name is not None and known is None:
        pattern.variables[name] = node
    return node


_Ends = tuple[NodeVariable, NodeVariable]


def _edge(b: Binder, graph: Graph, pattern: Pattern, part: syntax.GraphEdge, ends: _Ends, steps: tuple[int, int] | None) -> None:
    name = part.name.text if part.name is not None else None
    edge: FixedEdge | PathVariable
    if steps is None:
        edge = FixedEdge(name, part.direction, ends[0], ends[1], part.span, found=graph.arcs.read(b))
    else:
        edge = _path(b, graph, part, ends, steps)
    pattern.edges.append(edge)
    if name is None:
        return
    if name in pattern.variables:
        b.refuse(f"The name '{name}' stands for an edge and for something else; the service documents no meaning for that.", part.span)
        return
    pattern.variables[name] = edge


def _path(b: Binder, graph: Graph, part: syntax.GraphEdge, ends: _Ends, steps: tuple[int, int]) -> PathVariable:
    name = part.name.text if part.name is not None else None
    return PathVariable(
        name,
        part.direction,
        ends[0],
        ends[1],
        part.span,
        low=steps[0],
        high=steps[1],
        edges=graph.arcs.read(b),
        inner_nodes=graph.nodes.read(b),
        inner_degrees=graph.degrees.read(b),
        length=b.column("", LONG),
    )


def gather(b: Binder, path: PathVariable, value: plan.Expr, kind: str, *, inner: bool) -> plan.Expr:
    """The value that a path collects of each of its edges or inner nodes; asked for twice, it is collected once."""
    for known in path.wanted:
        if (known.value, known.kind, known.inner) == (value, kind, inner):
            return plan.Ref(known.column)
    column = b.column("", DYNAMIC if kind == "list" else BOOL)
    path.wanted.append(Wanted(column, value, kind, inner))
    return plan.Ref(column, value.span)


def bag(elements: Elements, span: Span) -> plan.Expr:
    """A whole node or edge: its properties but those that are null or '' (R-322)."""
    args: list[plan.Expr] = []
    for column in elements.properties:
        args += [const(column.name, ScalarType.STRING), plan.Ref(column)]
    if not args:
        return const("{}", DYNAMIC, span)
    return plan.Call("bag_pack_nonempty", tuple(args), DYNAMIC, span)
