"""join and lookup (R-219..R-230)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolkit.kql import plan, syntax
from toolkit.kql.binder import typing as rules
from toolkit.kql.binder.context import Binder, Scope
from toolkit.kql.binder.expressions import bind_scalar, convert
from toolkit.kql.binder.names import suffixed
from toolkit.kql.binder.opening import is_open, with_names
from toolkit.kql.binder.pipeline import bind_tabular, handles, parameter, word
from toolkit.kql.diagnostics import suggestion
from toolkit.kql.types import ScalarType

Key = tuple[plan.Expr, plan.Expr]

JOIN_KINDS = {
    "inner": "inner",
    "innerunique": "innerunique",
    "leftouter": "leftouter",
    "rightouter": "rightouter",
    "fullouter": "fullouter",
    "leftsemi": "leftsemi",
    "rightsemi": "rightsemi",
    "leftanti": "leftanti",
    "rightanti": "rightanti",
    "anti": "leftanti",
    "leftantisemi": "leftanti",
    "rightantisemi": "rightanti",
}
_LEFT_ONLY = frozenset({"leftsemi", "leftanti"})
_RIGHT_ONLY = frozenset({"rightsemi", "rightanti"})


@handles(syntax.Join)
def _join(b: Binder, operator: syntax.Join, rel: plan.Rel, scope: Scope) -> plan.Rel:
    right = bind_tabular(b, operator.right, scope.without_rows())
    option = parameter(operator, "kind")
    written = word(option) or "innerunique"
    kind = JOIN_KINDS.get(written)
    if kind is None:
        assert option is not None
        message = f"Expected one of {', '.join(JOIN_KINDS)}, found '{written}'."
        b.report("unknown-kind", message, option.value.span, alias="KS132", hints=suggestion(written, JOIN_KINDS))
        kind = "inner"
    rel, right = _opened(b, operator.on, rel, right)
    keys = _keys(b, operator.on, rel, right, scope)
    if kind in _LEFT_ONLY:
        columns: Sequence[plan.Column] = rel.columns
    elif kind in _RIGHT_ONLY:
        columns = right.columns
    else:
        columns = both_sides(rel.columns, right.columns)
    return plan.Join(kind, rel, right, tuple(keys), tuple(columns))


def both_sides(left: Sequence[plan.Column], right: Sequence[plan.Column]) -> list[plan.Column]:
    """All left columns, then the right ones with a number where the name is taken (R-221, R-222)."""
    taken = {column.name for column in left}
    clashing = set(taken)
    taken |= {column.name for column in right}
    columns = list(left)
    for column in right:
        clash = column.name in clashing and not column.name.startswith("*")
        name = suffixed(column.name, taken) if clash else column.name
        taken.add(name)
        columns.append(plan.Column(column.id, name, column.type))
    return columns


@handles(syntax.Lookup)
def _lookup(b: Binder, operator: syntax.Lookup, rel: plan.Rel, scope: Scope) -> plan.Rel:
    right = bind_tabular(b, operator.right, scope.without_rows())
    option = parameter(operator, "kind")
    kind = word(option) or "leftouter"
    if kind not in ("leftouter", "inner"):
        assert option is not None
        b.report("unknown-kind", f"Expected leftouter or inner, found '{kind}'.", option.value.span, alias="KS132")
        kind = "leftouter"
    for name in ("hint.shufflekey", "hint.num_partitions"):
        hint = parameter(operator, name)
        if hint is not None:
            b.refuse(f"The service refuses {name} on lookup (R-229).", hint.span)
    if not operator.on:
        b.report("on-expected", "lookup needs an 'on' clause.", operator.span, alias="KS005")
    rel, right = _opened(b, operator.on, rel, right)
    keys = _keys(b, operator.on, rel, right, scope)
    dropped = {value.column.id for _, value in keys if isinstance(value, plan.Ref)}
    kept = [column for column in right.columns if column.id not in dropped]
    return plan.Join(kind, rel, right, tuple(keys), tuple(both_sides(rel.columns, kept)))


def _opened(b: Binder, on: Sequence[syntax.Node], *sides: plan.Rel) -> list[plan.Rel]:
    """Both sides; an open one has the columns that the condition names on it."""
    found: list[plan.Rel] = []
    for rel, side in zip(sides, ("$left", "$right"), strict=True):
        names = [name for node in on for name in _names_on(node, side)] if is_open(rel) else []
        found.append(with_names(b, rel, names))
    return found


def _names_on(node: syntax.Node, side: str) -> Iterator[str]:
    match node:
        case syntax.NameRef(name=name) if not name.startswith("$"):
            yield name
        case syntax.Path(base=syntax.NameRef(name=base), member=syntax.Name(text=text)) if base == side:
            yield text
        case syntax.Path(base=syntax.NameRef(name="$left" | "$right")):
            return
        case syntax.Paren(inner=inner):
            yield from _names_on(inner, side)
        case syntax.Path(base=base) | syntax.Index(base=base):
            yield from _names_on(base, side)
        case syntax.Binary(left=left, right=right):
            yield from _names_on(left, side)
            yield from _names_on(right, side)
        case syntax.Call(arguments=arguments):
            for argument in arguments:
                yield from _names_on(argument, side)
        case _:
            return


def _keys(b: Binder, on: Sequence[syntax.Node], left: plan.Rel, right: plan.Rel, scope: Scope) -> list[Key]:
    keys: list[Key] = []
    for node in on:
        for part in _conjuncts(node):
            key = _key(b, part, left, right, scope)
            if key is not None:
                keys.append(_checked(b, part, key))
    return keys


def _conjuncts(node: syntax.Node) -> list[syntax.Node]:
    while isinstance(node, syntax.Paren):
        node = node.inner
    if isinstance(node, syntax.Binary) and node.operator == "and":
        return [*_conjuncts(node.left), *_conjuncts(node.right)]
    return [node]


def _key(b: Binder, node: syntax.Node, left: plan.Rel, right: plan.Rel, scope: Scope) -> Key | None:
    if isinstance(node, syntax.NameRef):
        return _common_key(b, node, left, right)
    if isinstance(node, syntax.Binary) and node.operator == "==":
        return _sided_key(b, node, left, right, scope)
    if not isinstance(node, syntax.Missing):
        hints = ("A condition is a common column, or $left.a == $right.b.",)
        b.report("join-condition", "Expected an equality of a left and a right column.", node.span, alias="KS183", hints=hints)
    return None


def _common_key(b: Binder, node: syntax.NameRef, left: plan.Rel, right: plan.Rel) -> Key | None:
    sides: list[plan.Expr] = []
    for rel, side in ((left, "left"), (right, "right")):
        found = next((column for column in rel.columns if column.name == node.name), None)
        if found is None and any(column.name.startswith("*") for column in rel.columns):
            sides.append(plan.Const(None, ScalarType.UNKNOWN, node.span))
        elif found is None:
            message = f"The column '{node.name}' must exist on both sides of the join; the {side} side lacks it."
            b.report("join-column", message, node.span, alias="KS145", hints=suggestion(node.name, [c.name for c in rel.columns]))
            return None
        else:
            sides.append(plan.Ref(found, node.span))
    return sides[0], sides[1]


def _sided_key(b: Binder, node: syntax.Binary, left: plan.Rel, right: plan.Rel, scope: Scope) -> Key | None:
    if _side_of(node.left) == "$right" or _side_of(node.right) == "$left":
        hints = ("The left side of the condition names $left, the right side $right.",)
        b.report("join-condition", "The join condition operand must be: $left.<column>.", node.left.span, alias="KS183", hints=hints)
        return None
    sides = scope.without_rows().with_sides(left.columns, right.columns)
    bound_left, bound_right = bind_scalar(b, node.left, sides), bind_scalar(b, node.right, sides)
    if _side_of(node.left) is None or _side_of(node.right) is None:
        wrong = node.left if _side_of(node.left) is None else node.right
        b.report("join-condition", "The join condition operand must be: $left.<column> or $right.<column>.", wrong.span, alias="KS183")
        return None
    return bound_left, bound_right


def _side_of(node: syntax.Node) -> str | None:
    while isinstance(node, (syntax.Paren, syntax.Path, syntax.Index)):
        node = node.inner if isinstance(node, syntax.Paren) else node.base
    return node.name if isinstance(node, syntax.NameRef) and node.name in ("$left", "$right") else None


def _checked(b: Binder, node: syntax.Node, key: Key) -> Key:
    left, right = key
    if ScalarType.DYNAMIC in (left.type, right.type):
        b.report("join-type", "A dynamic value cannot be a join key.", node.span, alias="KS241", hints=("tostring(...) makes one.",))
    elif not rules.joinable(left.type, right.type):
        alias = "KS227" if isinstance(node, syntax.NameRef) else "KS242"
        message = f"A join key must have the same type on both sides, found {left.type} and {right.type}."
        b.report("join-type", message, node.span, alias=alias)
    elif left.type is not right.type and left.type.is_integer and right.type.is_integer:
        return convert(left, ScalarType.LONG), convert(right, ScalarType.LONG)
    return key
