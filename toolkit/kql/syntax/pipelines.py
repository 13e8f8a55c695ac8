"""Tabular expressions and what all operators have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.kql.syntax.base import Node

if TYPE_CHECKING:
    from toolkit.kql.syntax import Expr
    from toolkit.kql.syntax.sources import Parameter


@dataclass(frozen=True, slots=True)
class Pipeline(Node):
    """A tabular expression: a source and the operators applied to it.

    `source` is an expression (table name, call, path, datatable, parenthesised pipeline) or one of the operators that
    need no input (print, range, union, search, find, evaluate ...). A Pipeline in parentheses has `parenthesised`.
    """

    source: Expr | Operator
    operators: tuple[Operator, ...] = ()
    parenthesised: bool = False


@dataclass(frozen=True, slots=True)
class Input(Node):
    """The source of a subquery that is written without one: the rows that mv-apply, partition, fork, facet or make-graph
    hand to it. Never in the text; a Pipeline whose source is Input prints its operators only."""


@dataclass(frozen=True, slots=True)
class Operator(Node):
    """One step of a pipeline. `parameters` are the `name=value` options after the operator's word."""

    parameters: tuple[Parameter, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class OrderKey(Node):
    """`expr [asc|desc] [nulls first|last]`; None where not written. `granny-asc` and `granny-desc` sort numbers in text by value.

    `value` is the bare expression, or Named for `by x = expr`."""

    value: Expr
    direction: str | None = None
    nulls: str | None = None


@dataclass(frozen=True, slots=True)
class BadOperator(Operator):
    """An operator that could not be parsed; its text is skipped up to the next `|`."""

    text: str
