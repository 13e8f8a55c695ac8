"""scan (R-274): steps that remember rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, Binder, Scope, const, null_of
from toolkit.kql.binder.expressions import bind_scalar, convert, unknown
from toolkit.kql.binder.overloads import is_constant
from toolkit.kql.binder.pipeline import handles, parameter, word
from toolkit.kql.binder.windows import is_serialized
from toolkit.kql.source import Span
from toolkit.kql.types import DECLARABLE, ScalarType

_UNKNOWN = ScalarType.UNKNOWN
_WIDER: Mapping[ScalarType, frozenset[ScalarType]] = {
    ScalarType.LONG: frozenset({ScalarType.INT}),
    ScalarType.REAL: frozenset({ScalarType.INT, ScalarType.LONG}),
}
_INT = range(-(2**31), 2**31)


@handles(syntax.Scan)
def _scan(b: Binder, operator: syntax.Scan, rel: plan.Rel, scope: Scope) -> plan.Rel:
    _check(b, operator, rel)
    declared = _declared(b, operator, rel, scope)
    replaced = _replaced(b, operator, rel, declared)
    made = (*declared, *replaced)
    match_id = _match_id(b, operator, rel, declared)
    now = {column.name: column for column, _ in replaced}
    columns = [now.get(column.name, column) for column in rel.columns]
    columns += [*(column for column, _ in declared), *([match_id] if match_id is not None else [])]
    steps = _steps(b, operator, rel, scope, made)
    return plan.MatchSteps(rel, steps, made, match_id, tuple(columns), span=operator.span)


def _check(b: Binder, operator: syntax.Scan, rel: plan.Rel) -> None:
    if not is_serialized(b, rel):
        hints = ("sort, top or serialize before it gives the rows an order.",)
        b.refuse("The operator 'scan' needs rows that have an order (R-244).", operator.span, hints=hints)
    for part in (*operator.order, *operator.partition):
        b.refuse("The clauses 'order by' and 'partition by' of scan are not documented.", part.span, hints=_BEFORE)
    seen: set[str] = set()
    for step in operator.steps:
        if step.name.text in seen:
            b.refuse(f"Two steps are called '{step.name.text}'; the names of steps must differ.", step.name.span)
        seen.add(step.name.text)
        if step.optional:
            b.refuse("What 'optional' means for a step of scan is not documented.", step.span)
    if not operator.steps:
        b.refuse("A scan needs a step.", operator.span)


_BEFORE = ("sort before the scan, or the operator partition around it, does the same.",)


def _declared(b: Binder, operator: syntax.Scan, rel: plan.Rel, scope: Scope) -> list[tuple[plan.Column, plan.Expr]]:
    """The declared columns, each with its default: null where none is given."""
    taken = {column.name for column in rel.columns}
    found: list[tuple[plan.Column, plan.Expr]] = []
    for declared in operator.declare:
        kind = DECLARABLE.get(declared.type, _UNKNOWN) if isinstance(declared.type, str) else _UNKNOWN
        name = declared.name.text
        if name in taken:
            b.refuse(f"The rows have a column '{name}' already; a step can assign it without a declaration.", declared.span)
        taken.add(name)
        default: plan.Expr = null_of(kind)
        if declared.default is not None:
            value = bind_scalar(b, declared.default, scope.with_rows(rel.columns))
            if not is_constant(value):
                b.refuse("The default of a declared column must be a constant.", declared.default.span)
                value = const(None, _UNKNOWN, declared.span)
            default = _assigned(b, value, kind, name, declared.default.span)
        found.append((b.column(name, kind), default))
    return found


def _replaced(
    b: Binder, operator: syntax.Scan, rel: plan.Rel, declared: Sequence[tuple[plan.Column, plan.Expr]]
) -> list[tuple[plan.Column, plan.Expr]]:
    """The columns of the rows that a step assigns: they keep their place and their type."""
    names = {column.name for column, _ in declared}
    source = {column.name: column for column in rel.columns if not column.name.startswith(OPEN)}
    found: dict[str, tuple[plan.Column, plan.Expr]] = {}
    for item in _assignments(operator):
        name = item.names[0].text
        if name in names or name in found:
            continue
        if name in source:
            found[name] = (b.column(name, source[name].type), plan.Ref(source[name]))
        elif OPEN not in {column.name for column in rel.columns}:
            b.unknown_name(name, item.names[0].span, [*names, *source], "declared column", "KS142")
    return list(found.values())


def _assignments(operator: syntax.Scan) -> Iterable[syntax.Named]:
    for step in operator.steps:
        for item in step.assignments:
            if isinstance(item, syntax.Named) and item.names:
                yield item


def _match_id(b: Binder, operator: syntax.Scan, rel: plan.Rel, declared: Sequence[tuple[plan.Column, plan.Expr]]) -> plan.Column | None:
    """Only where it is asked for (R-347)."""
    option = parameter(operator, "with_match_id")
    if option is None:
        return None
    name = word(option) or "match_id"
    if name in {column.name for column in (*rel.columns, *(made for made, _ in declared))}:
        b.refuse(f"A column '{name}' exists already; the number of the match needs a name of its own.", option.span)
    return b.column(name, ScalarType.LONG)


def _steps(
    b: Binder, operator: syntax.Scan, rel: plan.Rel, scope: Scope, made: Sequence[tuple[plan.Column, plan.Expr]]
) -> tuple[plan.MatchStep, ...]:
    by_name = {column.name: column for column, _ in made}
    origins = {column.name: column for column in rel.columns if not column.name.startswith(OPEN)} | by_name
    held = {step.name.text: {name: b.column(name, column.type) for name, column in origins.items()} for step in operator.steps}
    bare = {**{column.name: column for column in rel.columns}, **{c.name: c for c, value in made if not isinstance(value, plan.Ref)}}
    rows = replace(scope.with_rows(tuple(bare.values())), steps=held)
    found: list[plan.MatchStep] = []
    for step in operator.steps:
        condition = _condition(b, step, rows)
        assignments = _assigned_columns(b, step, rows, by_name)
        values = [condition, *(value for _, value in assignments)]
        later = {column.id for other in operator.steps[len(found) + 1 :] for column in held[other.name.text].values()}
        _check_reads(b, values, later, {column.id for column, _ in made})
        state = tuple((column, origins[name]) for name, column in held[step.name.text].items())
        found.append(plan.MatchStep(step.name.text, condition, assignments, step.output or "all", state))
    return tuple(found)


def _check_reads(b: Binder, values: Sequence[plan.Expr], later: set[int], made: set[int]) -> None:
    for value in values:
        for part in plan.subexpressions(value):
            if isinstance(part, plan.Ref) and part.column.id in later:
                b.refuse("A step cannot read the state of a later one: its state holds the steps up to itself.", part.span)
            elif isinstance(part, plan.Ref) and part.column.id in made:
                name = part.column.name
                b.refuse(f"What '{name}' holds before it is assigned is not documented; `step.{name}` is the remembered value.", part.span)


def _condition(b: Binder, step: syntax.ScanStep, rows: Scope) -> plan.Expr:
    value = bind_scalar(b, step.condition, rows)
    if value.type in (ScalarType.BOOL, _UNKNOWN):
        return value
    b.refuse(f"Expected a bool as the condition of a step, found {value.type}.", step.condition.span)
    return unknown(step.condition.span)


def _assigned_columns(
    b: Binder, step: syntax.ScanStep, rows: Scope, columns: Mapping[str, plan.Column]
) -> tuple[tuple[plan.Column, plan.Expr], ...]:
    found: dict[str, tuple[plan.Column, plan.Expr]] = {}
    for item in step.assignments:
        if not isinstance(item, syntax.Named) or not item.names:
            continue
        name = item.names[0].text
        value = bind_scalar(b, item.value, rows)
        if name in found:
            b.refuse(f"The step assigns '{name}' twice.", item.span)
        if name in columns:
            found[name] = (columns[name], _assigned(b, value, columns[name].type, name, item.value.span))
    return tuple(found.values())


def _assigned(b: Binder, value: plan.Expr, kind: ScalarType, name: str, span: Span) -> plan.Expr:
    """A value in the type of its column; a narrower number is widened, what the service makes of others is not documented."""
    if value.type is kind or _UNKNOWN in (value.type, kind):
        return value
    if isinstance(value, plan.Const) and value.value is None:
        return null_of(kind)
    if isinstance(value, plan.Const) and kind is ScalarType.INT and value.type is ScalarType.LONG and value.value in _INT:
        return const(value.value, kind, value.span)
    if isinstance(value, plan.Const) and kind is ScalarType.DECIMAL and value.type.is_integer:
        return convert(value, kind)
    if value.type in _WIDER.get(kind, ()):
        return convert(value, kind)
    hints = ("a conversion such as tolong(...) or todynamic(...) makes the types equal.",)
    b.refuse(f"The column '{name}' is of type {kind}, the value of type {value.type}.", span, hints=hints)
    return const(None, kind, span)
