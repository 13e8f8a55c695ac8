"""bag_unpack and pivot: plugins whose columns are in the data (R-310, R-311)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from toolkit.kql import plan
from toolkit.kql.binder.context import OPEN, Binder, const
from toolkit.kql.binder.expressions import convert
from toolkit.kql.binder.opening import without_rows
from toolkit.kql.binder.pipeline import visible
from toolkit.kql.binder.plugins.evaluate import PluginCall, plugin
from toolkit.kql.discovery import NO_ROWS, Discover, Place
from toolkit.kql.types import DECLARABLE, ScalarType

_CONFLICTS = ("error", "replace_source", "keep_source")
_DEPENDS = "its columns depend on the data"

# The predicated form of each aggregate that pivot takes: a cell is the aggregate over its rows, which may be none.
_PREDICATED = {
    "count": "countif",
    "sum": "sumif",
    "min": "minif",
    "max": "maxif",
    "avg": "avgif",
    "dcount": "dcountif",
    "stdev": "stdevif",
    "variance": "varianceif",
    "take_any": "take_anyif",
    "any": "take_anyif",
    "make_set": "make_set_if",
    "make_list": "make_list_if",
    "make_bag": "make_bag_if",
}


def _place(b: Binder, call: PluginCall) -> Place:
    return (tuple(b.call_stack), call.span.start, call.span.end)


@plugin("bag_unpack")
def _bag_unpack(b: Binder, call: PluginCall) -> plan.Rel:
    """R-310: one column per key, in the order of their names."""
    bag = call.columns("column")[0]
    kept = tuple(column for column in visible(call.rel.columns) if column.id != bag.id)
    prefix = _text(call.value("column_prefix"))
    ignored = _ignored(call)
    if bag.type is not ScalarType.DYNAMIC:
        if bag.type is not ScalarType.UNKNOWN:
            b.refuse(f"bag_unpack takes a dynamic column, found {bag.type}; parse_json(...) makes one of JSON text.", call.span)
            kept = visible(call.rel.columns)
        return _open(b, call, kept)
    if call.operator.schema is not None:
        return _with_schema(b, call, bag, kept, prefix)
    keys = b.environment.discovered.get(_place(b, call))
    if keys == NO_ROWS:
        return without_rows(b, call.rel, kept)
    if keys is None:
        columns = (*kept, b.column(OPEN, ScalarType.UNKNOWN))
        return Discover("plugin 'bag_unpack'", _DEPENDS, (call.rel,), columns, call.span, "keys", bag, _place(b, call))
    made = [(key, b.column(prefix + key, kind)) for key, kind in keys if key not in ignored]
    return _unpacked(b, call, bag, kept, made)


def _open(b: Binder, call: PluginCall, kept: Sequence[plan.Column]) -> plan.Rel:
    if b.environment.dry:
        return without_rows(b, call.rel, kept)
    columns = (*kept, b.column(OPEN, ScalarType.UNKNOWN))
    return plan.Unsupported(f"plugin '{call.name}'", "the type of its column is not known", (call.rel,), columns, call.span)


def _text(value: plan.Expr | None) -> str:
    return value.value if isinstance(value, plan.Const) and isinstance(value.value, str) else ""


def _ignored(call: PluginCall) -> frozenset[str]:
    value = call.value("ignoredProperties")
    if not isinstance(value, plan.Const) or not isinstance(value.value, str):
        return frozenset()
    found = json.loads(value.value)
    return frozenset(str(name) for name in found) if isinstance(found, list) else frozenset()


def _with_schema(b: Binder, call: PluginCall, bag: plan.Column, kept: Sequence[plan.Column], prefix: str) -> plan.Rel:
    """Only the declared columns, and the source's where the schema has a star."""
    schema = call.operator.schema
    assert schema is not None
    have = {column.name: column for column in kept}
    items: list[tuple[plan.Column, plan.Expr]] = []
    columns = list(kept) if schema.open else []
    for declared in schema.columns:
        name, kind = declared.name.text, DECLARABLE.get(declared.type or "string", ScalarType.STRING)
        if name in have:
            if schema.open or have[name].type is not kind:
                b.refuse(f"The column '{name}' is in the source too, and what the service gives for both is not documented.", declared.span)
            columns += [] if schema.open else [have[name]]
            continue
        if not name.startswith(prefix):
            b.refuse(f"The column '{name}' does not begin with the prefix '{prefix}'.", declared.span)
        column = b.column(name, kind)
        items.append((column, _member(bag, name.removeprefix(prefix), kind)))
        columns.append(column)
    return plan.Extend(call.rel, tuple(items), tuple(columns))


def _member(bag: plan.Column, key: str, kind: ScalarType) -> plan.Expr:
    return convert(plan.DynamicPath(plan.Ref(bag), (key,)), kind)


def _unpacked(
    b: Binder, call: PluginCall, bag: plan.Column, kept: Sequence[plan.Column], made: Sequence[tuple[str, plan.Column]]
) -> plan.Rel:
    """The source's columns and the new ones; a new one of a source column's name follows `columnsConflict`."""
    mode = _text(call.value("columnsConflict")) or "error"
    if mode not in _CONFLICTS:
        b.report("unknown-value", f"Expected one of {', '.join(_CONFLICTS)}, found '{mode}'.", call.span, alias="KS132")
    new = {column.name: (key, column) for key, column in made}
    clash = [column.name for column in kept if column.name in new]
    if clash and mode == "error":
        message = f"The bags have keys named like columns of the source: {', '.join(clash)}."
        b.report("column-conflict", message, call.span, hints=("columnsConflict='replace_source' or 'keep_source' settles it.",))
    if mode == "keep_source":
        new = {name: found for name, found in new.items() if name not in clash}
    replaced = [new[column.name][1] if column.name in new else column for column in kept]
    columns = (*replaced, *(column for _, column in new.values() if column.name not in clash))
    return plan.Extend(call.rel, tuple((column, _member(bag, key, column.type)) for key, column in new.values()), columns)


@plugin("pivot")
def _pivot(b: Binder, call: PluginCall) -> plan.Rel:
    """R-311: one column per value of the pivot column, in the order of their names."""
    by = call.columns("pivotColumn")[0]
    aggregate = _aggregate(b, call)
    read = {part.column.id for arg in aggregate.args for part in plan.subexpressions(arg) if isinstance(part, plan.Ref)}
    keys = call.columns("columnName") or [column for column in visible(call.rel.columns) if column.id not in read | {by.id}]
    if call.operator.schema is not None:
        return _declared_pivot(b, call, by, keys, aggregate)
    texts = b.environment.discovered.get(_place(b, call))
    if texts == NO_ROWS:
        groups = tuple((b.column(key.name, key.type), plan.Ref(key)) for key in keys)
        return without_rows(b, plan.Extend(call.rel, groups, tuple(column for column, _ in groups)), [column for column, _ in groups])
    if texts is not None:
        return _pivoted(b, call, by, keys, aggregate, [name for name, _ in texts])
    column = b.column("", ScalarType.STRING)
    source = plan.Extend(call.rel, ((column, convert(plan.Ref(by), ScalarType.STRING)),), (*call.rel.columns, column))
    columns = (*b.fresh(keys), b.column(OPEN, ScalarType.UNKNOWN))
    return Discover("plugin 'pivot'", _DEPENDS, (source,), columns, call.span, "values", column, _place(b, call))


def _aggregate(b: Binder, call: PluginCall) -> plan.AggregateCall:
    value = call.value("aggregateFunction")
    if value is None:
        return plan.AggregateCall("count", (), ScalarType.LONG, call.span)
    if len(call.aggregates) == 1 and isinstance(value, plan.Ref) and value.column is call.aggregates[0][0]:
        found = call.aggregates[0][1]
        if found.name not in _PREDICATED:
            b.refuse(f"pivot does not take the aggregate '{found.name}'.", call.span)
        return found
    b.refuse("pivot takes one aggregate function, not an expression of several.", call.span)
    return plan.AggregateCall("count", (), value.type, call.span)


def _pivoted(
    b: Binder, call: PluginCall, by: plan.Column, keys: Sequence[plan.Column], aggregate: plan.AggregateCall, names: Sequence[str]
) -> plan.Rel:
    if any(key.type is ScalarType.DYNAMIC for key in keys):
        found = ", ".join(key.name for key in keys if key.type is ScalarType.DYNAMIC)
        b.refuse(f"A dynamic value cannot be a group key: {found}. pivot(column, aggregate, keys...) names the keys.", call.span)
    text = convert(plan.Ref(by), ScalarType.STRING)
    made = []
    for name in names:
        test = plan.Call("==", (text, const(name, ScalarType.STRING)), ScalarType.BOOL, call.span)
        cell = plan.AggregateCall(_PREDICATED.get(aggregate.name, "countif"), (*aggregate.args, test), aggregate.type, call.span)
        made.append((b.column(name, aggregate.type), cell))
    groups = tuple((b.column(key.name, key.type), plan.Ref(key)) for key in keys)
    taken = {key.name for key in keys} & set(names)
    if taken:
        b.report("column-conflict", f"Values of '{by.name}' are named like key columns: {', '.join(sorted(taken))}.", call.span)
    columns = tuple(column for column, _ in (*groups, *made))
    return plan.Aggregate(call.rel, groups, tuple(made), (), columns)


def _declared_pivot(b: Binder, call: PluginCall, by: plan.Column, keys: Sequence[plan.Column], aggregate: plan.AggregateCall) -> plan.Rel:
    """The service raises an error when data and schema differ, so a schema only runs with what the data has."""
    schema = call.operator.schema
    assert schema is not None
    kinds = [(column.name.text, DECLARABLE.get(column.type or "string", ScalarType.STRING)) for column in schema.columns]
    declared = [(name, kind) for name, kind in kinds if name not in {key.name for key in keys}]
    texts = b.environment.discovered.get(_place(b, call))
    if texts is None:
        column = b.column("", ScalarType.STRING)
        source = plan.Extend(call.rel, ((column, convert(plan.Ref(by), ScalarType.STRING)),), (*call.rel.columns, column))
        columns = tuple(b.column(name, kind) for name, kind in kinds)
        columns = columns if not schema.open else (*b.fresh(keys), *columns)
        return Discover("plugin 'pivot'", _DEPENDS, (source,), columns, call.span, "values", column, _place(b, call))
    if not texts or texts == NO_ROWS:
        # no rows tell nothing about the columns, so the declared ones stand
        columns = tuple(b.column(name, kind) for name, kind in kinds)
        return plan.Values(columns if not schema.open else (*b.fresh(keys), *columns), ())
    if {name for name, _ in texts} != {name for name, _ in declared} or any(kind is not aggregate.type for _, kind in declared):
        found = ", ".join(f"{name}: {aggregate.type}" for name, _ in texts)
        b.report("schema-differs", f"The output schema differs from what the data gives ({found}).", call.span)
    rel = _pivoted(b, call, by, keys, aggregate, [name for name, _ in declared])
    order = {name: position for position, (name, _) in enumerate(kinds)}
    columns = rel.columns if schema.open else tuple(sorted((c for c in rel.columns if c.name in order), key=lambda c: order[c.name]))
    return plan.Narrow(rel, columns)
