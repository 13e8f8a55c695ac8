"""summarize and distinct."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from toolkit.kql import plan, syntax
from toolkit.kql.binder.aggregates import ROW_EXTREMES
from toolkit.kql.binder.context import AggregateCollector, Binder, Scope
from toolkit.kql.binder.expressions import bind_scalar
from toolkit.kql.binder.names import Namer, carried_name, is_column, percent_text
from toolkit.kql.binder.operators.items import Item, bind_items, duplicate, is_scalar_let, refuse_random_name
from toolkit.kql.binder.pipeline import handles, visible
from toolkit.kql.binder.windows import with_values
from toolkit.kql.functions import registry
from toolkit.kql.types import ScalarType


@dataclass
class _Build:
    """The parts of an Aggregate while its items are read."""

    rel: plan.Rel
    rows: Scope
    namer: Namer
    keys: list[tuple[plan.Column, plan.Expr]]
    calls: list[tuple[plan.Column, plan.AggregateCall]] = field(default_factory=list)
    extremes: list[plan.RowExtreme] = field(default_factory=list)
    computed: list[tuple[plan.Column, plan.Expr]] = field(default_factory=list)
    columns: list[plan.Column] = field(default_factory=list)
    key_columns: frozenset[int] = frozenset()


@handles(syntax.Summarize)
def _summarize(b: Binder, operator: syntax.Summarize, rel: plan.Rel, scope: Scope) -> plan.Rel:
    below, build = with_values(b, rel, lambda: _built(b, operator, rel, scope))
    aggregate = plan.Aggregate(
        below,
        tuple(build.keys),
        tuple(build.calls),
        tuple(build.extremes),
        tuple(column for column in build.columns if all(column is not made for made, _ in build.computed)),
    )
    return plan.Extend(aggregate, tuple(build.computed), tuple(build.columns)) if build.computed else aggregate


def _built(b: Binder, operator: syntax.Summarize, rel: plan.Rel, scope: Scope) -> _Build:
    rows = scope.with_rows(rel.columns)
    existing = frozenset(column.name for column in rel.columns)
    explicit = frozenset(
        name.text for item in (*operator.aggregates, *(operator.by or ())) if isinstance(item, syntax.Named) for name in item.names
    )
    namer = Namer(explicit=explicit, skip=existing)
    keys = _keys(b, bind_items(b, operator.by or (), rows), rows, namer)
    sources = frozenset(value.column.id for _, value in keys if isinstance(value, plan.Ref))
    build = _Build(rel, rows, namer, keys, columns=[column for column, _ in keys], key_columns=sources)
    _check_explicit(b, operator, build)
    for item in operator.aggregates:
        _aggregate_item(b, item, build, scope)
    return build


def _keys(b: Binder, items: list[Item], rows: Scope, namer: Namer) -> list[tuple[plan.Column, plan.Expr]]:
    """Group keys, named by R-197; a bare scalar let is numbered (R-205)."""
    keys: list[tuple[plan.Column, plan.Expr]] = []
    written: set[str] = set()
    for item in items:
        if item.value.type is ScalarType.DYNAMIC:
            hints = ("tostring(...) makes a value that can be grouped.",)
            b.report("cannot-group", "A dynamic value cannot be a group key.", item.node.span, alias="KS116", hints=hints)
        refuse_random_name(b, item)
        fixed = _fixed_name(item, rows)
        if fixed is not None and fixed in written:
            duplicate(b, fixed, item.node)
        written.add(fixed or "")
        keys.append((b.column(key_name(item, rows, namer), item.value.type), item.value))
    return keys


def _fixed_name(item: Item, rows: Scope) -> str | None:
    return item.name or (item.carried if is_column(item.node, rows) else None)


def key_name(item: Item, rows: Scope, namer: Namer) -> str:
    """What a key of summarize or make-series is called (R-197)."""
    fixed = _fixed_name(item, rows)
    if fixed is not None:
        return namer.claim(fixed)
    if item.carried is None or is_scalar_let(item.node, rows):
        return namer.position()
    return namer.derive(item.carried)


def _check_explicit(b: Binder, operator: syntax.Summarize, build: _Build) -> None:
    seen = {column.name for column in build.columns}
    for item in operator.aggregates:
        if isinstance(item, syntax.Named):
            for name in item.names:
                if name.text in seen:
                    duplicate(b, name.text, item)
                seen.add(name.text)


def _aggregate_item(b: Binder, item: syntax.Node, build: _Build, scope: Scope) -> None:
    names = [name.text for name in item.names] if isinstance(item, syntax.Named) else []
    value = item.value if isinstance(item, syntax.Named) else item
    while isinstance(value, syntax.Paren):
        value = value.inner
    special = _SPECIAL.get(value.name.text) if isinstance(value, syntax.Call) else None
    if special is not None and isinstance(value, syntax.Call) and (special is not _take_any or _takes_rows(value)):
        special(b, value, names, build)
    else:
        _plain_item(b, item, value, names, build, scope)


def _takes_rows(call: syntax.Call) -> bool:
    return len(call.arguments) > 1 or any(isinstance(argument, syntax.Star) for argument in call.arguments)


def _plain_item(b: Binder, item: syntax.Node, value: syntax.Node, names: list[str], build: _Build, scope: Scope) -> None:
    collector = AggregateCollector(build.rows)
    outer, b.collector = b.collector, collector
    try:
        bound = bind_scalar(b, value, scope.without_rows())
    finally:
        b.collector = outer
    if not collector.calls and bound.type is not ScalarType.UNKNOWN:
        b.refuse("Every item of summarize needs an aggregate (R-249).", item.span)
    name = build.namer.claim(names[0]) if names else _item_name(value, build)
    if isinstance(bound, plan.Ref) and len(collector.calls) == 1 and bound.column is collector.calls[0][0]:
        column = plan.Column(bound.column.id, name, bound.type)
        build.calls.append((column, collector.calls[0][1]))
    else:
        column = b.column(name, bound.type)
        build.calls += collector.calls
        build.computed.append((column, bound))
    build.columns.append(column)


def _item_name(value: syntax.Node, build: _Build) -> str:
    """R-196, R-198: the aggregate's name, also through functions that keep their argument's name."""
    name = carried_name(value, build.rows) if isinstance(value, syntax.Call) else None
    return build.namer.derive(name) if name else build.namer.position()


# --- aggregates with several columns --------------------------------------------------------------------------------


def _arguments(b: Binder, call: syntax.Call, build: _Build) -> list[tuple[syntax.Node, plan.Expr | None]]:
    """Every argument bound over the rows; None stands for `*`."""
    collector = AggregateCollector(build.rows, inside=True)
    outer, b.collector = b.collector, collector
    try:
        return [
            (argument, None if isinstance(argument, syntax.Star) else bind_scalar(b, argument, build.rows)) for argument in call.arguments
        ]
    finally:
        b.collector = outer


def _row_extreme(b: Binder, call: syntax.Call, names: list[str], build: _Build) -> None:
    """arg_max and arg_min (R-252, R-253). The deprecated spellings prefix the names with max_ / min_."""
    arguments = _arguments(b, call, build)
    if not arguments or arguments[0][1] is None:
        b.report("argument-count", f"The function '{call.name.text}' expects a value to order by.", call.span, alias="KS119")
        return
    by_node, by = arguments[0]
    assert by is not None
    kind = "max" if "max" in call.name.text else "min"
    old = "_" not in call.name.text
    if by.type in (ScalarType.DYNAMIC, ScalarType.GUID):
        b.report("cannot-order", f"A {by.type} value cannot be ordered.", by_node.span, alias="KS206")
    carried = carried_name(by_node, build.rows)
    by_name = f"{kind}_{carried or ''}" if old or carried is None else carried
    spare = list(names)
    by_column = b.column(build.namer.claim(spare.pop(0)) if spare else build.namer.derive(by_name), by.type)
    values: list[tuple[plan.Column, plan.Expr]] = []
    for position, (node, value) in enumerate(arguments[1:], 1):
        if value is None:
            values += _all_others(b, build, by)
            continue
        own = carried_name(node, build.rows)
        fallback = f"{kind}_{carried or ''}_arg{position}"
        name = f"{kind}_{carried or ''}_{own}" if old and own is not None else own or fallback
        label = build.namer.claim(spare.pop(0)) if spare else build.namer.derive(name)
        values.append((b.column(label, value.type), value))
    build.extremes.append(plan.RowExtreme(kind, by, by_column, tuple(values), call.span))
    build.columns += [by_column, *(column for column, _ in values)]


def _all_others(b: Binder, build: _Build, by: plan.Expr | None) -> list[tuple[plan.Column, plan.Expr]]:
    """`*`: every input column but the ordering one and the group keys, in input order."""
    skip = set(build.key_columns) | ({by.column.id} if isinstance(by, plan.Ref) else set())
    result: list[tuple[plan.Column, plan.Expr]] = []
    for column in build.rel.columns:
        if column.id in skip:
            continue
        name = column.name if column not in visible((column,)) else build.namer.derive(column.name)
        result.append((b.column(name, column.type), plan.Ref(column)))
    return result


def _take_any(b: Binder, call: syntax.Call, names: list[str], build: _Build) -> None:
    """take_any(*) and take_any(a, b): one whole row (R-254)."""
    values: list[tuple[plan.Column, plan.Expr]] = []
    spare = list(names)
    prefix = "any_" if call.name.text == "any" else ""
    for node, value in _arguments(b, call, build):
        if value is None:
            values += _all_others(b, build, None)
            continue
        carried = carried_name(node, build.rows)
        if spare:
            label = build.namer.claim(spare.pop(0))
        else:
            label = build.namer.derive(prefix + carried) if carried else build.namer.position()
        values.append((b.column(label, value.type), value))
    build.extremes.append(plan.RowExtreme("any", None, None, tuple(values), call.span))
    build.columns += [column for column, _ in values]


def _percentiles(b: Binder, call: syntax.Call, names: list[str], build: _Build) -> None:
    """One column per percentile (R-196, R-260)."""
    arguments = _arguments(b, call, build)
    weighted = call.name.text.endswith("w")
    fixed = 2 if weighted else 1
    function = registry.find_aggregate(call.name.text)
    assert function is not None
    if len(arguments) <= fixed or any(value is None for _, value in arguments):
        b.report("argument-count", f"The function '{call.name.text}' expects at least {fixed + 1} arguments.", call.span, alias="KS119")
        return
    value = arguments[0][1]
    assert value is not None
    base = carried_name(arguments[0][0], build.rows) or ""
    kind = {ScalarType.INT: ScalarType.LONG, ScalarType.DECIMAL: ScalarType.REAL}.get(value.type, value.type)
    spare = list(names)
    for node, percent in arguments[fixed:]:
        assert percent is not None
        text = percent_text(percent.value) if isinstance(percent, plan.Const) else None
        if text is None:
            b.report("constant-expected", "A percentile must be a constant.", node.span, alias="KS129")
            continue
        label = build.namer.claim(spare.pop(0)) if spare else build.namer.derive(f"percentile_{base}_{text}")
        column = b.column(label, kind)
        given = [arg for _, arg in arguments[:fixed] if arg is not None]
        build.calls.append((column, plan.AggregateCall("percentilew" if weighted else "percentile", (*given, percent), kind, call.span)))
        build.columns.append(column)


# Aggregates that make columns of their own, by the name that is written.
_SPECIAL: dict[str, Callable[[Binder, syntax.Call, list[str], _Build], None]] = {
    **dict.fromkeys(ROW_EXTREMES, _row_extreme),
    **dict.fromkeys(("take_any", "any"), _take_any),
    **dict.fromkeys(("percentile", "percentilew", "percentiles", "percentilesw"), _percentiles),
}


# --- distinct -------------------------------------------------------------------------------------------------------


@handles(syntax.Distinct)
def _distinct(b: Binder, operator: syntax.Distinct, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """R-266: one row per combination, nulls are values. R-204: expressions are named as in by, but a bare let keeps its name."""
    rows = scope.with_rows(rel.columns)
    if len(operator.items) == 1 and isinstance(operator.items[0], syntax.Star):
        items = [Item(None, column.name, plan.Ref(column), syntax.NameRef(column.name)) for column in visible(rel.columns)]
    else:
        rel, items = with_values(b, rel, lambda: bind_items(b, operator.items, rows))
    namer = Namer(explicit=frozenset(item.name for item in items if item.name), skip=frozenset(c.name for c in rel.columns))
    keys: list[tuple[plan.Column, plan.Expr]] = []
    written: set[str] = set()
    for item in items:
        if item.value.type is ScalarType.DYNAMIC:
            hints = ("tostring(...) makes a value that can be compared.",)
            b.report("cannot-group", "distinct does not take a dynamic value.", item.node.span, alias="KS116", hints=hints)
        fixed = item.name or (item.carried if isinstance(item.node, syntax.NameRef) else None)
        if fixed is not None and fixed in written:
            duplicate(b, fixed, item.node)
        written.add(fixed or "")
        name = namer.claim(fixed) if fixed else _distinct_name(item, namer)
        keys.append((b.column(name, item.value.type), item.value))
    return plan.Aggregate(rel, tuple(keys), (), (), tuple(column for column, _ in keys))


def _distinct_name(item: Item, namer: Namer) -> str:
    """A top-level gettype is numbered in distinct, though not elsewhere (R-204)."""
    node = item.node
    while isinstance(node, (syntax.Paren, syntax.Call)):
        if isinstance(node, syntax.Call):
            function = registry.find_function(node.name.text)
            if node.name.text == "gettype":
                return namer.position()
            if function is None or function.naming != "FirstArgument" or not node.arguments:
                break
        node = node.inner if isinstance(node, syntax.Paren) else node.arguments[0]
    return namer.derive(item.carried) if item.carried else namer.position()
