"""Operators that hold subqueries or several parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.kql.syntax.base import Node
from toolkit.kql.syntax.pipelines import Operator

if TYPE_CHECKING:
    from toolkit.kql.syntax import Expr
    from toolkit.kql.syntax.expressions import Name
    from toolkit.kql.syntax.pipelines import OrderKey
    from toolkit.kql.syntax.statements import FunctionParameter, Statement


@dataclass(frozen=True, slots=True)
class TopNestedLevel(Node):
    """`top-nested [n] of expr [with others = e] by aggregate [asc|desc]`."""

    count: Expr | None
    of: Expr
    others: Expr | None
    by: OrderKey


@dataclass(frozen=True, slots=True)
class TopNested(Operator):
    levels: tuple[TopNestedLevel, ...]


@dataclass(frozen=True, slots=True)
class TopHitters(Operator):
    count: Expr
    of: Expr
    by: Expr | None = None


@dataclass(frozen=True, slots=True)
class ForkBranch(Node):
    name: Name | None
    body: Expr


@dataclass(frozen=True, slots=True)
class Fork(Operator):
    branches: tuple[ForkBranch, ...]


@dataclass(frozen=True, slots=True)
class Facet(Operator):
    columns: tuple[Expr, ...]
    body: Expr | None = None


@dataclass(frozen=True, slots=True)
class Partition(Operator):
    """`partition by c [in scope] ( subquery )` or `{ pipeline }` (`own_source`)."""

    by: Expr
    body: Expr
    own_source: bool = False
    scope: Expr | None = None


@dataclass(frozen=True, slots=True)
class PartitionBy(Operator):
    """`__partitionby c [id guid] ( subquery )`, which only the service writes."""

    by: Expr
    body: Expr
    id: Expr | None = None


@dataclass(frozen=True, slots=True)
class ScanStep(Node):
    """`step name [optional] [output=...] : condition => a = x, b = y;`."""

    name: Name
    condition: Expr
    assignments: tuple[Expr, ...] = ()
    optional: bool = False
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Scan(Operator):
    """`scan [with_match_id=m] [order by ...] [partition by ...] [declare (a: long = 0)] with ( steps )`."""

    declare: tuple[FunctionParameter, ...]
    steps: tuple[ScanStep, ...]
    order: tuple[OrderKey, ...] = ()
    partition: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class MacroExpand(Operator):
    """`macro-expand [options] group as X ( statements; pipeline )`."""

    group: Expr
    scope: Name | None
    statements: tuple[Statement, ...]
    body: Expr
