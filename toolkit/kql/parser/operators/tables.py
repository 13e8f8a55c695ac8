"""Operators that bring tables together or search them: join, lookup, union, find, search, range, as, invoke ..."""

from __future__ import annotations

from toolkit.kql.parser.grammar import Parser
from toolkit.kql.parser.stream import LIST_ENDS
from toolkit.kql.syntax import (
    As,
    AssertSchema,
    Binary,
    ColumnDecl,
    Consume,
    Evaluate,
    ExecuteAndCache,
    Expr,
    Find,
    GetSchema,
    Invoke,
    Join,
    Lookup,
    NameRef,
    Operator,
    Path,
    Pipeline,
    Range,
    Search,
    Star,
    Union_,
)
from toolkit.kql.types import TYPEOF_NAMES


def join(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    right = p.expression()
    on = _conditions(p) if p.take("on") else ()
    where = p.condition() if not on and p.take("where") else None
    return Join(right, on, where, parameters=parameters, span=p.span(start))


def _conditions(p: Parser) -> tuple[Expr, ...]:
    found = [_condition(p)]
    while p.take(","):
        found.append(_condition(p))
    return tuple(found)


def _condition(p: Parser) -> Expr:
    return p.condition()


def lookup(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    right = p.expression()
    on: tuple[Expr, ...] = ()
    if p.expect("on", "'on' and the columns to look up by"):
        on = _conditions(p)
    return Lookup(right, on, parameters=parameters, span=p.span(start))


def union(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list(("best_effort",))
    tables = p.items(lambda: table_pattern(p), required="a table")
    return Union_(tables, parameters=parameters, span=p.span(start))


def table_pattern(p: Parser) -> Expr:
    """A leg of union: a table, a pattern, a call, a path of them, or a subquery in parentheses."""
    if p.kinds[p.at] == "(":
        return p.parenthesised()
    return p.entity_pattern()


def find(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    if p.kinds[p.at] == "datascope":
        p.data_scope()
    parameters = p.parameter_list()
    tables = _in_tables(p)
    if parameters or tables:
        p.expect("where", "'where' and the condition")
    else:
        p.take("where")
    predicate = p.expression()
    smart = p.take("project-smart")
    project = _find_columns(p) if not smart and p.take("project") else None
    away = _find_columns(p) if p.take("__projectAway") else None
    return Find(tables, predicate, project, away, smart, parameters=parameters, span=p.span(start))


def _in_tables(p: Parser) -> tuple[Expr, ...]:
    if not p.take("in"):
        return ()
    tables: tuple[Expr, ...] = ()
    if p.expect("("):
        tables = p.items(lambda: _find_table(p), required="a table")
        p.close(")")
    return tables


def _find_table(p: Parser) -> Expr:
    start = p.start()
    table = p.entity_pattern()
    if p.kinds[p.at] != "|":
        return table
    p.at += 1
    if p.kinds[p.at] != "as":
        p.fail("'as' and a name", alias="KS176")
        p.skip_to(",")
        return table
    return Pipeline(table, (as_(p),), span=p.span(start))


def _find_columns(p: Parser) -> tuple[Expr, ...]:
    found = [_find_column(p)]
    while p.take(","):
        found.append(_find_column(p))
    return tuple(found)


def _find_column(p: Parser) -> Expr:
    """`column`, `column: type`, `pack(*)`, `pack_all()` or `*`."""
    if p.take("*"):
        return Star(span=p.span(p.starts[p.at - 1]))
    if p.kinds[p.at] == "pack":
        call = p.call()
        if call.arguments != (Star(),):
            p.report("expected-token", "Expected pack(*).", call.span, ("find projects the other columns as one bag: pack(*).",), "KS005")
        return call
    if p.tokens.spelling(p.at) == "pack_all" and p.kinds[p.at + 1 : p.at + 3] == ["(", ")"]:
        return p.call()
    start = p.start()
    name = p.name("a column name")
    if p.take(":"):
        return ColumnDecl(name, p.type_name(TYPEOF_NAMES), span=p.span(start))
    return NameRef(name.text, span=name.span)


def search(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    if p.kinds[p.at] == "datascope":
        p.data_scope()
    tables = _in_tables(p)
    return Search(tables, _search_predicate(p), parameters=parameters, span=p.span(start))


def _search_predicate(p: Parser) -> Expr:
    """An expression, `*`, or `* and expression`."""
    if p.kinds[p.at] != "*" or (p.kinds[p.at + 1] not in LIST_ENDS and p.kinds[p.at + 1] != "and"):
        return p.expression()
    p.at += 1
    star = Star(span=p.span(p.starts[p.at - 1]))
    if p.kinds[p.at] != "and":
        return star
    place = p.token_span()
    p.at += 1
    right = p.expression()
    return Binary("and", star, right, span=p.span(star.span.start), operator_span=place)


def range_(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    name = p.name("the name of the column")
    p.expect("from")
    first = p.expression()
    p.expect("to")
    last = p.expression()
    p.expect("step")
    return Range(name, first, last, p.expression(), span=p.span(start))


def as_(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    name = p.name("a name for the table")
    return As(name, parameters=parameters, span=p.span(start))


def invoke(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    call: Expr = p.required_call("a function to invoke")
    while p.take("."):
        call = Path(call, p.required_call("a function"), span=p.span(call.span.start))
    return Invoke(call, span=p.span(start))


def evaluate(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    call = p.required_call("a plugin")
    schema = p.schema(star=True) if p.take(":") else None
    return Evaluate(call, schema, parameters=parameters, span=p.span(start))


def consume(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    return Consume(parameters=parameters, span=p.span(start))


def getschema(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list(("kind",))
    return GetSchema(parameters=parameters, span=p.span(start))


def execute_and_cache(p: Parser) -> Operator:
    p.at += 1
    return ExecuteAndCache(span=p.span(p.starts[p.at - 1]))


def assert_schema(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    return AssertSchema(p.schema(star=True), span=p.span(start))
