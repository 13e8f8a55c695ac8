"""User analytics over one timeline: counts, new ids, retention, engagement, sessions (R-315).

The service estimates distinct counts; here they are exact. A window without rows gives no row, as the documentation prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from toolkit.kql import plan
from toolkit.kql.binder.compose import Common, all_of, by, call, grouped, joined, ordered, pairs, same, total, where, with_items
from toolkit.kql.binder.context import Binder, const, null_of
from toolkit.kql.binder.folding import fold
from toolkit.kql.binder.plugins.evaluate import PluginCall, plugin, refused
from toolkit.kql.binder.plugins.timeline import Timeline, different, step_of, timeline
from toolkit.kql.types import ScalarType

BOOL, LONG, REAL = ScalarType.BOOL, ScalarType.LONG, ScalarType.REAL

Columns = Sequence[plan.Column]
# The rows, the column of their window, and those of the dimensions; the result's own columns are given.
Rows = tuple[plan.Rel, plan.Column, Columns]
Metrics = Callable[[Binder, PluginCall, Timeline, plan.Expr, Columns], Rows | None]


def _metrics(name: str, step: str, columns: Mapping[str, ScalarType], *, calendar: bool = False) -> Callable[[Metrics], Metrics]:
    """Decorator: a plugin that gives one row per window (of the length `step`) and dimensions."""

    def register(build: Metrics) -> Metrics:
        @plugin(name)
        def bind(b: Binder, plugin_call: PluginCall) -> plan.Rel:
            made = tuple(b.column(column, kind) for column, kind in columns.items())
            shown = (*b.fresh(plugin_call.columns("TimelineColumn", "Dimension")), *made)
            if plugin_call.value("Start") is None or plugin_call.value("End") is None or plugin_call.value(step) is None:
                return refused(b, plugin_call, shown, "without Start and End, where its windows begin is not documented")
            if not different(b, plugin_call, shown):
                return plan.Values(shown, ())
            line = timeline(b, plugin_call)
            length = None if line is None else step_of(b, plugin_call, line, step, calendar=calendar)
            found = None if line is None or length is None else build(b, plugin_call, line, length, made)
            if line is None or found is None:
                return plan.Values(shown, ())
            rel, window, dimensions = found
            return line.result(b, rel, window, (*dimensions, *made))

        return build

    return register


def known(column: plan.Column) -> plan.Expr:
    """Distinct counts ignore nulls (R-247)."""
    return call("isnotnull", BOOL, column)


def _id(plugin_call: PluginCall) -> plan.Column:
    return plugin_call.columns("IdColumn")[0]


def runs(b: Binder, rel: plan.Rel, keys: Columns, *order: plan.Column) -> tuple[plan.Rel, plan.Expr]:
    """The rows in order within each combination of keys, and whether a row's keys differ from those of the row before."""
    rel = ordered(rel, *keys, *order)
    before = [b.column("", key.type) for key in keys]
    rel = plan.Window(rel, tuple((column, previous(key)) for column, key in zip(before, keys, strict=True)))
    alike = [same(key, column) for key, column in zip(keys, before, strict=True)]
    return rel, call("not", BOOL, all_of(*alike)) if alike else const(False, BOOL)


def previous(column: plan.Column, distance: int = 1) -> plan.Call:
    return call("prev", column.type, column, const(distance, LONG), null_of(column.type))


@_metrics("activity_counts_metrics", "Step", dict.fromkeys(("count", "dcount", "new_dcount", "aggregated_dcount"), LONG), calendar=True)
def _counts(b: Binder, plugin_call: PluginCall, line: Timeline, step: plan.Expr, made: Columns) -> Rows:
    """An id is new in the first window that it is in; the last column adds those up."""
    dims, key, window, rows = plugin_call.columns("Dimension"), _id(plugin_call), b.column("window", line.kind), b.column("rows", LONG)
    source = with_items(line.between(plugin_call.rel), (window, line.window(step)))
    windows = Common(b, "windows", grouped(source, by([*dims, key, window]), [(rows, total("count", LONG))]))
    rel, now = windows.again()
    first, ids = b.column("first", line.kind), [now[column.id] for column in (*dims, key)]
    firsts = grouped(rel, by(ids), [(first, total("min", line.kind, now[window.id]))])
    rel, now = windows.again()
    both = joined("inner", rel, firsts, *pairs([now[column.id] for column in (*dims, key)], ids))
    counts = [
        (made[0], total("sum", LONG, now[rows.id])),
        (made[1], total("dcount", LONG, now[key.id])),
        (made[2], total("dcountif", LONG, now[key.id], call("==", BOOL, first, now[window.id]))),
    ]
    places = [now[column.id] for column in (*dims, window)]
    lined, begins = runs(b, grouped(both, by(places), counts), places[:-1], places[-1])
    restart = b.column("restart", BOOL)
    summed = plan.Window(with_items(lined, (restart, begins)), ((made[3], call("row_cumsum", LONG, made[2], restart)),))
    return summed, places[-1], places[:-1]


def _spread(b: Binder, plugin_call: PluginCall, line: Timeline, step: plan.Expr, lookback: plan.Expr) -> tuple[plan.Rel, Columns]:
    """Every row in each window that looks back on it: the window's beginning, the distance from the row's own, its weight."""
    own, target = b.column("own", line.kind), b.column("window", line.kind)
    distance, rows = b.column("distance", line.steps), b.column("rows", LONG)
    source = with_items(line.between(plugin_call.rel, lookback), (own, line.window(step)))
    single = grouped(source, by([*plugin_call.columns("Dimension"), _id(plugin_call), own]), [(rows, total("count", LONG))])
    farthest = fold(call("-", line.steps, lookback, step))
    zero = const(0, line.steps)
    # a look-back that is no multiple of the step is rounded down to one
    reach: plan.Expr = call("iff", line.steps, call(">", BOOL, farthest, zero), farthest, zero)
    if isinstance(farthest, plan.Const) and isinstance(farthest.value, int):
        reach = const(max(farthest.value, 0), line.steps)
    rel = with_items(joined("inner", single, plan.RangeRows(distance, zero, reach, step)), (target, call("+", line.kind, own, distance)))
    return where(rel, call(">=", BOOL, target, line.start), call("<=", BOOL, target, line.stop)), (target, distance, rows)


@_metrics("sliding_window_counts", "Step", {"Count": LONG, "Dcount": LONG})
def _sliding(b: Binder, plugin_call: PluginCall, line: Timeline, step: plan.Expr, made: Columns) -> Rows | None:
    lookback = step_of(b, plugin_call, line, "LookBackWindow", calendar=False)
    if lookback is None:
        return None
    rel, (window, _, rows) = _spread(b, plugin_call, line, step, lookback)
    dims = plugin_call.columns("Dimension")
    counts = [(made[0], total("sum", LONG, rows)), (made[1], total("dcount", LONG, _id(plugin_call)))]
    return grouped(rel, by([*dims, window]), counts), window, dims


@_metrics(
    "activity_engagement",
    "InnerActivityWindow",
    {"dcount_activities_inner": LONG, "dcount_activities_outer": LONG, "activity_ratio": REAL},
)
def _engagement(b: Binder, plugin_call: PluginCall, line: Timeline, step: plan.Expr, made: Columns) -> Rows | None:
    """The outer window ends where the inner one does."""
    outer = step_of(b, plugin_call, line, "OuterActivityWindow", calendar=False)
    if outer is None:
        return None
    rel, (window, distance, _) = _spread(b, plugin_call, line, step, outer)
    dims, key = plugin_call.columns("Dimension"), _id(plugin_call)
    inside = call("==", BOOL, distance, const(0, line.steps))
    counts = [(made[0], total("dcountif", LONG, key, inside)), (made[1], total("dcount", LONG, key))]
    return with_items(grouped(rel, by([*dims, window]), counts), (made[2], ratio(made[0], made[1]))), window, dims


def ratio(part: plan.Column, whole: plan.Column) -> plan.Expr:
    """part / whole as a real; 0/0 is NaN."""
    return call("/", REAL, call("todouble", REAL, part), call("todouble", REAL, whole))


@_metrics(
    "activity_metrics",
    "Step",
    {"dcount_values": LONG, "dcount_newvalues": LONG, "retention_rate": REAL, "churn_rate": REAL},
    calendar=True,
)
def _activity(b: Binder, plugin_call: PluginCall, line: Timeline, step: plan.Expr, made: Columns) -> Rows:
    """Each id counts in its window, and as one of before in the window that follows; the first window's rates are 0/0."""
    dims, key, own = plugin_call.columns("Dimension"), _id(plugin_call), b.column("own", line.kind)
    window, late = b.column("window", line.kind), b.column("late", BOOL)
    here, before = b.column("here", LONG), b.column("before", LONG)
    source = with_items(where(line.between(plugin_call.rel), known(key)), (own, line.window(step)))
    twice = plan.Values((late,), tuple((const(value, BOOL),) for value in (False, True)))
    both = joined("inner", grouped(source, by([*dims, key, own])), twice)
    both = with_items(both, (window, call("iff", line.kind, late, line.following(own, step), plan.Ref(own))))
    flags = [(here, total("countif", LONG, call("not", BOOL, late))), (before, total("countif", LONG, late))]
    ids = grouped(both, by([*dims, key, window]), flags)
    kept, gone, earlier = (b.column(name, LONG) for name in ("kept", "gone", "earlier"))
    sums = [
        (made[0], total("sum", LONG, here)),
        (kept, total("sum", LONG, call("*", LONG, here, before))),
        (earlier, total("sum", LONG, before)),
    ]
    rel = where(grouped(ids, by([*dims, window]), sums), call(">", BOOL, made[0], const(0, LONG)))
    rel = with_items(rel, (made[1], call("-", LONG, made[0], kept)), (gone, call("-", LONG, earlier, kept)))
    return with_items(rel, (made[2], ratio(kept, earlier)), (made[3], ratio(gone, earlier))), window, dims


@_metrics("active_users_count", "Step", {"dcount": LONG}, calendar=True)
def _active_users(b: Binder, plugin_call: PluginCall, line: Timeline, step: plan.Expr, made: Columns) -> Rows | None:
    """An appearance counts when `ActivePeriods` different periods up to it, within the look-back, have one."""
    lookback = step_of(b, plugin_call, line, "LookbackWindow", calendar=False)
    length = step_of(b, plugin_call, line, "Period", calendar=False)
    wanted = plugin_call.value("ActivePeriods")
    number = wanted.value if isinstance(wanted, plan.Const) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        b.refuse("'ActivePeriods' of 'active_users_count' must be a constant whole number from 1 on.", plugin_call.span)
        return None
    if lookback is None or length is None:
        return None
    time, period, window = (b.column(name, line.kind) for name in ("time", "period", "window"))
    source = with_items(
        where(line.between(plugin_call.rel, lookback), known(_id(plugin_call))),
        (time, line.time),
        (period, call("bin_at", line.kind, line.time, length, line.start)),
        (window, line.window(step)),
    )
    dims, key = plugin_call.columns("Dimension"), _id(plugin_call)
    rows = Common(b, "appearances", grouped(source, by([*dims, key, time, period, window])))
    rel, now = rows.again()
    keys = [now[column.id] for column in (*dims, key)]
    periods, reach = _periods(b, rel, keys, (now[period.id], now[time.id]), number)
    rel, then = rows.again()
    both = joined("inner", rel, periods, *pairs([then[column.id] for column in (*dims, key, period)], [*keys, now[period.id]]))
    recent = call(">", BOOL, reach, call("-", line.kind, then[time.id], lookback))
    seen = where(both, call(">=", BOOL, then[time.id], line.start), *([recent] if number > 1 else []))
    own = [then[column.id] for column in dims]
    return grouped(seen, by([*own, then[window.id]]), [(made[0], total("dcount", LONG, then[key.id]))]), then[window.id], own


def _periods(b: Binder, rel: plan.Rel, keys: Columns, places: tuple[plan.Column, plan.Column], number: int) -> tuple[plan.Rel, plan.Column]:
    """The periods of each id, and the last appearance in the period `number` - 1 before; null where there are not so many."""
    period, time = places
    latest, reach, far = (b.column(name, time.type) for name in ("latest", "reach", "far"))
    rel = ordered(grouped(rel, by([*keys, period]), [(latest, total("max", time.type, time))]), *keys, period)
    before = [b.column("", key.type) for key in keys]
    items = [(column, previous(key, number - 1)) for column, key in zip(before, keys, strict=True)]
    rel = plan.Window(rel, (*items, (far, previous(latest, number - 1))))
    alike = all_of(*(same(key, column) for key, column in zip(keys, before, strict=True)))
    return with_items(rel, (reach, call("iff", time.type, alike, far, null_of(time.type)))), reach


@_metrics("session_count", "Bin", {"count_sessions": LONG})
def _sessions(b: Binder, plugin_call: PluginCall, line: Timeline, step: plan.Expr, made: Columns) -> Rows | None:
    """A row begins a session when its id was not seen within the look-back. Bins are aligned to zero, as in the documentation's chart."""
    lookback = step_of(b, plugin_call, line, "LookBackWindow", calendar=False)
    if lookback is None:
        return None
    dims, key = plugin_call.columns("Dimension"), _id(plugin_call)
    time, before, window = (b.column(name, line.kind) for name in ("time", "before", "window"))
    source = with_items(where(line.between(plugin_call.rel, lookback), known(key)), (time, line.time))
    rel, begins = runs(b, source, [*dims, key], time)
    rel = plan.Window(rel, ((before, previous(time)),))
    gap = call(">", BOOL, call("-", line.steps, time, before), lookback)
    fresh = call("or", BOOL, call("or", BOOL, begins, call("isnull", BOOL, before)), gap)
    rel = with_items(where(rel, fresh, call(">=", BOOL, time, line.start)), (window, call("bin", line.kind, time, step)))
    return grouped(rel, by([*dims, window]), [(made[0], total("count", LONG))]), window, dims
