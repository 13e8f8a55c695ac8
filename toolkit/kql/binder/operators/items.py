"""Lists of `name = expression` items, as project, extend, print and by clauses have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, Binder, ScalarBinding, Scope
from toolkit.kql.binder.expressions import bind_scalar
from toolkit.kql.binder.names import carried_name
from toolkit.kql.binder.opening import meet
from toolkit.kql.binder.operators.tuples import columns_of_call
from toolkit.kql.binder.wildcards import matches
from toolkit.kql.types import ScalarType


@dataclass(frozen=True)
class Item:
    """One bound item. `name` is the explicit one, `carried` what an unnamed expression is called by itself.

    `random`: the engine would give the result a random name, so an unnamed one is refused (R-208).
    """

    name: str | None
    carried: str | None
    value: plan.Expr
    node: syntax.Node


def bind_items(b: Binder, items: Sequence[syntax.Node], scope: Scope) -> list[Item]:
    """Every item over the input's rows only: no item sees another one's name (R-209)."""
    return [item for node in items for item in _bind_item(b, node, scope)]


def _bind_item(b: Binder, node: syntax.Node, scope: Scope) -> list[Item]:
    if isinstance(node, syntax.Named) and (len(node.names) > 1 or node.tuple_form):
        return _tuple_items(b, node, scope)
    name = node.names[0].text if isinstance(node, syntax.Named) and node.names else None
    inner = node.value if isinstance(node, syntax.Named) else node
    value = bind_scalar(b, inner, scope)
    if name is None and is_array_sort(value):
        return _sorted_items(inner, value, scope)
    several = columns_of_call(inner, value, scope)
    if several is not None:
        return _named_items([name] if name is not None else [], several, inner)
    return [Item(name, carried_name(inner, scope), value, inner)]


def _named_items(names: Sequence[str], columns: Sequence[tuple[str, plan.Expr]], node: syntax.Node) -> list[Item]:
    """The columns of one call: the first ones as written, the others under their own names."""
    given: list[str | None] = [*names, *[None] * len(columns)]
    return [Item(name, own, value, node) for name, (own, value) in zip(given, columns, strict=False)]


def is_array_sort(value: plan.Expr) -> TypeGuard[plan.Call]:
    return isinstance(value, plan.Call) and value.name in ("array_sort_asc", "array_sort_desc")


def _sorted_items(node: syntax.Node, call: plan.Call, scope: Scope) -> list[Item]:
    """Unnamed array_sort_asc(a, b): one column per array, a_sorted or array0_sorted (R-092, R-200)."""
    arguments = node.arguments if isinstance(node, syntax.Call) else ()
    arrays = [argument for argument, value in zip(arguments, call.args, strict=True) if value.type is not ScalarType.BOOL]
    items: list[Item] = []
    for index, argument in enumerate(arrays):
        own = carried_name(argument, scope) if isinstance(argument, syntax.NameRef) else None
        items.append(Item(None, f"{own}_sorted" if own else f"array{index}_sorted", _nth_sorted(call, index), node))
    return items


def _tuple_items(b: Binder, node: syntax.Named, scope: Scope) -> list[Item]:
    """`(a, b) = f(x)`: the parts of a function that yields several columns."""
    value = bind_scalar(b, node.value, scope)
    if is_array_sort(value):
        return [Item(name.text, None, _nth_sorted(value, index), node) for index, name in enumerate(node.names)]
    several = columns_of_call(node.value, value, scope)
    if several is not None and len(node.names) <= len(several):
        return _named_items([name.text for name in node.names], several, node)
    b.refuse("Assigning several names from this expression is not supported.", node.span)
    return [Item(name.text, None, value, node) for name in node.names]


def _nth_sorted(call: plan.Call, index: int) -> plan.Expr:
    position = plan.Const(index, ScalarType.LONG)
    return plan.Call(f"{call.name}_nth", (position, *call.args), call.type, call.span)


def refuse_random_name(b: Binder, item: Item) -> None:
    """R-208: an unnamed toscalar (and d[i] with a computed index) gets a random name from the service."""
    inner = item.node
    while isinstance(inner, syntax.Paren):
        inner = inner.inner
    if item.name is not None or item.carried is not None:
        return
    if isinstance(inner, syntax.ToScalar) or (isinstance(inner, syntax.Index) and isinstance(item.value, plan.DynamicPath)):
        b.refuse("The service gives this expression a random column name; `name = ...` makes it stable (R-208).", item.node.span)


def is_scalar_let(node: syntax.Node, scope: Scope) -> bool:
    """Whether an item is the bare name of a scalar let (named after the binding, except in by and print: R-205)."""
    return (
        isinstance(node, syntax.NameRef)
        and not (scope.columns is not None and node.name in scope.columns)
        and isinstance(scope.binding(node.name), ScalarBinding)
    )


def duplicate(b: Binder, name: str, node: syntax.Node) -> None:
    """R-207."""
    b.report("duplicate-column", f"A column with the name '{name}' is already declared.", node.span, alias="KS171")


def column_patterns(b: Binder, patterns: Sequence[syntax.Node], columns: Sequence[plan.Column]) -> list[plan.Column]:
    """The columns that names and wildcards select, in the order of the input; unknown names are findings."""
    chosen: set[int] = set()
    for pattern in patterns:
        chosen.update(column.id for column in columns_of(b, pattern, columns))
    return [column for column in columns if column.id in chosen]


def columns_of(b: Binder, pattern: syntax.Node, columns: Sequence[plan.Column]) -> list[plan.Column]:
    """The columns one name or wildcard selects."""
    if isinstance(pattern, syntax.Star):
        return [column for column in columns if not column.name.startswith(OPEN)]
    if isinstance(pattern, syntax.Wildcard):
        return [column for column in columns if matches(pattern.pattern, column.name) and not column.name.startswith(OPEN)]
    name = pattern.name if isinstance(pattern, syntax.NameRef) else None
    if name is None:
        b.report("column-expected", "Expected a column name.", pattern.span, alias="KS109")
        return []
    found = [column for column in columns if column.name == name]
    if not found and any(column.name == OPEN for column in columns):
        meet(b, name, pattern.span)
    elif not found and not any(column.name.startswith(OPEN) for column in columns):
        b.unknown_name(name, pattern.span, [column.name for column in columns], "column", "KS142")
    return found
