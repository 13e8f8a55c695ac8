"""The service's time range: a query sees the rows with start < TimeGenerated <= end (R-336, R-337)."""

from __future__ import annotations

from toolkit.kql import plan
from toolkit.kql.external import EXTERNAL_PREFIX
from toolkit.kql.passes.rewrite import transform
from toolkit.kql.types import ScalarType

TIME_COLUMN = "TimeGenerated"
WATCHLIST_PREFIX = "_watchlist:"


def is_log_table(name: str) -> bool:
    """Whether a stored table is one of logs, not the rows of a watchlist or of external data."""
    return not name.startswith((WATCHLIST_PREFIX, EXTERNAL_PREFIX))


def apply_time_scope(rel: plan.Rel, start: int | None, end: int | None) -> plan.Rel:
    """Filters every stored table that has a TimeGenerated column; ticks, None for an open end.

    Watchlists (R-334) and external data stay whole.
    """
    if start is None and end is None:
        return rel

    def scoped(node: plan.Rel) -> plan.Rel:
        if not isinstance(node, plan.Scan) or not is_log_table(node.table):
            return node
        column = next((column for column in node.columns if column.name == TIME_COLUMN and column.type is ScalarType.DATETIME), None)
        if column is None:
            return node
        result: plan.Rel = node
        for operator, ticks in ((">", start), ("<=", end)):
            if ticks is not None:
                bound = plan.Const(ticks, ScalarType.DATETIME)
                result = plan.Filter(result, plan.Call(operator, (plan.Ref(column), bound), ScalarType.BOOL))
        return result

    return transform(rel, scoped)
