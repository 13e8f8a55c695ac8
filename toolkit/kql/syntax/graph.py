"""Graph operators and their patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.kql.syntax.base import Node
from toolkit.kql.syntax.pipelines import Operator

if TYPE_CHECKING:
    from toolkit.kql.syntax import Expr
    from toolkit.kql.syntax.expressions import Name
    from toolkit.kql.syntax.sources import Parameter


@dataclass(frozen=True, slots=True)
class MakeGraph(Operator):
    """`make-graph src --> dst [with nodes on id [, nodes2 on id2]] [with_node_id = n] [partitioned-by c ( ... )]`."""

    source_column: Expr
    target_column: Expr
    directed: bool = True
    nodes: tuple[tuple[Expr, Expr], ...] = ()
    partitioned_by: Expr | None = None
    body: Expr | None = None
    node_id: Name | None = None


@dataclass(frozen=True, slots=True)
class GraphNode(Node):
    """`(name)`; an unnamed node has None."""

    name: Name | None


@dataclass(frozen=True, slots=True)
class GraphEdge(Node):
    """`-[name*min..max]->`, `<-[...]-`, `-[...]-`, `-->`, `<--`, `--`; `direction` is "out", "in" or "any"."""

    name: Name | None
    direction: str
    low: Expr | None = None
    high: Expr | None = None


@dataclass(frozen=True, slots=True)
class GraphMatch(Operator):
    patterns: tuple[tuple[Node, ...], ...]
    where: Expr | None = None
    project: tuple[Expr, ...] | None = None


@dataclass(frozen=True, slots=True)
class GraphShortestPaths(Operator):
    patterns: tuple[tuple[Node, ...], ...]
    where: Expr | None = None
    project: tuple[Expr, ...] | None = None


@dataclass(frozen=True, slots=True)
class GraphToTable(Operator):
    """`graph-to-table nodes [as N] [with_node_id=..], edges [as E] [...]`; one part per output."""

    parts: tuple[GraphOutput, ...]


@dataclass(frozen=True, slots=True)
class GraphOutput(Node):
    what: str
    name: Name | None = None
    options: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphMarkComponents(Operator):
    pass


@dataclass(frozen=True, slots=True)
class GraphWhere(Operator):
    """`graph-where-nodes` / `graph-where-edges`; `what` is "nodes" or "edges"."""

    what: str
    predicate: Expr
