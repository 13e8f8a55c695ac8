"""Statements as documents, without the `;` between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from toolkit.kql import syntax
from toolkit.kql.printer import names
from toolkit.kql.printer.expressions import Printer, bracketed, comma_list, pipeline, property_clause
from toolkit.kql.printer.layout import HARD, LINE, Doc, Group, Nest, join


def _let(p: Printer, node: syntax.Let) -> Doc:
    head = f"let {names.bare(node.name.text)} ="
    value = node.value
    if isinstance(value, syntax.Call) and value.name.text == "materialize":
        return (head, " materialize", bracketed("(", comma_list(p.docs(value.arguments)), ")"))
    if isinstance(value, syntax.Pipeline) and not value.parenthesised and value.operators:
        return Group((head, Nest((LINE, pipeline(p, value)))))
    return (head, " ", p.doc(value))


def _function(p: Printer, node: syntax.FunctionDecl) -> Doc:
    view = "view " if node.view else ""
    parameters = bracketed("(", comma_list(p.docs(node.parameters)), ")") if node.parameters else "()"
    return (view, parameters, " ", block(p, node.statements, node.body))


def block(p: Printer, statements: Sequence[syntax.Statement], body: syntax.Expr | None) -> Doc:
    """`{ statements; body }`."""
    parts: list[Doc] = [(p.doc(statement), ";") for statement in statements]
    if body is not None:
        parts.append(p.doc(body))
    if not parts:
        return "{ }"
    return Group(("{", Nest((LINE, join(LINE, parts))), LINE, "}"))


def _function_parameter(p: Printer, node: syntax.FunctionParameter) -> Doc:
    kind: Doc = node.type if isinstance(node.type, str) else p.doc(node.type)
    default: Doc = (" = ", p.doc(node.default)) if node.default is not None else ""
    return (f"{names.declared(node.name.text)}: ", kind, default)


def _set(p: Printer, node: syntax.SetOption) -> Doc:
    value: Doc = (" = ", p.doc(node.value)) if node.value is not None else ""
    return (f"set {names.bare(node.name)}", value)


def _alias(p: Printer, node: syntax.Alias) -> Doc:
    return (f"alias database {names.bare(node.name.text)} = ", p.doc(node.value))


def _declare_parameters(p: Printer, node: syntax.DeclareParameters) -> Doc:
    return ("declare query_parameters", bracketed("(", comma_list(p.docs(node.parameters)), ")"))


def _declare_pattern(p: Printer, node: syntax.DeclarePattern) -> Doc:
    head = f"declare pattern {names.bare(node.name.text)}"
    if not node.parameters and not node.matches and node.path is None:
        return head
    parameters = bracketed("(", comma_list(p.docs(node.parameters)), ")")
    path: Doc = ("[", p.doc(node.path), "]") if node.path is not None else ""
    matches: list[Doc] = [(HARD, match) for match in p.docs(node.matches)]
    return (head, " = ", parameters, path, " {", Nest(tuple(matches)), HARD, "}")


def _pattern_match(p: Printer, node: syntax.PatternMatch) -> Doc:
    path: Doc = (".[", p.doc(node.path), "]") if node.path is not None else ""
    arguments: Doc = ("(", join(", ", p.docs(node.arguments)), ")")
    return (arguments, path, " = ", block(p, node.statements, node.body), ";")


def _restrict(p: Printer, node: syntax.Restrict) -> Doc:
    entities = bracketed("(", comma_list(p.docs(node.entities)), ")")
    return ("restrict access to ", entities, property_clause(p, node.properties))


def _query_statement(p: Printer, node: syntax.QueryStatement) -> Doc:
    return pipeline(p, node.value, broken=True) if isinstance(node.value, syntax.Pipeline) else p.doc(node.value)


def _query(p: Printer, node: syntax.Query) -> Doc:
    return join((";", HARD), p.docs(node.statements))


RULES: dict[type[syntax.Node], Callable[[Printer, Any], Doc]] = {
    syntax.Let: _let,
    syntax.FunctionDecl: _function,
    syntax.FunctionParameter: _function_parameter,
    syntax.SetOption: _set,
    syntax.Alias: _alias,
    syntax.DeclareParameters: _declare_parameters,
    syntax.DeclarePattern: _declare_pattern,
    syntax.PatternMatch: _pattern_match,
    syntax.Restrict: _restrict,
    syntax.QueryStatement: _query_statement,
    syntax.Query: _query,
}
