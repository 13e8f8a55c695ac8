"""How scalar functions and aggregates are written in DuckDB: one row per function.

A row is a template ("length({0})"), a builder for what a template cannot say, or a Python function that DuckDB calls
(for the rare ones whose meaning SQL cannot express). A function without a row is refused by name and position.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from toolkit.engine.sql import PHYSICAL, Form, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType


class Refusal(Exception):
    """Raised by a builder when this call cannot be run exactly; turned into a diagnostic at the call's place."""

    def __init__(self, reason: str, span: Span | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.span = span


class Lowering(Protocol):
    """What a builder may ask of the lowering that called it."""

    now_ticks: int
    settings: Mapping[str, object]

    def lower(self, expr: plan.Expr) -> Lowered:
        """The SQL of any expression in the current scope."""
        ...

    def condition(self, expr: plan.Expr) -> Sql:
        """The SQL of a predicate for a place where NULL and FALSE mean the same (WHERE, FILTER, CASE WHEN)."""
        ...

    def use_udf(self, name: str) -> None:
        """Notes that the statement needs a Python function registered on the connection."""
        ...


Builder = Callable[[plan.Call, Sequence[Lowered], Lowering], Lowered]
AggregateBuilder = Callable[[plan.AggregateCall, Sequence[Lowered], Lowering], Lowered]


@dataclass(frozen=True)
class PythonFunction:
    """A Python function for DuckDB: called with one value per argument (None for NULL), vectorised by the engine.

    `strict`: NULL in gives NULL out without a call. `vectorized`: called with a pyarrow.ChunkedArray per argument, NULLs
    included, and gives an array of the same length.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    result: str
    strict: bool = True
    vectorized: bool = False


@dataclass
class Registry:
    """`refusals`: why a function that is known has no row."""

    scalars: dict[str, Builder] = field(default_factory=dict)
    aggregates: dict[str, AggregateBuilder] = field(default_factory=dict)
    python: dict[str, PythonFunction] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)

    def template(self, name: str, template: str, *, total: bool | None = None) -> None:
        """A function that is one template. `total`: never NULL (True) or NULL when any argument is (None)."""

        def build(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
            nullable = any(arg.nullable for arg in args) if total is None else not total
            return Lowered(Form(template, tuple(arg.sql for arg in args)), nullable)

        self.scalars[name] = build

    def builder(self, *names: str) -> Callable[[Builder], Builder]:
        """Decorator: a function whose SQL depends on its arguments."""

        def register(build: Builder) -> Builder:
            for name in names:
                self.scalars[name] = build
            return build

        return register

    def aggregate(self, *names: str) -> Callable[[AggregateBuilder], AggregateBuilder]:
        """Decorator: an aggregate; its arguments are lowered over the rows of the group."""

        def register(build: AggregateBuilder) -> AggregateBuilder:
            for name in names:
                self.aggregates[name] = build
            return build

        return register

    def udf(
        self, name: str, function: Callable[..., Any], arguments: Sequence[ScalarType], result: ScalarType, *, strict: bool = True
    ) -> None:
        """A function that runs in Python. Result strings must not be None; dynamics are compact JSON text or None."""
        sql_name = f"kql_{name}"
        physical = tuple(PHYSICAL[kind] for kind in arguments)
        self.python[sql_name] = PythonFunction(sql_name, function, physical, PHYSICAL[result], strict)
        places = ", ".join(f"{{{index}}}" for index in range(len(physical)))

        def build(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
            if len(args) != len(physical):
                raise Refusal(f"this form of {call.name} with {len(args)} arguments is not supported")
            lowering.use_udf(sql_name)
            return Lowered(Form(f"{sql_name}({places})", tuple(arg.sql for arg in args)), result is not ScalarType.STRING)

        self.scalars[name] = build


REGISTRY = Registry()


def constant(expr: plan.Expr, what: str) -> object:
    """The value of an argument that must be a constant; refused otherwise."""
    if isinstance(expr, plan.Const):
        return expr.value
    raise Refusal(f"{what} must be a constant", getattr(expr, "span", None))
