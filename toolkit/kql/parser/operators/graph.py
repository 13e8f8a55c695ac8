"""Graph operators: make-graph, graph-match and their kin."""

from __future__ import annotations

from toolkit.kql.parser.grammar import Parser
from toolkit.kql.syntax import (
    Expr,
    GraphEdge,
    GraphMarkComponents,
    GraphMatch,
    GraphNode,
    GraphOutput,
    GraphShortestPaths,
    GraphToTable,
    GraphWhere,
    MakeGraph,
    Name,
    NameRef,
    Node,
    Operator,
)


def make_graph(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    source = _column(p)
    directed = _arrow(p, "-->")
    if not directed and not _arrow(p, "--"):
        p.fail("'-->' or '--' between two columns")
    target = _column(p)
    nodes: tuple[tuple[Expr, Expr], ...] = ()
    node_id: Name | None = None
    if p.take("with_node_id"):
        p.expect("=")
        node_id = p.name("the name of the column with the node's identity")
    elif p.take("with"):
        nodes = _node_tables(p)
    by: Expr | None = None
    body: Expr | None = None
    if p.take("partitioned-by"):
        by = p.column_path()
        body = p.subquery_group()
    return MakeGraph(source, target, directed, nodes, by, body, node_id, parameters=parameters, span=p.span(start))


def _column(p: Parser) -> Expr:
    name = p.name("a column name")
    return NameRef(name.text, span=name.span)


def _node_tables(p: Parser) -> tuple[tuple[Expr, Expr], ...]:
    found: list[tuple[Expr, Expr]] = []
    while True:
        table = p.operand()
        p.expect("on", "'on' and the column with the node's identity")
        found.append((table, _column(p)))
        if not p.take(","):
            return tuple(found)


def _arrow(p: Parser, text: str) -> bool:
    """Step over the tokens that together spell `text`, without space between them."""
    if not p.text.startswith(text, p.start()):
        return False
    last, end = p.at, p.start() + len(text)
    while p.ends[last] < end:
        last += 1
    if p.ends[last] != end:
        return False
    p.at = last + 1
    return True


# --- patterns


def graph_match(p: Parser) -> Operator:
    start, shortest = p.start(), p.kinds[p.at] == "graph-shortest-paths"
    p.at += 1
    parameters = p.parameter_list(("output",))
    patterns = [_pattern(p)]
    while p.take(","):
        patterns.append(_pattern(p))
    where = p.expression() if p.take("where") else None
    project = p.named_items() if p.take("project") else None
    if shortest:
        return GraphShortestPaths(tuple(patterns), where, project, parameters=parameters, span=p.span(start))
    return GraphMatch(tuple(patterns), where, project, parameters=parameters, span=p.span(start))


def _pattern(p: Parser) -> tuple[Node, ...]:
    """Nodes and edges in turn: `(a)-[e]->(b)`."""
    parts: list[Node] = []
    while True:
        found: Node | None = _node(p) if p.kinds[p.at] == "(" else _edge(p)
        if found is None:
            break
        parts.append(found)
    if not parts:
        p.fail("a pattern, for example (a)-[e]->(b)", alias="KS006")
    return tuple(parts)


def _node(p: Parser) -> GraphNode:
    start = p.start()
    p.at += 1
    name = p.optional_name()
    p.close(")")
    return GraphNode(name, span=p.span(start))


def _edge(p: Parser) -> GraphEdge | None:
    start = p.start()
    for text, direction in (("-->", "out"), ("<--", "in"), ("--", "any")):
        if _arrow(p, text):
            return GraphEdge(None, direction, span=p.span(start))
    if _arrow(p, "<-["):
        direction = "in"
    elif _arrow(p, "-["):
        direction = "any"
    else:
        return None
    name = p.optional_name()
    low = high = None
    if p.take("*"):
        low = p.operand()
        high = p.operand() if p.expect("..") else None
    if direction == "any" and _arrow(p, "]->"):
        direction = "out"
    elif not _arrow(p, "]-"):
        p.fail("']-' or ']->'")
    return GraphEdge(name, direction, low, high, span=p.span(start))


# --- the others


def graph_to_table(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parts = [_output(p)]
    while p.take(","):
        parts.append(_output(p))
    return GraphToTable(tuple(parts), span=p.span(start))


def _output(p: Parser) -> GraphOutput:
    start = p.start()
    what = p.word("'nodes' or 'edges'", "nodes", "edges")
    name = p.name() if p.take("as") else None
    own = ("with_node_id",) if what == "nodes" else ("with_source_id", "with_target_id")
    return GraphOutput(what, name, p.parameter_list(own), span=p.span(start))


def graph_mark_components(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    return GraphMarkComponents(parameters=p.parameter_list(("with_component_id",)), span=p.span(start))


def graph_where(p: Parser) -> Operator:
    start, what = p.start(), p.spelling().removeprefix("graph-where-")
    p.at += 1
    predicate = p.expression()
    return GraphWhere(what, predicate, span=p.span(start))
