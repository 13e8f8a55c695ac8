"""Operators that take values apart or turn rows into series: mv-expand, mv-apply, parse, make-series, reduce ..."""

from __future__ import annotations

from toolkit.kql.lexer import STRINGS
from toolkit.kql.parser.grammar import Parser
from toolkit.kql.parser.names import DECLARED_NAMES
from toolkit.kql.parser.stream import LIST_ENDS
from toolkit.kql.syntax import (
    ExpandItem,
    Expr,
    Literal,
    MakeSeries,
    Missing,
    MvApply,
    MvExpand,
    Name,
    Operator,
    Parse,
    ParseColumn,
    ParseKv,
    Reduce,
    SeriesAggregate,
    Star,
)

_LIMIT = frozenset({"limit"})
_CLAUSES = frozenset({"limit", "id", "on"})
_APPLY = LIST_ENDS | _CLAUSES
_KV_OPTIONS = ("pair_delimiter", "kv_delimiter", "quote", "escape", "regex", "greedy")
_REDUCE_OPTIONS = ("threshold", "characters")
_SERIES = frozenset({"on", "from", "in"})


# --- mv-expand and mv-apply


def mv_expand(p: Parser) -> Operator:
    start, obsolete = p.start(), p.kinds[p.at] == "mvexpand"
    p.at += 1
    parameters = p.parameter_list()
    items = p.items(lambda: _expand_item(p), _LIMIT, required="a column or expression")
    limit = p.expression() if p.take("limit") else None
    return MvExpand(items, limit, obsolete, parameters=parameters, span=p.span(start))


def _expand_item(p: Parser) -> ExpandItem:
    """`[name =] expr [to typeof(type)]`."""
    start = p.start()
    name: Name | None = None
    value: Expr
    if p.kinds[p.at] == "to" and p.kinds[p.at + 1] == "typeof":
        value = p.missing()
    elif p.definition_length() and p.kinds[p.at] != "(":
        name = p.name(allowed=DECLARED_NAMES)
        p.at += 1
        value = p.expression()
    else:
        value = p.expression()
    return ExpandItem(name, value, _to_type(p), span=p.span(start))


def _to_type(p: Parser) -> str | None:
    if not p.take("to"):
        return None
    if p.kinds[p.at] != "typeof" or p.kinds[p.at + 1] != "(":
        p.fail("typeof(...)", ("The type is written, for example, to typeof(string).",))
        p.skip_to(",")
        return None
    literal = p.type_literal()
    return str(literal.value) if isinstance(literal, Literal) and literal.value else None


def mv_apply(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    items = _apply_items(p)
    limit = p.expression() if p.take("limit") else None
    context = p.expression() if p.take("id") else None
    p.expect("on", "'on' and a subquery in parentheses")
    body = p.subquery_group()
    return MvApply(items, body, limit, context, parameters=parameters, span=p.span(start))


def _apply_items(p: Parser) -> tuple[ExpandItem, ...]:
    """Words that begin the next clause end the list, unless they are plainly a column's name."""
    found = [_apply_item(p)]
    while p.take(","):
        found.append(_apply_item(p))
    if p.kinds[p.at] not in _APPLY:
        p.fail("',' or 'on'")
        p.skip_to("on", "limit")
    return tuple(found)


def _apply_item(p: Parser) -> ExpandItem:
    if p.kinds[p.at] in _CLAUSES and p.kinds[p.at + 1] not in (",", "to", "="):
        start = p.start()
        return ExpandItem(None, p.missing(), span=p.span(start))
    if p.kinds[p.at] == "to":
        start = p.start()
        return ExpandItem(None, Missing(span=p.gap()), _to_type(p), span=p.span(start))
    return _expand_item(p)


# --- parse


def parse(p: Parser) -> Operator:
    start, where = p.start(), p.kinds[p.at] == "parse-where"
    p.at += 1
    parameters = p.parameter_list(("flags",))
    value = p.expression()
    p.expect("with", "'with' and a pattern")
    return Parse(value, parse_pattern(p), where, parameters=parameters, span=p.span(start))


def parse_pattern(p: Parser) -> tuple[Expr, ...]:
    """`*`, strings and `name[: type]` in any order, up to something else."""
    parts: list[Expr] = []
    while True:
        kind = p.kinds[p.at]
        if kind == "*":
            p.at += 1
            parts.append(Star(span=p.span(p.starts[p.at - 1])))
        elif kind in STRINGS:
            parts.append(p.string())
        elif p.name_length(p.at, DECLARED_NAMES):
            start = p.start()
            name = p.name("a column name", DECLARED_NAMES)
            parts.append(ParseColumn(name, p.type_name() if p.take(":") else None, span=p.span(start)))
        else:
            return tuple(parts)


def parse_kv(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    value = p.expression()
    p.expect("as", "'as' and the columns, for example (Name: string)")
    schema = p.schema()
    properties = p.property_list(_KV_OPTIONS) if p.take("with") else ()
    return ParseKv(value, schema, properties, span=p.span(start))


# --- make-series and reduce


def make_series(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    aggregates = p.items(lambda: _series_aggregate(p), _SERIES, required="an aggregate")
    axis: Expr = p.item() if p.expect("on", "'on' and the axis") else Missing(span=p.gap())
    first = last = step = None
    in_range: tuple[Expr, ...] | None = None
    if p.kinds[p.at] in ("from", "to", "step"):
        first = p.expression() if p.take("from") else None
        last = p.expression() if p.take("to") else None
        step = p.expression() if p.expect("step") else None
    elif p.expect("in", "'from', 'to' and 'step', or 'in range(...)'"):
        in_range = _in_range(p)
    by = p.named_items() if p.take("by") else None
    return MakeSeries(aggregates, axis, first, last, step, in_range, by, parameters=parameters, span=p.span(start))


def _series_aggregate(p: Parser) -> SeriesAggregate:
    start = p.start()
    value = p.item()
    default: Expr | None = None
    if p.take("default"):
        default = p.expression() if p.expect("=") else None
    return SeriesAggregate(value, default, span=p.span(start))


def _in_range(p: Parser) -> tuple[Expr, ...]:
    p.expect("range")
    if not p.expect("("):
        return ()
    parts = p.items(p.expression)
    p.close(")")
    return parts


def reduce(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list(_REDUCE_OPTIONS)
    p.expect("by")
    by = p.item()
    properties = p.items(lambda: p.known_property(_REDUCE_OPTIONS)) if p.take("with") else ()
    return Reduce(by, properties, parameters=parameters, span=p.span(start))
