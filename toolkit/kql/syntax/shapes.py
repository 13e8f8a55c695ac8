"""Operators that take values apart or turn rows into series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.kql.syntax.base import Node
from toolkit.kql.syntax.pipelines import Operator

if TYPE_CHECKING:
    from toolkit.kql.syntax import Expr
    from toolkit.kql.syntax.expressions import Name
    from toolkit.kql.syntax.sources import Parameter, Schema


@dataclass(frozen=True, slots=True)
class ParseColumn(Node):
    """`name [: type]` between the texts of a parse pattern."""

    name: Name
    type: str | None = None


@dataclass(frozen=True, slots=True)
class ExpandItem(Node):
    """`[name =] expr [to typeof(T)]` of mv-expand and mv-apply."""

    name: Name | None
    value: Expr
    to_type: str | None = None


@dataclass(frozen=True, slots=True)
class MvExpand(Operator):
    """`mv-expand items [limit n]`; `obsolete` for the spelling `mvexpand`, which has another limit (R-099)."""

    items: tuple[ExpandItem, ...]
    limit: Expr | None = None
    obsolete: bool = False


@dataclass(frozen=True, slots=True)
class MvApply(Operator):
    items: tuple[ExpandItem, ...]
    body: Expr
    limit: Expr | None = None
    id: Expr | None = None


@dataclass(frozen=True, slots=True)
class Parse(Operator):
    """`parse [kind=..] [flags=..] expr with pattern`; pattern parts are Star, Literal (string) and ParseColumn."""

    value: Expr
    pattern: tuple[Expr, ...]
    where: bool = False


@dataclass(frozen=True, slots=True)
class ParseKv(Operator):
    value: Expr
    schema: Schema
    properties: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesAggregate(Node):
    """`[name =] aggregate [default = value]` of make-series."""

    value: Expr
    default: Expr | None = None


@dataclass(frozen=True, slots=True)
class MakeSeries(Operator):
    """`make-series aggs on axis [from a] [to b] step s [by keys]`, or `in range(a, b, s)` as `in_range`."""

    aggregates: tuple[SeriesAggregate, ...]
    axis: Expr
    start: Expr | None = None
    stop: Expr | None = None
    step: Expr | None = None
    in_range: tuple[Expr, ...] | None = None
    by: tuple[Expr, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reduce(Operator):
    by: Expr
    properties: tuple[Parameter, ...] = ()
