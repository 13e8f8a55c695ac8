"""assert(condition, message): decided while the query is analysed, before anything is optimised away.

A condition that is a constant, but takes an engine to compute, is looked at before the query runs.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from toolkit.kql import plan
from toolkit.kql.binder.context import Binder, const
from toolkit.kql.source import Span
from toolkit.kql.types import ScalarType

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_TEXTS: dict[str, Callable[[str], object]] = {
    "isempty": lambda text: not text, "isnotempty": bool, "isnull": lambda _: False, "isnotnull": lambda _: True,
    "strlen": len, "tolower": str.lower, "toupper": str.upper,
}  # fmt: skip


class _Unknown(Exception):
    """The value of an expression is not found here."""


def asserted(b: Binder, condition: plan.Expr, message: plan.Expr, span: Span) -> plan.Expr:
    """true, or a finding with the message. Both arguments have to be constants."""
    text = message.value if isinstance(message, plan.Const) else None
    try:
        value = _value(condition)
    except _Unknown:
        if any(isinstance(part, (plan.Ref, plan.InTable, plan.ScalarSubquery)) for part in plan.subexpressions(condition)):
            b.refuse("The condition of assert() depends on rows, but it has to be a constant.", span)
        else:
            b.assertions.append(plan.Assertion(condition, message, b.place or span))
        value = True
    if not isinstance(text, str):
        b.report("constant-expected", "The message of assert() must be a constant.", message.span, alias="KS129")
    elif value is not True:
        b.report("assertion-failed", f"assert() has failed with message: '{text}'", span)
    return const(True, ScalarType.BOOL, span)


def _value(expr: plan.Expr) -> Any:
    """What a constant expression amounts to; None for null."""
    if isinstance(expr, plan.Const) and expr.type is not ScalarType.DYNAMIC:
        return expr.value
    if not isinstance(expr, plan.Call):
        raise _Unknown
    if expr.name in ("and", "or"):
        return _logical(expr.name, [_value(arg) for arg in expr.args])
    values = [_value(arg) for arg in expr.args]
    if expr.name == "not":
        return None if values[0] is None else not values[0]
    if expr.name in _COMPARISONS and len(values) == 2 and expr.args[0].type is expr.args[1].type:
        return None if None in values else _COMPARISONS[expr.name](*values)
    if expr.name in ("in", "!in") and None not in values and len({arg.type for arg in expr.args}) == 1:
        return (values[0] in values[1:]) is (expr.name == "in")
    if expr.name in ("isnull", "isnotnull") and expr.args[0].type is not ScalarType.STRING:
        return (values[0] is None) is (expr.name == "isnull")
    if expr.name in _TEXTS and isinstance(values[0], str):
        return _TEXTS[expr.name](values[0])
    raise _Unknown


def _logical(name: str, values: list[Any]) -> bool | None:
    """Three-valued logic (R-047)."""
    decisive = name == "or"
    if decisive in values:
        return decisive
    return None if None in values else not decisive
