"""Sources whose columns are not known and whose rows are not at hand; an engine refuses them by name."""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import OPEN, Binder, Scope
from toolkit.kql.binder.pipeline import handles, operator_word, sources
from toolkit.kql.types import DECLARABLE, ScalarType

_SERVICE = "it is a part of the service, which writes it itself"
_REASONS: dict[type[syntax.Node], str] = {
    syntax.MacroExpand: "the databases of an entity group are in the service",
    syntax.Facet: "it needs rows",
    syntax.BadOperator: "it could not be read",
    syntax.GraphMatch: "it needs a graph",
    syntax.MaterializedViewCombine: _SERVICE,
    syntax.ContextualDataTable: _SERVICE,
}


@handles(syntax.BadOperator)
def _bad(b: Binder, operator: syntax.BadOperator, rel: plan.Rel, scope: Scope) -> plan.Rel:
    return plan.Unsupported("operator", "it could not be read", (rel,), (b.column(OPEN, ScalarType.UNKNOWN),), operator.span)


def _open_source(b: Binder, operator: syntax.Operator, scope: Scope) -> plan.Rel:
    column = b.column(OPEN, ScalarType.UNKNOWN)
    return plan.Unsupported(f"operator '{operator_word(operator)}'", _REASONS[type(operator)], (), (column,), operator.span)


for _kind in _REASONS:
    sources(_kind)(_open_source)


@sources(syntax.InlineExternalTable)
def _inline_external_table(b: Binder, expr: syntax.InlineExternalTable, scope: Scope) -> plan.Rel:
    """The declared columns; open where the storage says which there are."""
    declared = expr.schema.columns if expr.schema is not None else ()
    columns = tuple(b.column(one.name.text, DECLARABLE.get(one.type or "string", ScalarType.STRING)) for one in declared)
    columns = columns or (b.column(OPEN, ScalarType.UNKNOWN),)
    return plan.Unsupported("inline_external_table", "it reads from storage that only the service reaches", (), columns, expr.span)
