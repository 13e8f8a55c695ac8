"""where and project of a pattern: properties, whole elements, and the functions that only graphs have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope, const
from toolkit.kql.binder.expressions import access, bind_scalar, convert, unknown
from toolkit.kql.binder.graphs.patterns import (
    BOOL,
    DYNAMIC,
    UNKNOWN,
    FixedEdge,
    NodeVariable,
    PathVariable,
    PatternNames,
    Variable,
    bag,
    gather,
)
from toolkit.kql.binder.graphs.value import LONG, Elements
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

STRING = ScalarType.STRING

_PATH_IN_WHERE = "The service does not take the elements of a path by themselves in where."
_OVER_PATHS = "map(path, value), all(path, condition) and any(path, condition) look at the edges of a path."


def variable_of(node: syntax.Node, scope: Scope) -> Variable | None:
    """The pattern variable that a name stands for; inside map() and its kin a property of the same name wins."""
    while isinstance(node, syntax.Paren):
        node = node.inner
    if scope.pattern is None or not isinstance(node, syntax.NameRef) or node.name in (scope.columns or {}):
        return None
    return scope.pattern.variables.get(node.name)


def root_variable(node: syntax.Node, scope: Scope) -> Variable | None:
    """The variable that a chain of member and element accesses begins at."""
    while isinstance(node, (syntax.Path, syntax.Index, syntax.Paren)):
        node = node.inner if isinstance(node, syntax.Paren) else node.base
    return variable_of(node, scope)


class ClauseNames(PatternNames):
    """The names of a pattern in its where and project."""

    def name(self, b: Binder, expr: syntax.NameRef, scope: Scope) -> plan.Expr | None:
        return _pattern_name(b, expr, scope)

    def path(self, b: Binder, expr: syntax.Path, scope: Scope) -> plan.Expr | None:
        return _pattern_path(b, expr, scope)

    def call(self, b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr | None:
        return _pattern_call(b, call, scope)

    def refuses_index(self, b: Binder, expr: syntax.Index, scope: Scope) -> bool:
        return _refuses_index(b, expr, scope)


# --- names and access -----------------------------------------------------------------------------------------------


def _pattern_name(b: Binder, expr: syntax.NameRef, scope: Scope) -> plan.Expr | None:
    """A whole node, edge or path as a dynamic value."""
    variable = variable_of(expr, scope)
    if variable is None or _is_hidden(b, variable, expr, scope):
        return None if variable is None else unknown(expr.span)
    if isinstance(variable, PathVariable):
        if scope.pattern is not None and scope.pattern.clause == "where":
            b.refuse(_PATH_IN_WHERE, expr.span, alias="SEM1054", hints=(_OVER_PATHS,))
        _refuse_open(b, variable.edges, expr.span)
        return gather(b, variable, bag(variable.edges, expr.span), "list", inner=False)
    _refuse_open(b, variable.found, expr.span)
    return bag(variable.found, expr.span)


def _pattern_path(b: Binder, expr: syntax.Path, scope: Scope) -> plan.Expr | None:
    """`a.name`: a property; of a path the array of its edges' properties. None where the chain is not one of the pattern's."""
    variable = root_variable(expr, scope)
    if variable is None:
        return None
    if _is_hidden(b, variable, expr, scope):
        return unknown(expr.span)
    if isinstance(variable, PathVariable):
        return _along_path(b, expr, variable, scope)
    if variable_of(expr.base, scope) is None or not isinstance(expr.member, syntax.Name):
        return None
    return _property(b, variable.found, expr.member, expr.span)


def _along_path(b: Binder, expr: syntax.Path, path: PathVariable, scope: Scope) -> plan.Expr | None:
    """`p.w` and `p.d.x`; None for `p[0].w`, which reads the array of the path itself."""
    steps: list[syntax.Name] = []
    node: syntax.Node = expr
    while isinstance(node, syntax.Path) and isinstance(node.member, syntax.Name):
        steps.insert(0, node.member)
        node = node.base
    if variable_of(node, scope) is None:
        return None
    if scope.pattern is not None and scope.pattern.clause == "where":
        b.refuse(_PATH_IN_WHERE, expr.span, alias="SEM1054", hints=(_OVER_PATHS,))
        return unknown(expr.span)
    value = _property(b, path.edges, steps[0], expr.span)
    for step in steps[1:]:
        if value.type not in (DYNAMIC, UNKNOWN):
            b.report("no-member", f"A {value.type} has no members.", step.span, alias="KS142")
            return unknown(expr.span)
        value = access(value, step.text, expr.span)
    return gather(b, path, as_dynamic(value), "list", inner=False)


def _refuses_index(b: Binder, expr: syntax.Index, scope: Scope) -> bool:
    """`p.w[0]`, which the analyzer refuses, and `a["w"]`, for which the service documents no meaning."""
    variable = root_variable(expr.base, scope)
    if variable is None or isinstance(expr.base, syntax.Index):
        return False
    whole = variable_of(expr.base, scope) is not None
    if isinstance(variable, PathVariable) and not whole:
        message = "The property of a path has no elements that can be accessed; map(...) makes an array."
        b.report("no-element", message, expr.base.span, alias="KS147")
        return True
    if whole and not isinstance(variable, PathVariable):
        b.refuse("What an index after a node or an edge means is not documented; `a.name` or `a.['name']` is its property.", expr.span)
        return True
    return False


def _property(b: Binder, elements: Elements, member: syntax.Name, span: Span) -> plan.Expr:
    column = elements.property(member.text)
    if column is not None:
        return plan.Ref(column, span)
    if elements.open:
        return plan.Ref(b.column(member.text, UNKNOWN), span)
    b.unknown_name(member.text, member.span, [known.name for known in elements.properties], "property", "KS142")
    return unknown(span)


def _refuse_open(b: Binder, elements: Elements, span: Span) -> None:
    if elements.open:
        b.refuse("The properties of this element are not all known before the query runs.", span)


def _is_hidden(b: Binder, variable: Variable, expr: syntax.Node, scope: Scope) -> bool:
    """Whether a variable is named where only the properties of one edge or node of a path are in reach."""
    if scope.pattern is None or not scope.pattern.element:
        return False
    message = "Inside map(), all() and any() the properties of the path's own elements are in reach, not other parts of the pattern."
    b.refuse(message, expr.span)
    return True


def as_dynamic(value: plan.Expr) -> plan.Expr:
    return value if value.type in (DYNAMIC, UNKNOWN) else plan.Call("to_dynamic", (value,), DYNAMIC, value.span)


# --- functions ------------------------------------------------------------------------------------------------------


def _pattern_call(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr | None:
    """all, any, map, node_degree_in, node_degree_out, node_id, labels, and the length of a path; None for every other function."""
    name = call.name.text
    if scope.pattern is None:
        return None
    if name == "array_length" and len(call.arguments) == 1:
        path = variable_of(call.arguments[0], scope)
        return plan.Ref(path.length, call.span) if isinstance(path, PathVariable) and not scope.pattern.element else None
    handler = FUNCTIONS.get(name)
    return None if handler is None else handler(b, call, scope, scope.pattern)


def _over_path(b: Binder, call: syntax.Call, scope: Scope, names: PatternNames) -> plan.Expr:
    """map(p, x), all(p, c), any(p, c): `x` over the properties of every edge, or of every inner node (R-321)."""
    name = call.name.text
    if len(call.arguments) != 2:
        b.report("argument-count", f"The function '{name}' expects 2 arguments, found {len(call.arguments)}.", call.span, alias="KS119")
        return unknown(call.span)
    path, inner = _path_argument(b, call.arguments[0], scope, name)
    if path is None:
        return unknown(call.span)
    if names.element:
        b.refuse(f"'{name}' inside another function over a path is not documented.", call.span)
    elements, degrees = (path.inner_nodes, path.inner_degrees) if inner else (path.edges, None)
    inside = element_scope(scope, elements, degrees)
    if name == "map":
        return gather(b, path, as_dynamic(bind_scalar(b, call.arguments[1], inside)), "list", inner=inner)
    value = bind_scalar(b, call.arguments[1], inside)
    if value.type not in (BOOL, UNKNOWN):
        b.report("bool-expected", f"Expected a bool in {name}(), found {value.type}.", call.arguments[1].span, alias="KS107")
    return gather(b, path, convert(value, BOOL), name, inner=inner)


def element_scope(scope: Scope, elements: Elements, degrees: Elements | None) -> Scope:
    """The scope of an expression over the properties of one edge, or of one node with its degrees."""
    names = scope.pattern or ClauseNames({}, "where")
    node = None if degrees is None else (elements, degrees)
    inside = replace(names, element="edge" if node is None else "node", node=node)
    return replace(scope.with_rows(elements.properties), open=elements.open, pattern=inside)


def _path_argument(b: Binder, node: syntax.Node, scope: Scope, name: str) -> tuple[PathVariable | None, bool]:
    inner = isinstance(node, syntax.Call) and node.name.text == "inner_nodes"
    if isinstance(node, syntax.Call) and inner:
        if len(node.arguments) != 1:
            b.report("argument-count", "The function 'inner_nodes' expects 1 argument.", node.span, alias="KS119")
            return None, inner
        node = node.arguments[0]
    variable = variable_of(node, scope)
    if isinstance(variable, PathVariable):
        return variable, inner
    if variable is not None:
        b.refuse(f"'{name}' takes an edge of variable length, for example (a)-[p*1..3]->(b).", node.span)
    elif isinstance(node, syntax.NameRef):
        known = scope.pattern.variables if scope.pattern is not None else {}
        b.unknown_name(node.name, node.span, known, "edge of the pattern", "KS142")
    else:
        b.report("path-expected", f"'{name}' expects the name of an edge of the pattern.", node.span, alias="KS107")
    return None, inner


def _inner_nodes(b: Binder, call: syntax.Call, scope: Scope, names: PatternNames) -> plan.Expr:
    message = "'inner_nodes' is only possible as the first argument of all(), any() and map()."
    b.report("unknown-function", message, call.name.span, alias="KS211")
    return unknown(call.span)


def _node(b: Binder, call: syntax.Call, scope: Scope, names: PatternNames) -> tuple[Elements, Elements] | None:
    """The node that a function is about: the one named, or inside functions over inner nodes the one at hand."""
    function = call.name.text
    if len(call.arguments) > 1:
        b.report("argument-count", f"The function '{function}' expects 0 to 1 arguments.", call.span, alias="KS119")
        return None
    if not call.arguments:
        if names.node is not None:
            return names.node
        b.refuse(f"'{function}' needs a node: its name, or none inside a function over inner_nodes().", call.span)
        return None
    variable = variable_of(call.arguments[0], scope)
    if isinstance(variable, NodeVariable) and not names.element:
        return variable.found, variable.degrees
    argument = call.arguments[0]
    if variable is None and isinstance(argument, syntax.NameRef):
        b.unknown_name(argument.name, argument.span, names.variables, "node of the pattern", "KS142")
    else:
        b.refuse(f"'{function}' takes a node of the pattern.", argument.span)
    return None


def _degree(b: Binder, call: syntax.Call, scope: Scope, names: PatternNames) -> plan.Expr:
    node = _node(b, call, scope, names)
    if node is None:
        return const(None, LONG, call.span)
    return plan.Ref(node[1].roles["in" if call.name.text == "node_degree_in" else "out"], call.span)


def _node_id(b: Binder, call: syntax.Call, scope: Scope, names: PatternNames) -> plan.Expr:
    """The id as text."""
    node = _node(b, call, scope, names)
    return const("", STRING, call.span) if node is None else convert(plan.Ref(node[0].roles["id"], call.span), STRING)


def _labels(b: Binder, call: syntax.Call, scope: Scope, names: PatternNames) -> plan.Expr:
    """Only stored models have labels: the elements of make-graph have none."""
    empty = const("[]", DYNAMIC, call.span)
    if not call.arguments:
        if not names.element:
            b.refuse("'labels' needs a node or an edge: its name, or none inside a function over a path.", call.span)
        return empty
    variable = variable_of(call.arguments[0], scope) if len(call.arguments) == 1 else None
    if variable is None:
        argument = call.arguments[0]
        name = argument.name if isinstance(argument, syntax.NameRef) else "..."
        b.unknown_name(name, argument.span, names.variables, "element of the pattern", "KS142")
    elif not isinstance(variable, (NodeVariable, FixedEdge)) or names.element:
        b.refuse("What 'labels' gives for a path is not documented; map(path, labels()) gives those of its edges.", call.span)
    return empty


FUNCTIONS: dict[str, Callable[[Binder, syntax.Call, Scope, PatternNames], plan.Expr]] = {
    "all": _over_path,
    "any": _over_path,
    "map": _over_path,
    "inner_nodes": _inner_nodes,
    "node_degree_in": _degree,
    "node_degree_out": _degree,
    "node_id": _node_id,
    "labels": _labels,
}
