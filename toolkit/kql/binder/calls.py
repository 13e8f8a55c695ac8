"""Calls: which function is meant, which overload fits, what it returns."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from toolkit.kql import plan, syntax
from toolkit.kql.binder import typing as rules
from toolkit.kql.binder.absent_texts import of_absent_text
from toolkit.kql.binder.context import OPEN, Binder, FunctionBinding, ScalarBinding, Scope, TableBinding, const
from toolkit.kql.binder.expressions import bind_scalar, convert, unknown
from toolkit.kql.binder.folding import fold
from toolkit.kql.binder.windows import WINDOW_FUNCTIONS, bind_window
from toolkit.kql.diagnostics import suggestion
from toolkit.kql.functions import registry
from toolkit.kql.functions.registry import Function, Parameter, Signature
from toolkit.kql.source import Span
from toolkit.kql.types import TYPEOF_NAMES, ScalarType

UNKNOWN, STRING, DYNAMIC, BOOL = ScalarType.UNKNOWN, ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.BOOL

# string functions whose text argument the service does not take from a dynamic, though the analyzer does.
_NO_DYNAMIC_TEXT = frozenset({"countof", "extract", "replace_string", "trim", "trim_start", "trim_end", "url_encode"})

# the analyzer wants a constant, the service takes a pattern per row.
_CONSTANT_FOR_THE_ANALYZER = frozenset({("replace_regex", "lookup_regex")})

# What a parameter of a kind takes, and the analyzer's code for something else.
EXPECTED = {
    "Number": ("a number", "KS137"),
    "Integer": ("a whole number", "KS134"),
    "int": ("a whole number", "KS134"),
    "long": ("a whole number", "KS134"),
    "Summable": ("a number, datetime or timespan", "KS138"),
    "Orderable": ("a value that can be ordered", "KS206"),
    "CommonOrderable": ("a value that can be ordered", "KS206"),
    "DynamicArray": ("a dynamic array", "KS234"),
    "DynamicBag": ("a dynamic bag", "KS235"),
    "NotDynamic": ("a value that is not dynamic", "KS116"),
    "StringOrDynamic": ("a string or dynamic", "KS141"),
    "string": ("a string or dynamic", "KS141"),
}


def bind_call(b: Binder, call: syntax.Call, scope: Scope) -> plan.Expr:
    """The expression of a call in a scalar place."""
    name = call.name.text
    binding = scope.binding(name)
    if isinstance(binding, FunctionBinding):
        from toolkit.kql.binder.user_functions import call_scalar

        return call_scalar(b, binding, call, scope)
    if scope.pattern is not None:
        from toolkit.kql.binder.graphs.clauses import pattern_call

        found = pattern_call(b, call, scope)
        if found is not None:
            return found
    special = SPECIAL.get(name)
    if special is not None:
        return special(b, call, scope)
    aggregate = registry.find_aggregate(name)
    if aggregate is not None and (b.collector is not None or registry.find_function(name) is None):
        from toolkit.kql.binder.aggregates import bind_aggregate

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
    from toolkit.kql.binder.user_functions import call_scalar, stored_function

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


def bind_argument(b: Binder, argument: syntax.Node, scope: Scope) -> plan.Expr:
    return bind_scalar(b, argument.value if isinstance(argument, syntax.NamedArgument) else argument, scope)


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


# --- overloads ------------------------------------------------------------------------------------------------------


def choose(b: Binder, function: Function, args: Sequence[plan.Expr], call: syntax.Call) -> Signature | None:
    """The overload that fits best; a finding and None when none does.

    Where an argument's type is not known, several may fit as well, and what they give is known only where it is the same.
    """
    count = len(args)
    fitting = [signature for signature in function.signatures if signature.accepts(count)]
    if not fitting:
        _report_count(b, function, count, call)
        return None
    scored = [(score, signature) for signature in fitting if (score := _score(signature, args)) is not None]
    if scored:
        best, signature = max(scored, key=lambda pair: pair[0])
        if any(arg.type is UNKNOWN for arg in args) and len({other.returns for score, other in scored if score == best}) > 1:
            return replace(signature, returns=UNKNOWN.value)
        return signature
    _report_mismatch(b, function, fitting, args, call)
    return None


def _report_count(b: Binder, function: Function, count: int, call: syntax.Call) -> None:
    low, high = function.minimum, function.maximum
    wanted = str(low) if low == high else f"at least {low}" if high > 1000 else f"{low} to {high}"
    noun = "argument" if wanted == "1" else "arguments"
    message = f"The function '{function.name}' expects {wanted} {noun}, found {count}."
    b.report("argument-count", message, call.span, alias="KS119")


def _score(signature: Signature, args: Sequence[plan.Expr]) -> int | None:
    total = 0
    for index, arg in enumerate(args):
        parameter = signature.parameter_for(index, len(args))
        if parameter is None:
            return None
        score = registry.fit(parameter, arg.type)
        if score == registry.NO:
            return None
        total += score
    return total


def _report_mismatch(b: Binder, function: Function, fitting: Sequence[Signature], args: Sequence[plan.Expr], call: syntax.Call) -> None:
    signature = max(fitting, key=lambda s: sum(_fits(s, index, args) for index in range(len(args))))
    for index, arg in enumerate(args):
        parameter = signature.parameter_for(index, len(args))
        if parameter is not None and registry.fit(parameter, arg.type) == registry.NO:
            what, alias = _expectation(parameter)
            if len(_kinds_at(fitting, index, len(args))) > 1:
                alias = "KS127"
            message = f"The argument '{parameter.name}' of '{function.name}' expects {what}, found {arg.type}."
            b.report("argument-type", message, call.arguments[index].span, alias=alias, hints=_conversion_hint(parameter))
            return


def _kinds_at(signatures: Sequence[Signature], index: int, count: int) -> set[tuple[str, ...]]:
    """What the overloads want at one place."""
    found = (signature.parameter_for(index, count) for signature in signatures)
    return {parameter.kinds for parameter in found if parameter is not None}


def _fits(signature: Signature, index: int, args: Sequence[plan.Expr]) -> bool:
    parameter = signature.parameter_for(index, len(args))
    return parameter is not None and registry.fit(parameter, args[index].type) != registry.NO


def _expectation(parameter: Parameter) -> tuple[str, str]:
    known = EXPECTED.get(parameter.kinds[0])
    return known if known is not None else (f"a value of type {' or '.join(parameter.kinds)}", "KS107")


def _conversion_hint(parameter: Parameter) -> tuple[str, ...]:
    names = {kind.value: kind for kind in rules.CONVERSION}
    kind = names.get(parameter.kinds[0])
    if kind is not None:
        return (f"{rules.CONVERSION[kind]}(...) converts a value.",)
    return ("parse_json(...) turns JSON text into a dynamic value.",) if parameter.kinds[0].startswith("Dynamic") else ()


def coerce(b: Binder, function: Function, signature: Signature, args: Sequence[plan.Expr], call: syntax.Call) -> list[plan.Expr]:
    """The arguments with constness checked and the text of dynamics taken where text is wanted."""
    result: list[plan.Expr] = []
    for index, arg in enumerate(args):
        parameter = signature.parameter_for(index, len(args))
        assert parameter is not None
        _check_constness(b, function, parameter, arg, call.arguments[index].span)
        if arg.type is DYNAMIC and "string" in parameter.kinds:
            if function.canonical in _NO_DYNAMIC_TEXT:
                message = f"The service does not take a dynamic as text in {function.name}; tostring(...) makes text of it (R-083)."
                b.refuse(message, arg.span)
            arg = convert(arg, STRING)
        result.append(arg)
    return result


def _check_constness(b: Binder, function: Function, parameter: Parameter, arg: plan.Expr, span: Span) -> None:
    if parameter.argument in ("Constant", "Literal", "LiteralNotEmpty") and not is_constant(arg):
        taken = (function.canonical, parameter.name) in _CONSTANT_FOR_THE_ANALYZER
        message = f"The argument '{parameter.name}' of '{function.name}' {'should' if taken else 'must'} be a constant."
        alias = "KS129" if parameter.argument == "Constant" else "KS130"
        b.report("constant-expected", message, span, alias=alias, severity="warning" if taken else "error")
    elif parameter.argument == "LiteralNotEmpty" and isinstance(arg, plan.Const) and arg.value == "":
        b.report("empty-literal", f"The argument '{parameter.name}' of '{function.name}' must not be empty.", span, alias="KS131")
    elif parameter.values and isinstance(arg, plan.Const) and isinstance(arg.value, str):
        known = {value.lower() for value in parameter.values}
        if arg.value.lower() not in known:
            message = f"Expected one of {', '.join(parameter.values)}, found '{arg.value}'."
            b.report("unknown-value", message, span, alias="KS132", hints=suggestion(arg.value, parameter.values))


def is_constant(expr: plan.Expr) -> bool:
    """Whether an expression reads no row: literals, lets of them, calls over them, toscalar."""
    return not any(isinstance(part, (plan.Ref, plan.InTable)) for part in plan.subexpressions(expr))


def result_type(signature: Signature, args: Sequence[plan.Expr]) -> ScalarType:
    """The type a signature gives for these arguments."""
    returns = signature.returns
    types = [arg.type for arg in args]
    match returns:
        case "Parameter0" | "Parameter1":
            position = int(returns[-1])
            return types[position] if position < len(types) else UNKNOWN
        case "Parameter0Promoted":
            return ScalarType.LONG if types[0] is ScalarType.INT else types[0]
        case "Parameter0Array" | "Custom":
            return DYNAMIC
        case "Common":
            return rules.common(types) or DYNAMIC
        case "CommonNonDynamic":
            return rules.common_non_dynamic(_branch_types(signature, types))
        case "Widest":
            return _widest(types)
        case "Parameter0Literal" | "Parameter1Literal":
            return _literal_type(args[int(returns[9])])
        case "ParameterNLiteral":
            return _literal_type(args[-1])
        case _:
            return ScalarType(returns)


def _branch_types(signature: Signature, types: Sequence[ScalarType]) -> list[ScalarType]:
    """The types of what iff and case may yield: every argument but the predicates."""
    spread = [signature.parameter_for(index, len(types)) for index in range(len(types))]
    return [kind for kind, parameter in zip(types, spread, strict=True) if parameter is not None and parameter.kinds != ("bool",)]


def _widest(types: Sequence[ScalarType]) -> ScalarType:
    """The widest of some numbers; of something whose type is not known that is not known either."""
    if types[0] is UNKNOWN:
        return UNKNOWN
    numbers = [ScalarType.LONG if kind in (ScalarType.INT, BOOL) else kind for kind in types if kind is not UNKNOWN]
    return (rules.common(numbers) or UNKNOWN) if numbers else UNKNOWN


def _literal_type(arg: plan.Expr) -> ScalarType:
    text = arg.value if isinstance(arg, plan.Const) else None
    return TYPEOF_NAMES.get(text, UNKNOWN) if isinstance(text, str) else UNKNOWN


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
    from toolkit.kql.binder.assertions import asserted

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
    from toolkit.kql.binder.pipeline import bind_tabular, visible

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
