"""rolling_percentile: a percentile over the rows of a bin and of those before it (R-316)."""

from __future__ import annotations

from toolkit.kql import plan
from toolkit.kql.binder.compose import BOOL, by, call, grouped, joined, ordered, total, where, with_items
from toolkit.kql.binder.context import Binder, const
from toolkit.kql.binder.expressions import convert
from toolkit.kql.binder.plugins.evaluate import PluginCall, plugin, refused
from toolkit.kql.binder.plugins.timeline import different
from toolkit.kql.types import ScalarType

INT, LONG = ScalarType.INT, ScalarType.LONG
_STEPS = {ScalarType.DATETIME: ScalarType.TIMESPAN, ScalarType.TIMESPAN: ScalarType.TIMESPAN, LONG: LONG, INT: LONG}


@plugin("rolling_percentile")
def _rolling(b: Binder, plugin_call: PluginCall) -> plan.Rel:
    """One row per bin that has rows, for each combination of the dimensions; bins are aligned as bin() does it."""
    index, values, dims = plugin_call.columns("IndexColumn")[0], plugin_call.columns("ValueColumn")[0], plugin_call.columns("Dimension")
    bins, percentile, size = (plugin_call.value(name) for name in ("BinsPerWindow", "Percentile", "BinSize"))
    numbers = [part.value if isinstance(part, plan.Const) else "" for part in (bins, percentile)]
    made = b.column(f"rolling_{numbers[0]}_percentile_{values.name}_{numbers[1]}", values.type)
    shown = (b.column(index.name, index.type), *b.fresh(dims), made)
    if not different(b, plugin_call, shown):
        return plan.Values(shown, ())
    count, kind = numbers[0], LONG if index.type is INT else index.type
    steps = _STEPS.get(index.type)
    if size is None or percentile is None or steps is None or (size.type is not steps and (steps, size.type) != (LONG, INT)):
        return refused(b, plugin_call, shown, f"its index is {index.type}, its bins are {'nothing' if size is None else size.type}")
    if not isinstance(count, int) or count < 1 or numbers[1] == "":
        return refused(b, plugin_call, shown, "it needs a constant percentile and a constant number of bins from 1 on")
    size = convert(size, steps)
    own, target, distance = b.column("own", kind), b.column("target", kind), b.column("distance", LONG)
    rows = with_items(
        where(plugin_call.rel, call("isnotnull", BOOL, index)), (own, call("bin", kind, convert(plan.Ref(index), kind), size))
    )
    spread = joined("inner", rows, plan.RangeRows(distance, const(0, LONG), const(count - 1, LONG), const(1, LONG)))
    spread = with_items(spread, (target, call("+", kind, own, call("*", steps, size, plan.Ref(distance)))))
    present = b.column("present", LONG)
    here = total("countif", LONG, call("==", BOOL, distance, const(0, LONG)))
    found = total("percentile", values.type, values, percentile)
    groups = grouped(spread, by([*dims, target]), [(made, found), (present, here)])
    result = ordered(where(groups, call(">", BOOL, present, const(0, LONG))), *dims, target)
    result = plan.Narrow(with_items(result, (shown[0], convert(plan.Ref(target), index.type))), (shown[0], *dims, made))
    b.unordered.append(result)
    return result
