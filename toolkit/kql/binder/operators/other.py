"""Operators whose columns are known but which no plan node expresses yet; an engine refuses them by name."""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, Binder, Scope
from toolkit.kql.binder.operators.rows import row_count
from toolkit.kql.binder.pipeline import handles, sources
from toolkit.kql.types import DECLARABLE, ScalarType

_NOT_YET = "it is not implemented yet"


@handles(syntax.Sample)
def _sample(b: Binder, operator: syntax.Sample, rel: plan.Rel, scope: Scope) -> plan.Rel:
    row_count(b, operator.count, scope)
    return plan.Unsupported("operator 'sample'", "its rows are random", (rel,), rel.columns, operator.span)


@handles(syntax.BadOperator)
def _bad(b: Binder, operator: syntax.BadOperator, rel: plan.Rel, scope: Scope) -> plan.Rel:
    return plan.Unsupported("operator", "it could not be read", (rel,), (b.column(OPEN, ScalarType.UNKNOWN),), operator.span)


@handles(syntax.ParseKv)
def _parse_kv(b: Binder, operator: syntax.ParseKv, rel: plan.Rel, scope: Scope) -> plan.Rel:
    columns = list(rel.columns)
    for declared in operator.schema.columns:
        column = b.column(declared.name.text, DECLARABLE.get(declared.type or "string", ScalarType.STRING))
        position = next((i for i, existing in enumerate(columns) if existing.name == column.name), None)
        if position is None:
            columns.append(column)
        else:
            columns[position] = column
    return plan.Unsupported("operator 'parse-kv'", _NOT_YET, (rel,), tuple(columns), operator.span)


def _open_source(b: Binder, operator: syntax.Operator, scope: Scope) -> plan.Rel:
    from toolkit.kql.binder.pipeline import operator_word

    column = b.column(OPEN, ScalarType.UNKNOWN)
    return plan.Unsupported(f"operator '{operator_word(operator)}'", _NOT_YET, (), (column,), operator.span)


for _kind in (syntax.MacroExpand, syntax.Facet, syntax.BadOperator, syntax.GraphMatch):
    sources(_kind)(_open_source)
