"""Statements (R-023): let, set, alias, declare, restrict, and the expressions between them."""

from __future__ import annotations

from collections.abc import Callable

from toolkit.kql.lexer import DIRECTIVE, END, IDENTIFIER
from toolkit.kql.parser import messages
from toolkit.kql.parser.grammar import Parser
from toolkit.kql.parser.names import DECLARED_NAMES
from toolkit.kql.parser.stream import LIST_ENDS
from toolkit.kql.syntax import (
    Alias,
    Call,
    DeclareParameters,
    DeclarePattern,
    EntityGroup,
    Expr,
    FunctionDecl,
    FunctionParameter,
    Let,
    Missing,
    Parameter,
    PatternMatch,
    Pipeline,
    Query,
    QueryStatement,
    Restrict,
    Schema,
    SetOption,
    Statement,
)

_MISSING_SEMICOLON = "Statements are separated by ';'."


def parse_query(p: Parser) -> Query:
    """The whole text."""
    while p.kinds[p.at] == DIRECTIVE:
        p.at += 1
    statements: list[Statement] = []
    while p.kinds[p.at] != END:
        before = p.at
        statement = parse_statement(p)
        if statement is not None:
            statements.append(statement)
        if p.kinds[p.at] != END and not p.take(";"):
            _between_statements(p, before)
    return Query(tuple(statements), span=p.span(p.starts[0]))


def _between_statements(p: Parser, before: int) -> None:
    """No `;` after a statement: report it, and go on where the next one seems to begin."""
    line = p.text.rfind("\n", 0, p.start()) + 1
    begins = p.starts_line_of_statement() or (p.kinds[p.at] == IDENTIFIER and not p.text[line : p.start()].strip())
    hints: tuple[str, ...] = (_MISSING_SEMICOLON,) if begins else ()
    if p.kinds[p.at] == "{":
        hints = ("Each parameter of a function has a type, as in (x: string) { ... }.",)
    elif p.kinds[p.at] == ")":
        hints = ("It closes no '('.",)
    p.fail("';' or the end of the query", hints)
    if begins and p.at > before:
        return
    p.at += 1
    while p.kinds[p.at] not in (";", END) and not p.starts_line_of_statement():
        p.at += 1
    p.take(";")


def parse_statement(p: Parser) -> Statement | None:
    """One statement; None, with a diagnostic, where none begins."""
    kind, following = p.kinds[p.at], p.kinds[p.at + 1]
    rule = _RULES.get(kind)
    if rule is not None and (kind == "set" or _is_statement(p, kind, following)):
        return rule(p)
    start = p.start()
    if kind in LIST_ENDS:
        p.fail("a statement", messages.no_statement_hints(kind), "KS198")
        return QueryStatement(Pipeline(Missing(span=p.gap()), p.pipes(), span=p.span(start)), span=p.span(start)) if kind == "|" else None
    if kind == IDENTIFIER and p.spelling().lower() == "select" and following not in ("|", "(", ";", END):
        p.fail("a table", messages.operator_hints("select"))
        p.skip_to()
        return None
    value = p.query_expression()
    return QueryStatement(value, span=p.span(start))


def _is_statement(p: Parser, kind: str, following: str) -> bool:
    if kind == "let":
        return p.name_length(p.at + 1, DECLARED_NAMES) > 0 or following == "=" or p.kinds[p.at + 2] == "="
    return following in {"alias": ("database",), "declare": ("pattern", "query_parameters"), "restrict": ("access",)}[kind]


# --- let and functions


def _let(p: Parser) -> Statement:
    start = p.start()
    p.at += 1
    name = p.name("a name")
    if p.kinds[p.at] == "(":
        p.fail("'='", (f"A function is written let {name.text} = (parameters) {{ body }}.",))
    elif not p.expect("="):
        p.skip_to("=")
        p.take("=")
    return Let(name, let_value(p), span=p.span(start))


def let_value(p: Parser) -> Expr:
    kind = p.kinds[p.at]
    if kind == "materialize":
        return _materialize(p)
    if kind == "entity_group" and p.kinds[p.at + 1] != "(":
        return entity_group(p)
    if _function_begins(p):
        return function(p)
    return p.query_expression()


def _materialize(p: Parser) -> Expr:
    name = p.named_token()
    arguments: tuple[Expr, ...] = ()
    if p.expect("("):
        arguments = (p.nested(p.query_expression),)
        p.close(")")
    return Call(name, arguments, span=p.span(name.span.start))


def _function_begins(p: Parser) -> bool:
    at = p.at + 1 if p.kinds[p.at] == "view" else p.at
    if p.kinds[at] != "(":
        return False
    if p.kinds[at + 1] == ")":
        return True
    length = p.name_length(at + 1, DECLARED_NAMES)
    return length > 0 and p.kinds[at + 1 + length] == ":"


def function(p: Parser) -> FunctionDecl:
    """`[view] (parameters) { statements; body }`."""
    start = p.start()
    view = p.take("view")
    parameters = parameter_declarations(p)
    statements, body = body_block(p)
    return FunctionDecl(parameters, statements, body, view, span=p.span(start))


def body_block(p: Parser) -> tuple[tuple[Statement, ...], Expr | None]:
    """`{ statements; body }` of a function or a pattern; the body is None when there is only `{ }`."""
    if not p.expect("{") or not p.enter():
        return (), None
    statements: list[Statement] = []
    while p.kinds[p.at] in ("let", "declare") and p.kinds[p.at + 1] not in LIST_ENDS:
        found = parse_statement(p)
        if found is not None:
            statements.append(found)
        if not p.expect(";") and not p.starts_line_of_statement():
            p.skip_to()
            p.take(";")
    body = p.query_expression() if p.kinds[p.at] != "}" else None
    p.take(";")
    p.depth -= 1
    p.close("}")
    return tuple(statements), body


def parameter_declarations(p: Parser) -> tuple[FunctionParameter, ...]:
    """`(name: type [= default], name: (schema), ...)`."""
    if not p.expect("("):
        return ()
    found = p.items(lambda: function_parameter(p))
    p.close(")")
    return found


def function_parameter(p: Parser) -> FunctionParameter:
    start = p.start()
    name = p.name("a parameter name", DECLARED_NAMES)
    kind: str | Schema = ""
    if p.expect(":", "':' and the parameter's type"):
        kind = p.schema(star=True) if p.kinds[p.at] == "(" else p.type_name()
    default: Expr | None = None
    if p.take("="):
        default = p.optional_literal() or p.parameter_value()
    return FunctionParameter(name, kind, default, span=p.span(start))


def entity_group(p: Parser) -> Expr:
    """`entity_group [ expressions ]`."""
    start = p.start()
    p.at += 1
    entities: tuple[Expr, ...] = ()
    if p.expect("["):
        entities = p.items(p.expression, required="an entity")
        p.close("]")
    return EntityGroup(entities, span=p.span(start))


# --- the other statements


def _set(p: Parser) -> Statement:
    start = p.start()
    p.at += 1
    name = p.name("the name of an option")
    value = p.expression() if p.take("=") else None
    return SetOption(name.text, value, span=p.span(start))


def _alias(p: Parser) -> Statement:
    start = p.start()
    p.at += 2
    name = p.name("a name")
    value = p.expression() if p.expect("=") else Missing(span=p.gap())
    return Alias(name, value, span=p.span(start))


def _restrict(p: Parser) -> Statement:
    start = p.start()
    p.at += 2
    p.expect("to")
    entities: tuple[Expr, ...] = ()
    if p.expect("("):
        entities = p.items(p.entity_pattern, required="a table, function or pattern")
        p.close(")")
    properties: tuple[Parameter, ...] = ()
    if p.take("with"):
        properties = p.property_group()
    return Restrict(entities, properties, span=p.span(start))


def _declare(p: Parser) -> Statement:
    start = p.start()
    p.at += 1
    if p.take("query_parameters"):
        return DeclareParameters(parameter_declarations(p), span=p.span(start))
    p.at += 1
    name = p.name("a name")
    if not p.take("="):
        return DeclarePattern(name, span=p.span(start))
    parameters = parameter_declarations(p)
    path: FunctionParameter | None = None
    if p.take("["):
        path = function_parameter(p)
        p.close("]")
    matches: list[PatternMatch] = []
    if p.expect("{"):
        while p.kinds[p.at] == "(":
            matches.append(_pattern_match(p))
        p.close("}")
    return DeclarePattern(name, parameters, path, tuple(matches), span=p.span(start))


def _pattern_match(p: Parser) -> PatternMatch:
    start = p.start()
    p.at += 1
    arguments = p.items(p.expression, required="a string")
    p.close(")")
    path: Expr | None = None
    if p.take("."):
        path = p.required_literal() if p.expect("[") else Missing(span=p.gap())
        p.close("]")
    p.expect("=")
    statements, body = body_block(p)
    p.expect(";", "';' after the pattern")
    return PatternMatch(arguments, path, statements, body, span=p.span(start))


_RULES: dict[str, Callable[[Parser], Statement]] = {
    "let": _let,
    "set": _set,
    "alias": _alias,
    "declare": _declare,
    "restrict": _restrict,
}
