"""Operators over rows and columns: where, extend, project and its kin, summarize, distinct, sort, top, take, count."""

from __future__ import annotations

from toolkit.kql.lexer import IDENTIFIER, LITERAL_KINDS
from toolkit.kql.parser.grammar import Parser
from toolkit.kql.source import Span
from toolkit.kql.syntax import (
    Count,
    Distinct,
    Expr,
    Extend,
    Named,
    Operator,
    OrderKey,
    Print,
    Project,
    ProjectAway,
    ProjectByNames,
    ProjectKeep,
    ProjectRename,
    ProjectReorder,
    Sample,
    SampleDistinct,
    Serialize,
    Sort,
    Star,
    Summarize,
    Take,
    Top,
    Where,
)

_PLAIN = frozenset({IDENTIFIER})
_BY = frozenset({"by"})
_BIN = frozenset({"bin"})
_DIRECTIONS = ("asc", "desc", "granny-asc", "granny-desc")


def where(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    if p.definition_length():
        predicate = _assignment_for_equality(p)
    else:
        predicate = p.condition()
    return Where(predicate, parameters=parameters, span=p.span(start))


def _assignment_for_equality(p: Parser) -> Expr:
    """`where a = 1`: grammatical to Microsoft's analyzer, and then no condition (KS141)."""
    at = p.at + p.definition_length() - 1
    hint = "Equality is written '==' (or '=~' to ignore case)."
    p.report("expected-token", "Expected '==', found '='.", Span(p.starts[at], p.ends[at]), (hint,), "KS141", "semantic")
    p.kinds[at] = "=="
    return p.condition()


def extend(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    return Extend(p.named_items(), span=p.span(start))


def project(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    return Project(p.named_items(required=False), span=p.span(start))


def project_rename(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    return ProjectRename(p.named_items(required=False), span=p.span(start))


def project_away(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    return ProjectAway(p.items(p.column_pattern), span=p.span(start))


def project_keep(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    return ProjectKeep(p.items(p.column_pattern), span=p.span(start))


def project_reorder(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    return ProjectReorder(p.items(lambda: _reorder_key(p)), span=p.span(start))


def _reorder_key(p: Parser) -> OrderKey:
    start = p.start()
    value = p.column_pattern()
    direction = p.kinds[p.at] if p.kinds[p.at] in _DIRECTIONS else None
    p.at += direction is not None
    return OrderKey(value, direction, span=p.span(start))


def project_by_names(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    return ProjectByNames(p.items(p.expression), span=p.span(start))


def print_(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    return Print(p.named_items(), span=p.span(start))


def serialize(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    return Serialize(p.named_items(required=False), parameters=parameters, span=p.span(start))


def summarize(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    aggregates = p.named_items(_BY, required=False)
    by: tuple[Expr, ...] | None = None
    bin_size: Expr | None = None
    if p.take("by"):
        by = p.items(lambda: _group_key(p), _BIN, required="a column or expression")
        if _legacy_bin(p):
            p.at += 2
            bin_size = p.expression()
    return Summarize(aggregates, by, bin_size, parameters=parameters, span=p.span(start))


def _group_key(p: Parser) -> Expr:
    return p.missing() if _legacy_bin(p) else p.item()


def _legacy_bin(p: Parser) -> bool:
    """The old form `by a bin = 1h`."""
    return p.kinds[p.at] == "bin" and p.kinds[p.at + 1] == "=" and p.kinds[p.at + 2] in LITERAL_KINDS


def distinct(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    items = p.items(lambda: star_or_item(p), required="a column, or '*' for all of them")
    return Distinct(items, parameters=parameters, span=p.span(start))


def star_or_item(p: Parser) -> Star | Named:
    if p.take("*"):
        return Star(span=p.span(p.starts[p.at - 1]))
    return p.item()


def order_key(p: Parser) -> OrderKey:
    """`expr [asc|desc] [nulls first|last]`."""
    start = p.start()
    value: Expr = p.item() if p.definition_length() else p.expression()
    direction = nulls = None
    if p.kinds[p.at] in _DIRECTIONS:
        direction = p.kinds[p.at]
        p.at += 1
    if p.take("nulls"):
        nulls = p.word("'first' or 'last'", "first", "last") or None
    return OrderKey(value, direction, nulls, span=p.span(start))


def sort(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    p.expect("by")
    keys = p.items(lambda: order_key(p), required="a column to sort by")
    return Sort(keys, parameters=parameters, span=p.span(start))


def top(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    count = p.expression()
    p.expect("by")
    return Top(count, order_key(p), parameters=parameters, span=p.span(start))


def take(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    return Take(p.expression(), parameters=parameters, span=p.span(start))


def count(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    name = p.name("a plain name", _PLAIN) if p.take("as") else None
    return Count(name, span=p.span(start))


def sample(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    return Sample(p.expression(), parameters=parameters, span=p.span(start))


def sample_distinct(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    count_ = p.expression()
    p.expect("of")
    return SampleDistinct(count_, p.expression(), parameters=parameters, span=p.span(start))
