"""Operators that are understood but not run: their columns, and why (R-274, R-276, R-277)."""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, Binder, Scope
from toolkit.kql.binder.pipeline import handles, parameter, word
from toolkit.kql.types import DECLARABLE, ScalarType


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


@handles(syntax.Scan)
def _scan(b: Binder, operator: syntax.Scan, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """The input's columns, the declared ones, and the match's number where one is asked for."""
    added: list[plan.Column] = []
    for declared in operator.declare:
        kind = DECLARABLE.get(declared.type, ScalarType.UNKNOWN) if isinstance(declared.type, str) else ScalarType.UNKNOWN
        added.append(b.column(declared.name.text, kind))
    match = parameter(operator, "with_match_id")
    if match is not None:
        added.append(b.column(word(match) or "match_id", ScalarType.LONG))
    return plan.Unsupported("operator 'scan'", "it is not implemented yet", (rel,), (*rel.columns, *added), operator.span)
