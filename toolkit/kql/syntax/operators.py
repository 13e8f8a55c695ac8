"""Operators over rows and columns, and those that bring tables together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.kql.syntax.pipelines import Operator

if TYPE_CHECKING:
    from toolkit.kql.syntax import Expr
    from toolkit.kql.syntax.expressions import Call, Name
    from toolkit.kql.syntax.pipelines import OrderKey
    from toolkit.kql.syntax.sources import Parameter, Schema


@dataclass(frozen=True, slots=True)
class Where(Operator):
    predicate: Expr


@dataclass(frozen=True, slots=True)
class Extend(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Project(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ProjectAway(Operator):
    patterns: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ProjectKeep(Operator):
    patterns: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ProjectRename(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ProjectReorder(Operator):
    items: tuple[OrderKey, ...]


@dataclass(frozen=True, slots=True)
class ProjectByNames(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Summarize(Operator):
    """`by` is None when the word is absent; `bin_size` holds the old `by bin = ...` form where it is accepted."""

    aggregates: tuple[Expr, ...]
    by: tuple[Expr, ...] | None = None
    bin_size: Expr | None = None


@dataclass(frozen=True, slots=True)
class Distinct(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Sort(Operator):
    keys: tuple[OrderKey, ...]


@dataclass(frozen=True, slots=True)
class Top(Operator):
    count: Expr
    key: OrderKey


@dataclass(frozen=True, slots=True)
class Take(Operator):
    count: Expr


@dataclass(frozen=True, slots=True)
class Count(Operator):
    """`count [as name]`."""

    name: Name | None = None


@dataclass(frozen=True, slots=True)
class Join(Operator):
    """`join kind=... (right) on conditions [where predicate]`."""

    right: Expr
    on: tuple[Expr, ...] = ()
    where: Expr | None = None


@dataclass(frozen=True, slots=True)
class Lookup(Operator):
    right: Expr
    on: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Union_(Operator):
    """`union` with its legs: names, wildcards, calls, parenthesised pipelines."""

    tables: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Print(Operator):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Range(Operator):
    name: Name
    start: Expr
    stop: Expr
    step: Expr


@dataclass(frozen=True, slots=True)
class Render(Operator):
    """`render kind [kind=stacked ...] [with (name=value, ...)]`."""

    chart: str
    properties: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Serialize(Operator):
    items: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample(Operator):
    count: Expr


@dataclass(frozen=True, slots=True)
class SampleDistinct(Operator):
    count: Expr
    of: Expr


@dataclass(frozen=True, slots=True)
class Evaluate(Operator):
    """`evaluate plugin(args) [: schema]`."""

    call: Call
    schema: Schema | None = None


@dataclass(frozen=True, slots=True)
class Invoke(Operator):
    call: Expr


@dataclass(frozen=True, slots=True)
class As(Operator):
    name: Name


@dataclass(frozen=True, slots=True)
class Consume(Operator):
    pass


@dataclass(frozen=True, slots=True)
class GetSchema(Operator):
    pass


@dataclass(frozen=True, slots=True)
class ExecuteAndCache(Operator):
    pass


@dataclass(frozen=True, slots=True)
class AssertSchema(Operator):
    schema: Schema


@dataclass(frozen=True, slots=True)
class Search(Operator):
    tables: tuple[Expr, ...]
    predicate: Expr


@dataclass(frozen=True, slots=True)
class Find(Operator):
    """`find [in (tables)] [where] predicate [project columns | project-smart | project-away ...]`."""

    tables: tuple[Expr, ...]
    predicate: Expr
    project: tuple[Expr, ...] | None = None
    project_away: tuple[Expr, ...] | None = None
    smart: bool = False
