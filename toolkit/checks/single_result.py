"""A rule's query has one result: the service takes no query of several statements, and none that ends in fork or facet (R-305)."""

from __future__ import annotations

from toolkit.kql.diagnostics import Diagnostic
from toolkit.kql.plan import QueryPlan


def several_results(bound: QueryPlan | None) -> tuple[Diagnostic, ...]:
    """The finding about the further results of a query, if it has any."""
    if bound is None or not bound.others:
        return ()
    span, count = bound.others[0].span, len(bound.others) + 1
    message = f"The query has {count} results; a rule has exactly one (R-305)."
    return (Diagnostic("several-results", "error", "check", message, span.start, span.end, ("union joins results into one.",)),)
