"""union (R-231..R-236)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, HiddenBinding, Scope, TableBinding, const, null_of
from toolkit.kql.binder.elsewhere import is_elsewhere, label_of
from toolkit.kql.binder.names import suffixed
from toolkit.kql.binder.pipeline import (
    bind_tabular,
    handles,
    is_tabular,
    parameter,
    sources,
    word,
)
from toolkit.kql.binder.wildcards import matches
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

UNKNOWN = ScalarType.UNKNOWN


@dataclass(frozen=True)
class Leg:
    """One input. An `empty` one (a table that a wildcard found and that holds no rows) only contributes its columns."""

    label: str
    rel: plan.Rel
    empty: bool = False


@handles(syntax.Union_)
def _union(b: Binder, operator: syntax.Union_, rel: plan.Rel, scope: Scope) -> plan.Rel:
    return _merge(b, operator, [Leg(piped_name(b, rel) or "union_arg0", rel), *_legs(b, operator, scope, 1)])


def table_name(rel: plan.Rel) -> str | None:
    """The table that a relation is, and nothing else than that: lets may give it other names (R-234)."""
    while isinstance(rel, plan.Reuse):
        rel = rel.shared.rel
    return rel.table if isinstance(rel, plan.Scan) else None


def piped_name(b: Binder, rel: plan.Rel) -> str | None:
    """What withsource calls the rows before the operator: the name that `as` gave them, else their table's."""
    below = rel
    while id(below) not in b.aliases:
        inputs = plan.inputs(below)
        if len(inputs) != 1 or isinstance(below, plan.Reuse):
            return table_name(rel)
        below = inputs[0]
    return b.aliases[id(below)]


def legs_of(b: Binder, tables: Sequence[syntax.Expr], scope: Scope, span: Span) -> list[Leg]:
    """The tables of a list, as union writes it."""
    return _legs(b, syntax.Union_(tables=tuple(tables), span=span), scope, 0)


@sources(syntax.Union_)
def _union_source(b: Binder, operator: syntax.Union_, scope: Scope) -> plan.Rel:
    return _merge(b, operator, _legs(b, operator, scope, 0))


def _legs(b: Binder, operator: syntax.Union_, scope: Scope, offset: int) -> list[Leg]:
    fuzzy = word(parameter(operator, "isfuzzy")) == "true"
    legs: list[Leg] = []
    scope = scope.without_rows()
    for position, node in enumerate(operator.tables):
        label = _label(b, node, scope) or f"union_arg{position + offset}"
        if isinstance(node, (syntax.Wildcard, syntax.Star)):
            legs += _wildcard(b, node, scope, fuzzy=fuzzy)
            continue
        if fuzzy and not b.is_dry and _unresolved(b, node, scope):
            continue
        legs.append(Leg(label, _fuzzy_leg(b, node, scope) if fuzzy else bind_tabular(b, node, scope)))
    if fuzzy and b.is_dry and operator.tables and not offset and all(_unresolved(b, node, scope) for node in operator.tables):
        b.refuse("None of the tables of this union is known, and one at least must exist (R-235).", operator.span)
    if not legs and operator.tables:
        b.report("no-table", "None of the tables of this union exists.", operator.span, alias="KS204")
    return legs


def _fuzzy_leg(b: Binder, node: syntax.Node, scope: Scope) -> plan.Rel:
    """A leg of isfuzzy=true. Over no workspace in particular a table that is not known may be in the one that runs the query.

    Such a leg is open, as in Microsoft's analyzer; where there are rows it is dropped before (R-235).
    """
    outer, b.fuzzy = b.fuzzy, b.is_dry
    try:
        return bind_tabular(b, node, scope)
    finally:
        b.fuzzy = outer


def _label(b: Binder, node: syntax.Node, scope: Scope) -> str | None:
    """What withsource calls a leg: the table's name, the name of a view or `as`, else its number (R-234)."""
    while isinstance(node, syntax.Paren) or (isinstance(node, syntax.Pipeline) and not node.operators):
        node = node.inner if isinstance(node, syntax.Paren) else node.source
    if isinstance(node, syntax.Pipeline):
        last = next((step for step in reversed(node.operators) if isinstance(step, syntax.As)), None)
        return last.name.text if last is not None else None
    if isinstance(node, syntax.Path):
        qualifier = f"{label_of(node.base)}." if is_elsewhere(b, node.base) else ""
        return f"{qualifier}{node.member.text}" if isinstance(node.member, syntax.Name) else None
    if isinstance(node, syntax.Call):
        return None
    if not isinstance(node, syntax.NameRef):
        return None
    binding = scope.binding(node.name)
    if binding is None:
        return node.name
    if isinstance(binding, TableBinding):
        return table_name(binding.shared.rel) or (node.name if binding.is_view else None)
    declaration = getattr(binding, "declaration", None)
    return node.name if declaration is not None and declaration.view else None


def _wildcard(b: Binder, node: syntax.Node, scope: Scope, *, fuzzy: bool = False) -> list[Leg]:
    """The tables and views that a pattern selects; isfuzzy takes it if there are none (R-235)."""
    pattern = node.pattern if isinstance(node, syntax.Wildcard) else "*"
    names = [name for name in b.environment.table_names() if matches(pattern, name) and not isinstance(scope.binding(name), HiddenBinding)]
    names += [name for name in scope.visible_names() if matches(pattern, name) and name not in names and _is_view(scope, name)]
    if not names:
        b.report("no-table", f"No table matches '{pattern}'.", node.span, alias="KS204", severity="warning" if fuzzy else "error")
    return [Leg(name, bind_tabular(b, syntax.NameRef(name, span=node.span), scope), _is_empty(b, name, scope)) for name in names]


def _is_empty(b: Binder, name: str, scope: Scope) -> bool:
    return scope.binding(name) is None and not b.environment.has_rows(name)


def _is_view(scope: Scope, name: str) -> bool:
    binding = scope.binding(name)
    declaration = getattr(binding, "declaration", None)
    return (isinstance(binding, TableBinding) and binding.is_view) or bool(declaration is not None and declaration.view)


def _unresolved(b: Binder, node: syntax.Node, scope: Scope) -> bool:
    """Whether a leg's table or function does not exist (R-235): isfuzzy drops it."""
    while isinstance(node, (syntax.Paren, syntax.Pipeline)):
        inner = node.inner if isinstance(node, syntax.Paren) else node.source
        if isinstance(inner, syntax.Operator):
            return False
        node = inner
    if isinstance(node, (syntax.NameRef, syntax.Call)):
        return not is_tabular(b, node, scope)
    return False


def _merge(b: Binder, operator: syntax.Union_, legs: Sequence[Leg]) -> plan.Rel:
    kind = word(parameter(operator, "kind")) or "outer"
    option = parameter(operator, "withsource") or parameter(operator, "with_source")
    source = (word(option) or "source_") if option is not None else None
    everything = any(isinstance(node, syntax.Star) or getattr(node, "pattern", "") == "*" for node in operator.tables)
    return merged(b, legs, kind, source, operator.span, everything=everything)


def merged(b: Binder, legs: Sequence[Leg], kind: str, source: str | None, span: Span, *, everything: bool = False) -> plan.Rel:
    """All rows of all legs, matched by name; `source` names a first column that holds the legs' labels."""
    filled = [leg for leg in legs if not leg.empty]
    columns = [] if source is None else [b.column(source, ScalarType.STRING)]
    places: dict[tuple[str, ScalarType], int] = {}
    for name, found, label in _labelled(_columns(legs, kind), source):
        places[name, found] = len(columns)
        columns.append(b.column(label, found))
    if everything:
        # every table of a workspace: which columns there are is not known here
        columns.append(b.column("*", ScalarType.UNKNOWN))
    # a union of all tables has thousands of columns: a leg's row is made of those that it lacks, and its own put in
    absent = {found: null_of(found) for found in {column.type for column in columns}}
    lacking: list[plan.Expr] = [absent[column.type] for column in columns]
    return plan.Union_(tuple(plan.UnionLeg(leg.rel, _row(leg, lacking, places, source, span)) for leg in filled), tuple(columns))


def _labelled(types: dict[str, list[ScalarType]], source: str | None) -> Iterator[tuple[str, ScalarType, str]]:
    """Each column's name and type, and what it is called in the result.

    A column that has one type keeps its name; what a typed name would clash with is numbered (R-233, R-346).
    """
    taken = set() if source is None else {source}
    untyped = taken | {name for name, kinds in types.items() if len(kinds) == 1}
    for name, kinds in types.items():
        for found in kinds:
            label = suffixed(name, taken) if len(kinds) == 1 else suffixed(f"{name}_{found}", untyped)
            taken.add(label)
            untyped.add(label)
            yield name, found, label


def _row(
    leg: Leg, lacking: Sequence[plan.Expr], places: Mapping[tuple[str, ScalarType], int], source: str | None, span: Span
) -> tuple[plan.Expr, ...]:
    """The values of one leg's rows for all columns of the union."""
    row = list(lacking)
    if source is not None:
        row[0] = _named(leg, span)
    for column in leg.rel.columns:
        place = places.get((column.name, column.type))
        if place is not None:
            row[place] = plan.Ref(column)
    return tuple(row)


def _named(leg: Leg, span: Span) -> plan.Expr:
    """The label of a leg; the one that the service makes up for an expression is refused when it is read."""
    if leg.label:
        return const(leg.label, ScalarType.STRING)
    return plan.Call("name of an unnamed source", (), ScalarType.STRING, span)


def _columns(legs: Sequence[Leg], kind: str) -> dict[str, list[ScalarType]]:
    """Names in order of first appearance, each with the types it has among the legs (R-231..R-233)."""
    types: dict[str, list[ScalarType]] = {}
    met: Counter[str] = Counter()
    for leg in legs:
        for column in leg.rel.columns:
            known = types.setdefault(column.name, [])
            met[column.name] += 1
            if column.type in known:
                continue
            # the analyzer lets a name keep the type that it has in the first two tables; a column of a table that nobody
            # knows cannot tell otherwise, one with a type of its own can
            if UNKNOWN in (column.type, *known) and len(known) == 1 and met[column.name] > 2:
                continue
            known.append(column.type)
    if kind == "inner":
        common = set.intersection(*({column.name for column in leg.rel.columns} for leg in legs)) if legs else set()
        types = {name: found for name, found in types.items() if name in common}
    return types
