"""Operators as documents, without the `|` before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from toolkit.kql import syntax
from toolkit.kql.printer import names
from toolkit.kql.printer.expressions import Printer, bracketed, comma_list, listed, property_clause
from toolkit.kql.printer.layout import LINE, Doc, Group, Nest, join

Rule = Callable[[Printer, Any], Doc]


def _list_rule(word: str, field: str) -> Rule:
    """The rule of an operator that is a word, options and a list."""

    def rule(p: Printer, node: syntax.Operator) -> Doc:
        return listed(_head(p, word, node), p.docs(getattr(node, field)))

    return rule


def _head(p: Printer, word: str, node: syntax.Operator) -> Doc:
    """The word and its options, without a blank behind."""
    return (word, tuple((" ", p.doc(parameter)) for parameter in node.parameters))


def _value_rule(word: str, field: str) -> Rule:
    """The rule of an operator that is a word, options and one expression."""

    def rule(p: Printer, node: syntax.Operator) -> Doc:
        return (p.word(word, node.parameters), p.doc(getattr(node, field)))

    return rule


def _plain_rule(word: str) -> Rule:
    def rule(p: Printer, node: syntax.Operator) -> Doc:
        return _head(p, word, node)

    return rule


def _summarize(p: Printer, node: syntax.Summarize) -> Doc:
    by: Doc = ""
    if node.by is not None:
        bin_size: Doc = (" bin = ", p.doc(node.bin_size)) if node.bin_size is not None else ""
        by = (LINE, "by ", Nest(p.clause_items(node.by, "bin")), bin_size)
    aggregates: Doc = (LINE, comma_list(p.docs(node.aggregates))) if node.aggregates else ""
    return Group((_head(p, "summarize", node), Nest((aggregates, by))))


def _order_key(p: Printer, node: syntax.OrderKey) -> Doc:
    direction = f" {node.direction}" if node.direction else ""
    nulls = f" nulls {node.nulls}" if node.nulls else ""
    return (p.doc(node.value), direction + nulls)


def _sort(p: Printer, node: syntax.Sort) -> Doc:
    return listed((_head(p, "sort", node), " by"), p.docs(node.keys))


def _top(p: Printer, node: syntax.Top) -> Doc:
    return (p.word("top", node.parameters), p.doc(node.count), " by ", p.doc(node.key))


def _count(p: Printer, node: syntax.Count) -> Doc:
    return f"count as {names.bare(node.name.text)}" if node.name is not None else "count"


def _sample_distinct(p: Printer, node: syntax.SampleDistinct) -> Doc:
    return (p.word("sample-distinct", node.parameters), p.doc(node.count), " of ", p.doc(node.of))


def _range(p: Printer, node: syntax.Range) -> Doc:
    return (f"range {names.bare(node.name.text)} from ", p.doc(node.start), " to ", p.doc(node.stop), " step ", p.doc(node.step))


# --- tables


def _join(p: Printer, node: syntax.Join) -> Doc:
    condition: Doc = (" where ", p.doc(node.where)) if node.where is not None else _on(p, node.on)
    return (p.word("join", node.parameters), p.doc(node.right), condition)


def _lookup(p: Printer, node: syntax.Lookup) -> Doc:
    return (p.word("lookup", node.parameters), p.doc(node.right), _on(p, node.on))


def _on(p: Printer, conditions: Sequence[syntax.Node]) -> Doc:
    return (" on ", join(", ", p.docs(conditions))) if conditions else ""


def _find(p: Printer, node: syntax.Find) -> Doc:
    parts: list[Doc] = [_head(p, "find", node)]
    if node.tables:
        parts.append((" in (", comma_list(p.docs(node.tables)), ")"))
    parts.append((" where ", p.doc(node.predicate)))
    if node.smart:
        parts.append(" project-smart")
    if node.project is not None:
        parts.append((" project ", comma_list(p.docs(node.project))))
    if node.project_away is not None:
        parts.append((" __projectAway ", comma_list(p.docs(node.project_away))))
    return Group(tuple(parts))


def _search(p: Printer, node: syntax.Search) -> Doc:
    tables: Doc = (" in (", comma_list(p.docs(node.tables)), ")") if node.tables else ""
    return Group((_head(p, "search", node), tables, " ", p.doc(node.predicate)))


def _evaluate(p: Printer, node: syntax.Evaluate) -> Doc:
    schema: Doc = (" : ", p.doc(node.schema)) if node.schema is not None else ""
    return (p.word("evaluate", node.parameters), p.doc(node.call), schema)


def _as(p: Printer, node: syntax.As) -> Doc:
    return (p.word("as", node.parameters), p.doc(node.name))


# --- shapes


def _expand_item(p: Printer, node: syntax.ExpandItem) -> Doc:
    name = f"{names.declared(node.name.text)} = " if node.name is not None else ""
    to = f"to typeof({node.to_type})" if node.to_type else ""
    if isinstance(node.value, syntax.Missing):
        return to
    return (name, p.doc(node.value), f" {to}" if to else "")


def _mv_expand(p: Printer, node: syntax.MvExpand) -> Doc:
    limit: Doc = (" limit ", p.doc(node.limit)) if node.limit is not None else ""
    word = p.word("mvexpand" if node.obsolete else "mv-expand", node.parameters)
    return Group((word, Nest(p.clause_items(node.items, "limit")), limit))


def _mv_apply(p: Printer, node: syntax.MvApply) -> Doc:
    limit: Doc = (" limit ", p.doc(node.limit)) if node.limit is not None else ""
    context: Doc = (" id ", p.doc(node.id)) if node.id is not None else ""
    items = p.clause_items(node.items, "limit", "id", "on")
    return (p.word("mv-apply", node.parameters), Group(Nest(items)), limit, context, " on ", bracketed("(", p.doc(node.body), ")"))


def _parse_column(p: Printer, node: syntax.ParseColumn) -> Doc:
    name = names.declared(node.name.text)
    return f"{name}: {node.type}" if node.type else name


def _parse(p: Printer, node: syntax.Parse) -> Doc:
    word = p.word("parse-where" if node.where else "parse", node.parameters)
    return Group((word, p.doc(node.value), " with", Nest(tuple((LINE, part) for part in p.docs(node.pattern)))))


def _parse_kv(p: Printer, node: syntax.ParseKv) -> Doc:
    return ("parse-kv ", p.doc(node.value), " as ", p.doc(node.schema), property_clause(p, node.properties))


def _series_aggregate(p: Printer, node: syntax.SeriesAggregate) -> Doc:
    default: Doc = (" default=", p.doc(node.default)) if node.default is not None else ""
    return (p.doc(node.value), default)


def _make_series(p: Printer, node: syntax.MakeSeries) -> Doc:
    parts: list[Doc] = [LINE, p.clause_items(node.aggregates, "on", "from", "in", "default"), LINE, "on ", p.doc(node.axis)]
    if node.in_range is not None:
        parts += [LINE, "in range(", join(", ", p.docs(node.in_range)), ")"]
    for word, value in (("from", node.start), ("to", node.stop), ("step", node.step)):
        if value is not None:
            parts += [LINE, f"{word} ", p.doc(value)]
    if node.by is not None:
        parts += [LINE, "by ", join(", ", p.docs(node.by))]
    return Group((_head(p, "make-series", node), Nest(tuple(parts))))


def _reduce(p: Printer, node: syntax.Reduce) -> Doc:
    options: Doc = (" with ", join(", ", p.docs(node.properties))) if node.properties else ""
    return (p.word("reduce", node.parameters), "by ", p.doc(node.by), options)


def _render(p: Printer, node: syntax.Render) -> Doc:
    legacy: list[Doc] = []
    for parameter in node.parameters:
        equals = "" if parameter.name in ("with", "by") else "="
        legacy.append((f" {parameter.name}{equals or ' '}", p.doc(parameter.value)))
    return (f"render {node.chart}", tuple(legacy), property_clause(p, node.properties))


# --- nested


def _group(p: Printer, body: syntax.Node) -> Doc:
    return bracketed("(", p.doc(body), ")")


def _fork(p: Printer, node: syntax.Fork) -> Doc:
    branches: list[Doc] = []
    for branch in node.branches:
        name = f"{names.bare(branch.name.text)}=" if branch.name is not None else ""
        branches.append((LINE, name, _group(p, branch.body)))
    return Group(("fork", Nest(tuple(branches))))


def _facet(p: Printer, node: syntax.Facet) -> Doc:
    body: Doc = (" with ", _group(p, node.body)) if node.body is not None else ""
    return ("facet by ", p.clause_items(node.columns, "with"), body)


def _partition(p: Printer, node: syntax.Partition) -> Doc:
    scope: Doc = (" in ", p.doc(node.scope)) if node.scope is not None else ""
    body = bracketed("{", p.doc(node.body), "}") if node.own_source else _group(p, node.body)
    return (p.word("partition", node.parameters), "by ", p.doc(node.by), scope, " ", body)


def _partition_by(p: Printer, node: syntax.PartitionBy) -> Doc:
    identity: Doc = (" id ", p.doc(node.id)) if node.id is not None else ""
    return (p.word("__partitionby", node.parameters), p.doc(node.by), identity, " ", _group(p, node.body))


def _top_nested(p: Printer, node: syntax.TopNested) -> Doc:
    return Group(Nest(join((",", LINE), p.docs(node.levels))))


def _top_nested_level(p: Printer, node: syntax.TopNestedLevel) -> Doc:
    count: Doc = (p.doc(node.count), " ") if node.count is not None else ""
    others: Doc = (" with others=", p.doc(node.others)) if node.others is not None else ""
    return ("top-nested ", count, "of ", p.doc(node.of), others, " by ", p.doc(node.by))


def _top_hitters(p: Printer, node: syntax.TopHitters) -> Doc:
    by: Doc = (" by ", p.doc(node.by)) if node.by is not None else ""
    return ("top-hitters ", p.doc(node.count), " of ", p.doc(node.of), by)


def _scan(p: Printer, node: syntax.Scan) -> Doc:
    parts: list[Doc] = [_head(p, "scan", node)]
    words = ("partition", "order", "declare", "with")
    if node.order:
        parts.append((" order by ", p.clause_items(node.order, *words)))
    if node.partition:
        parts.append((" partition by ", p.clause_items(node.partition, *words)))
    if node.declare:
        parts.append((" declare ", bracketed("(", comma_list(p.docs(node.declare)), ")")))
    parts.append((" with ", bracketed("(", join(LINE, p.docs(node.steps)), ")")))
    return Group(tuple(parts))


def _scan_step(p: Printer, node: syntax.ScanStep) -> Doc:
    optional = " optional" if node.optional else ""
    output = f" output={node.output}" if node.output else ""
    assignments: Doc = (" => ", join(", ", p.docs(node.assignments))) if node.assignments else ""
    return (f"step {names.declared(node.name.text)}{optional}{output}: ", p.doc(node.condition), assignments, ";")


def _macro_expand(p: Printer, node: syntax.MacroExpand) -> Doc:
    scope = f" as {names.bare(node.scope.text)}" if node.scope is not None else ""
    body: list[Doc] = [*p.docs(node.statements), *([] if isinstance(node.body, syntax.Missing) else [p.doc(node.body)])]
    return (p.word("macro-expand", node.parameters), p.doc(node.group), scope, " ", bracketed("(", join((";", LINE), body), ")"))


# --- graphs


def _make_graph(p: Printer, node: syntax.MakeGraph) -> Doc:
    arrow = "-->" if node.directed else "--"
    parts: list[Doc] = [p.word("make-graph", node.parameters), p.doc(node.source_column), f" {arrow} ", p.doc(node.target_column)]
    if node.nodes:
        tables: list[Doc] = [(p.doc(table), " on ", p.doc(column)) for table, column in node.nodes]
        parts.append((" with ", join(", ", tables)))
    if node.node_id is not None:
        parts.append(f" with_node_id={names.bare(node.node_id.text)}")
    if node.partitioned_by is not None and node.body is not None:
        parts.append((" partitioned-by ", p.doc(node.partitioned_by), " ", _group(p, node.body)))
    return tuple(parts)


def _graph_node(p: Printer, node: syntax.GraphNode) -> Doc:
    return f"({names.bare(node.name.text)})" if node.name is not None else "()"


def _graph_edge(p: Printer, node: syntax.GraphEdge) -> Doc:
    opening, closing = {"out": ("-[", "]->"), "in": ("<-[", "]-"), "any": ("-[", "]-")}[node.direction]
    if node.name is None and node.low is None:
        return {"out": "-->", "in": "<--", "any": "--"}[node.direction]
    name = names.bare(node.name.text) if node.name is not None else ""
    length: Doc = ""
    if node.low is not None and node.high is not None:
        length = ("*", p.doc(node.low), "..", p.doc(node.high))
    return (opening, name, length, closing)


def _match_rule(word: str) -> Rule:
    def rule(p: Printer, node: syntax.GraphMatch | syntax.GraphShortestPaths) -> Doc:
        patterns: list[Doc] = [tuple(p.docs(pattern)) for pattern in node.patterns]
        parts: list[Doc] = [p.word(word, node.parameters), join((",", LINE), patterns)]
        if node.where is not None:
            parts.append(Nest((LINE, "where ", p.doc(node.where))))
        if node.project is not None:
            parts.append(Nest((LINE, "project ", comma_list(p.docs(node.project)))))
        return Group(tuple(parts))

    return rule


def _graph_to_table(p: Printer, node: syntax.GraphToTable) -> Doc:
    return listed("graph-to-table", p.docs(node.parts))


def _graph_output(p: Printer, node: syntax.GraphOutput) -> Doc:
    name = f" as {names.bare(node.name.text)}" if node.name is not None else ""
    return (node.what, name, tuple((" ", p.doc(option)) for option in node.options))


def _graph_where(p: Printer, node: syntax.GraphWhere) -> Doc:
    return (f"graph-where-{node.what} ", p.doc(node.predicate))


def _bad(p: Printer, node: syntax.BadOperator) -> Doc:
    return node.text


RULES: dict[type[syntax.Node], Rule] = {
    syntax.Where: _value_rule("where", "predicate"),
    syntax.Extend: _list_rule("extend", "items"),
    syntax.Project: _list_rule("project", "items"),
    syntax.ProjectAway: _list_rule("project-away", "patterns"),
    syntax.ProjectKeep: _list_rule("project-keep", "patterns"),
    syntax.ProjectRename: _list_rule("project-rename", "items"),
    syntax.ProjectReorder: _list_rule("project-reorder", "items"),
    syntax.ProjectByNames: _list_rule("project-by-names", "items"),
    syntax.Print: _list_rule("print", "items"),
    syntax.Serialize: _list_rule("serialize", "items"),
    syntax.Distinct: _list_rule("distinct", "items"),
    syntax.Union_: _list_rule("union", "tables"),
    syntax.Take: _value_rule("take", "count"),
    syntax.Sample: _value_rule("sample", "count"),
    syntax.Invoke: _value_rule("invoke", "call"),
    syntax.AssertSchema: _value_rule("assert-schema", "schema"),
    syntax.Consume: _plain_rule("consume"),
    syntax.GetSchema: _plain_rule("getschema"),
    syntax.ExecuteAndCache: _plain_rule("__executeAndCache"),
    syntax.GraphMarkComponents: _plain_rule("graph-mark-components"),
    syntax.Summarize: _summarize,
    syntax.OrderKey: _order_key,
    syntax.Sort: _sort,
    syntax.Top: _top,
    syntax.Count: _count,
    syntax.SampleDistinct: _sample_distinct,
    syntax.Range: _range,
    syntax.Join: _join,
    syntax.Lookup: _lookup,
    syntax.Find: _find,
    syntax.Search: _search,
    syntax.Evaluate: _evaluate,
    syntax.As: _as,
    syntax.ExpandItem: _expand_item,
    syntax.MvExpand: _mv_expand,
    syntax.MvApply: _mv_apply,
    syntax.ParseColumn: _parse_column,
    syntax.Parse: _parse,
    syntax.ParseKv: _parse_kv,
    syntax.SeriesAggregate: _series_aggregate,
    syntax.MakeSeries: _make_series,
    syntax.Reduce: _reduce,
    syntax.Render: _render,
    syntax.Fork: _fork,
    syntax.Facet: _facet,
    syntax.Partition: _partition,
    syntax.PartitionBy: _partition_by,
    syntax.TopNested: _top_nested,
    syntax.TopNestedLevel: _top_nested_level,
    syntax.TopHitters: _top_hitters,
    syntax.Scan: _scan,
    syntax.ScanStep: _scan_step,
    syntax.MacroExpand: _macro_expand,
    syntax.MakeGraph: _make_graph,
    syntax.GraphNode: _graph_node,
    syntax.GraphEdge: _graph_edge,
    syntax.GraphMatch: _match_rule("graph-match"),
    syntax.GraphShortestPaths: _match_rule("graph-shortest-paths"),
    syntax.GraphToTable: _graph_to_table,
    syntax.GraphOutput: _graph_output,
    syntax.GraphWhere: _graph_where,
    syntax.BadOperator: _bad,
}
