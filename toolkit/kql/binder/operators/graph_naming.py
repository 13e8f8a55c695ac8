"""What unnamed items of a graph's project are called (R-322): names measured on the service, which the analyzer does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, FunctionBinding, Scope
from toolkit.kql.binder.graphs.clauses import as_dynamic, root_variable, variable_of
from toolkit.kql.binder.graphs.patterns import NodeVariable, PathVariable, Pattern
from toolkit.kql.binder.names import carried_name
from toolkit.kql.binder.operators.items import Item, bind_items
from toolkit.kql.functions.registry import find_function
from toolkit.kql.passes.rewrite import references

_OVER_PATHS = frozenset({"all", "any", "map"})
_OF_ELEMENTS = frozenset({"node_degree_in", "node_degree_out", "node_id", "labels"})


def project_clause(b: Binder, pattern: Pattern, items: Sequence[syntax.Node], scope: Scope) -> list[Item]:
    """The items under their names; whatever looks at a path is dynamic, as the analyzer has it, but a path's own length."""
    lengths = {variable.length.id for variable in pattern.edges if isinstance(variable, PathVariable)}
    paths = lengths | {want.column.id for edge in pattern.edges if isinstance(edge, PathVariable) for want in edge.wanted}
    result = []
    for item in bind_items(b, items, scope):
        paths |= {want.column.id for edge in pattern.edges if isinstance(edge, PathVariable) for want in edge.wanted}
        value = item.value
        if references(value) & paths and not (isinstance(value, plan.Ref) and value.column.id in lengths):
            value = as_dynamic(value)
        carried = item.carried if item.name is not None else _name(b, item.node, scope)
        # a bare variable is no column: the second of two equal ones is numbered
        node = syntax.Paren(item.node, span=item.node.span) if isinstance(item.node, syntax.NameRef) else item.node
        result.append(replace(item, carried=carried, value=value, node=node))
    return result


def _name(b: Binder, node: syntax.Node, scope: Scope) -> str | None:
    match node:
        case syntax.Paren(inner=inner):
            return _name(b, inner, scope)
        case syntax.NameRef():
            variable = variable_of(node, scope)
            bare = isinstance(variable, NodeVariable) and not variable.found.properties and not variable.found.open
            return None if bare else _chain(node)
        case syntax.Path() | syntax.Index():
            return _chain(node)
        case syntax.Call():
            return _name_of_call(b, node, scope)
        case _:
            return None


def _chain(node: syntax.Node) -> str | None:
    match node:
        case syntax.Paren(inner=inner):
            return _chain(inner)
        case syntax.NameRef(name=name):
            return name
        case syntax.Path(base=base, member=syntax.Name(text=text)):
            return f"{_chain(base)}_{text}"
        case syntax.Index(base=base, index=syntax.Literal(value=value)) if value is not None:
            return f"{_chain(base)}_{value}"
        case _:
            return None


def _name_of_call(b: Binder, call: syntax.Call, scope: Scope) -> str | None:
    name = call.name.text
    if isinstance(scope.binding(name), FunctionBinding):
        return None
    if name in _OVER_PATHS and len(call.arguments) == 2:
        return f"{_path_part(call.arguments[0])}_{_body_part(b, call.arguments[1])}"
    if name in _OF_ELEMENTS and len(call.arguments) == 1 and isinstance(call.arguments[0], syntax.NameRef):
        return f"{name}_{call.arguments[0].name}"
    function = find_function(name)
    if function is None or function.naming == "Default":
        return None
    if not any(_reads(part, scope) for part in call.arguments):
        return carried_name(call, scope)
    if function.naming != "FirstArgument":
        _refuse(b, call)
    return None


def _reads(node: syntax.Node, scope: Scope) -> bool:
    return root_variable(node, scope) is not None or isinstance(node, syntax.Call)


def _path_part(node: syntax.Node) -> str:
    if isinstance(node, syntax.Call) and node.arguments:
        return f"{node.name.text}_{_path_part(node.arguments[0])}"
    return node.name if isinstance(node, syntax.NameRef) else ""


def _body_part(b: Binder, node: syntax.Node) -> str:
    match node:
        case syntax.NameRef(name=name):
            return name
        case syntax.Call(name=syntax.Name(text=text)) if text in _OF_ELEMENTS:
            return text
        case syntax.Path() | syntax.Index() | syntax.Paren():
            _refuse(b, node)
            return "Column"
        case _:
            return "Column"


def _refuse(b: Binder, node: syntax.Node) -> None:
    message = "What the service calls this column is not documented; `name = ...` gives it a name (R-322)."
    b.refuse(message, node.span)
