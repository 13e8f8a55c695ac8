"""Operators that are understood but not run: their columns, and why (R-276, R-277)."""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope
from toolkit.kql.binder.pipeline import handles
from toolkit.kql.types import ScalarType


@handles(syntax.Reduce)
def _reduce(b: Binder, operator: syntax.Reduce, rel: plan.Rel, scope: Scope) -> plan.Rel:
    text = ScalarType.STRING
    columns = (b.column("Pattern", text), b.column("Count", ScalarType.LONG), b.column("Representative", text))
    return plan.Unsupported("operator 'reduce'", "how the service clusters texts is not documented", (rel,), columns, operator.span)
