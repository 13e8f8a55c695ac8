"""Sources that are written out: datatable, externaldata, and the internal ones of Microsoft's tools."""

from __future__ import annotations

from toolkit.kql.parser.grammar import Parser
from toolkit.kql.parser.operators.columns import summarize
from toolkit.kql.parser.stream import LIST_ENDS
from toolkit.kql.syntax import (
    ContextualDataTable,
    DataTable,
    Expr,
    ExternalData,
    InlineExternalTable,
    MaterializedViewCombine,
    Missing,
    Operator,
    Parameter,
    Summarize,
)


def datatable(p: Parser) -> Expr:
    """`datatable [parameters] (schema) [ values ]`."""
    start = p.start()
    p.at += 1
    p.parameter_list()
    schema = p.schema()
    values: tuple[Expr, ...] = ()
    if p.expect("[", "'[' and the values"):
        p.take(",")
        values = p.items(p.required_literal, trailing=True)
        p.close("]")
    return DataTable(schema, values, span=p.span(start))


def externaldata(p: Parser) -> Expr:
    """`externaldata (schema) [ uris ] [with (properties)]`."""
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    schema = p.schema()
    uris: tuple[Expr, ...] = ()
    if p.expect("[", "'[' and the addresses"):
        uris = p.items(p.expression, trailing=True)
        p.close("]")
    properties: tuple[Parameter, ...] = p.property_group() if p.take("with") else ()
    return ExternalData(schema, uris, properties, parameters, span=p.span(start))


def inline_external_table(p: Parser) -> Expr | None:
    """`inline_external_table (schema) kind=... ...`; a name otherwise."""
    if p.kinds[p.at + 1] not in ("(", "kind"):
        return None
    start = p.start()
    p.at += 1
    schema = p.schema() if p.kinds[p.at] == "(" else None
    first = p.start()
    if p.expect("kind", "kind=storage or kind=delta"):
        p.expect("=")
    while p.kinds[p.at] not in LIST_ENDS:
        if p.kinds[p.at] == "(":
            p.at = p.matching(p.at)
        p.at += p.kinds[p.at] not in LIST_ENDS or p.kinds[p.at] == ")"
    return InlineExternalTable(schema, p.text[first : p.span(first).end], span=p.span(start))


def contextual_datatable(p: Parser) -> Expr:
    start = p.start()
    p.at += 1
    identity = p.optional_literal() or p.expression()
    return ContextualDataTable(identity, p.schema(), span=p.span(start))


def materialized_view_combine(p: Parser) -> Expr:
    start = p.start()
    p.at += 1
    name = _group(p)
    parts = []
    for word in ("base", "delta"):
        p.word(f"'{word}'", word)
        parts.append(_group(p))
    p.word("'aggregations'", "aggregations")
    p.expect("(")
    aggregations: Operator = summarize(p) if p.kinds[p.at] == "summarize" else Summarize(())
    p.close(")")
    return MaterializedViewCombine(name, parts[0], parts[1], aggregations, span=p.span(start))


def _group(p: Parser) -> Expr:
    if not p.expect("("):
        return Missing(span=p.gap())
    inner = p.nested(p.query_expression)
    p.close(")")
    return inner
