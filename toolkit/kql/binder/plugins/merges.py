"""dcount_intersect, which intersects hll states, and schema_merge, which makes one schema of several (R-309)."""

from __future__ import annotations

from toolkit.kql import plan
from toolkit.kql.binder.compose import BOOL, all_of, by, call, grouped, ordered, total, where, with_items
from toolkit.kql.binder.context import Binder, const
from toolkit.kql.binder.pipeline import visible
from toolkit.kql.binder.plugins.evaluate import PluginCall, plugin, refused
from toolkit.kql.types import ScalarType

INT, LONG, STRING, DYNAMIC = ScalarType.INT, ScalarType.LONG, ScalarType.STRING, ScalarType.DYNAMIC

_MOST_STATES = 16
_SCHEMA = {"ColumnName": STRING, "ColumnOrdinal": LONG, "DataType": STRING, "ColumnType": STRING}
_OUT_OF_ORDER = "ERROR(columns are out of order)"


@plugin("dcount_intersect")
def _intersections(b: Binder, plugin_call: PluginCall) -> plan.Rel:
    """s0, s1, ...: how many values the first state, the first two, ... have in common. Exact, as hll states are here (R-259)."""
    states = plugin_call.values.get("hll", ())
    made = [b.column(f"s{index}", LONG) for index in range(len(states))]
    names = [column.name for column in (*visible(plugin_call.rel.columns), *made)]
    if len(states) > _MOST_STATES or len(set(names)) < len(names):
        reason = f"it takes up to {_MOST_STATES} states, and its input may not have columns called s0, s1, ..."
        return refused(b, plugin_call, [*visible(plugin_call.rel.columns), *made], reason)
    counts = [plan.Call("dcount_intersect", tuple(states[: index + 1]), LONG, plugin_call.span) for index in range(len(states))]
    return with_items(plugin_call.rel, *zip(made, counts, strict=True))


@plugin("schema_merge")
def _schema_merge(b: Binder, plugin_call: PluginCall) -> plan.Rel:
    """The columns of all schemas once. One that stands at different places is an error in its row, unless the order does not matter."""
    have = {column.name: column for column in plugin_call.rel.columns}
    shown = [b.column(name, have[name].type if name in have else kind) for name, kind in _SCHEMA.items()]
    keep = plugin_call.value("PreserveOrder")
    fits = all(name in have and have[name].type in ((LONG, INT) if kind is LONG else (kind,)) for name, kind in _SCHEMA.items())
    if not fits or not isinstance(keep, (plan.Const, type(None))):
        return refused(b, plugin_call, shown, "its input must be what getschema gives, and PreserveOrder a literal")
    name, ordinal, data, kind = (have[name] for name in _SCHEMA)
    low, high, kinds = b.column("low", ordinal.type), b.column("high", ordinal.type), b.column("kinds", LONG)
    merged = grouped(
        plugin_call.rel,
        by([name], [shown[0]]),
        [
            (low, total("min", ordinal.type, ordinal)),
            (high, total("max", ordinal.type, ordinal)),
            (kinds, total("dcount", LONG, kind)),
            (data_type := b.column("data", STRING), total("min", STRING, data)),
            (column_type := b.column("type", STRING), total("min", STRING, kind)),
        ],
    )
    moved = b.column("moved", BOOL)
    loose = keep is not None and keep.value is False
    merged = with_items(merged, (moved, const(False, BOOL) if loose else call("!=", BOOL, low, high)))
    unknown = f"ERROR(unknown CSL type:{_OUT_OF_ORDER})"
    merged = with_items(
        _decided(b, plugin_call, merged, (moved, high, kinds)),
        (shown[1], call("iff", ordinal.type, moved, const(-1, ordinal.type), plan.Ref(high))),
        (shown[2], call("iff", STRING, moved, const(unknown, STRING), plan.Ref(data_type))),
        (shown[3], call("iff", STRING, moved, const(_OUT_OF_ORDER, STRING), plan.Ref(column_type))),
    )
    result = plan.Narrow(ordered(merged, moved, high), tuple(shown))
    b.unordered.append(result)
    return result


def _decided(b: Binder, plugin_call: PluginCall, rel: plan.Rel, columns: tuple[plan.Column, plan.Column, plan.Column]) -> plan.Rel:
    """The rows, as long as the documentation says what becomes of them: one type per column, no two columns at one place."""
    moved, place, kinds = columns
    before, before_moved = b.column("before", place.type), b.column("before", BOOL)
    lined = plan.Window(
        ordered(rel, moved, place),
        (
            (before, call("prev", place.type, place, const(1, LONG), const(None, place.type))),
            (before_moved, call("prev", BOOL, moved, const(1, LONG), const(None, BOOL))),
        ),
    )
    shared = all_of(call("==", BOOL, before, place), call("not", BOOL, moved), call("not", BOOL, before_moved))
    return where(
        lined,
        _undecided(plugin_call, call(">", BOOL, kinds, const(1, LONG)), "a column has several types; the type they reduce to"),
        _undecided(plugin_call, shared, "two columns stand at the same place; their order"),
    )


def _undecided(plugin_call: PluginCall, test: plan.Expr, what: str) -> plan.Expr:
    return plan.Call("undecided", (test, const(f"{what} is not documented", STRING)), BOOL, plugin_call.span)
