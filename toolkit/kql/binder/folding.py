"""Folding of constants that later stages must see as constants: a pattern, a part name, a needle, a literal's value.

Only exact operations are folded; everything else is left to the engine, which folds constants on its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from toolkit.kql import plan
from toolkit.kql.types import ScalarType

_LONG = range(-(2**63), 2**63)
_TICKS = range(3155378976000000000)


def fold(call: plan.Call) -> plan.Expr:
    """The call's value as a constant where all arguments are constants and the result is certain, else the call."""
    rule = _RULES.get(call.name)
    if rule is None or not all(isinstance(arg, plan.Const) and arg.value is not None for arg in call.args):
        return call
    value = rule(call, [arg.value for arg in call.args if isinstance(arg, plan.Const)])
    return call if value is None else plan.Const(value, call.type, call.span)


def _negate(call: plan.Call, values: list[Any]) -> object:
    value = values[0]
    return -value if call.type is not ScalarType.DYNAMIC and -value != 2**63 else None


def _whole(call: plan.Call, values: list[Any]) -> object:
    """+ - * of whole numbers and ticks; overflow and division stay with the engine."""
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return None
    kinds = {arg.type for arg in call.args}
    if call.name == "*" and not kinds <= {ScalarType.INT, ScalarType.LONG, ScalarType.TIMESPAN}:
        return None
    left, right = values
    result = left + right if call.name == "+" else left - right if call.name == "-" else left * right
    domain = _TICKS if call.type is ScalarType.DATETIME else _LONG
    return result if result in domain else None


def _strcat(call: plan.Call, values: list[Any]) -> object:
    return "".join(values) if all(isinstance(value, str) for value in values) and _all_strings(call) else None


def _all_strings(call: plan.Call) -> bool:
    return all(arg.type is ScalarType.STRING for arg in call.args)


def _tostring(call: plan.Call, values: list[Any]) -> object:
    kind = call.args[0].type
    if kind is ScalarType.STRING:
        return values[0]
    if kind is ScalarType.BOOL:
        return "True" if values[0] else "False"
    return str(values[0]) if kind in (ScalarType.INT, ScalarType.LONG) else None


def _tolong(call: plan.Call, values: list[Any]) -> object:
    """Only text of plain digits and whole numbers; everything else has rules of its own (R-059, R-060)."""
    value = values[0]
    if isinstance(value, str) and call.args[0].type is ScalarType.STRING:
        digits = value.strip()
        value = int(digits) if digits.isascii() and digits.lstrip("-").isdigit() and digits.count("-") <= 1 else None
    elif not (isinstance(value, int) and call.args[0].type in (ScalarType.INT, ScalarType.LONG)):
        return None
    limit = 2**31 if call.type is ScalarType.INT else 2**63
    return value if value is not None and -limit <= value < limit else None


def _todouble(call: plan.Call, values: list[Any]) -> object:
    whole = call.args[0].type in (ScalarType.INT, ScalarType.LONG) and abs(values[0]) <= 2**53
    return float(values[0]) if whole or call.args[0].type is ScalarType.REAL else None


_RULES: dict[str, Callable[[plan.Call, list[Any]], object]] = {
    "negate": _negate,
    "+": _whole,
    "-": _whole,
    "*": _whole,
    "strcat": _strcat,
    "tostring": _tostring,
    "tolong": _tolong,
    "toint": _tolong,
    "todouble": _todouble,
}
