"""sequence_detect and the funnel plugins: steps that follow one another in time (R-315, R-317)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from toolkit.kql import plan, syntax
from toolkit.kql.binder.compose import BOOL, Common, by, call, grouped, joined, ordered, pairs, total, where, with_items
from toolkit.kql.binder.context import Binder, const
from toolkit.kql.binder.expressions import convert
from toolkit.kql.binder.plugins.activity import known
from toolkit.kql.binder.plugins.evaluate import REASONS, PluginCall, plugin, refused
from toolkit.kql.binder.plugins.timeline import Timeline, different, step_of, timeline
from toolkit.kql.times import parse_timespan
from toolkit.kql.types import ScalarType

LONG, STRING, DYNAMIC = ScalarType.LONG, ScalarType.STRING, ScalarType.DYNAMIC
DATETIME, TIMESPAN = ScalarType.DATETIME, ScalarType.TIMESPAN

Columns = Sequence[plan.Column]

_SAME_TIME = "two steps of a sequence are at the same time; whether they are one is not documented"


@plugin("sequence_detect")
def _sequence(b: Binder, plugin_call: PluginCall) -> plan.Rel:
    """Every choice of one time per step, each at most the step's window after the one before, all within the span."""
    time, dims = plugin_call.columns("TimelineColumn")[0], plugin_call.columns("Dimension")
    tests, written = plugin_call.values["Expr"], plugin_call.operator.call.arguments[3:]
    found = [b.column(f"{_name(node)}_{time.name}", time.type) for node, _ in zip(written, tests, strict=False)]
    duration = b.column("Duration", TIMESPAN)
    shown = (*b.fresh(dims), *found, duration)
    window, span = plugin_call.value("MaxSeqeunceStepWindow"), plugin_call.value("MaxSequenceSpan")
    if window is None or span is None or time.type not in (DATETIME, TIMESPAN) or {window.type, span.type} != {TIMESPAN}:
        return refused(b, plugin_call, shown, "its timeline must be a datetime and its windows timespans")
    if not different(b, plugin_call, shown):
        return plan.Values(shown, ())
    flags = [b.column("step", BOOL) for _ in tests]
    source = Common(b, "events", with_items(plugin_call.rel, *zip(flags, tests, strict=True)))
    rel, own = _step(source, plugin_call, flags[0], found[0])
    for place in range(1, len(found)):
        step, keys = _step(source, plugin_call, flags[place], found[place])
        rel = _followed(b, plugin_call, (rel, step), (own, keys), found[: place + 1])
    rel = with_items(rel, (duration, call("-", TIMESPAN, found[-1], found[0])))
    named = [plan.Column(column.id, other.name, column.type) for column, other in zip(own, shown, strict=False)]
    result = plan.Narrow(ordered(rel, *found, *own), (*named, *found, duration))
    b.unordered.append(result)
    return result


def _name(node: syntax.Node) -> str:
    if isinstance(node, syntax.Named) and node.names:
        return node.names[0].text
    if isinstance(node, syntax.NamedArgument):
        return node.name.text
    return node.name if isinstance(node, syntax.NameRef) else ""


def _step(source: Common, plugin_call: PluginCall, flag: plan.Column, column: plan.Column) -> tuple[plan.Rel, Columns]:
    """The different times of one step, by dimensions."""
    rel, now = source.again()
    dims = [now[dimension.id] for dimension in plugin_call.columns("Dimension")]
    time = now[plugin_call.columns("TimelineColumn")[0].id]
    rows = where(rel, plan.Ref(now[flag.id]), known(time))
    return grouped(rows, [*by(dims), (column, plan.Ref(time))]), dims


def _followed(
    b: Binder, plugin_call: PluginCall, sides: tuple[plan.Rel, plan.Rel], keys: tuple[Columns, Columns], found: Columns
) -> plan.Rel:
    """The sequences so far with each time of the next step. Both are cut into pieces as long as the window, to compare neighbours only."""
    window, span = plugin_call.value("MaxSeqeunceStepWindow"), plugin_call.value("MaxSequenceSpan")
    assert window is not None
    assert span is not None
    last, time, kind = found[-2], found[-1], found[-1].type
    later, mine, theirs = b.column("later", TIMESPAN), b.column("piece", kind), b.column("piece", kind)
    both = plan.Values((later,), ((const(0, TIMESPAN),), (window,)))
    left = joined("inner", sides[0], both)
    left = with_items(left, (mine, call("+", kind, call("bin", kind, last, window), later)))
    right = with_items(sides[1], (theirs, call("bin", kind, time, window)))
    rel = joined("inner", left, right, *pairs([*keys[0], mine], [*keys[1], theirs]))
    within = [
        call("<=", BOOL, call("-", TIMESPAN, time, last), window),
        call("<=", BOOL, call("-", TIMESPAN, time, found[0]), span),
    ]
    undecided = plan.Call("undecided", (call("==", BOOL, time, last), const(_SAME_TIME, STRING)), BOOL, plugin_call.span)
    kept = where(rel, call(">=", BOOL, time, last), *within, undecided)
    return plan.Narrow(kept, (*sides[0].columns, time))


# --- funnels --------------------------------------------------------------------------------------------------------


@plugin("funnel_sequence")
def _funnel(b: Binder, plugin_call: PluginCall) -> plan.Rel:
    state = plugin_call.columns("StateColumn")
    around = [b.column(name, column.type) for name in ("prev", "next") for column in state]
    made = [b.column("dcount", LONG), b.column("samples", DYNAMIC)]
    return refused(b, plugin_call, [*b.fresh(plugin_call.columns("TimelineColumn")), *around, *made], REASONS[plugin_call.name])


@plugin("funnel_sequence_completion")
def _completion(b: Binder, plugin_call: PluginCall) -> plan.Rel:
    """For each window, step and period the ids that got from the first step to this one in that time; other events may lie between."""
    time, state = plugin_call.columns("TimelineColumn")[0], plugin_call.columns("StateColumn")[0]
    shown = (b.column(time.name, time.type), b.column(state.name, STRING), b.column("Period", TIMESPAN), b.column("dcount", LONG))
    if not different(b, plugin_call, shown):
        return plan.Values(shown, ())
    states, periods = _states(plugin_call.value("Sequence")), _periods(plugin_call.value("MaxSequencePeriods"))
    if not states or not periods or time.type not in (DATETIME, TIMESPAN):
        reason = "it needs a constant array of different states, one of timespans, and a timeline that is a datetime"
        return refused(b, plugin_call, shown, reason)
    line = timeline(b, plugin_call)
    size = None if line is None else step_of(b, plugin_call, line, "BinSize", calendar=False)
    if line is None or size is None:
        return plan.Values(shown, ())
    return _completed(b, plugin_call, (line, size), (states, periods), shown)


def _states(value: plan.Expr | None) -> list[str]:
    """The texts of the sequence's states; none where they are no constants, or one is there twice."""
    found = json.loads(value.value) if isinstance(value, plan.Const) and isinstance(value.value, str) else None
    if not isinstance(found, list) or not all(isinstance(item, (str, int)) and not isinstance(item, bool) for item in found):
        return []
    texts = [str(item) for item in found]
    return texts if len(set(texts)) == len(texts) else []


def _periods(value: plan.Expr | None) -> list[int]:
    """The ticks of an array of timespans; none where one is something else."""
    found = json.loads(value.value) if isinstance(value, plan.Const) and isinstance(value.value, str) else None
    ticks = [parse_timespan(item) if isinstance(item, str) else item for item in found] if isinstance(found, list) else []
    return [item for item in ticks if isinstance(item, int)] if all(isinstance(item, int) for item in ticks) else []


def _completed(
    b: Binder, plugin_call: PluginCall, windows: tuple[Timeline, plan.Expr], wanted: tuple[list[str], list[int]], shown: Columns
) -> plan.Rel:
    line, size = windows
    states, periods = wanted
    key, state = plugin_call.columns("IdColumn")[0], plugin_call.columns("StateColumn")[0]
    names, numbers = b.column("state", STRING), b.column("number", LONG)
    window, fastest = b.column("window", line.kind), b.column("fastest", DYNAMIC)
    source = where(line.between(plugin_call.rel), known(key))
    source = with_items(source, (window, line.window(size)), (text := b.column("text", STRING), convert(plan.Ref(state), STRING)))
    rows = tuple((const(name, STRING), const(place, LONG)) for place, name in enumerate(states))
    events = joined("inner", source, plan.Values((names, numbers), rows), (plan.Ref(text), plan.Ref(names)))
    time = b.column("time", line.kind)
    chains = total("fastest_steps", DYNAMIC, time, numbers, const(len(states), LONG))
    ids = grouped(with_items(events, (time, line.time)), by([window, key]), [(fastest, chains)])
    number, ticks = b.column("number", LONG), b.column("ticks", LONG)
    one = plan.Expand(ids, (plan.ExpandItem(ticks, plan.Ref(fastest)),), number, None, False, (*ids.columns, number, ticks))
    longest = plan.Values((shown[2],), tuple((const(period, TIMESPAN),) for period in periods))
    within = where(joined("inner", one, longest), call("<=", BOOL, ticks, call("tolong", LONG, shown[2])))
    counted = grouped(within, by([window, shown[2], number]), [(shown[3], total("count", LONG))])
    array = const(json.dumps(states, ensure_ascii=False, separators=(",", ":")), DYNAMIC)
    name = call("tostring", STRING, plan.DynamicPath(array, (plan.Ref(number),)))
    result = ordered(with_items(counted, (shown[1], name), (shown[0], plan.Ref(window))), window, shown[2], number)
    found = plan.Narrow(result, tuple(shown))
    b.unordered.append(found)
    return found
