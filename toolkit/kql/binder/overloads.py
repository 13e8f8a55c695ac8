"""Overloads of built-in functions: which one fits the arguments, what it makes of them, what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from toolkit.kql import plan, syntax
from toolkit.kql.binder import typing as rules
from toolkit.kql.binder.context import Binder, Scope
from toolkit.kql.binder.expressions import bind_scalar, convert
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


def bind_argument(b: Binder, argument: syntax.Node, scope: Scope) -> plan.Expr:
    return bind_scalar(b, argument.value if isinstance(argument, syntax.NamedArgument) else argument, scope)


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
