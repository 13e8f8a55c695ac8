"""Operators that hold subqueries or several parts: fork, facet, partition, top-nested, top-hitters, scan, macro-expand."""

from __future__ import annotations

from toolkit.kql.lexer import END
from toolkit.kql.parser.grammar import Parser
from toolkit.kql.parser.names import DECLARED_NAMES
from toolkit.kql.parser.operators.columns import order_key
from toolkit.kql.parser.statements import entity_group, function_parameter, parse_statement
from toolkit.kql.source import Span
from toolkit.kql.syntax import (
    Expr,
    Facet,
    Fork,
    ForkBranch,
    FunctionParameter,
    Input,
    MacroExpand,
    Missing,
    Name,
    Named,
    Operator,
    OrderKey,
    Partition,
    PartitionBy,
    Pipeline,
    QueryStatement,
    Scan,
    ScanStep,
    Statement,
    TopHitters,
    TopNested,
    TopNestedLevel,
)

_SCAN = frozenset({"partition", "order", "declare", "with"})


def fork(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    branches: list[ForkBranch] = []
    while p.kinds[p.at] == "(" or _named_branch(p):
        branches.append(_branch(p))
    if not branches:
        p.fail("'(' and a subquery for each branch")
    return Fork(tuple(branches), span=p.span(start))


def _named_branch(p: Parser) -> bool:
    length = p.name_length(p.at, DECLARED_NAMES)
    return length > 0 and p.kinds[p.at + length] == "="


def _branch(p: Parser) -> ForkBranch:
    start = p.start()
    name: Name | None = None
    if p.kinds[p.at] != "(":
        name = p.name()
        p.at += 1
    return ForkBranch(name, p.subquery_group(), span=p.span(start))


def facet(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    p.expect("by")
    columns = p.items(p.column_path, frozenset({"with"}), required="a column name")
    body: Expr | None = None
    if p.take("with"):
        body = p.subquery_group() if p.kinds[p.at] == "(" else _single_operator(p)
    return Facet(columns, body, span=p.span(start))


def _single_operator(p: Parser) -> Expr:
    start = p.start()
    if not p.enter():
        return Missing(span=p.gap())
    operator = p.operator()
    p.depth -= 1
    return Pipeline(Input(span=Span(start, start)), (operator,), span=p.span(start))


def partition(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    p.expect("by")
    by = p.column_path()
    scope = _scope(p) if p.take("in") else None
    if p.take("{"):
        body = p.nested(p.query_expression)
        p.close("}")
        return Partition(by, body, True, scope, parameters=parameters, span=p.span(start))
    return Partition(by, p.subquery_group(), False, scope, parameters=parameters, span=p.span(start))


def _scope(p: Parser) -> Expr:
    if p.kinds[p.at] == "dynamic":
        return p.dynamic_literal()
    return p.required_call("a function, or dynamic(...)")


def partition_by(p: Parser) -> Operator:
    """`__partitionby c [id guid] ( subquery )`, which only the service writes."""
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    by = p.column_path()
    identity = p.required_literal() if p.take("id") else None
    return PartitionBy(by, p.subquery_group(), identity, parameters=parameters, span=p.span(start))


# --- top-nested and top-hitters


def top_nested(p: Parser) -> Operator:
    start = p.start()
    levels = [_level(p)]
    while p.take(","):
        if p.kinds[p.at] != "top-nested":
            p.fail("'top-nested' and the next level")
            p.skip_to()
            break
        levels.append(_level(p))
    return TopNested(tuple(levels), span=p.span(start))


def _level(p: Parser) -> TopNestedLevel:
    start = p.start()
    p.at += 1
    count = p.expression() if p.kinds[p.at] != "of" else None
    p.expect("of")
    of: Expr = p.item() if p.definition_length() else p.expression()
    others: Expr | None = None
    if p.take("with"):
        p.expect("others")
        p.expect("=")
        others = p.expression()
    p.expect("by")
    return TopNestedLevel(count, of, others, order_key(p), span=p.span(start))


def top_hitters(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    count = p.expression()
    p.expect("of")
    of: Expr = p.item() if p.definition_length() else p.expression()
    by = p.expression() if p.take("by") else None
    return TopHitters(count, of, by, span=p.span(start))


# --- scan


def scan(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list()
    order: tuple[OrderKey, ...] = ()
    partition_: tuple[Expr, ...] = ()
    declare: tuple[FunctionParameter, ...] = ()
    if p.take("order"):
        p.expect("by")
        order = p.items(lambda: order_key(p), _SCAN, required="a column to sort by")
    if p.take("partition"):
        p.expect("by")
        partition_ = p.items(p.expression, _SCAN, required="a column")
    if p.take("declare") and p.expect("("):
        declare = p.items(lambda: function_parameter(p))
        p.close(")")
    p.expect("with", "'with' and the steps in parentheses")
    steps: list[ScanStep] = []
    if p.expect("("):
        while p.kinds[p.at] == "step":
            steps.append(_step(p))
        p.close(")")
    return Scan(declare, tuple(steps), order, partition_, parameters=parameters, span=p.span(start))


def _step(p: Parser) -> ScanStep:
    start = p.start()
    p.at += 1
    name = p.name("the name of the step", DECLARED_NAMES)
    optional = p.take("optional")
    output: str | None = None
    if p.take("output"):
        p.expect("=")
        output = p.word("'all', 'last' or 'none'", "all", "last", "none") or None
    p.expect(":", "':' and the condition of the step")
    condition = p.expression()
    assignments = p.items(lambda: _assignment(p), required="a name") if p.take("=>") else ()
    p.expect(";", "';' after the step")
    return ScanStep(name, condition, assignments, optional, output, span=p.span(start))


def _assignment(p: Parser) -> Expr:
    start = p.start()
    name = p.name("a declared name", DECLARED_NAMES)
    value = p.expression() if p.expect("=") else Missing(span=p.gap())
    return Named((name,), value, span=p.span(start))


# --- macro-expand


def macro_expand(p: Parser) -> Operator:
    start = p.start()
    p.at += 1
    parameters = p.parameter_list(("best_effort",))
    group = entity_group(p) if p.kinds[p.at] == "entity_group" and p.kinds[p.at + 1] != "(" else p.entity_pattern()
    scope = p.name() if p.take("as") else None
    statements: list[Statement] = []
    if p.expect("(") and p.enter():
        while p.kinds[p.at] not in (")", END):
            found = parse_statement(p)
            if found is None:
                p.skip_to()
            else:
                statements.append(found)
            if not p.take(";"):
                break
        p.depth -= 1
        p.close(")")
    body: Expr = Missing(span=p.gap())
    if statements and isinstance(statements[-1], QueryStatement):
        body = statements.pop().value  # type: ignore[attr-defined]
    return MacroExpand(group, scope, tuple(statements), body, parameters=parameters, span=p.span(start))
