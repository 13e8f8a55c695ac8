"""Drops the legs of a union that read only tables without rows, as long as another leg stays.

A function over several log shapes (`union AzureDiagnostics, AKSAudit, AKSAuditAdmin`) mostly finds one of them; the legs
of the others would be planned and executed for nothing. A plan whose tables are all empty is left as it is, so that what
an engine cannot run is refused whether or not there is data.
"""

from __future__ import annotations

from collections.abc import Callable

from toolkit.kql import plan
from toolkit.kql.passes.rewrite import transform


def drop_idle_legs(rel: plan.Rel, has_rows: Callable[[str], bool]) -> plan.Rel:
    """The plan without the legs that cannot yield a row; a union with one leg left is an Extend over it."""

    def visit(node: plan.Rel) -> plan.Rel:
        if not isinstance(node, plan.Union_):
            return node
        live = [leg for leg in node.legs if not is_empty(leg.rel, has_rows)]
        if not live or len(live) == len(node.legs):
            return node
        if len(live) > 1:
            return plan.Union_(tuple(live), node.columns)
        return plan.Extend(live[0].rel, tuple(zip(node.columns, live[0].values, strict=True)), node.columns)

    return transform(rel, visit)


def is_empty(rel: plan.Rel, has_rows: Callable[[str], bool]) -> bool:
    """Whether a relation is row-wise over a table without rows. Aggregates and outer joins make rows out of none."""
    while True:
        match rel:
            case plan.Scan(table=table):
                return not has_rows(table)
            case plan.Filter() | plan.Extend() | plan.Narrow() | plan.Sort() | plan.Limit() | plan.Expand() | plan.Parse():
                rel = rel.input
            case plan.Serialize() | plan.Window() | plan.MatchSteps():
                rel = rel.input
            case plan.Reuse():
                rel = rel.shared.rel
            case plan.Aggregate(keys=keys) if keys:
                rel = rel.input
            case plan.Union_(legs=legs):
                return all(is_empty(leg.rel, has_rows) for leg in legs)
            case _:
                return False
