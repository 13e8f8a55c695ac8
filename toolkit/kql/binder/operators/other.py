"""Operators whose columns are known but which no plan node expresses yet; an engine refuses them by name."""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, Binder, Scope
from toolkit.kql.binder.pipeline import handles, sources
from toolkit.kql.types import ScalarType

_NOT_YET = "it is not implemented yet"


@handles(syntax.BadOperator)
def _bad(b: Binder, operator: syntax.BadOperator, rel: plan.Rel, scope: Scope) -> plan.Rel:
    return plan.Unsupported("operator", "it could not be read", (rel,), (b.column(OPEN, ScalarType.UNKNOWN),), operator.span)


def _open_source(b: Binder, operator: syntax.Operator, scope: Scope) -> plan.Rel:
    from toolkit.kql.binder.pipeline import operator_word

    column = b.column(OPEN, ScalarType.UNKNOWN)
    return plan.Unsupported(f"operator '{operator_word(operator)}'", _NOT_YET, (), (column,), operator.span)


for _kind in (syntax.MacroExpand, syntax.Facet, syntax.BadOperator, syntax.GraphMatch):
    sources(_kind)(_open_source)
