"""search and find: a predicate over several tables at once (R-324, R-325)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope, const, null_of
from toolkit.kql.binder.expressions import bind_scalar, condition, convert
from toolkit.kql.binder.operators.unions import Leg, legs_of, merged, piped_name
from toolkit.kql.binder.pipeline import EVERY_TABLE, handles, nothing, parameter, sources, visible, word
from toolkit.kql.types import DECLARABLE, ScalarType

TABLE = "$table"

# What a term means by where its asterisks stand.
_TERMS = {(False, False): "has", (False, True): "hasprefix", (True, False): "hassuffix", (True, True): "contains"}

_NEVER_OF_NOTHING = frozenset(
    "== =~ < <= > >= in in~ has has_cs hasprefix hasprefix_cs hassuffix hassuffix_cs contains contains_cs startswith startswith_cs "
    "endswith endswith_cs has_any has_all".split()
)


@sources(syntax.Search)
def _search_source(b: Binder, operator: syntax.Search, scope: Scope) -> plan.Rel:
    if operator.tables:
        return _searched(b, operator, legs_of(b, operator.tables, scope, operator.span), scope)
    legs = legs_of(b, (syntax.Star(span=operator.span),), scope, operator.span)
    certain = _certain(legs, set(_names(operator.predicate)))
    if certain:
        return _searched(b, operator, certain, scope)
    found = _searched(b, operator, legs, scope)
    mark = b.column(EVERY_TABLE, ScalarType.STRING)
    return plan.Extend(found, ((mark, null_of(mark.type)),), (*found.columns, mark))


def _certain(legs: Sequence[Leg], names: set[str]) -> list[Leg]:
    """The tables of a search over everything, where the service's choice of columns leaves none out (R-324).

    Tables without the columns of the predicate take no part; columns of the predicate and those that all tables have are
    shown. Which of the others are is not documented, so with any of them nothing is certain.
    """
    taking_part = [leg for leg in legs if not leg.empty and names and names <= {column.name for column in leg.rel.columns}]
    columns = [{column.name for column in leg.rel.columns} for leg in taking_part]
    common = set.intersection(*columns) if columns else set()
    return taking_part if all(found <= names | common for found in columns) else []


@handles(syntax.Search)
def _search(b: Binder, operator: syntax.Search, rel: plan.Rel, scope: Scope) -> plan.Rel:
    return _searched(b, operator, [Leg(piped_name(b, rel) or "", rel)], scope)


def _searched(b: Binder, operator: syntax.Search, legs: Sequence[Leg], scope: Scope) -> plan.Rel:
    """All rows of all tables that pass, under the name of their table."""
    if not legs:
        return nothing(b)
    union = merged(b, legs, "outer", TABLE, operator.span)
    rows = scope.with_rows(union.columns)
    texts = scope.with_rows([column for column in union.columns if column.name != TABLE])
    return plan.Filter(union, _predicate(b, operator.predicate, rows, texts, sensitive=_is_sensitive(operator)))


def _is_sensitive(operator: syntax.Operator) -> bool:
    return word(parameter(operator, "kind")) == "case_sensitive"


def _predicate(b: Binder, node: syntax.Node, rows: Scope, texts: Scope, *, sensitive: bool) -> plan.Expr:
    """A boolean expression in which a lone text is a term that any column may hold."""
    match node:
        case syntax.Paren(inner=inner):
            return _predicate(b, inner, rows, texts, sensitive=sensitive)
        case syntax.Star():
            return const(True, ScalarType.BOOL, node.span)
        case syntax.Literal(kind="string", value=str(term)):
            return _term(b, syntax.Star(span=node.span), term, node, texts, sensitive=sensitive)
        case syntax.Binary(operator="and" | "or", left=left, right=right):
            parts = tuple(_predicate(b, part, rows, texts, sensitive=sensitive) for part in (left, right))
            return plan.Call(node.operator, parts, ScalarType.BOOL, node.span)
        case syntax.Binary(operator=":", left=left, right=syntax.Literal(kind="string", value=str(term)) as right):
            return _term(b, left, term, right, rows, sensitive=sensitive)
        case syntax.Call(name=syntax.Name(text="not"), arguments=(inner,)):
            return plan.Call("not", (_predicate(b, inner, rows, texts, sensitive=sensitive),), ScalarType.BOOL, node.span)
        case _:
            if sensitive:
                b.refuse("What kind=case_sensitive changes in a comparison is not documented.", node.span)
            return condition(b, node, rows, "search")


def _term(b: Binder, column: syntax.Expr, term: str, node: syntax.Node, scope: Scope, *, sensitive: bool) -> plan.Expr:
    """`col:"x*"`: the operator depends on the asterisks at both ends; one in between would be a regular expression."""
    text = term.strip("*")
    if "*" in text:
        b.refuse(f"The term '{term}' is a regular expression, and how it is matched is not documented exactly (R-324).", node.span)
    if not text:
        return const(True, ScalarType.BOOL, node.span)
    operator = _TERMS[term.startswith("*"), term.endswith("*")] + ("_cs" if sensitive else "")
    right = syntax.Literal("string", text, text, span=node.span)
    return bind_scalar(b, syntax.Binary(operator, column, right, span=node.span), scope)


# --- find -----------------------------------------------------------------------------------------------------------


@sources(syntax.Find)
def _find(b: Binder, operator: syntax.Find, scope: Scope) -> plan.Rel:
    """The rows of every table that pass; tables without any column of the predicate take no part."""
    tables = operator.tables or (syntax.Star(span=operator.span),)
    names = set(_names(operator.predicate))
    legs = legs_of(b, tables, scope, operator.span)
    if not legs:
        return nothing(b)
    known = [leg for leg in legs if not names or names & {column.name for column in leg.rel.columns}]
    if not known:
        unknown = next(iter(sorted(names)))
        b.unknown_name(unknown, operator.predicate.span, [c.name for leg in legs for c in leg.rel.columns], "column", "KS142")
        return nothing(b)
    kinds = {column.name: column.type for leg in known for column in visible(leg.rel.columns) if column.name in names}
    found = [Leg(leg.label, _passing(b, operator, leg.rel, scope, kinds), leg.empty) for leg in known]
    return _projected(b, operator, found, names)


def _names(node: object) -> Iterator[str]:
    """Names that a predicate reads, those of functions left out."""
    if isinstance(node, syntax.NameRef):
        yield node.name
    elif isinstance(node, tuple):
        for part in node:
            yield from _names(part)
    elif isinstance(node, syntax.Node) and is_dataclass(node):
        for item in fields(node):
            if item.name not in ("name", "member", "span"):
                yield from _names(getattr(node, item.name))


def _passing(b: Binder, operator: syntax.Find, rel: plan.Rel, scope: Scope, kinds: Mapping[str, ScalarType]) -> plan.Rel:
    """The rows that pass. `kinds`: the columns of the predicate; one that the table lacks equals nothing."""
    own = {column.name for column in rel.columns}
    lacking = [b.column(name, kind) for name, kind in kinds.items() if name not in own]
    rows = scope.with_rows((*rel.columns, *lacking))
    predicate = _predicate(b, operator.predicate, rows, scope.with_rows(rel.columns), sensitive=False)
    if not lacking:
        return plan.Filter(rel, predicate)
    if not _fails_without(predicate, {column.id for column in lacking}):
        names = ", ".join(column.name for column in lacking)
        b.refuse(f"What this predicate means for a table without {names} is not documented.", operator.predicate.span)
    absent = tuple((column, null_of(column.type)) for column in lacking)
    return plan.Narrow(plan.Filter(plan.Extend(rel, absent, (*rel.columns, *lacking)), predicate), rel.columns)


def _fails_without(expr: plan.Expr, lacking: set[int]) -> bool:
    """Whether every test of an absent column is one that neither a null nor an empty text passes."""
    if isinstance(expr, plan.Call) and expr.name in ("and", "or"):
        return all(_fails_without(arg, lacking) for arg in expr.args)
    if not any(isinstance(part, plan.Ref) and part.column.id in lacking for part in plan.subexpressions(expr)):
        return True
    if not isinstance(expr, plan.Call) or expr.name not in _NEVER_OF_NOTHING or not isinstance(expr.args[0], plan.Ref):
        return False
    return all(isinstance(arg, plan.Const) and arg.value not in (None, "") and arg.type is not ScalarType.DYNAMIC for arg in expr.args[1:])


def _projected(b: Binder, operator: syntax.Find, legs: Sequence[Leg], names: set[str]) -> plan.Rel:
    """source_, then the chosen columns; without `project` those of the predicate and those that all tables have."""
    option = parameter(operator, "withsource") or parameter(operator, "with_source")
    source = b.column(word(option) or "source_", ScalarType.STRING)
    tables = [{column.name: column for column in visible(leg.rel.columns)} for leg in legs]
    packs = any(isinstance(node, syntax.Call) for node in operator.project) if operator.project is not None else len(legs) > 1
    chosen = _chosen(b, operator, tables, names) if operator.project is not None or packs else list(tables[0].values())
    columns = [b.column(column.name, column.type) for column in chosen]
    pack = (b.column("pack_", ScalarType.DYNAMIC),) if packs else ()
    result = []
    for leg, have in zip(legs, tables, strict=True):
        if leg.empty:
            continue
        values: list[plan.Expr] = [const(leg.label, ScalarType.STRING)]
        for column in columns:
            own = have.get(column.name)
            values.append(null_of(column.type) if own is None else convert(plan.Ref(own), column.type))
        values += [_packed(operator, have, {column.name for column in columns})] if packs else []
        result.append(plan.UnionLeg(leg.rel, tuple(values)))
    return plan.Union_(tuple(result), (source, *columns, *pack))


def _packed(operator: syntax.Find, have: dict[str, plan.Column], shown: set[str]) -> plan.Expr:
    """The columns of a table that are not shown, nulls and empty texts included, as the printed examples have them.

    What the service gives where none is left is not documented: an engine refuses to compute it when it is read.
    """
    pairs = [(const(name, ScalarType.STRING), plan.Ref(column)) for name, column in have.items() if name not in shown]
    arguments = tuple(part for pair in pairs for part in pair)
    return plan.Call("bag_pack" if pairs else "find's pack_", arguments, ScalarType.DYNAMIC, operator.span)


def _chosen(b: Binder, operator: syntax.Find, tables: Sequence[dict[str, plan.Column]], names: set[str]) -> list[plan.Column]:
    kinds = {name: column for table in reversed(tables) for name, column in table.items()}
    if operator.project is None:
        order = dict.fromkeys(name for table in tables for name in table)
        common = [kinds[name] for name in order if name in names or all(name in table for table in tables)]
        return [_agreed(b, operator, column, tables) for column in common]
    chosen: list[plan.Column] = []
    for node in operator.project:
        if isinstance(node, syntax.ColumnDecl):
            chosen.append(b.column(node.name.text, DECLARABLE.get(node.type or "string", ScalarType.STRING)))
        elif isinstance(node, syntax.Call):
            continue
        elif isinstance(node, syntax.NameRef) and node.name in kinds:
            chosen.append(_agreed(b, operator, kinds[node.name], tables))
        else:
            b.unknown_name(node.name if isinstance(node, syntax.NameRef) else "*", node.span, kinds, "column", "KS142")
    return chosen


def _agreed(b: Binder, operator: syntax.Find, column: plan.Column, tables: Sequence[dict[str, plan.Column]]) -> plan.Column:
    """The analyzer takes one type where the documentation promises a column per type."""
    if any(table[column.name].type is not column.type for table in tables if column.name in table):
        b.refuse(f"The sources disagree on what find gives for '{column.name}', which has several types (R-325).", operator.span)
    return column
