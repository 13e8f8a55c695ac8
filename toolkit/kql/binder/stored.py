"""Saved functions of the workspace or the project, by their names (R-306)."""

from __future__ import annotations

from toolkit.kql import syntax
from toolkit.kql.binder.context import Binder, FunctionBinding, Scope
from toolkit.kql.parser import parse

_STORED: dict[tuple[str, str, str], syntax.FunctionDecl | None] = {}


def stored_function(b: Binder, name: str, scope: Scope) -> FunctionBinding | None:
    """A saved function by name; its text is parsed once. The caller's lets are visible in it (R-306)."""
    saved = b.environment.functions.get(name)
    if saved is None:
        return None
    key = (saved.name, saved.parameters, saved.body)
    if key not in _STORED:
        _STORED[key] = _parse(saved.parameters, saved.body)
    declaration = _STORED[key]
    return None if declaration is None else FunctionBinding(name, declaration, scope.without_rows(), saved)


def _parse(parameters: str, body: str) -> syntax.FunctionDecl | None:
    parsed = parse(f"let __f = ({parameters}) {{\n{body}\n}};")
    for statement in parsed.query.statements:
        if isinstance(statement, syntax.Let) and isinstance(statement.value, syntax.FunctionDecl):
            return statement.value
    return None
