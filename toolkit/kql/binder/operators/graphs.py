"""make-graph and the operators that turn a graph into a table or into another graph (R-319, R-323)."""

from __future__ import annotations

from dataclasses import replace

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope, TableBinding
from toolkit.kql.binder.expressions import condition
from toolkit.kql.binder.graphs.clauses import element_scope
from toolkit.kql.binder.graphs.components import with_components
from toolkit.kql.binder.graphs.value import LONG, Elements, Graph, graph, graph_of, ref
from toolkit.kql.binder.operators.apply import bind_subquery
from toolkit.kql.binder.operators.graph_making import make_graph
from toolkit.kql.binder.partitions import NotPartitionedError, partitioned
from toolkit.kql.binder.pipeline import handles, nothing, operator_word, parameter, word

_IN_PARTITIONS = (syntax.GraphMatch, syntax.GraphShortestPaths)


@handles(syntax.MakeGraph)
def _make_graph(b: Binder, operator: syntax.MakeGraph, rel: plan.Rel, scope: Scope) -> plan.Rel:
    made = make_graph(b, operator, rel, scope)
    if operator.body is None:
        return made
    first = operator.body.operators[0] if isinstance(operator.body, syntax.Pipeline) and operator.body.operators else None
    if first is not None and not isinstance(first, _IN_PARTITIONS):
        _refuse_in_partition(b, first)
        if not isinstance(first, syntax.GraphToTable):
            return nothing(b)
    return _each_partition(b, operator, made, bind_subquery(b, operator.body, made, scope))


def _refuse_in_partition(b: Binder, operator: syntax.Operator) -> None:
    name = operator_word(operator)
    if isinstance(operator, syntax.GraphToTable):
        b.refuse(f"The service does not run '{name}' in the partitions of a graph.", operator.span)
    else:
        message = f"The operator '{name}' is not allowed in the partitions of a graph."
        b.report("operator-not-allowed", message, operator.span, alias="KS177")


def _each_partition(b: Binder, operator: syntax.MakeGraph, made: Graph, body: plan.Rel) -> plan.Rel:
    """The operators behind the graph operator, too, see one partition at a time."""
    base = b.matched.get(id(made))
    if base is None or base[0] is body or base[1] is None:
        return body
    try:
        found = partitioned(b, body, base[0], base[1])
    except NotPartitionedError as reason:
        b.refuse(f"This subquery cannot be run: {reason}.", operator.span)
        return body
    result = plan.Narrow(found.rel, body.columns)
    b.unordered.append(result)
    return result


# --- graph-to-table -------------------------------------------------------------------------------------------------


@handles(syntax.GraphToTable)
def _graph_to_table(b: Binder, operator: syntax.GraphToTable, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """Nodes or edges as a table. Both at once get names, for the statements that follow."""
    found = graph_of(rel)
    if found is None:
        return nothing(b)
    if len(operator.parts) > 1 and any(part.name is None for part in operator.parts):
        for part in operator.parts:
            if part.name is None:
                b.report("name-expected", "Each of several tables of a graph needs a name (as ...).", part.span, alias="KS273")
    if len({part.what for part in operator.parts}) < len(operator.parts):
        b.report("table-twice", "A graph gives one table of nodes and one of edges.", operator.parts[-1].span, alias="KS229")
    tables = [_table(b, found, part) for part in operator.parts]
    for part, table in zip(operator.parts, tables, strict=True):
        if part.name is not None:
            b.named[part.name.text] = TableBinding(plan.Shared(part.name.text, table))
    if len(tables) == 1:
        return tables[0]
    reason = "the two tables have names, which the statements behind it use"
    return plan.Unsupported("a query that ends with several tables", reason, tuple(tables), (), operator.span)


def _table(b: Binder, found: Graph, part: syntax.GraphOutput) -> plan.Rel:
    nodes = part.what == "nodes"
    rows = (found.nodes if nodes else found.edges).read(b)
    items: list[tuple[plan.Column, plan.Expr]] = []
    for option, role in (("with_node_id", "id"), ("with_source_id", "from"), ("with_target_id", "to")):
        named = next((given for given in part.options if given.name == option), None)
        name = word(named)
        if name is None or named is None or (option == "with_node_id") is not nodes:
            continue
        if any(column.name == name for column in (*rows.properties, *(column for column, _ in items))):
            b.refuse(f"The table would have two columns with the name '{name}'.", named.span)
        items.append((b.column(name, LONG), plan.Call("hash", (ref(rows.roles[role]),), LONG, named.span)))
    rel = rows.rel
    if nodes:
        rel = plan.Sort(rel, (plan.SortKey(ref(rows.roles["place"]), descending=False, nulls_first=True),))
    result = plan.Extend(rel, tuple(items), (*(column for column, _ in items), *rows.properties))
    b.unordered.append(result)
    return result


# --- from graph to graph --------------------------------------------------------------------------------------------


@handles(syntax.GraphMarkComponents)
def _mark_components(b: Binder, operator: syntax.GraphMarkComponents, rel: plan.Rel, scope: Scope) -> plan.Rel:
    found = graph_of(rel)
    if found is None or found.nodes.open:
        return rel
    option = parameter(operator, "kind")
    kind = word(option) or "weak"
    if option is not None and kind not in ("weak", "strong"):
        b.report("unknown-kind", f"Expected one of weak, strong, found '{kind}'.", option.value.span, alias="KS005")
        kind = "weak"
    name = word(parameter(operator, "with_component_id")) or "ComponentId"
    if found.nodes.property(name) is not None:
        b.refuse(f"The nodes have a property '{name}' already; the service would give two of that name.", operator.span)
    nodes = with_components(b, found.nodes, found.arcs, name, strong=kind == "strong", span=operator.span).shared("nodes")
    return graph(b, (nodes, found.edges, found.arcs), operator.span, partitioned=found.partitioned)


@handles(syntax.GraphWhere)
def _graph_where(b: Binder, operator: syntax.GraphWhere, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """A graph of the nodes that pass and the edges between them, or of all nodes and the edges that pass."""
    found = graph_of(rel)
    if found is None:
        return rel
    nodes, arcs = found.nodes.read(b), found.arcs.read(b)
    if operator.what == "edges":
        passes = condition(b, operator.predicate, element_scope(scope, arcs, None), "graph-where-edges")
        kept = replace(arcs, rel=plan.Filter(arcs.rel, passes))
        return _rebuilt(b, operator, found, found.nodes, kept)
    degrees = found.degrees.read(b)
    passes = condition(b, operator.predicate, element_scope(scope, nodes, degrees), "graph-where-nodes")
    on = ((ref(nodes.roles["place"]), ref(degrees.roles["place"])),)
    joined = plan.Join("inner", nodes.rel, degrees.rel, on, (*nodes.rel.columns, *degrees.rel.columns))
    left = replace(nodes, rel=plan.Filter(joined, passes)).shared("nodes")
    rest: plan.Rel = arcs.rel
    for role in ("source", "target"):
        ends = left.read(b)
        rest = plan.Join("leftsemi", rest, ends.rel, ((ref(arcs.roles[role]), ref(ends.roles["place"])),), arcs.rel.columns)
    return _rebuilt(b, operator, found, left, replace(arcs, rel=rest))


def _rebuilt(b: Binder, operator: syntax.Operator, found: Graph, nodes: Elements, arcs: Elements) -> plan.Rel:
    """The graph with fewer elements; its edge table has the rows of the arcs that are left."""
    kept = arcs.shared("arcs")
    edges, rows = found.edges.read(b), kept.read(b)
    left = plan.Join("leftsemi", edges.rel, rows.rel, ((ref(edges.roles["row"]), ref(rows.roles["row"])),), edges.rel.columns)
    parts = (nodes, replace(edges, rel=left).shared("edges"), kept)
    return graph(b, parts, operator.span, partitioned=found.partitioned)
