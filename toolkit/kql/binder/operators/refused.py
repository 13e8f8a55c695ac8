"""Operators that are understood but not run: their columns, and why (R-276, R-277)."""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, Binder, Scope
from toolkit.kql.binder.pipeline import handles
from toolkit.kql.types import ScalarType


@handles(syntax.Reduce)
def _reduce(b: Binder, operator: syntax.Reduce, rel: plan.Rel, scope: Scope) -> plan.Rel:
    text = ScalarType.STRING
    columns = (b.column("Pattern", text), b.column("Count", ScalarType.LONG), b.column("Representative", text))
    return plan.Unsupported("operator 'reduce'", "how the service clusters texts is not documented", (rel,), columns, operator.span)


@handles(syntax.Fork)
def _fork(b: Binder, operator: syntax.Fork, rel: plan.Rel, scope: Scope) -> plan.Rel:
    return _several(b, "fork", operator, rel)


@handles(syntax.Facet)
def _facet(b: Binder, operator: syntax.Facet, rel: plan.Rel, scope: Scope) -> plan.Rel:
    return _several(b, "facet", operator, rel)


def _several(b: Binder, name: str, operator: syntax.Operator, rel: plan.Rel) -> plan.Rel:
    columns = (b.column(OPEN, ScalarType.UNKNOWN),)
    return plan.Unsupported(f"operator '{name}'", "it yields several results, a rule has one", (rel,), columns, operator.span)
