"""mv-expand (R-099..R-108)."""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope, const
from toolkit.kql.binder.expressions import bind_scalar
from toolkit.kql.binder.names import carried_name, is_column, suffixed
from toolkit.kql.binder.pipeline import handles, parameter, word
from toolkit.kql.types import TYPEOF_NAMES, ScalarType

OBSOLETE_LIMIT = 128


@handles(syntax.MvExpand)
def _mv_expand(b: Binder, operator: syntax.MvExpand, rel: plan.Rel, scope: Scope) -> plan.Rel:
    rows = scope.with_rows(rel.columns)
    columns = list(rel.columns)
    items, index = expand_items(b, operator, rows, columns)
    limit = bind_scalar(b, operator.limit, scope.without_rows()) if operator.limit is not None else None
    if limit is None and operator.obsolete:
        limit = const(OBSOLETE_LIMIT, ScalarType.LONG)
    pairs = "array" in (word(parameter(operator, "kind")), word(parameter(operator, "bagexpansion")))
    return plan.Expand(rel, items, index, limit, pairs, tuple(columns), operator.span)


def expand_items(
    b: Binder, operator: syntax.MvExpand | syntax.MvApply, rows: Scope, columns: list[plan.Column]
) -> tuple[tuple[plan.ExpandItem, ...], plan.Column | None]:
    """The expanded values and the index of mv-expand and mv-apply; `columns` becomes what the rows have afterwards."""
    return tuple(_item(b, item, rows, columns) for item in operator.items), _index(b, operator, columns)


def _item(b: Binder, item: syntax.ExpandItem, rows: Scope, columns: list[plan.Column]) -> plan.ExpandItem:
    """One expanded value; its column replaces the one it is named after, or is appended (R-102)."""
    value = bind_scalar(b, item.value, rows)
    if value.type not in (ScalarType.DYNAMIC, ScalarType.UNKNOWN):
        hints = ("parse_json(...) turns JSON text into a dynamic value.",) if value.type is ScalarType.STRING else ()
        b.report("dynamic-expected", f"mv-expand expects a dynamic value, found {value.type}.", item.value.span, alias="KS141", hints=hints)
    kind = ScalarType.DYNAMIC if item.to_type is None else TYPEOF_NAMES.get(item.to_type, ScalarType.DYNAMIC)
    column = b.column(_name(b, item, rows, columns), kind)
    for position, existing in enumerate(columns):
        if existing.name == column.name:
            columns[position] = column
            break
    else:
        columns.append(column)
    return plan.ExpandItem(column, value)


def _name(b: Binder, item: syntax.ExpandItem, rows: Scope, columns: list[plan.Column]) -> str:
    if item.name is not None:
        return item.name.text
    carried = carried_name(item.value, rows)
    if carried is not None and (is_column(item.value, rows) or isinstance(item.value, (syntax.Path, syntax.Index, syntax.NameRef))):
        return carried
    if carried is not None:
        return carried
    b.refuse("The column of an unnamed expression in mv-expand is not documented; `name = ...` makes it clear (R-107).", item.value.span)
    return suffixed("Column1", {column.name for column in columns})


def _index(b: Binder, operator: syntax.MvExpand | syntax.MvApply, columns: list[plan.Column]) -> plan.Column | None:
    option = parameter(operator, "with_itemindex")
    if option is None:
        return None
    name = suffixed(word(option) or "index", {column.name for column in columns})
    column = b.column(name, ScalarType.LONG)
    columns.append(column)
    return column
