"""The arguments that the plugins for user analytics share: an id, a timeline between two ends, its windows, dimensions (R-315)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.kql import plan
from toolkit.kql.binder.compose import call, ordered, where, with_items
from toolkit.kql.binder.context import Binder, const
from toolkit.kql.binder.expressions import convert
from toolkit.kql.binder.plugins.evaluate import PluginCall
from toolkit.kql.types import ScalarType

BOOL, INT, LONG, STRING = ScalarType.BOOL, ScalarType.INT, ScalarType.LONG, ScalarType.STRING
DATETIME, TIMESPAN = ScalarType.DATETIME, ScalarType.TIMESPAN

# What is added to a value of a timeline, by the timeline's type.
_STEPS = {DATETIME: TIMESPAN, TIMESPAN: TIMESPAN, LONG: LONG, INT: LONG}
_CALENDAR = {"week": "startofweek", "month": "startofmonth", "year": "startofyear"}


@dataclass(frozen=True)
class Timeline:
    """`time`: the timeline's value, whole numbers as long. `steps`: the type of windows and look-backs."""

    column: plan.Column
    time: plan.Expr
    kind: ScalarType
    steps: ScalarType
    start: plan.Expr
    stop: plan.Expr

    def between(self, rel: plan.Rel, before: plan.Expr | None = None) -> plan.Rel:
        """The rows from the start, or from `before` it on, to the end; both ends count."""
        low = self.start if before is None else call("-", self.kind, self.start, before)
        return where(rel, call(">=", BOOL, self.time, low), call("<=", BOOL, self.time, self.stop))

    def window(self, step: plan.Expr) -> plan.Expr:
        """The beginning of the window that a row is in: windows are laid from the start on, or along the calendar."""
        if step.type is STRING:
            return call(_CALENDAR[_word(step)], DATETIME, self.time)
        return call("bin_at", self.kind, self.time, step, self.start)

    def following(self, window: plan.Column, step: plan.Expr) -> plan.Expr:
        """The beginning of the next window."""
        if step.type is STRING:
            return call(_CALENDAR[_word(step)], DATETIME, window, const(1, LONG))
        return call("+", self.kind, window, step)

    def result(self, b: Binder, rel: plan.Rel, window: plan.Column, others: Sequence[plan.Column]) -> plan.Rel:
        """The rows in the order of their windows, the window under the timeline's name and type in front."""
        shown = b.column(self.column.name, self.column.type)
        rows = ordered(with_items(rel, (shown, convert(plan.Ref(window), self.column.type))), window, *others)
        result = plan.Narrow(rows, (shown, *others))
        b.unordered.append(result)
        return result


def _word(step: plan.Expr) -> str:
    return step.value if isinstance(step, plan.Const) and isinstance(step.value, str) else ""


def timeline(b: Binder, plugin_call: PluginCall) -> Timeline | None:
    """The timeline between `Start` and `End`; None, with the reason refused, where the types do not fit, and in a run over no rows."""
    column = plugin_call.columns("TimelineColumn")[0]
    kind = LONG if column.type is INT else column.type
    steps = _STEPS.get(column.type)
    if column.type is ScalarType.UNKNOWN and b.environment.dry:
        return None
    if steps is None:
        b.refuse(f"The timeline of '{plugin_call.name}' must be a datetime, timespan, int or long, found {column.type}.", plugin_call.span)
        return None
    ends = [_typed(b, plugin_call, name, kind) for name in ("Start", "End")]
    if ends[0] is None or ends[1] is None:
        return None
    return Timeline(column, convert(plan.Ref(column), kind), kind, steps, ends[0], ends[1])


def different(b: Binder, plugin_call: PluginCall, columns: Sequence[plan.Column]) -> bool:
    """Whether the result's columns have different names; refused where they have not."""
    names = [column.name for column in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        b.refuse(
            f"Two columns of what '{plugin_call.name}' gives are called '{twice}'; what the service calls them is not known.",
            plugin_call.span,
        )
    return twice is None


def step_of(b: Binder, plugin_call: PluginCall, line: Timeline, name: str, *, calendar: bool = True) -> plan.Expr | None:
    """A window's length in the timeline's terms; "week", "month" and "year" too, where `calendar` ones are possible."""
    value = plugin_call.value(name)
    if value is not None and value.type is STRING and calendar and line.kind is DATETIME:
        if _word(value) in _CALENDAR:
            return value
        b.refuse(f"'{name}' of '{plugin_call.name}' is a length, or one of {', '.join(_CALENDAR)}.", plugin_call.span)
        return None
    return _typed(b, plugin_call, name, line.steps)


def _typed(b: Binder, plugin_call: PluginCall, name: str, kind: ScalarType) -> plan.Expr | None:
    value = plugin_call.value(name)
    if value is not None and value.type is kind:
        return value
    if value is not None and kind is LONG and value.type is INT:
        return convert(value, LONG)
    found = "nothing" if value is None else value.type
    b.refuse(f"'{name}' of '{plugin_call.name}' must be a {kind}, as its timeline is, found {found}.", plugin_call.span)
    return None
