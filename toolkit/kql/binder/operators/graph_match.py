"""graph-match and graph-shortest-paths (R-320, R-321)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope
from toolkit.kql.binder.expressions import bind_scalar, condition
from toolkit.kql.binder.graphs.clauses import ClauseNames
from toolkit.kql.binder.graphs.matching import Matching
from toolkit.kql.binder.graphs.patterns import MOST_STEPS, PathVariable, Pattern, bind_pattern
from toolkit.kql.binder.graphs.shortest import check_filters, shortest_only, stops_early
from toolkit.kql.binder.graphs.value import Graph, graph_of
from toolkit.kql.binder.operators.graph_naming import project_clause
from toolkit.kql.binder.operators.rows import project_items
from toolkit.kql.binder.pipeline import handles, nothing, parameter, word
from toolkit.kql.passes.rewrite import conjuncts, references

_CYCLES = ("all", "none", "unique_edges")


@handles(syntax.GraphMatch)
def _graph_match(b: Binder, operator: syntax.GraphMatch, rel: plan.Rel, scope: Scope) -> plan.Rel:
    graph = graph_of(rel)
    if graph is None:
        return nothing(b)
    cycles = _choice(b, operator, "cycles", _CYCLES) or "unique_edges"
    pattern = _pattern(b, graph, operator.patterns, scope, without_zero=cycles == "none")
    return _matched(b, operator, graph, scope, Matching(b, pattern, cycles))


@handles(syntax.GraphShortestPaths)
def _shortest_paths(b: Binder, operator: syntax.GraphShortestPaths, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """Whatever `cycles` says, a shortest path visits no node twice."""
    graph = graph_of(rel)
    if graph is None:
        return nothing(b)
    _choice(b, operator, "cycles", _CYCLES)
    output = _choice(b, operator, "output", ("any", "all")) or "any"
    if len(operator.patterns) > 1:
        b.refuse("A shortest path is one sequence.", operator.patterns[1][0].span, alias="SEM1023")
    pattern = _pattern(b, graph, operator.patterns, scope, without_zero=True)
    if not any(isinstance(edge, PathVariable) for edge in pattern.edges):
        b.refuse("A shortest path needs an edge of variable length, for example (a)-[p*1..3]->(b).", operator.span)
    return _matched(b, operator, graph, scope, Matching(b, pattern, "none", shortest=output))


def _choice(b: Binder, operator: syntax.Operator, name: str, known: Sequence[str]) -> str | None:
    option = parameter(operator, name)
    chosen = word(option)
    if option is not None and chosen not in known:
        b.refuse(f"Expected one of {', '.join(known)}, found '{chosen}'.", option.span)
    return chosen


# --- the pattern ----------------------------------------------------------------------------------------------------


def _pattern(b: Binder, graph: Graph, sequences: Sequence[tuple[syntax.Node, ...]], scope: Scope, *, without_zero: bool) -> Pattern:
    ranges: dict[int, tuple[int, int]] = {}
    for sequence in sequences:
        _check_sequence(b, sequence)
        for part in sequence:
            if isinstance(part, syntax.GraphEdge) and part.low is not None and part.high is not None:
                ranges[id(part)] = _range(b, part, scope, without_zero=without_zero)
    pattern = bind_pattern(b, graph, tuple(sequences), ranges)
    _check_connected(b, sequences, pattern)
    return pattern


def _check_sequence(b: Binder, sequence: tuple[syntax.Node, ...]) -> None:
    """Nodes and edges in turn, a node at either end."""
    wanted: type[syntax.Node] = syntax.GraphNode
    for part in sequence:
        if not isinstance(part, wanted):
            what = "a node, for example (a)" if wanted is syntax.GraphNode else "an edge, for example -->"
            b.report("pattern-part", f"Expected {what}.", part.span, alias="KS238")
            return
        wanted = syntax.GraphEdge if wanted is syntax.GraphNode else syntax.GraphNode
    if wanted is syntax.GraphNode:
        b.report("pattern-part", "A pattern ends with a node, for example (a).", sequence[-1].span, alias="KS238")


def _range(b: Binder, edge: syntax.GraphEdge, scope: Scope, *, without_zero: bool) -> tuple[int, int]:
    found: list[int] = []
    for node in (edge.low, edge.high):
        assert node is not None
        value = bind_scalar(b, node, scope.without_rows())
        number = value.value if isinstance(value, plan.Const) else None
        if not value.type.is_integer or not isinstance(number, int) or number < 0:
            b.refuse("The length of a path is given by two constant whole numbers.", node.span)
            return 1, 1
        found.append(number)
    low, high = found
    if low > high:
        b.refuse(f"The shortest length, {low}, is greater than the longest, {high}.", edge.span, alias="SEM1013")
    if high > MOST_STEPS:
        b.refuse(f"Paths of more than {MOST_STEPS} edges are not supported.", edge.span)
    if low == 0 and without_zero:
        b.refuse("Whether a path without edges is a match where no node may come twice is not documented.", edge.span)
    return low, high


def _check_connected(b: Binder, sequences: Sequence[tuple[syntax.Node, ...]], pattern: Pattern) -> None:
    """Only patterns in one piece are supported, also by the service."""
    if not pattern.nodes:
        return
    reached = {id(pattern.nodes[0])}
    grown = True
    while grown:
        grown = False
        for edge in pattern.edges:
            ends = {id(edge.left), id(edge.right)}
            if ends & reached and not ends <= reached:
                reached |= ends
                grown = True
    if len(reached) < len(pattern.nodes):
        message = "The sequences of the pattern share no node: the service takes patterns in one piece."
        b.refuse(message, sequences[-1][0].span, alias="SEM1011")


# --- where and project ----------------------------------------------------------------------------------------------

_Match = syntax.GraphMatch | syntax.GraphShortestPaths


def _matched(b: Binder, operator: _Match, graph: Graph, scope: Scope, matching: Matching) -> plan.Rel:
    """where over the matches, then project."""
    pattern, names = matching.pattern, ClauseNames(matching.pattern.variables, "where")
    where = None if operator.where is None else condition(b, operator.where, scope.with_pattern(names), "the where of a graph pattern")
    if operator.project is None:
        b.refuse("The service needs a project clause here.", operator.span, alias="SEM0001")
        return nothing(b)
    items = project_clause(b, pattern, operator.project, scope.with_pattern(replace(names, clause="project")))
    matching.conditions = [] if where is None else conjuncts(where)
    if matching.shortest:
        check_filters(b, pattern, matching.conditions)
    if b.refusals or any(found.severity == "error" for found in b.diagnostics):
        # nothing of the query will run: the columns are all that is asked for
        return project_items(b, items, plan.Values((), ()))
    matching.read = {number for value in (*matching.conditions, *(item.value for item in items)) for number in references(value)}
    part = matching.part if graph.partitioned else None
    matching.read |= {part.id} if part is not None else set()
    result = project_items(b, items, matching.sorted(_run(matching)))
    b.matched[id(graph)] = (result, part)
    b.unordered.append(result)
    return result


def _run(matching: Matching) -> plan.Rel:
    if not matching.shortest:
        return matching.run()
    early = stops_early(matching)
    output, matching.shortest = matching.shortest, matching.shortest if early else ""
    rel = matching.run()
    return rel if early else shortest_only(matching, rel, output)
