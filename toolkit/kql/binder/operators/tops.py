"""The operators that pick values: top-nested (R-242), top-hitters (R-243), sample and sample-distinct (R-241)."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import AggregateCollector, Binder, Scope
from toolkit.kql.binder.expressions import bind_scalar, convert
from toolkit.kql.binder.names import Namer, carried_name
from toolkit.kql.binder.operators.items import columns_of, duplicate
from toolkit.kql.binder.operators.rows import row_count
from toolkit.kql.binder.pipeline import handles
from toolkit.kql.types import NUMBERS, ScalarType

LONG, DYNAMIC, UNKNOWN = ScalarType.LONG, ScalarType.DYNAMIC, ScalarType.UNKNOWN


def _named(node: syntax.Node) -> tuple[str | None, syntax.Node]:
    """The name that is written for an expression, and the expression."""
    if isinstance(node, syntax.Named):
        return (node.names[0].text if node.names else None), node.value
    return None, node


def _group_value(b: Binder, node: syntax.Node, rows: Scope) -> plan.Expr:
    value = bind_scalar(b, node, rows)
    if value.type is DYNAMIC:
        hints = ("tostring(...) makes a value that can be grouped.",)
        b.report("cannot-group", "A dynamic value cannot be a group key.", node.span, alias="KS116", hints=hints)
    return value


# --- top-nested -----------------------------------------------------------------------------------------------------


@dataclass
class _Levels:
    """What the levels so far have given: their rows, the columns to show, and the value of each level in those rows."""

    rel: plan.Rel | None
    columns: list[plan.Column]
    keys: list[plan.Column]
    parent: plan.Column | None = None


@handles(syntax.TopNested)
def _top_nested(b: Binder, operator: syntax.TopNested, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """Level by level: the groups of a level within the rows that the level above kept, the best of them per parent."""
    rows = scope.with_rows(rel.columns)
    namer = Namer()
    values: list[tuple[plan.Column, plan.Expr]] = []
    names: list[str] = []
    for level in operator.levels:
        explicit, node = _named(level.of)
        names.append(explicit or carried_name(node, rows) or namer.position())
        value = _group_value(b, node, rows)
        values.append((b.column("", value.type), value))
        if level.others is not None and len(operator.levels) > 1:
            b.refuse("What top-nested gives beside the others of one level on the next one is not documented.", level.others.span)
    shared = plan.Shared("nested", plan.Extend(rel, tuple(values), (*rel.columns, *(column for column, _ in values))))
    found = _Levels(None, [], [])
    for depth, level in enumerate(operator.levels):
        _level(b, level, names[depth], plan.Reuse(shared, b.fresh(shared.rel.columns)), found, (scope, len(rel.columns)))
    assert found.rel is not None
    if operator.levels[0].others is not None:
        _with_others(b, operator.levels[0], plan.Reuse(shared, b.fresh(shared.rel.columns)), found, (scope, len(rel.columns)))
    shown: set[str] = set()
    for column in found.columns:
        if column.name in shown:
            duplicate(b, column.name, operator)
        shown.add(column.name)
    result = plan.Narrow(found.rel, tuple(found.columns))
    b.unordered.append(result)
    return result


def _level(b: Binder, level: syntax.TopNestedLevel, name: str, source: plan.Reuse, found: _Levels, place: tuple[Scope, int]) -> None:
    """One more level; `place` is the scope of the operator and how many of the source's columns are the input's."""
    scope, width = place
    collector = AggregateCollector(scope.with_rows(source.columns[:width]))
    explicit, node = _named(level.by.value)
    score = _score(b, node, scope, collector)
    if not collector.calls and score.type is not UNKNOWN:
        b.refuse("top-nested orders by an aggregate (R-242).", node.span)
    values = source.columns[width:]
    key, ranked = b.column(name, values[len(found.keys)].type), b.column(explicit or f"aggregated_{name}", score.type)
    groups = _groups(b, source, values, key, collector, found)
    scored = plan.Extend(groups, ((ranked, score),), (*found.columns, key, ranked))
    descending = level.by.direction != "asc"
    nulls_first = level.by.nulls == "first" if level.by.nulls is not None else not descending
    best: plan.Rel = plan.Sort(scored, (plan.SortKey(plan.Ref(ranked), descending, nulls_first),))
    if level.count is not None:
        best = plan.Limit(best, row_count(b, level.count, scope), found.parent)
    found.rel, found.columns, found.keys = best, [*found.columns, key, ranked], [*found.keys, key]


def _score(b: Binder, node: syntax.Node, scope: Scope, collector: AggregateCollector) -> plan.Expr:
    outer, b.collector = b.collector, collector
    try:
        return bind_scalar(b, node, scope.without_rows())
    finally:
        b.collector = outer


def _with_others(b: Binder, level: syntax.TopNestedLevel, source: plan.Reuse, found: _Levels, place: tuple[Scope, int]) -> None:
    """One more row, over all records whose value is not among the best; none where there are no such records."""
    scope, width = place
    assert found.rel is not None
    assert level.others is not None
    best = plan.Shared("best", plan.Narrow(found.rel, tuple(found.columns)), pinned=True)
    kept = plan.Reuse(best, b.fresh(found.columns))
    rest = plan.Join("leftanti", source, kept, ((plan.Ref(source.columns[width]), plan.Ref(kept.columns[0])),), source.columns)
    collector = AggregateCollector(scope.with_rows(source.columns[:width]))
    score = _score(b, _named(level.by.value)[1], scope, collector)
    rows = b.column("", LONG)
    calls = (*collector.calls, (rows, plan.AggregateCall("count", (), LONG, level.span)))
    total = plan.Aggregate(rest, (), calls, (), tuple(column for column, _ in calls))
    some = plan.Call(">", (plan.Ref(rows), plan.Const(0, LONG)), ScalarType.BOOL)
    name = bind_scalar(b, level.others, scope.without_rows())
    kind = found.columns[0].type
    if kind is not UNKNOWN and name.type is not kind and not (name.type.is_integer and kind in NUMBERS):
        b.refuse(f"The value for the others is of type {name.type}, the values beside it of type {kind}.", level.others.span)
    top = plan.Reuse(best, b.fresh(found.columns))
    legs = (
        plan.UnionLeg(top, tuple(map(plan.Ref, top.columns))),
        plan.UnionLeg(plan.Filter(total, some), (convert(name, kind), score)),
    )
    found.columns = list(b.fresh(found.columns))
    found.rel = plan.Union_(legs, tuple(found.columns))


def _groups(
    b: Binder, source: plan.Reuse, values: tuple[plan.Column, ...], key: plan.Column, collector: AggregateCollector, found: _Levels
) -> plan.Rel:
    """The groups of a level: by the row of the level above that they belong to, and the value. The row's columns stay."""
    calls = tuple(collector.calls)
    own = (key, plan.Ref(values[len(found.keys)]))
    if found.rel is None:
        return plan.Aggregate(source, (own,), calls, (), (key, *(column for column, _ in calls)))
    row, parent = b.column("", LONG), b.column("", LONG)
    above = plan.Window(found.rel, ((row, plan.Call("row_place", (), LONG)),))
    on = tuple((plan.Ref(left), plan.Ref(right)) for left, right in zip(found.keys, values, strict=False))
    joined = plan.Join("inner", above, source, on, (*found.columns, row, *source.columns))
    kept = {column.id: b.column(column.name, column.type) for column in found.columns}
    extreme = plan.RowExtreme("any", None, None, tuple((kept[column.id], plan.Ref(column)) for column in found.columns))
    found.columns = [kept[column.id] for column in found.columns]
    found.keys = [kept[column.id] for column in found.keys]
    found.parent = parent
    columns = (*found.columns, key, *(column for column, _ in calls))
    return plan.Aggregate(joined, ((parent, plan.Ref(row)), own), calls, (extreme,), columns)


# --- top-hitters, sample and sample-distinct ------------------------------------------------------------------------


@handles(syntax.Sample)
def _sample(b: Binder, operator: syntax.Sample, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """Any rows will do: these are the first ones, as with take, so that every run gives the same."""
    result = plan.Limit(rel, row_count(b, operator.count, scope))
    b.unordered.append(result)
    return result


@handles(syntax.TopHitters)
def _top_hitters(b: Binder, operator: syntax.TopHitters, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """Counted exactly: the service estimates, and promises no more."""
    rows = scope.with_rows(rel.columns)
    explicit, node = _named(operator.of)
    _column_only(b, node, rel)
    value = _group_value(b, node, rows)
    key = b.column(explicit or carried_name(node, rows) or "Column1", value.type)
    if operator.by is None:
        total, call = b.column(f"approximate_count_{key.name}", LONG), plan.AggregateCall("count", (), LONG, operator.span)
    else:
        weight = bind_scalar(b, operator.by, rows)
        if weight.type not in (*NUMBERS, UNKNOWN):
            b.report("number-expected", f"top-hitters sums a number, found {weight.type}.", operator.by.span, alias="KS137")
        kind = LONG if weight.type is ScalarType.INT else weight.type
        total = b.column(f"approximate_sum_{carried_name(operator.by, rows) or ''}", kind)
        call = plan.AggregateCall("sum", (weight,), kind, operator.span)
    groups = plan.Aggregate(rel, ((key, value),), ((total, call),), (), (key, total))
    ordered = plan.Sort(groups, (plan.SortKey(plan.Ref(total), descending=True, nulls_first=False),))
    return plan.Limit(ordered, row_count(b, operator.count, scope))


def _column_only(b: Binder, node: syntax.Node, rel: plan.Rel) -> None:
    if not isinstance(node, syntax.NameRef):
        columns_of(b, node, rel.columns)


@handles(syntax.SampleDistinct)
def _sample_distinct(b: Binder, operator: syntax.SampleDistinct, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """Any distinct values will do: these are the first ones in their order, so that every run gives the same."""
    rows = scope.with_rows(rel.columns)
    explicit, node = _named(operator.of)
    _column_only(b, node, rel)
    value = _group_value(b, node, rows)
    key = b.column(explicit or carried_name(node, rows) or "Column1", value.type)
    ordered = plan.Sort(
        plan.Aggregate(rel, ((key, value),), (), (), (key,)), (plan.SortKey(plan.Ref(key), descending=False, nulls_first=True),)
    )
    result = plan.Limit(ordered, row_count(b, operator.count, scope))
    b.unordered.append(result)
    return result
