"""rows_near: the rows around those that pass a condition (R-314)."""

from __future__ import annotations

from functools import reduce

from toolkit.kql import plan
from toolkit.kql.binder.context import Binder, const
from toolkit.kql.binder.plugins.evaluate import PluginCall, plugin, refused
from toolkit.kql.binder.windows import is_serialized
from toolkit.kql.types import ScalarType

BOOL, LONG = ScalarType.BOOL, ScalarType.LONG

# One window function per row of distance.
_FARTHEST = 100


@plugin("rows_near")
def _rows_near(b: Binder, call: PluginCall) -> plan.Rel:
    """A row stays when it passes, when one of the next `NumRows` rows does, or one of the previous `NumRowsAfter`."""
    before = _count(call.value("NumRows"))
    after = before if call.value("NumRowsAfter") is None else _count(call.value("NumRowsAfter"))
    condition = call.value("Condition")
    if before is None or after is None or condition is None or max(before, after) > _FARTHEST:
        return refused(b, call, call.rel.columns, f"it needs constant numbers of rows, up to {_FARTHEST}")
    if not is_serialized(b, call.rel):
        hints = ("sort, top or serialize before it gives the rows an order.",)
        b.refuse("The plugin 'rows_near' needs rows that have an order (R-244).", call.span, hints=hints)
    passes = b.column("", BOOL)
    rel: plan.Rel = plan.Extend(call.rel, ((passes, condition),), (*call.rel.columns, passes))
    items = [
        _neighbour(b, call, passes, name, distance) for name, far in (("next", before), ("prev", after)) for distance in range(1, far + 1)
    ]
    rel = plan.Window(rel, tuple(items)) if items else rel
    tests: list[plan.Expr] = [plan.Ref(column) for column in (passes, *(column for column, _ in items))]
    near = reduce(lambda left, right: plan.Call("or", (left, right), BOOL, call.span), tests)
    return plan.Narrow(plan.Filter(rel, near), call.rel.columns)


def _neighbour(b: Binder, call: PluginCall, passes: plan.Column, name: str, distance: int) -> tuple[plan.Column, plan.Call]:
    arguments = (plan.Ref(passes), const(distance, LONG), const(False, BOOL))
    return b.column("", BOOL), plan.Call(name, arguments, BOOL, call.span)


def _count(value: plan.Expr | None) -> int | None:
    number = value.value if isinstance(value, plan.Const) else None
    return number if isinstance(number, int) and number >= 0 else None
