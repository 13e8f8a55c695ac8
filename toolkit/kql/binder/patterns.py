"""declare pattern: a tabular body chosen by constant arguments and a path (R-304)."""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Binding, ScalarBinding, Scope, const
from toolkit.kql.binder.expressions import bind_scalar
from toolkit.kql.binder.lets import run_statements
from toolkit.kql.binder.pipeline import bind_tabular, nothing
from toolkit.kql.types import DECLARABLE, ScalarType


def pattern_call(b: Binder, call: syntax.Call, path: str | None, scope: Scope) -> plan.Rel:
    """The body of the match whose arguments and path are the given ones; the pattern's names are constants in it."""
    pattern, declared_in = b.patterns[call.name.text]
    values = [bind_scalar(b, argument, scope.without_rows()) for argument in call.arguments]
    if len(values) != len(pattern.parameters):
        message = f"The pattern '{call.name.text}' expects {len(pattern.parameters)} arguments, found {len(values)}."
        b.report("argument-count", message, call.span, alias="KS119")
        return nothing(b)
    wanted = [value.value if isinstance(value, plan.Const) else None for value in values]
    for match in pattern.matches:
        if _constants(b, match) == (wanted, path) and match.body is not None:
            return _body(b, pattern, match, (wanted, path), declared_in)
    b.report("no-pattern", "No pattern matches the specified arguments.", call.span, alias="KS188")
    return nothing(b)


def _constants(b: Binder, match: syntax.PatternMatch) -> tuple[list[object], object]:
    values = [bind_scalar(b, argument, Scope()) for argument in match.arguments]
    path = bind_scalar(b, match.path, Scope()) if match.path is not None else None
    return [value.value if isinstance(value, plan.Const) else None for value in values], path.value if isinstance(
        path, plan.Const
    ) else None


def _body(
    b: Binder, pattern: syntax.DeclarePattern, match: syntax.PatternMatch, given: tuple[list[object], str | None], scope: Scope
) -> plan.Rel:
    names: dict[str, Binding] = {}
    for parameter, value in zip(pattern.parameters, given[0], strict=True):
        kind = DECLARABLE.get(parameter.type, ScalarType.STRING) if isinstance(parameter.type, str) else ScalarType.STRING
        names[parameter.name.text] = ScalarBinding(const(value, kind), is_parameter=True)
    if pattern.path is not None:
        names[pattern.path.name.text] = ScalarBinding(const(given[1], ScalarType.STRING), is_parameter=True)
    assert match.body is not None
    return bind_tabular(b, match.body, run_statements(b, match.statements, scope.child(names)))
