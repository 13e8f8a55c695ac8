"""make-graph: nodes and edges out of tables (R-319)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope, null_of
from toolkit.kql.binder.graphs.value import LONG, Elements, Graph, graph, known, long, ref, unknown_graph
from toolkit.kql.binder.opening import is_open
from toolkit.kql.binder.operators.items import columns_of
from toolkit.kql.binder.pipeline import bind_tabular
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

DYNAMIC, UNKNOWN = ScalarType.DYNAMIC, ScalarType.UNKNOWN

_MOST_TABLES = 2
# Places: rows of the node tables come before the ids that only edges name.
_BEFORE_EDGES = (-(2**62), -(2**61))


@dataclass(frozen=True)
class _NodeTable:
    rel: plan.Rel
    id: plan.Column
    part: plan.Column | None


def make_graph(b: Binder, operator: syntax.MakeGraph, rel: plan.Rel, scope: Scope) -> Graph:
    """The graph of an edge table. Every row is an edge, every id at either end or in a node table is one node."""
    if not operator.directed:
        b.refuse("The service does not run undirected graphs (SEM0456); '--' in a pattern ignores the direction.", operator.span)
    source = _id_column(b, operator.source_column, rel)
    target = _id_column(b, operator.target_column, rel)
    part = columns_of(b, operator.partitioned_by, rel.columns)[:1] if operator.partitioned_by is not None else []
    tables = [_node_table(b, table, column, operator, scope) for table, column in operator.nodes]
    found = [table for table in tables if table is not None]
    if source is None or target is None or len(found) < len(tables):
        return unknown_graph(b, "a graph", "its columns are not known", operator.span)
    if any(table.part is None for table in found):
        part = []
    _check_types(b, operator, source, target, found)
    _check_partition(b, operator, part[0] if part else None, found)
    edges = _edges(b, rel, source, target, part[0] if part else None)
    nodes = _nodes(b, operator, edges, found).shared("nodes")
    arcs = _arcs(b, edges, nodes).shared("arcs")
    return graph(b, (nodes, edges, arcs), operator.span, partitioned=bool(part))


# --- what may be a graph --------------------------------------------------------------------------------------------


def _id_column(b: Binder, node: syntax.Node, rel: plan.Rel) -> plan.Column | None:
    found = columns_of(b, node, rel.columns)
    if not found:
        return None
    if found[0].type is DYNAMIC:
        hints = ("tostring(...) makes an id of a value.",)
        b.report("dynamic-id", "The id of a node cannot be dynamic.", node.span, alias="KS240", hints=hints)
    return found[0]


def _node_table(b: Binder, table: syntax.Node, column: syntax.Node, operator: syntax.MakeGraph, scope: Scope) -> _NodeTable | None:
    rel = bind_tabular(b, table, scope.without_rows())
    key = _id_column(b, column, rel)
    if key is None:
        return None
    part: list[plan.Column] = []
    if isinstance(operator.partitioned_by, syntax.NameRef):
        wanted = operator.partitioned_by.name
        part = [found for found in rel.columns if found.name == wanted]
        if not part:
            b.refuse(f"The nodes need the column '{wanted}' too, which partitions the graph.", table.span, alias="SEM0100")
    return _NodeTable(rel, key, part[0] if part else None)


def _check_types(b: Binder, operator: syntax.MakeGraph, source: plan.Column, target: plan.Column, tables: Sequence[_NodeTable]) -> None:
    if UNKNOWN not in (source.type, target.type) and source.type is not target.type:
        message = f"Source and target of the edges have different types, {source.type} and {target.type}, which the service refuses."
        b.refuse(message, operator.target_column.span, alias="SEM1019")
    for table, (_, column) in zip(tables, operator.nodes, strict=True):
        if UNKNOWN not in (source.type, table.id.type) and table.id.type is not source.type:
            message = f"The ids of nodes and edges have different types, {table.id.type} and {source.type}, which the service refuses."
            b.refuse(message, column.span, alias="SEM1079")
    if len(tables) > _MOST_TABLES:
        b.refuse(f"A graph takes {_MOST_TABLES} tables of nodes at most.", operator.nodes[_MOST_TABLES][0].span)
    if len(tables) == _MOST_TABLES:
        _check_shared(b, operator, tables)


def _check_shared(b: Binder, operator: syntax.MakeGraph, tables: Sequence[_NodeTable]) -> None:
    kinds = {column.name: column.type for column in known(tables[0].rel.columns)}
    for column in known(tables[1].rel.columns):
        if kinds.get(column.name, column.type) is not column.type:
            message = f"'{column.name}' has another type in each table of nodes, {kinds[column.name]} and {column.type}: the nodes lose it."
            b.refuse(message, operator.nodes[1][0].span, alias="SEM1040")


def _check_partition(b: Binder, operator: syntax.MakeGraph, part: plan.Column | None, tables: Sequence[_NodeTable]) -> None:
    if part is None:
        return
    node = operator.partitioned_by
    assert node is not None
    if operator.node_id is not None:
        b.refuse("The service does not partition a graph whose nodes are made with with_node_id.", node.span, alias="SEM0100")
    if part.type is DYNAMIC:
        hints = ("tostring(...) makes a value that can be compared.",)
        b.report("cannot-group", "A dynamic value cannot tell partitions apart.", node.span, alias="KS116", hints=hints)
    for table in tables:
        if table.part is not None and table.part.type is not part.type:
            b.refuse(f"'{part.name}' is of type {table.part.type} for nodes and {part.type} for edges.", node.span)


# --- relations ------------------------------------------------------------------------------------------------------


def _edges(b: Binder, rel: plan.Rel, source: plan.Column, target: plan.Column, part: plan.Column | None) -> Elements:
    numbered, row = _numbered(b, rel)
    roles = {"row": row, "from": source, "to": target, **({"part": part} if part is not None else {})}
    return Elements(numbered, roles, known(rel.columns), is_open(rel)).shared("edges")


def _numbered(b: Binder, rel: plan.Rel) -> tuple[plan.Rel, plan.Column]:
    """The rows with a number each: two equal rows are two edges."""
    row = b.column("", LONG)
    placed = plan.Window(rel, ((row, plan.Call("row_place", (), LONG)),))
    return plan.Narrow(placed, (row, *rel.columns)), row


def _arcs(b: Binder, edges: Elements, nodes: Elements) -> Elements:
    """The edges from place to place."""
    found = edges.read(b)
    rel, roles = found.rel, dict(found.roles)
    for role, end in (("source", "from"), ("target", "to")):
        at = nodes.read(b)
        keys = [(ref(found.roles[name]), ref(at.roles[other])) for name, other in ((end, "id"), ("part", "part")) if name in roles]
        rel = plan.Join("inner", rel, at.rel, tuple(keys), (*rel.columns, at.roles["place"]))
        roles[role] = at.roles["place"]
    kept = {name: column for name, column in roles.items() if name in ("row", "source", "target", "part")}
    return Elements(rel, kept, found.properties, found.open)


def _nodes(b: Binder, operator: syntax.MakeGraph, edges: Elements, tables: Sequence[_NodeTable]) -> Elements:
    named = _named_by_edges(b, edges)
    if operator.node_id is not None:
        name = operator.node_id.text
        return Elements(named.rel, named.roles, (plan.Column(named.roles["id"].id, name, named.roles["id"].type),))
    if not tables:
        return named
    listed = _listed(b, tables, operator.nodes[-1][0].span).shared("node tables")
    return _all_nodes(b, listed, named, [table.id.name for table in tables])


def _named_by_edges(b: Binder, edges: Elements) -> Elements:
    """The ids at the ends of edges, each once, with the place where it comes first."""
    ends = [edges.read(b) for _ in range(2)]
    names = [name for name in ("id", "part") if name == "id" or "part" in edges.roles]
    columns = {name: b.column("", edges.roles["from" if name == "id" else "part"].type) for name in names}
    place = b.column("", LONG)
    legs = []
    for second, (end, role) in enumerate(zip(ends, ("from", "to"), strict=True)):
        twice = plan.Call("*", (ref(end.roles["row"]), long(2)), LONG)
        values: tuple[plan.Expr, ...] = (
            *(ref(end.roles[role if name == "id" else "part"]) for name in names),
            plan.Call("+", (twice, long(second)), LONG),
        )
        legs.append(plan.UnionLeg(end.rel, values))
    union = plan.Union_(tuple(legs), (*columns.values(), place))
    keys = {name: b.column("", column.type) for name, column in columns.items()}
    first = b.column("", LONG)
    call = plan.AggregateCall("min", (ref(place),), LONG)
    grouped = tuple((keys[name], ref(columns[name])) for name in names)
    result = plan.Aggregate(union, grouped, ((first, call),), (), (first, *keys.values()))
    return Elements(result, {"place": first, **keys})


def _listed(b: Binder, tables: Sequence[_NodeTable], span: Span) -> Elements:
    """The nodes of the node tables. Of several rows with one id the first counts; an id in both tables is an error."""
    properties: dict[str, plan.Column] = {}
    for table in tables:
        for column in known(table.rel.columns):
            before = properties.get(column.name)
            if before is None or before.type is not column.type:
                # another type in each table has been refused; the analyzer makes a dynamic of them
                properties[column.name] = b.column(column.name, column.type if before is None else DYNAMIC)
    id_, place, number = b.column("", tables[0].id.type), b.column("", LONG), b.column("", LONG)
    part = b.column("", tables[0].part.type) if tables[0].part is not None else None
    legs = []
    for index, table in enumerate(tables):
        numbered, row = _numbered(b, table.rel)
        own = {column.name: column for column in table.rel.columns}
        values: list[plan.Expr] = [ref(table.id), plan.Call("+", (ref(row), long(_BEFORE_EDGES[index % 2])), LONG), long(index)]
        values += [ref(table.part)] if table.part is not None else []
        values += [ref(own[name]) if name in own else null_of(column.type) for name, column in properties.items()]
        legs.append(plan.UnionLeg(numbered, tuple(values)))
    union = plan.Union_(tuple(legs), (id_, place, number, *([part] if part else []), *properties.values()))
    found = _first_rows(b, union, {"id": id_, "place": place, "number": number, **({"part": part} if part else {})}, properties)
    if len(tables) == 1:
        return found
    bounds = (ref(found.roles.pop("low")), ref(found.roles.pop("high")))
    return replace(found, rel=plan.Filter(found.rel, plan.Call("one_node_table", bounds, ScalarType.BOOL, span)))


def _first_rows(b: Binder, union: plan.Rel, roles: dict[str, plan.Column], properties: dict[str, plan.Column]) -> Elements:
    """One row per node; `low` and `high`: the first and the last node table that it is in."""
    keys = {name: b.column("", column.type) for name, column in roles.items() if name in ("id", "part")}
    first, low, high = (b.column("", LONG) for _ in range(3))
    kept = {name: b.column(name, column.type) for name, column in properties.items()}
    values = tuple((kept[name], ref(column)) for name, column in properties.items())
    extreme = plan.RowExtreme("min", ref(roles["place"]), first, values)
    number = ref(roles["number"])
    bounds = ((low, plan.AggregateCall("min", (number,), LONG)), (high, plan.AggregateCall("max", (number,), LONG)))
    columns = (*keys.values(), low, high, first, *kept.values())
    grouped = tuple((key, ref(roles[name])) for name, key in keys.items())
    rel = plan.Aggregate(union, grouped, bounds, (extreme,), columns)
    return Elements(rel, {"place": first, **keys, "low": low, "high": high}, tuple(kept.values()))


def _all_nodes(b: Binder, listed: Elements, named: Elements, key_names: Sequence[str]) -> Elements:
    """Both kinds of nodes. One that only edges name has its id in every key column, and nothing else."""
    names = [name for name in listed.roles if name in ("place", "id", "part")]
    mine, known_ids = listed.read(b), listed.read(b)
    keys = tuple((ref(named.roles[name]), ref(known_ids.roles[name])) for name in names if name != "place")
    rest = plan.Join("leftanti", named.rel, known_ids.rel, keys, named.rel.columns)
    bare = [ref(named.roles["id"]) if column.name in key_names else null_of(column.type) for column in mine.properties]
    legs = (
        plan.UnionLeg(mine.rel, (*(ref(mine.roles[name]) for name in names), *map(ref, mine.properties))),
        plan.UnionLeg(rest, (*(ref(named.roles[name]) for name in names), *bare)),
    )
    roles = {name: b.column("", listed.roles[name].type) for name in names}
    properties = b.fresh(listed.properties)
    return Elements(plan.Union_(legs, (*roles.values(), *properties)), roles, properties)
