"""make-series (R-267), written out in what the plan has: bins, a grid of all bins of each series, and ordered lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import AggregateCollector, Binder, Scope
from toolkit.kql.binder.expressions import bind_scalar, convert
from toolkit.kql.binder.names import Namer, carried_name
from toolkit.kql.binder.operators.items import bind_items, duplicate
from toolkit.kql.binder.operators.summarize import key_name
from toolkit.kql.binder.overloads import is_constant
from toolkit.kql.binder.pipeline import handles, parameter, word
from toolkit.kql.source import Span
from toolkit.kql.types import NUMBERS, ScalarType

BOOL, LONG, DYNAMIC, UNKNOWN = ScalarType.BOOL, ScalarType.LONG, ScalarType.DYNAMIC, ScalarType.UNKNOWN
_AXES = {
    ScalarType.DATETIME: ScalarType.TIMESPAN,
    ScalarType.TIMESPAN: ScalarType.TIMESPAN,
    ScalarType.LONG: LONG,
    ScalarType.INT: LONG,
    ScalarType.REAL: ScalarType.REAL,
    ScalarType.DECIMAL: ScalarType.DECIMAL,
}
_FRACTIONS, _LARGEST = 1024, 2**31
_MOST_VALUES = 2**20
_SEVERAL_COLUMNS = frozenset({"arg_max", "arg_min", "argmax", "argmin", "percentiles", "percentilesw"})


@dataclass
class _Axis:
    """The axis: its value over the rows, the bin of a row, and the bounds; a bound that is not given is that of the data."""

    name: str
    value: plan.Expr
    bin: plan.Expr
    step: plan.Expr
    start: plan.Expr | None
    stop: plan.Expr | None
    inclusive: bool
    span: Span


@dataclass
class _Series:
    """The values of the series: what each is called, its value in a bin that has rows, and in one that has none."""

    names: list[str] = field(default_factory=list)
    values: list[plan.Expr] = field(default_factory=list)
    defaults: list[plan.Expr] = field(default_factory=list)
    calls: list[tuple[plan.Column, plan.AggregateCall]] = field(default_factory=list)


Keys = list[tuple[plan.Column, plan.Expr]]


@handles(syntax.MakeSeries)
def _make_series(b: Binder, operator: syntax.MakeSeries, rel: plan.Rel, scope: Scope) -> plan.Rel:
    rows = scope.with_rows(rel.columns)
    explicit = [name.text for item in operator.aggregates if isinstance(item.value, syntax.Named) for name in item.value.names]
    namer = Namer(explicit=frozenset(explicit), skip=frozenset(column.name for column in rel.columns))
    keys = _keys(b, operator, rows, namer)
    series = _Series()
    for item in operator.aggregates:
        _aggregate(b, item, rows, scope, namer, series)
    axis = _axis(b, operator, rows, scope)
    names = [*(column.name for column, _ in keys), *(explicit or ()), axis.name]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        duplicate(b, twice, operator.axis if twice == axis.name else operator)
    if UNKNOWN in (axis.value.type, axis.step.type) or any(_is_unknown(bound) for bound in (axis.start, axis.stop)):
        kinds = [(column.name, column.type) for column, _ in keys]
        columns = tuple(b.column(name, kind) for name, kind in [*kinds, *((name, DYNAMIC) for name in (*series.names, axis.name))])
        return plan.Narrow(
            plan.Unsupported("operator 'make-series'", "its axis has no known type", (rel,), columns, operator.span), columns
        )
    return _written_out(b, operator, rel, keys, series, axis)


def _is_unknown(expr: plan.Expr | None) -> bool:
    return expr is not None and expr.type is UNKNOWN


def _keys(b: Binder, operator: syntax.MakeSeries, rows: Scope, namer: Namer) -> Keys:
    keys: Keys = []
    for item in bind_items(b, operator.by or (), rows):
        if item.value.type is DYNAMIC:
            b.refuse("A dynamic value cannot tell series apart; tostring(...) makes a value that can.", item.node.span)
        keys.append((b.column(key_name(item, rows, namer), item.value.type), item.value))
    return keys


def _aggregate(b: Binder, item: syntax.SeriesAggregate, rows: Scope, scope: Scope, namer: Namer, series: _Series) -> None:
    named = item.value if isinstance(item.value, syntax.Named) else None
    value = named.value if named is not None else item.value
    if isinstance(value, syntax.Call) and value.name.text in _SEVERAL_COLUMNS:
        b.refuse(f"'{value.name.text}' yields several values, make-series takes aggregates that yield one number.", value.span)
    collector = AggregateCollector(rows)
    outer, b.collector = b.collector, collector
    try:
        bound = bind_scalar(b, value, scope.without_rows())
    finally:
        b.collector = outer
    carried = carried_name(value, rows) if isinstance(value, syntax.Call) else None
    explicit = named.names[0].text if named is not None and named.names else None
    if bound.type not in (*NUMBERS, ScalarType.TIMESPAN, ScalarType.DATETIME, BOOL, UNKNOWN):
        b.refuse(f"make-series takes aggregates that yield a number, found {bound.type} (R-267).", item.span)
    series.names.append(namer.claim(explicit) if explicit else namer.derive(carried) if carried else namer.position())
    series.values.append(bound)
    series.defaults.append(_default(b, item, bound.type, scope))
    series.calls += collector.calls


def _default(b: Binder, item: syntax.SeriesAggregate, kind: ScalarType, scope: Scope) -> plan.Expr:
    """0 unless said otherwise, in the type of the aggregate where both are numbers."""
    if item.default is None:
        return convert(plan.Const(0, LONG, item.span), kind) if kind in NUMBERS else plan.Const(0, LONG, item.span)
    found = bind_scalar(b, item.default, scope.without_rows())
    if not is_constant(found):
        b.report("constant-expected", "The default must be a constant.", item.default.span, alias="KS129")
    both = found.type in NUMBERS and kind in NUMBERS
    null = isinstance(found, plan.Const) and found.value is None
    return convert(found, kind) if null or (both and kind is not LONG) else found


def _axis(b: Binder, operator: syntax.MakeSeries, rows: Scope, scope: Scope) -> _Axis:
    node = operator.axis.value if isinstance(operator.axis, syntax.Named) else operator.axis
    value = bind_scalar(b, node, rows)
    named = operator.axis.names[0].text if isinstance(operator.axis, syntax.Named) and operator.axis.names else None
    inclusive = operator.in_range is not None
    written = (
        (*operator.in_range, None, None, None)[:3] if operator.in_range is not None else (operator.start, operator.stop, operator.step)
    )
    start, stop = (None if part is None else _bound(b, part, value.type, scope) for part in written[:2])
    kind = _AXES.get(value.type)
    step = bind_scalar(b, written[2], scope.without_rows()) if written[2] is not None else plan.Const(None, UNKNOWN, operator.span)
    if UNKNOWN not in (value.type, step.type) and (kind is None or (step.type is not kind and not {step.type, kind} <= NUMBERS)):
        message = f"The type '{step.type}' is not an appropriate interval type for '{value.type}'."
        b.report("step-type", message, (written[2] or operator).span, alias="KS178")
        step = plan.Const(None, UNKNOWN, operator.span)
    inexact = value.type is ScalarType.REAL and not all(map(_exact, (step, *(part for part in (start, stop) if part is not None))))
    if inexact or value.type is ScalarType.DECIMAL or (kind is LONG and step.type not in (LONG, ScalarType.INT, UNKNOWN)):
        message = "make-series over fractions needs constants that are whole multiples of 1/1024: others make bins that depend on rounding."
        b.refuse(message, node.span)
    if value.type is ScalarType.INT:
        value = convert(value, LONG)
    step = convert(step, kind) if kind is not None and step.type is not UNKNOWN else step
    aligned = not inclusive and start is not None
    parts = (value, step, start) if aligned and start is not None else (value, step)
    bin_ = plan.Call("bin_at" if aligned else "bin", parts, value.type, node.span)
    if inclusive and start is not None:
        start = plan.Call("bin", (start, step), start.type, node.span)
    name = named or carried_name(node, rows) or "Column1"
    return _Axis(name, value, bin_, step, start, stop, inclusive, node.span)


def _exact(bound: plan.Expr) -> bool:
    """Whether sums and multiples of a constant are exact: then it does not matter how the service computes its bins."""
    if not isinstance(bound, plan.Const) or bound.value is None:
        return bound.type is UNKNOWN
    return abs(float(str(bound.value))) < _LARGEST and (float(str(bound.value)) * _FRACTIONS).is_integer()


def _bound(b: Binder, node: syntax.Node, kind: ScalarType, scope: Scope) -> plan.Expr:
    found = bind_scalar(b, node, scope.without_rows())
    if UNKNOWN in (found.type, kind) or found.type is kind:
        return convert(found, LONG) if kind is ScalarType.INT else found
    if {found.type, kind} <= NUMBERS:
        return convert(found, LONG if kind is ScalarType.INT else kind)
    b.report("bound-type", f"Expected a {kind}, found {found.type}.", node.span, alias="KS141")
    return plan.Const(None, UNKNOWN, node.span)


# --- written out ----------------------------------------------------------------------------------------------------


def _compare(operator: str, left: plan.Expr, right: plan.Expr) -> plan.Expr:
    return plan.Call(operator, (left, right), BOOL)


def _all(tests: list[plan.Expr]) -> plan.Expr:
    found = tests[0]
    for test in tests[1:]:
        found = plan.Call("and", (found, test), BOOL)
    return found


def _in_bounds(axis: _Axis) -> list[plan.Expr]:
    """Which rows count: those with a bin between the bounds."""
    value = axis.bin if axis.inclusive else axis.value
    tests: list[plan.Expr] = [plan.Call("isnotnull", (axis.value,), BOOL)]
    tests += [_compare(">=", value, axis.start)] if axis.start is not None else []
    tests += [_compare("<=" if axis.inclusive else "<", value, axis.stop)] if axis.stop is not None else []
    return tests


def _written_out(b: Binder, operator: syntax.MakeSeries, rel: plan.Rel, keys: Keys, series: _Series, axis: _Axis) -> plan.Rel:
    """One row per series and bin that has rows, joined to all bins of the series, gathered in lists."""
    bin_column, present = b.column("bin", axis.bin.type), b.column("present", LONG)
    calls = (*series.calls, (present, plan.AggregateCall("count", (), LONG, operator.span)))
    by = (*keys, (bin_column, axis.bin))
    groups = plan.Aggregate(plan.Filter(rel, _all(_in_bounds(axis))), by, calls, (), tuple(column for column, _ in (*by, *calls)))
    values = tuple((b.column(name, value.type), value) for name, value in zip(series.names, series.values, strict=True))
    columns = (*(column for column, _ in keys), bin_column, present, *(column for column, _ in values))
    shared = plan.Shared("series", plan.Extend(groups, values, columns))
    grid, grid_keys, grid_bin = _grid(b, shared, len(keys), axis)
    right = plan.Reuse(shared, b.fresh(columns))
    count = len(keys)
    on = tuple((plan.Ref(left), plan.Ref(other)) for left, other in zip((*grid_keys, grid_bin), right.columns[: count + 1], strict=True))
    joined = plan.Join("leftouter", grid, right, on, (*grid_keys, grid_bin, *right.columns))
    return _gathered(b, operator, joined, [column for column, _ in keys], series, axis.name)


def _grid(b: Binder, shared: plan.Shared, count: int, axis: _Axis) -> tuple[plan.Rel, tuple[plan.Column, ...], plan.Column]:
    """Every bin of every series; between the first and last bin that has rows where no bound is given (R-267)."""
    kind = axis.bin.type
    bin_column = b.column("bin", kind)
    low = axis.start or _extreme_of_all(b, shared, count, "min")
    high = axis.stop or _extreme_of_all(b, shared, count, "max")
    bins: plan.Rel = plan.RangeRows(bin_column, low, high, axis.step, axis.span, _MOST_VALUES)
    if axis.stop is not None and not axis.inclusive:
        bins = plan.Filter(bins, _compare("<", plan.Ref(bin_column), axis.stop))
    if not count:
        return bins, (), bin_column
    source = plan.Reuse(shared, b.fresh(shared.rel.columns))
    keys = tuple((b.column(column.name, column.type), plan.Ref(column)) for column in source.columns[:count])
    ends = [
        (b.column("", kind), plan.AggregateCall(name, (plan.Ref(source.columns[count]),), kind))
        for name, bound in (("min", axis.start), ("max", axis.stop))
        if bound is None
    ]
    key_columns = tuple(column for column, _ in keys)
    each = plan.Aggregate(source, keys, tuple(ends), (), (*key_columns, *(column for column, _ in ends)))
    grid: plan.Rel = plan.Join("inner", each, bins, (), (*each.columns, bin_column))
    tests = [_compare(">=" if call.name == "min" else "<=", plan.Ref(bin_column), plan.Ref(column)) for column, call in ends]
    return (plan.Filter(grid, _all(tests)) if tests else grid), key_columns, bin_column


def _extreme_of_all(b: Binder, shared: plan.Shared, count: int, name: str) -> plan.Expr:
    source = plan.Reuse(shared, b.fresh(shared.rel.columns))
    bins = source.columns[count]
    column = b.column("", bins.type)
    call = plan.AggregateCall(name, (plan.Ref(bins),), bins.type)
    return plan.ScalarSubquery(plan.Aggregate(source, (), ((column, call),), (), (column,)), bins.type)


def _gathered(b: Binder, operator: syntax.MakeSeries, joined: plan.Join, named: list[plan.Column], series: _Series, axis: str) -> plan.Rel:
    """The lists, in the order of the axis. Without rows there is no series, unless kind=nonempty asks for one."""
    count = len(named)
    keys, bin_column, filled = joined.columns[:count], joined.columns[count], joined.columns[count + 1 :]
    present, values = filled[count + 1], filled[count + 2 :]
    has_rows = plan.Call("isnotnull", (plan.Ref(present),), BOOL)
    items = tuple(
        (b.column("", value.type if value.type is default.type else DYNAMIC), _or_default(has_rows, plan.Ref(value), default))
        for value, default in zip(values, series.defaults, strict=True)
    )
    extended = plan.Extend(joined, items, (*joined.columns, *(column for column, _ in items)))
    ordered = plan.Sort(extended, (plan.SortKey(plan.Ref(bin_column), descending=False, nulls_first=True),))
    lists = [
        (b.column(name, DYNAMIC), plan.AggregateCall("make_list_with_nulls", (plan.Ref(column),), DYNAMIC, operator.span))
        for name, column in zip((*series.names, axis), (*(column for column, _ in items), bin_column), strict=True)
    ]
    by = tuple((b.column(name.name, name.type), plan.Ref(column)) for name, column in zip(named, keys, strict=True))
    columns = (*(column for column, _ in by), *(column for column, _ in lists))
    if keys or word(parameter(operator, "kind")) == "nonempty":
        return plan.Aggregate(ordered, by, tuple(lists), (), columns)
    rows = b.column("", LONG)
    total = (rows, plan.AggregateCall("countif", (has_rows,), LONG, operator.span))
    gathered = plan.Aggregate(ordered, by, (*lists, total), (), (*columns, rows))
    return plan.Narrow(plan.Filter(gathered, _compare(">", plan.Ref(rows), plan.Const(0, LONG))), columns)


def _or_default(has_rows: plan.Expr, value: plan.Expr, default: plan.Expr) -> plan.Expr:
    if value.type is default.type:
        return plan.Call("iff", (has_rows, value, default), value.type)
    both = (plan.Call("to_dynamic", (part,), DYNAMIC) for part in (value, default))
    return plan.Call("iff", (has_rows, *both), DYNAMIC)
