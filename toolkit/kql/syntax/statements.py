"""Statements, functions and the whole query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.kql.syntax.base import Node

if TYPE_CHECKING:
    from toolkit.kql.syntax import Expr
    from toolkit.kql.syntax.expressions import Name
    from toolkit.kql.syntax.sources import Parameter, Schema


@dataclass(frozen=True, slots=True)
class Statement(Node):
    pass


@dataclass(frozen=True, slots=True)
class FunctionParameter(Node):
    """`name: type [= default]` or `name: (schema)`; `type` is a type name or a Schema."""

    name: Name
    type: str | Schema
    default: Expr | None = None


@dataclass(frozen=True, slots=True)
class FunctionDecl(Node):
    """`[view] (parameters) { statements; body }`; body is None for an empty one (refused when bound)."""

    parameters: tuple[FunctionParameter, ...]
    statements: tuple[Statement, ...]
    body: Expr | None
    view: bool = False


@dataclass(frozen=True, slots=True)
class Let(Statement):
    """`let name = value`: a scalar, a tabular expression or a FunctionDecl."""

    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class SetOption(Statement):
    name: str
    value: Expr | None = None


@dataclass(frozen=True, slots=True)
class Alias(Statement):
    """`alias database name = expr`."""

    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class DeclareParameters(Statement):
    parameters: tuple[FunctionParameter, ...]


@dataclass(frozen=True, slots=True)
class PatternMatch(Node):
    """`("a", "b") = { pipeline }` or with `.["path"]` before the equals sign."""

    arguments: tuple[Expr, ...]
    path: Expr | None
    statements: tuple[Statement, ...]
    body: Expr | None


@dataclass(frozen=True, slots=True)
class DeclarePattern(Statement):
    name: Name
    parameters: tuple[FunctionParameter, ...] = ()
    path: FunctionParameter | None = None
    matches: tuple[PatternMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class Restrict(Statement):
    """`restrict access to (entities) [with (properties)]`."""

    entities: tuple[Expr, ...]
    properties: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryStatement(Statement):
    """A tabular (or, inside functions, scalar) expression that yields a result."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Query(Node):
    """A whole query text: its statements in order. The last QueryStatement is the result."""

    statements: tuple[Statement, ...]
