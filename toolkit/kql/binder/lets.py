"""let: names for values, tables and functions (R-289..R-294)."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Binding, FunctionBinding, ScalarBinding, Scope, TableBinding, const
from toolkit.kql.binder.expressions import bind_scalar
from toolkit.kql.binder.pipeline import bind_tabular, is_tabular
from toolkit.kql.types import ScalarType


def bind_let(b: Binder, statement: syntax.Let, scope: Scope) -> Scope:
    """The scope with one more name; it sees the earlier ones only (R-290), and none twice (R-291)."""
    name = statement.name.text
    if scope.declared_here(name):
        b.report("redeclared", f"A variable with the name '{name}' has already been declared.", statement.name.span, alias="KS201")
    return Scope({**scope.names, name: _binding(b, name, statement.value, scope)}, scope.parent)


def _binding(b: Binder, name: str, value: syntax.Node, scope: Scope) -> Binding:
    if isinstance(value, syntax.FunctionDecl):
        return FunctionBinding(name, value, scope)
    if isinstance(value, syntax.EntityGroup):
        b.refuse("Entity groups are not supported.", value.span)
        return ScalarBinding(const(None, ScalarType.UNKNOWN))
    if is_tabular(b, value, scope):
        rel = bind_tabular(b, value, scope)
        return TableBinding(rel.shared if isinstance(rel, plan.Reuse) and rel.shared.pinned else plan.Shared(name, rel))
    return ScalarBinding(bind_scalar(b, value, scope))  # no rows are in scope: it cannot read a column


def run_statements(b: Binder, statements: Sequence[syntax.Statement], scope: Scope) -> Scope:
    """The scope after the lets of a body."""
    for statement in statements:
        if isinstance(statement, syntax.Let):
            scope = bind_let(b, statement, scope)
    return scope
