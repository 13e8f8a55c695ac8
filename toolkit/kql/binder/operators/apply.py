"""mv-apply (R-109) and partition (R-275): a subquery per row, or per key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, ScalarBinding, Scope, const
from toolkit.kql.binder.expressions import bind_scalar
from toolkit.kql.binder.operators.expand import expand_items
from toolkit.kql.binder.operators.items import columns_of
from toolkit.kql.binder.partitions import NotPartitionedError, Partitioned, partitioned
from toolkit.kql.binder.pipeline import bind_tabular, handles, nothing, parameter, sources, word
from toolkit.kql.discovery import NO_ROWS, Discover
from toolkit.kql.types import ScalarType

_STRATEGIES = ("native", "shuffle", "legacy")


@sources(syntax.Input)
def _input(b: Binder, operator: syntax.Input, scope: Scope) -> plan.Rel:
    """The rows that the operator around a subquery hands to it."""
    return b.inputs[-1] if b.inputs else nothing(b)


def bind_subquery(b: Binder, body: syntax.Node, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """A subquery written without a source, over the rows of `rel`."""
    b.inputs.append(rel)
    try:
        return bind_tabular(b, body, scope.without_rows())
    finally:
        b.inputs.pop()


@handles(syntax.MvApply)
def _mv_apply(b: Binder, operator: syntax.MvApply, rel: plan.Rel, scope: Scope) -> plan.Rel:
    rows = scope.with_rows(rel.columns)
    place = b.column("", ScalarType.LONG)
    placed = plan.Window(rel, ((place, plan.Call("row_place", (), ScalarType.LONG, operator.span)),))
    columns = list(rel.columns)
    items, index = expand_items(b, operator, rows, columns)
    _check(b, operator)
    limit = bind_scalar(b, operator.limit, scope.without_rows()) if operator.limit is not None else None
    base = plan.Expand(placed, items, index, limit, False, tuple(columns), operator.span)
    body = bind_subquery(b, operator.body, base, scope)
    # an item with a name of its own leaves the column that it hides where it is, unless the subquery hands its own on
    expanded = {item.name.text for item in operator.items if item.name is not None}
    names = {column.name for column in body.columns}
    kept = {column.name for column in columns if any(column is own for own in rel.columns)}
    source = [column for column in rel.columns if column.name in kept or (column.name in expanded and column.name not in names)]
    return _with_source(b, body, _partitioned(b, operator, body, base, place, source), source)


def _check(b: Binder, operator: syntax.MvApply) -> None:
    for item in operator.items:
        if item.name is None and not isinstance(item.value, (syntax.NameRef, syntax.Path, syntax.Index, syntax.Missing)):
            b.refuse("The service gives this expression a random column name; `name = ...` makes it stable (R-109).", item.span)
    if operator.id is not None:
        b.refuse("The 'id' of mv-apply is not documented.", operator.id.span)


def _partitioned(
    b: Binder, operator: syntax.Operator, body: plan.Rel, base: plan.Rel, column: plan.Column, carried: Sequence[plan.Column]
) -> Partitioned:
    try:
        return partitioned(b, body, base, column, carried)
    except NotPartitionedError as reason:
        b.refuse(f"This subquery cannot be run: {reason}.", operator.span)
        return Partitioned(body, column, {kept.id: kept for kept in carried})


def _with_source(b: Binder, body: plan.Rel, found: Partitioned, source: Sequence[plan.Column]) -> plan.Rel:
    """The source's columns, then what the subquery yields under other names; what it makes under a source's name takes that one's place."""
    own = {kept.id: kept for kept in source}
    made = {column.name: column for column in body.columns if not _is_same(column, own, body)}
    names = {column.name for column in source}
    columns = [made.get(column.name, found.carried[column.id]) for column in source]
    columns += [column for column in body.columns if column.name not in names]
    result = plan.Narrow(_in_order(found), tuple(columns))
    b.unordered.append(result)
    return result


def _in_order(found: Partitioned) -> plan.Rel:
    """The rows keep the order of the input (R-108), also behind a summarize."""
    rel = found.rel
    while True:
        match rel:
            case plan.Aggregate() | plan.Join() | plan.Union_():
                return plan.Sort(found.rel, (plan.SortKey(plan.Ref(found.column), descending=False, nulls_first=True),))
            case plan.Filter() | plan.Extend() | plan.Narrow() | plan.Limit() | plan.Window() | plan.Parse():
                rel = rel.input
            case _:
                return found.rel


def _is_same(column: plan.Column, source: Mapping[int, plan.Column], body: plan.Rel) -> bool:
    """Whether a column of the subquery is the source's own one: itself, or kept by a summarize."""
    rel, number = body, column.id
    while True:
        if number in source and source[number].name == column.name:
            return True
        match rel:
            case plan.Aggregate(input=below):
                # the source's columns have one value in a partition: any row supplies it
                taken = [pair for extreme in rel.extremes if extreme.kind == "any" for pair in extreme.values]
                origin = next((value for made, value in (*rel.keys, *taken) if made.id == number), None)
                if not isinstance(origin, plan.Ref):
                    return False
                rel, number = below, origin.column.id
            case plan.Filter() | plan.Extend() | plan.Narrow() | plan.Sort() | plan.Limit() | plan.Window() | plan.Expand():
                rel = rel.input
            case plan.MatchSteps():
                rel = rel.input
            case _:
                return False


@handles(syntax.Partition)
def _partition(b: Binder, operator: syntax.Partition, rel: plan.Rel, scope: Scope) -> plan.Rel:
    strategy = parameter(operator, "hint.strategy")
    if strategy is not None and word(strategy) not in _STRATEGIES:
        b.report("unknown-kind", f"Expected one of {', '.join(_STRATEGIES)}.", strategy.value.span, alias="KS132")
    found = columns_of(b, operator.by, rel.columns)
    if operator.scope is not None:
        b.refuse("The clause 'in' of partition is not documented.", operator.scope.span)
    if operator.own_source:
        return _with_own_source(b, operator, found[0] if found else None, rel, scope)
    body = bind_subquery(b, operator.body, rel, scope)
    if not found:
        return body
    if found[0].type is ScalarType.DYNAMIC:
        hints = ("tostring(...) makes a value that can be compared.",)
        b.report("cannot-group", "A dynamic value cannot tell partitions apart.", operator.by.span, alias="KS116", hints=hints)
    result: plan.Rel = plan.Narrow(_partitioned(b, operator, body, rel, found[0], ()).rel, body.columns)
    if strategy is None or word(strategy) == "legacy":
        result = plan.Filter(result, _few_keys(b, rel, found[0], operator))
    b.unordered.append(result)
    return result


def _few_keys(b: Binder, rel: plan.Rel, key: plan.Column, operator: syntax.Partition) -> plan.Expr:
    """The legacy strategy, which is the default one, fails beyond 64 keys."""
    keys = plan.Aggregate(rel, ((b.column("", key.type), plan.Ref(key)),), (), (), ())
    total = b.column("", ScalarType.LONG)
    call = plan.AggregateCall("count", (), ScalarType.LONG, operator.span)
    count = plan.ScalarSubquery(plan.Aggregate(keys, (), ((total, call),), (), (total,)), ScalarType.LONG)
    return plan.Call("few_partitions", (count,), ScalarType.BOOL, operator.span)


def _with_own_source(b: Binder, operator: syntax.Partition, key: plan.Column | None, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """The subquery for each value of the key, which it knows by the column's name; the values are found in the data first.

    The page names the legacy strategy for this, another page's example has the native one.
    """
    if key is None or key.type in (ScalarType.DYNAMIC, ScalarType.DECIMAL, ScalarType.REAL):
        if key is not None:
            b.refuse(f"A partition with a source of its own by a key of type {key.type} is not supported.", operator.by.span)
        return nothing(b)

    def body(value: object) -> plan.Rel:
        binding = ScalarBinding(const(value, key.type, operator.by.span), is_parameter=True)
        return bind_tabular(b, operator.body, scope.without_rows().child({key.name: binding}))

    place = (tuple(b.call_stack), operator.span.start, operator.span.end)
    keys = b.environment.discovered.get(place)
    if keys is None:
        columns = body("" if key.type is ScalarType.STRING else None).columns
        return Discover("operator 'partition'", "its keys depend on the data", (rel,), columns, operator.span, "constants", key, place)
    legs = [] if keys == NO_ROWS else [body(json.loads(text)) for text, _ in keys]
    columns = b.fresh(legs[0].columns) if legs else body("" if key.type is ScalarType.STRING else None).columns
    rows = tuple(plan.UnionLeg(leg, tuple(map(plan.Ref, leg.columns))) for leg in legs)
    return plan.Union_(rows, columns) if rows else plan.Values(columns, ())
