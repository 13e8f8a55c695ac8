"""Calls: which function is meant, and the functions with rules of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from toolkit.kql import plan, syntax
from toolkit.kql.binder import typing as rules
from toolkit.kql.binder.absent_texts import of_absent_text
from toolkit.kql.binder.aggregates import bind_aggregate
from toolkit.kql.binder.assertions import asserted
from toolkit.kql.binder.context import OPEN, Binder, FunctionBinding, ScalarBinding, Scope, TableBinding, const
from toolkit.kql.binder.expressions import convert, scalars, unknown
from toolkit.kql.binder.folding import fold
from toolkit.kql.binder.overloads import bind_argument, choose, coerce, result_type
from toolkit.kql.binder.pipeline import bind_tabular, visible
from toolkit.kql.binder.stored import stored_function
from toolkit.kql.binder.user_functions import call_scalar
from toolkit.kql.binder.window_functions import WINDOW_FUNCTIONS, bind_window
from toolkit.kql.diagnostics import suggestion
from toolkit.kql.functions import registry
from toolkit.kql.functions.registry import Function
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

UNKNOWN, STRING, DYNAMIC, BOOL = ScalarType.UNKNOWN, ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.BOOL


@scalars(syntax.Call)
def bind_call(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    """The expression of a call in a scalar place."""
    name = call.name.text
    binding = scope.binding(name)
    if isinstance(binding, FunctionBinding):
        return call_scalar(b, binding, call, scope)
    if scope.pattern is not None:
        found = scope.pattern.call(b, call, scope)
        if found is not None:
            return found
    special = SPECIAL.get(name)
    if special is not None:
        return special(b, call, scope)
    aggregate = registry.find_aggregate(name)
    if aggregate is not None and (b.collector is not None or registry.find_function(name) is None):
        return bind_aggregate(b, aggregate, call, scope)
    function = registry.find_function(name)
    if function is None:
        return _stored_or_unknown(b, call, scope)
    if function.is_tabular:
        b.report("scalar-expected", f"Expected a scalar value, found the table function '{name}'.", call.span, alias="KS108")
        return unknown(call.span)
    if name in WINDOW_FUNCTIONS:
        return bind_window(b, function, call, scope)
    return bind_built_in(b, function, call, scope)


def _stored_or_unknown(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    stored = stored_function(b, call.name.text, scope)
    if stored is not None:
        return call_scalar(b, stored, call, scope)
    for argument in call.arguments:
        bind_argument(b, argument, scope)
    if isinstance(scope.binding(call.name.text), (ScalarBinding, TableBinding)):
        b.report("not-a-function", f"The name '{call.name.text}' does not refer to a function.", call.name.span, alias="KS211")
    else:  # the service's parsers and helpers among them, which are no part of the language
        known = [*registry.names("function"), *registry.names("aggregate"), *b.environment.functions]
        message = f"The name '{call.name.text}' does not refer to any known function."
        b.report("unknown-function", message, call.name.span, alias="KS211", hints=suggestion(call.name.text, known))
    return unknown(call.span)


def bind_built_in(b: Binder, function: Function, call: syntax.Call, scope: Scope) -> plan.Expr:
    """A built-in scalar function: arguments bound, overload chosen, conversions written out."""
    args = [bind_argument(b, argument, scope) for argument in call.arguments]
    signature = choose(b, function, args, call)
    if signature is None:
        return unknown(call.span)
    args = coerce(b, function, signature, args, call)
    kind = result_type(signature, args)
    if function.canonical in ("iff", "case", "coalesce", "max_of", "min_of"):
        return _branches(b, function.canonical, args, kind, call)
    found = of_absent_text(plan.Call(function.canonical, tuple(args), kind, call.span))
    return fold(found) if isinstance(found, plan.Call) else found


def _branches(b: Binder, name: str, args: list[plan.Expr], kind: ScalarType, call: syntax.Call) -> plan.Expr:
    """iff, case, coalesce, max_of, min_of: the branches must agree for the service (R-038)."""
    if name in ("iff", "case"):
        values = args[1:] if name == "iff" else [*args[1:-1:2], args[-1]]
    else:
        values = args
    typed = [value for value in values if not (isinstance(value, plan.Const) and value.value is None)]
    kinds = [value.type for value in typed if value.type not in (DYNAMIC, UNKNOWN)]
    common = rules.common(kinds)
    if common is None and name not in ("iff", "case"):
        b.report("no-common-type", "No common type can be determined from the arguments.", call.span, alias="KS232")
        return unknown(call.span)
    integers = {kind_of for kind_of in kinds if kind_of.is_integer}
    if name not in ("max_of", "min_of") and (common is None or (len(set(kinds)) > 1 and len(integers) != len(set(kinds)))):
        found = ", ".join(sorted({str(kind_of) for kind_of in kinds}))
        b.refuse(f"The branches of {name} have different types ({found}), which the service refuses (R-038).", call.span, alias="SEM0525")
    mixed = any(value.type is DYNAMIC for value in typed) and bool(kinds)
    if name in ("max_of", "min_of") and mixed:
        b.report("argument-type", f"'{name}' does not mix dynamic and typed values.", call.span, alias="KS141")
    target = DYNAMIC if name == "coalesce" and mixed else kind if kind is not UNKNOWN else (common or UNKNOWN)
    converted = [_branch(arg, target) if any(arg is value for value in values) else arg for arg in args]
    return plan.Call(name, tuple(converted), target, call.span)


def _branch(arg: plan.Expr, kind: ScalarType) -> plan.Expr:
    if arg.type is kind or UNKNOWN in (arg.type, kind):
        return arg
    if isinstance(arg, plan.Const) and arg.value is None:
        return const("" if kind is STRING else None, kind, arg.span)
    return plan.Call("to_dynamic", (arg,), DYNAMIC, arg.span) if kind is DYNAMIC else convert(arg, kind)


# --- functions with rules of their own ------------------------------------------------------------------------------


def _now(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    return _shifted_now(b, call, scope, "+")


def _ago(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    return _shifted_now(b, call, scope, "-")


def _shifted_now(b: Binder, call: syntax.Call, scope: Scope, operator: str) -> plan.Expr:
    function = registry.find_function(call.name.text)
    assert function is not None
    args = [bind_argument(b, argument, scope) for argument in call.arguments]
    if choose(b, function, args, call) is None:
        return unknown(call.span)
    now = b.options.get("query_now", plan.Now(call.span))
    if not args:
        return now
    return fold(plan.Call(operator, (now, args[0]), ScalarType.DATETIME, call.span))


def _column_ifexists(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    """R-218: the column when the current rows have it, else the default."""
    function = registry.find_function(call.name.text)
    assert function is not None
    args = [bind_argument(b, argument, scope) for argument in call.arguments]
    if choose(b, function, args, call) is None:
        return unknown(call.span)
    name, default = args
    if not isinstance(name, plan.Const) or not isinstance(name.value, str):
        b.report("constant-expected", "The column name must be a constant.", call.arguments[0].span, alias="KS129")
        return unknown(call.span)
    if scope.columns is not None and name.value in scope.columns:
        return plan.Ref(scope.columns[name.value], call.span)
    return default


def _is_column(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    """Whether the current rows have a column of that name."""
    function = registry.find_function(call.name.text)
    assert function is not None
    args = [bind_argument(b, argument, scope) for argument in call.arguments]
    if choose(b, function, args, call) is None:
        return unknown(call.span)
    name = args[0].value if isinstance(args[0], plan.Const) else None
    if not isinstance(name, str):
        b.report("constant-expected", "The column name must be a constant.", call.arguments[0].span, alias="KS129")
        return unknown(call.span)
    return const(name in (scope.columns or {}), BOOL, call.span)


def _assert(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    function = registry.find_function(call.name.text)
    assert function is not None
    args = [bind_argument(b, argument, scope) for argument in call.arguments]
    signature = choose(b, function, args, call)
    if signature is None:
        return unknown(call.span)
    before = len(b.diagnostics)
    coerce(b, function, signature, args, call)
    return asserted(b, args[0], args[1], call.span) if len(b.diagnostics) == before else unknown(call.span)


def _pack_all(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    """R-088: a bag of all columns of the rows, in order."""
    flags = [bind_argument(b, argument, scope) for argument in call.arguments]
    function = registry.find_function("pack_all")
    assert function is not None
    if choose(b, function, flags, call) is None:
        return unknown(call.span)
    skip = bool(flags) and isinstance(flags[0], plan.Const) and flags[0].value is True
    return _bag(list((scope.columns or {}).values()), call.span, "bag_pack_nonempty" if skip else "bag_pack")


def _bag_pack_columns(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    args = [bind_argument(b, argument, scope) for argument in call.arguments]
    columns = [arg.column for arg in args if isinstance(arg, plan.Ref)]
    if len(columns) != len(args):
        b.report("column-expected", "Expected column names only.", call.span, alias="KS109")
        return unknown(call.span)
    return _bag(columns, call.span, "bag_pack")


def _bag(columns: Sequence[plan.Column], span: Span, name: str) -> plan.Expr:
    args: list[plan.Expr] = []
    for column in columns:
        args += [const(column.name, STRING, span), plan.Ref(column, span)]
    return plan.Call(name, tuple(args), DYNAMIC, span)


def _not(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    """The engine negates numbers too: not(1) is false (R-048)."""
    function = registry.find_function("not")
    assert function is not None
    args = [bind_argument(b, argument, scope) for argument in call.arguments]
    args = [convert(arg, BOOL) if arg.type.is_integer else arg for arg in args]
    if choose(b, function, args, call) is None:
        return unknown(call.span)
    return plan.Call("not", tuple(args), BOOL, call.span)


def _column_names_of(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    """column_names_of(T): the names as a constant array (R-297)."""
    if len(call.arguments) != 1:
        b.report("argument-count", "The function 'column_names_of' expects 1 argument.", call.span, alias="KS119")
        return unknown(call.span)
    rel = bind_tabular(b, call.arguments[0], scope.without_rows())
    return const(json.dumps([column.name for column in visible(rel.columns)], separators=(",", ":")), DYNAMIC, call.span)


def _tabular_only(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    b.report("scalar-expected", f"Expected a scalar value, found the tabular '{call.name.text}'.", call.span, alias="KS108")
    return unknown(call.span)


def _over_all_columns(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    """`*` as an argument stands for every column of the rows, in order (R-264)."""
    function = registry.find_function(call.name.text)
    assert function is not None
    if not any(isinstance(argument, syntax.Star) for argument in call.arguments):
        return bind_built_in(b, function, call, scope)
    names = [name for name in scope.columns or () if not name.startswith(OPEN)]
    if scope.open or len(call.arguments) > 1 or not names:
        message = f"'{call.name.text}' of all columns needs rows whose columns are known."
        b.report("star-not-allowed", message, call.span, alias="KS005")
        return unknown(call.span)
    spread = tuple(syntax.NameRef(name, span=call.arguments[0].span) for name in names)
    return bind_built_in(b, function, replace(call, arguments=spread), scope)


def _bin_auto(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    """bin_at with the size and the fixed point that `set query_bin_auto_size` and `..._at` give (R-175)."""
    function = registry.find_function("bin_auto")
    assert function is not None
    args = [bind_argument(b, argument, scope) for argument in call.arguments]
    if choose(b, function, args, call) is None:
        return unknown(call.span)
    value = args[0]
    size = b.options.get("query_bin_auto_size")
    if size is None:
        b.refuse("bin_auto needs `set query_bin_auto_size = ...` before the query (R-175).", call.span)
        return plan.Call("bin", (value, value), value.type, call.span)
    at = b.options.get("query_bin_auto_at")
    if at is None:
        return plan.Call("bin", (value, size), value.type, call.span)
    fixed = at if at.type is value.type else convert(at, value.type)
    return plan.Call("bin_at", (value, size, fixed), value.type, call.span)


def _ingestion_time(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    """The column of recorded logs that holds it, where they have one; an engine refuses the function itself."""
    column = (scope.columns or {}).get("_TimeReceived")
    if column is not None and column.type is ScalarType.DATETIME and not call.arguments:
        return plan.Ref(column, call.span)
    function = registry.find_function(call.name.text)
    assert function is not None
    return bind_built_in(b, function, call, scope)


SPECIAL: dict[str, Callable[[Binder, syntax.Call, Scope], plan.Expr]] = {
    "now": _now,
    "bin_auto": _bin_auto,
    "estimate_data_size": _over_all_columns,
    "pack_array": _over_all_columns,
    "ago": _ago,
    "ingestion_time": _ingestion_time,
    "not": _not,
    "column_names_of": _column_names_of,
    "assert": _assert,
    "iscolumnexists": _is_column,
    "column_ifexists": _column_ifexists,
    "columnifexists": _column_ifexists,
    "pack_all": _pack_all,
    "bag_pack_columns": _bag_pack_columns,
    "materialize": _tabular_only,
    "table": _tabular_only,
}
