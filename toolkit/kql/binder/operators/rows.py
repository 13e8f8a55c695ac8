"""Row-wise operators: where, extend, the project family (R-211), sort, top, take, and the ones that change no rows (R-326)."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, Binder, Scope, const
from toolkit.kql.binder.expressions import bind_scalar, condition
from toolkit.kql.binder.names import Namer
from toolkit.kql.binder.operators.items import (
    Item,
    bind_items,
    column_patterns,
    columns_of,
    duplicate,
    refuse_random_name,
)
from toolkit.kql.binder.overloads import is_constant
from toolkit.kql.binder.pipeline import handles, parameter, visible, word
from toolkit.kql.binder.windows import with_values, with_windows
from toolkit.kql.types import ScalarType


@handles(syntax.Where)
def _where(b: Binder, operator: syntax.Where, rel: plan.Rel, scope: Scope) -> plan.Rel:
    rows = scope.with_rows(rel.columns)
    below, predicate = with_windows(b, rel, lambda: condition(b, operator.predicate, rows, "a where condition"))
    return plan.Filter(below, predicate)


@handles(syntax.Extend)
def _extend(b: Binder, operator: syntax.Extend, rel: plan.Rel, scope: Scope) -> plan.Rel:
    below, items = with_windows(b, rel, lambda: bind_items(b, operator.items, scope.with_rows(rel.columns)))
    return extend_items(b, items, below)


def extend_items(b: Binder, items: Sequence[Item], rel: plan.Rel) -> plan.Rel:
    """R-202, R-210, R-344: a name that exists is replaced in place, new ones are appended; one target twice is an error."""
    existing = {column.name for column in rel.columns}
    namer = Namer(explicit=frozenset(item.name for item in items if item.name is not None), skip=frozenset(existing))
    targets: dict[str, plan.Column] = {}
    assigned: list[tuple[plan.Column, plan.Expr]] = []
    for item in items:
        refuse_random_name(b, item)
        name = item.name or item.carried or namer.position()
        if name in targets:
            _clash(b, item, name)
            continue
        namer.taken.add(name)
        targets[name] = b.column(name, item.value.type)
        assigned.append((targets[name], item.value))
    columns = [targets.get(column.name, column) for column in rel.columns]
    columns += [column for name, column in targets.items() if name not in existing]
    return plan.Extend(rel, tuple(assigned), tuple(columns))


def _clash(b: Binder, item: Item, name: str) -> None:
    if item.name is not None:
        duplicate(b, name, item.node)
    else:
        b.refuse(f"Two results of one extend are called '{name}', which the service refuses (R-202).", item.node.span, alias="SEM0034")


@handles(syntax.Project)
def _project(b: Binder, operator: syntax.Project, rel: plan.Rel, scope: Scope) -> plan.Rel:
    below, items = with_windows(b, rel, lambda: bind_items(b, operator.items, scope.with_rows(rel.columns)))
    return project_items(b, items, below)


def project_items(b: Binder, items: Sequence[Item], rel: plan.Rel) -> plan.Rel:
    """R-201: explicit names as written, derived names numbered on a clash, the rest ColumnN."""
    explicit = [_fixed_name(item) for item in items]
    seen: set[str] = set()
    for name, item in zip(explicit, items, strict=True):
        if name is not None and name in seen:
            duplicate(b, name, item.node)
        seen.add(name or "")
    namer = Namer(explicit=frozenset(name for name in explicit if name is not None))
    columns: list[plan.Column] = []
    computed: list[tuple[plan.Column, plan.Expr]] = []
    used: set[int] = set()
    for fixed, item in zip(explicit, items, strict=True):
        refuse_random_name(b, item)
        name = namer.claim(fixed) if fixed is not None else namer.derive(item.carried) if item.carried is not None else namer.position()
        if isinstance(item.value, plan.Ref) and item.value.column.id not in used:
            used.add(item.value.column.id)
            columns.append(plan.Column(item.value.column.id, name, item.value.type))
            continue
        column = b.column(name, item.value.type)
        computed.append((column, item.value))
        columns.append(column)
    if not computed:
        return plan.Narrow(rel, tuple(columns))
    return plan.Extend(rel, tuple(computed), tuple(columns))


def _fixed_name(item: Item) -> str | None:
    """The name of an item that no clash may change: written, or a column's own."""
    if item.name is not None:
        return item.name
    return item.carried if isinstance(item.node, syntax.NameRef) else None


@handles(syntax.ProjectAway)
def _project_away(b: Binder, operator: syntax.ProjectAway, rel: plan.Rel, scope: Scope) -> plan.Rel:
    dropped = {column.id for column in column_patterns(b, operator.patterns, rel.columns)}
    return plan.Narrow(rel, tuple(column for column in rel.columns if column.id not in dropped))


@handles(syntax.ProjectKeep)
def _project_keep(b: Binder, operator: syntax.ProjectKeep, rel: plan.Rel, scope: Scope) -> plan.Rel:
    return plan.Narrow(rel, tuple(column_patterns(b, operator.patterns, rel.columns)))


@handles(syntax.ProjectRename)
def _project_rename(b: Binder, operator: syntax.ProjectRename, rel: plan.Rel, scope: Scope) -> plan.Rel:
    names: dict[int, str] = {}
    for item in operator.items:
        if not isinstance(item, syntax.Named) or not item.names or not isinstance(item.value, syntax.NameRef):
            b.report("rename-expected", "Expected 'new name = column'.", item.span, alias="KS109")
            continue
        for column in columns_of(b, item.value, rel.columns):
            names[column.id] = item.names[0].text
    columns = tuple(plan.Column(column.id, names.get(column.id, column.name), column.type) for column in rel.columns)
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            duplicate(b, column.name, operator)
        seen.add(column.name)
    return plan.Narrow(rel, columns)


@handles(syntax.ProjectReorder)
def _project_reorder(b: Binder, operator: syntax.ProjectReorder, rel: plan.Rel, scope: Scope) -> plan.Rel:
    moved: list[plan.Column] = []
    for key in operator.items:
        group = [column for column in columns_of(b, key.value, rel.columns) if column not in moved]
        moved += _ordered(group, key.direction)
    return plan.Narrow(rel, (*moved, *(column for column in rel.columns if column not in moved)))


def _ordered(columns: list[plan.Column], direction: str | None) -> list[plan.Column]:
    if direction is None:
        return columns
    granny = direction.startswith("granny")
    key = (lambda column: _granny(column.name)) if granny else (lambda column: [column.name])
    return sorted(columns, key=key, reverse=direction.endswith("desc"))


def _granny(name: str) -> list[object]:
    """Digits inside names count as numbers: a2 before a10."""
    parts: list[object] = []
    digits = ""
    for letter in name:
        if letter.isdigit():
            digits += letter
            continue
        if digits:
            parts.append((0, int(digits), ""))
            digits = ""
        parts.append((1, 0, letter))
    return [*parts, (0, int(digits), "")] if digits else parts


@handles(syntax.ProjectByNames)
def _project_by_names(b: Binder, operator: syntax.ProjectByNames, rel: plan.Rel, scope: Scope) -> plan.Rel:
    import json

    chosen: list[plan.Column] = []
    rows = scope.with_rows(rel.columns)
    for item in operator.items:
        if isinstance(item, (syntax.Star, syntax.Wildcard)) or (isinstance(item, syntax.NameRef) and item.name in (rows.columns or {})):
            chosen += [column for column in columns_of(b, item, rel.columns) if column not in chosen]
            continue
        value = bind_scalar(b, item, scope.without_rows())
        text = value.value if isinstance(value, plan.Const) else None
        names = json.loads(str(text)) if value.type is ScalarType.DYNAMIC and text is not None else [text]
        for name in names if isinstance(names, list) else []:
            pattern = syntax.Wildcard(str(name)) if "*" in str(name) else None
            found = (
                columns_of(b, pattern, rel.columns) if pattern is not None else [column for column in rel.columns if column.name == name]
            )
            chosen += [column for column in found if column not in chosen]
    return plan.Narrow(rel, tuple(chosen))


# --- order and number of rows ---------------------------------------------------------------------------------------


def sort_key(b: Binder, key: syntax.OrderKey, scope: Scope) -> plan.SortKey:
    """R-237: descending unless said otherwise; null is the smallest value unless said otherwise. A dynamic has no order (R-239)."""
    value = bind_scalar(b, key.value, scope)
    if value.type is ScalarType.DYNAMIC:
        hints = ("tostring(...) or todouble(...) makes a value that can be ordered.",)
        b.report("cannot-order", "A dynamic value cannot be ordered.", key.value.span, alias="KS116", hints=hints)
    descending = key.direction != "asc"
    nulls_first = key.nulls == "first" if key.nulls is not None else not descending
    return plan.SortKey(value, descending, nulls_first)


@handles(syntax.Sort)
def _sort(b: Binder, operator: syntax.Sort, rel: plan.Rel, scope: Scope) -> plan.Rel:
    rows = scope.with_rows(rel.columns)
    below, keys = with_values(b, rel, lambda: tuple(sort_key(b, key, rows) for key in operator.keys))
    return plan.Sort(below, keys)


@handles(syntax.Top)
def _top(b: Binder, operator: syntax.Top, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """R-240: one key, ordered as sort does; among equal rows the first ones."""
    count = row_count(b, operator.count, scope)
    below, key = with_values(b, rel, lambda: sort_key(b, operator.key, scope.with_rows(rel.columns)))
    return plan.Limit(plan.Sort(below, (key,)), count)


@handles(syntax.Take)
def _take(b: Binder, operator: syntax.Take, rel: plan.Rel, scope: Scope) -> plan.Rel:
    return plan.Limit(rel, row_count(b, operator.count, scope))


def row_count(b: Binder, expr: syntax.Node, scope: Scope) -> plan.Expr:
    """A number of rows: whole and constant."""
    value = bind_scalar(b, expr, scope.without_rows())
    if value.type not in (ScalarType.INT, ScalarType.LONG, ScalarType.UNKNOWN):
        b.report("whole-number-expected", f"Expected a whole number of rows, found {value.type}.", expr.span, alias="KS134")
        return const(0, ScalarType.LONG, expr.span)
    if not is_constant(value):
        b.report("constant-expected", "The number of rows must be a constant.", expr.span, alias="KS129")
    return value


# --- operators that leave the rows alone ----------------------------------------------------------------------------


@handles(syntax.Serialize)
def _serialize(b: Binder, operator: syntax.Serialize, rel: plan.Rel, scope: Scope) -> plan.Rel:
    ordered = plan.Serialize(rel)
    below, items = with_windows(b, ordered, lambda: bind_items(b, operator.items, scope.with_rows(rel.columns)), serialized=True)
    return extend_items(b, items, below) if items else below


@handles(syntax.As)
def _as(b: Binder, operator: syntax.As, rel: plan.Rel, scope: Scope) -> plan.Rel:
    shared = plan.Shared(operator.name.text, rel, pinned=word(parameter(operator, "hint.materialized")) == "true")
    named = plan.Reuse(shared, b.fresh(rel.columns))
    b.aliases[id(named)] = operator.name.text
    b.kept.append(named)
    return named


def _property(option: syntax.Parameter) -> object:
    """The value as written; a tuple of names for a list of columns."""
    if isinstance(option.value, syntax.ColumnList):
        return tuple(column.name for column in option.value.columns)
    return word(option)


@handles(syntax.Render)
def _render(b: Binder, operator: syntax.Render, rel: plan.Rel, scope: Scope) -> plan.Rel:
    properties = tuple((option.name, _property(option)) for option in (*operator.parameters, *operator.properties))
    b.visualization = plan.Visualization(operator.chart, properties)
    return rel


@handles(syntax.Count)
def _count(b: Binder, operator: syntax.Count, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """R-217."""
    column = b.column(operator.name.text if operator.name is not None else "Count", ScalarType.LONG)
    call = plan.AggregateCall("count", (), ScalarType.LONG, operator.span)
    return plan.Aggregate(rel, (), ((column, call),), (), (column,))


@handles(syntax.Consume)
def _consume(b: Binder, operator: syntax.Consume, rel: plan.Rel, scope: Scope) -> plan.Rel:
    return plan.Narrow(plan.Limit(rel, const(0, ScalarType.LONG)), ())


_NET_TYPES = {
    ScalarType.BOOL: "System.SByte",
    ScalarType.INT: "System.Int32",
    ScalarType.LONG: "System.Int64",
    ScalarType.REAL: "System.Double",
    ScalarType.DECIMAL: "System.Data.SqlTypes.SqlDecimal",
    ScalarType.STRING: "System.String",
    ScalarType.DATETIME: "System.DateTime",
    ScalarType.TIMESPAN: "System.TimeSpan",
    ScalarType.GUID: "System.Guid",
    ScalarType.DYNAMIC: "System.Object",
    ScalarType.UNKNOWN: "System.Object",
}


@handles(syntax.GetSchema)
def _getschema(b: Binder, operator: syntax.GetSchema, rel: plan.Rel, scope: Scope) -> plan.Rel:
    """R-216."""
    if any(column.name == OPEN for column in rel.columns):
        b.refuse("The schema of this input is not known before it runs.", operator.span)
    text, whole = ScalarType.STRING, ScalarType.LONG
    columns = (
        b.column("ColumnName", text),
        b.column("ColumnOrdinal", whole),
        b.column("DataType", text),
        b.column("ColumnType", text),
    )
    rows = tuple(
        (const(column.name, text), const(ordinal, whole), const(_NET_TYPES[column.type], text), const(column.type.value, text))
        for ordinal, column in enumerate(visible(rel.columns))
    )
    return plan.Values(columns, rows)
