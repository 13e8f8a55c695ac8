"""What substring gives at a null position, and format_datetime for a null: the texts that are null (R-130, R-184).

Everywhere else strings are never null, so the plan has no null of that type: the functions that can tell are written
out here as what they answer about the positions.
"""

from __future__ import annotations

from toolkit.kql import plan
from toolkit.kql.types import ScalarType

_BOOL = ScalarType.BOOL


def of_absent_text(call: plan.Call) -> plan.Expr:
    """The call, where it is one that a null position of substring changes, in terms of that position."""
    if call.name == "substring":
        return _folded(call)
    inner = call.args[0] if call.args else None
    if not (isinstance(inner, plan.Call) and inner.name in _ABSENT and isinstance(inner.args[0], (plan.Ref, plan.Call))):
        return call
    absent = _absent(inner)
    if call.name not in _TESTS[inner.name] or absent is None:
        return call
    if call.name == "strlen":
        nothing = plan.Const(None, call.type, call.span)
        return nothing if _is_true(absent) else plan.Call("iff", (absent, nothing, call), call.type, call.span)
    return plan.Call("not", (absent,), _BOOL, call.span) if call.name == "isnotnull" else absent


# Which arguments make the text null when they are.
_ABSENT = {"substring": slice(1, None), "format_datetime": slice(0, 1)}
_TESTS = {"substring": frozenset({"isnull", "isnotnull", "strlen"}), "format_datetime": frozenset({"isnull", "isnotnull"})}


def _folded(call: plan.Call) -> plan.Call:
    """A substring of a constant is computed during analysis, which takes a null position for 0."""
    if not all(isinstance(arg, plan.Const) for arg in call.args):
        return call
    text, *positions = call.args
    known = [
        plan.Const(0, position.type, position.span) if isinstance(position, plan.Const) and position.value is None else position
        for position in positions
    ]
    return plan.Call(call.name, (text, *known), call.type, call.span)


def _absent(text: plan.Call) -> plan.Expr | None:
    """Whether the text is null; None where it cannot be."""
    positions = [arg for arg in text.args[_ABSENT[text.name]] if not isinstance(arg, plan.Const) or arg.value is None]
    if not positions:
        return None
    if any(isinstance(arg, plan.Const) for arg in positions):
        return plan.Const(True, _BOOL, text.span)
    tests = [plan.Call("isnull", (arg,), _BOOL, text.span) for arg in positions]
    return tests[0] if len(tests) == 1 else plan.Call("or", tuple(tests), _BOOL, text.span)


def _is_true(expr: plan.Expr) -> bool:
    return isinstance(expr, plan.Const) and expr.value is True
