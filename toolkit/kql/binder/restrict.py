"""`restrict access to (...)`: tables and views that are not listed cannot be read by what follows."""

from __future__ import annotations

from dataclasses import dataclass, field

from toolkit.kql import syntax
from toolkit.kql.binder.context import Binder, FunctionBinding, HiddenBinding, Scope, TableBinding
from toolkit.kql.binder.pipeline import is_tabular
from toolkit.kql.binder.wildcards import matches


@dataclass
class _Allowed:
    lets: set[str] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)


def restricted(b: Binder, statement: syntax.Restrict, scope: Scope) -> Scope:
    """The scope behind the statement. What lets hold was bound before, so that a view still reads its table."""
    lets = [name for name in dict.fromkeys(scope.visible_names()) if _is_view(b, name, scope)]
    stored = [*b.environment.table_names(), *b.environment.functions]
    allowed = _Allowed()
    for entity in statement.entities:
        _allow(b, entity, allowed, lets, stored)
    hidden = [name for name in lets if name not in allowed.lets]
    hidden += [name for name in stored if name not in allowed.stored and name not in allowed.lets]
    return scope.child(dict.fromkeys(hidden, HiddenBinding())).child({})


def _is_view(b: Binder, name: str, scope: Scope) -> bool:
    binding = scope.binding(name)
    return isinstance(binding, TableBinding) or (isinstance(binding, FunctionBinding) and is_tabular(b, syntax.NameRef(name), scope))


def _allow(b: Binder, entity: syntax.Expr, allowed: _Allowed, lets: list[str], stored: list[str]) -> None:
    match entity:
        case syntax.Star() | syntax.Wildcard(pattern="*"):
            allowed.lets.update(lets)
        case syntax.Wildcard(pattern=pattern):
            allowed.lets.update(name for name in lets if matches(pattern, name))
            allowed.stored.update(name for name in stored if matches(pattern, name))
        case syntax.NameRef(name=name) | syntax.Call(name=syntax.Name(text=name)):
            if name not in lets and name not in stored and b.environment.table(name) is None and name not in b.patterns:
                b.unknown_name(name, entity.span, [*lets, *stored], "table, view or function", "KS142")
            allowed.lets.add(name)
            allowed.stored.add(name)
        case syntax.Path(member=syntax.Star()):
            allowed.stored.update(stored)
        case syntax.Path(member=syntax.Wildcard(pattern=pattern)):
            allowed.stored.update(name for name in stored if matches(pattern, name))
        case syntax.Path(member=syntax.Name(text=name) | syntax.Call(name=syntax.Name(text=name))):
            allowed.stored.add(name)
        case _:
            b.refuse("Expected the name of a table, view or function in 'restrict'.", entity.span)
