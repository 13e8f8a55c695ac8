"""new_activity_metrics: what becomes of the ids that are first seen in a window (R-315)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.kql import plan
from toolkit.kql.binder.compose import BOOL, Common, by, call, grouped, joined, ordered, pairs, total, where, with_items
from toolkit.kql.binder.context import Binder, const
from toolkit.kql.binder.expressions import convert
from toolkit.kql.binder.plugins.activity import known, ratio
from toolkit.kql.binder.plugins.evaluate import PluginCall, plugin, refused
from toolkit.kql.binder.plugins.timeline import Timeline, different, step_of, timeline
from toolkit.kql.types import ScalarType

LONG, REAL, STRING = ScalarType.LONG, ScalarType.REAL, ScalarType.STRING

Columns = Sequence[plan.Column]

_COUNTS = ("dcount_new_values", "dcount_retained_values", "dcount_churn_values")
_RATES = ("retention_rate", "churn_rate")


@plugin("new_activity_metrics")
def _new_activity(b: Binder, plugin_call: PluginCall) -> plan.Rel:
    """One row per dimensions and pair of windows, `from` up to `to`; windows without rows are among them."""
    column = plugin_call.columns("TimelineColumn")[0]
    ends = [b.column(f"{side}_{column.name}", column.type) for side in ("from", "to")]
    made = [*(b.column(name, LONG) for name in _COUNTS), *(b.column(name, REAL) for name in _RATES)]
    shown = (*ends, *b.fresh(plugin_call.columns("Dimension")), *made)
    if not different(b, plugin_call, shown):
        return plan.Values(shown, ())
    line = timeline(b, plugin_call)
    step = None if line is None else step_of(b, plugin_call, line, "Window")
    if line is None or step is None:
        return plan.Values(shown, ())
    if step.type is STRING:
        return refused(b, plugin_call, shown, "its windows along the calendar are not supported")
    cohort = plugin_call.value("Cohort")
    if cohort is not None and cohort.type is not column.type:
        return refused(b, plugin_call, shown, f"its cohort is {cohort.type} and its timeline {column.type}")
    table = plugin_call.tables.get("lookback")
    own = plugin_call.columns("IdColumn")[0]
    earlier = None if table is None else next((other for other in table.columns if other.name == own.name), None)
    if table is not None and (earlier is None or earlier.type is not own.type):
        return refused(b, plugin_call, shown, f"its look-back has no column '{own.name}' of type {own.type}")
    known_before = None if table is None or earlier is None else (table, earlier)
    seen = _first_seen(b, plugin_call, (line, step), known_before)
    return _compared(b, (line, step), seen, cohort, shown)


@dataclass(frozen=True)
class _Seen:
    """`cells`: how many ids that are first seen in the window `first` are in `window`, by dimensions."""

    cells: Common
    dims: Columns
    window: plan.Column
    first: plan.Column
    ids: plan.Column


def _first_seen(
    b: Binder, plugin_call: PluginCall, windows: tuple[Timeline, plan.Expr], known_before: tuple[plan.Rel, plan.Column] | None
) -> _Seen:
    """Ids of the look-back are new in no window, so they do not count anywhere."""
    line, step = windows
    key, dims = plugin_call.columns("IdColumn")[0], plugin_call.columns("Dimension")
    window, first, ids = b.column("window", line.kind), b.column("first", line.kind), b.column("ids", LONG)
    source = where(line.between(plugin_call.rel), known(key))
    if known_before is not None:
        source = plan.Join("leftanti", source, known_before[0], tuple(pairs([key], [known_before[1]])), source.columns)
    single = Common(b, "ids", grouped(with_items(source, (window, line.window(step))), by([*dims, key, window])))
    rel, now = single.again()
    keys = [now[column.id] for column in (*dims, key)]
    firsts = grouped(rel, by(keys), [(first, total("min", line.kind, now[window.id]))])
    rel, then = single.again()
    both = joined("inner", rel, firsts, *pairs([then[column.id] for column in (*dims, key)], keys))
    own = [then[column.id] for column in dims]
    cells = grouped(both, by([*own, then[window.id], first]), [(ids, total("count", LONG))])
    return _Seen(Common(b, "cohorts", cells), own, then[window.id], first, ids)


def _compared(b: Binder, windows: tuple[Timeline, plan.Expr], seen: _Seen, cohort: plan.Expr | None, shown: Columns) -> plan.Rel:
    """Every pair of windows with the cohort's size, those of it that are there, and the ids that are new since."""
    line, step = windows
    start, to = b.column("from", line.kind), b.column("to", line.kind)
    new, kept, gone, retention, churn = shown[-5:]
    grid, dims = _grid(b, windows, seen, (start, to))
    rel, now = seen.cells.again()
    here = joined("leftouter", grid, rel, *pairs([*dims, to], [now[column.id] for column in (*seen.dims, seen.window)]))
    first, ids = now[seen.first.id], now[seen.ids.id]
    own = call("==", BOOL, first, start)
    is_new = call("or", BOOL, call(">", BOOL, first, start), call("and", BOOL, call("==", BOOL, start, to), own))
    counts = [(new, total("sumif", LONG, ids, is_new)), (kept, total("sumif", LONG, ids, own))]
    compared = grouped(here, by([*dims, start, to]), counts)
    rel, now = seen.cells.again()
    size, cohort_size = b.column("size", LONG), b.column("cohort", LONG)
    places = [now[column.id] for column in (*seen.dims, seen.first)]
    begun = where(rel, call("==", BOOL, now[seen.window.id], now[seen.first.id]))
    sizes = grouped(begun, by(places), [(size, total("sum", LONG, now[seen.ids.id]))])
    result = joined("leftouter", compared, sizes, *pairs([*dims, start], places))
    result = with_items(result, (cohort_size, call("coalesce", LONG, size, const(0, LONG))))
    result = with_items(result, (gone, call("-", LONG, cohort_size, kept)))
    result = with_items(result, (retention, ratio(kept, cohort_size)), (churn, ratio(gone, cohort_size)))
    if cohort is not None:
        wanted = call("bin_at", line.kind, convert(cohort, line.kind), step, line.start)
        result = where(result, call("==", BOOL, start, wanted))
    ends = [(column, convert(plan.Ref(end), column.type)) for column, end in zip(shown, (start, to), strict=False)]
    result = with_items(ordered(result, start, to, *dims), *ends)
    named = [plan.Column(column.id, other.name, column.type) for column, other in zip(dims, shown[2:-5], strict=True)]
    found = plan.Narrow(result, (*shown[:2], *named, *shown[-5:]))
    b.unordered.append(found)
    return found


def _grid(b: Binder, windows: tuple[Timeline, plan.Expr], seen: _Seen, ends: tuple[plan.Column, plan.Column]) -> tuple[plan.Rel, Columns]:
    """Every pair of windows, the first not after the second, for all dimensions that there are."""
    line, step = windows
    rel, now = seen.cells.again()
    dims = [now[column.id] for column in seen.dims]
    # a constant key: no rows give no groups
    grid = grouped(rel, [*by(dims), (b.column("", LONG), const(1, LONG))])
    for end in ends:
        grid = joined("inner", grid, plan.RangeRows(end, line.start, line.stop, step))
    return where(grid, call("<=", BOOL, *ends)), dims
