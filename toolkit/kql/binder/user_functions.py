"""User functions: let-bound and saved ones, expanded at the call (R-294..R-296, R-306)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import MAX_CALL_DEPTH, Binder, Binding, FunctionBinding, ScalarBinding, Scope, TableBinding
from toolkit.kql.binder.expansions import expanded, key_of
from toolkit.kql.binder.expressions import bind_scalar, convert, scalar_expected, unknown
from toolkit.kql.binder.lets import run_statements
from toolkit.kql.binder.pipeline import bind_tabular, is_tabular, nothing
from toolkit.kql.source import Span
from toolkit.kql.types import DECLARABLE, ScalarType


def call_scalar(b: Binder, function: FunctionBinding, call: syntax.Call, scope: Scope) -> plan.Expr:
    """The scalar a function yields for these arguments."""
    with _inside(b, function, call, scope, None) as names:
        body = function.declaration.body
        if names is None:
            return unknown(call.span)
        inner = run_statements(b, function.declaration.statements, function.scope.without_rows().child(names))
        if body is None:
            return unknown(call.span)
        if is_tabular(b, body, inner) and not _is_running(b, _unwrap(body)):
            return scalar_expected(b, call.span)
        return _in_function_place(bind_scalar(b, _unwrap(body), inner), call.span)


def _is_running(b: Binder, body: syntax.Node) -> bool:
    """Whether a body is a call of a function that is being expanded: what that yields is not known, that it recurs is."""
    return isinstance(body, syntax.Call) and body.name.text in b.call_stack


def call_tabular(b: Binder, function: FunctionBinding, call: syntax.Call, scope: Scope, piped: plan.Rel | None = None) -> plan.Rel:
    """The table a function yields for these arguments; `piped` is the input of `invoke` (R-296)."""
    with _inside(b, function, call, scope, piped) as names:
        if names is None:
            return nothing(b)
        declared_in = function.scope.without_rows()
        bind = partial(_bind_body, b, function, names)
        values = tuple(binding.value for binding in names.values() if isinstance(binding, ScalarBinding))
        key = key_of(b, function.saved, values) if function.saved is not None and len(values) == len(names) else None
        return bind(declared_in) if key is None else expanded(b, key, declared_in, values, b.place or call.span, bind)


def _bind_body(b: Binder, function: FunctionBinding, names: dict[str, Binding], declared_in: Scope) -> plan.Rel:
    body = function.declaration.body
    # isfuzzy=true forgives a leg that does not exist, not what goes wrong inside one that does
    outer, b.fuzzy = b.fuzzy, False
    try:
        inner = run_statements(b, function.declaration.statements, declared_in.child(names))
        return nothing(b) if body is None else bind_tabular(b, body, inner)
    finally:
        b.fuzzy = outer


def _unwrap(body: syntax.Node) -> syntax.Node:
    while isinstance(body, syntax.Pipeline) and not body.operators and not isinstance(body.source, syntax.Operator):
        body = body.source
    return body


def _in_function_place(expr: plan.Expr, span: Span) -> plan.Expr:
    return plan.Const(expr.value, expr.type, span) if isinstance(expr, plan.Const) else expr


@contextmanager
def _inside(
    b: Binder, function: FunctionBinding, call: syntax.Call, scope: Scope, piped: plan.Rel | None
) -> Iterator[dict[str, Binding] | None]:
    """The function's parameters and their values, while its body is bound; None when it cannot be called like this."""
    names = _bind_arguments(b, function, call, scope, piped) if _is_callable(b, function, call) else None
    if names is None:
        yield None
        return
    place, here = b.place, b.environment
    b.call_stack.append(function.name)
    for trace in b.traces:
        trace.called.add(function.name)
        trace.deepest = max(trace.deepest, len(b.call_stack))
    if function.saved is not None and place is None:
        b.place = call.span
    if function.home is not None:
        b.environment = function.home
    try:
        yield names
    finally:
        b.place, b.environment = place, here
        b.call_stack.pop()


def _is_callable(b: Binder, function: FunctionBinding, call: syntax.Call) -> bool:
    if function.name in b.call_stack:
        b.report("recursive-call", f"The function '{function.name}' calls itself.", call.span, alias="KS110")
        return False
    if len(b.call_stack) >= MAX_CALL_DEPTH:
        message = f"The function '{function.name}' is the {MAX_CALL_DEPTH + 1}th inside one another; at most {MAX_CALL_DEPTH} are followed."
        b.report("nested-calls", message, call.span)
        return False
    return True


def _bind_arguments(
    b: Binder, function: FunctionBinding, call: syntax.Call, scope: Scope, piped: plan.Rel | None
) -> dict[str, Binding] | None:
    """Parameter names bound to arguments: positional first, then named, then defaults."""
    parameters = function.declaration.parameters
    given = _spread(b, function, call, 1 if piped is not None else 0)
    if given is None:
        return None
    names: dict[str, Binding] = {}
    for position, parameter in enumerate(parameters):
        name = parameter.name.text
        if piped is not None and position == 0:
            names[name] = TableBinding(plan.Shared(name, piped))
            continue
        argument = given.get(name) or parameter.default
        if argument is None:
            _report_count(b, function, call, len(call.arguments))
            return None
        binding = _bind_argument(b, parameter, argument, scope if name in given else function.scope)
        names[name] = binding
    return names


def _spread(b: Binder, function: FunctionBinding, call: syntax.Call, skip: int) -> dict[str, syntax.Node] | None:
    parameters = function.declaration.parameters[skip:]
    known = [parameter.name.text for parameter in parameters]
    named = {argument.name.text: argument for argument in call.arguments if isinstance(argument, syntax.NamedArgument)}
    for name, argument in named.items():
        if name not in known:
            b.unknown_name(name, argument.name.span, known, f"parameter of '{function.name}'", "KS142")
            return None
    positional = [argument for argument in call.arguments if not isinstance(argument, syntax.NamedArgument)]
    free = [name for name in known if name not in named]
    if len(positional) > len(free):
        _report_count(b, function, call, len(call.arguments))
        return None
    return {**{name: argument.value for name, argument in named.items()}, **dict(zip(free, positional, strict=False))}


def _report_count(b: Binder, function: FunctionBinding, call: syntax.Call, found: int) -> None:
    parameters = function.declaration.parameters
    least = sum(1 for parameter in parameters if parameter.default is None)
    wanted = str(least) if least == len(parameters) else f"{least} to {len(parameters)}"
    noun = "argument" if wanted == "1" else "arguments"
    b.report("argument-count", f"The function '{function.name}' expects {wanted} {noun}, found {found}.", call.span, alias="KS119")


def _bind_argument(b: Binder, parameter: syntax.FunctionParameter, argument: syntax.Node, scope: Scope) -> Binding:
    if isinstance(parameter.type, syntax.Schema):
        rel = bind_tabular(b, argument, scope.without_rows())
        return TableBinding(plan.Shared(parameter.name.text, _declared_columns(b, parameter.type, rel, argument.span)))
    value = bind_scalar(b, argument, scope)
    kind = DECLARABLE.get(parameter.type, ScalarType.UNKNOWN)
    return ScalarBinding(_typed(value, kind, argument.span), is_parameter=True)


def _typed(value: plan.Expr, kind: ScalarType, span: Span) -> plan.Expr:
    """An argument in the type its parameter declares; the analyzer takes any scalar, so text is converted too."""
    if ScalarType.UNKNOWN in (value.type, kind) or value.type is kind:
        return value
    return plan.Call("to_dynamic", (value,), kind, span) if kind is ScalarType.DYNAMIC else convert(value, kind)


def _declared_columns(b: Binder, schema: syntax.Schema, rel: plan.Rel, span: Span) -> plan.Rel:
    """R-295: the argument must have the declared columns; with a closed schema only those are visible."""
    have = {column.name: column for column in rel.columns}
    if "*" in have:
        return rel
    missing = [declared.name.text for declared in schema.columns if declared.name.text not in have]
    if missing:
        b.report("missing-columns", f"The table argument lacks the declared columns {', '.join(missing)}.", span, alias="KS142")
        return nothing(b)
    return rel
