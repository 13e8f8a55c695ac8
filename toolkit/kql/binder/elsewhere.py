"""Paths to other workspaces: `workspace("b").T`, `cluster("c").database("b").T` (R-335).

Without an engine that knows others, every name means the workspace at hand.
"""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Environment, Scope
from toolkit.kql.binder.expressions import bind_scalar
from toolkit.kql.diagnostics import suggestion

_CLUSTER = "cluster"


def place_of(b: Binder, base: syntax.Node, scope: Scope) -> Environment | None:
    """The environment that a path leads to: the one at hand for a name that is its own. None, with a finding, when there is none.

    The name of a cluster is passed over: whoever runs the query is the cluster.
    """
    found = b.environment
    names = tuple(b.environment.other_names())
    for call in _calls(base):
        if not names or call.name.text == _CLUSTER or len(call.arguments) != 1:
            continue
        (argument,) = call.arguments
        value = bind_scalar(b, argument, scope.without_rows())
        if not isinstance(value, plan.Const) or not isinstance(value.value, str):
            b.report("constant-expected", f"{call.name.text}() expects a constant text (R-335).", argument.span, alias="KS129")
            return None
        try:
            found = b.environment.elsewhere(value.value)
        except KeyError:
            message = f"The name '{value.value}' does not refer to any known workspace or database."
            hints = suggestion(value.value, names) or (f"There are {', '.join(names)}.",)
            b.report("unknown-database", message, argument.span, alias="KS203", hints=hints)
            return None
    return found


def is_elsewhere(b: Binder, base: syntax.Node) -> bool:
    """Whether a path leads to a workspace that is not the one at hand. Nothing is reported."""
    for call in _calls(base):
        argument = call.arguments[0] if call.arguments else None
        if call.name.text == _CLUSTER or not isinstance(argument, syntax.Literal) or not isinstance(argument.value, str):
            continue
        try:
            return b.environment.elsewhere(argument.value) is not b.environment
        except KeyError:
            return False
    return False


def label_of(base: syntax.Node) -> str:
    """A path as the service writes it in front of a table's name: `workspace('b')`."""
    texts = [argument.value if isinstance(argument, syntax.Literal) else "" for call in _calls(base) for argument in call.arguments[:1]]
    return ".".join(f"{call.name.text}('{text}')" for call, text in zip(_calls(base), texts, strict=False))


def _calls(base: syntax.Node) -> list[syntax.Call]:
    found: list[syntax.Call] = []
    node: syntax.Node | None = base
    while node is not None:
        step = node.member if isinstance(node, syntax.Path) else node
        if isinstance(step, syntax.Call):
            found.insert(0, step)
        node = node.base if isinstance(node, syntax.Path) else None
    return found
