"""prev, next, row_number and their kin: calls that `windows` computes below the operator they stand in (R-244, R-268)."""

from __future__ import annotations

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Binder, Scope, null_of
from toolkit.kql.binder.expressions import convert, unknown
from toolkit.kql.binder.overloads import bind_argument, choose, coerce, result_type
from toolkit.kql.functions.registry import Function
from toolkit.kql.types import ScalarType

WINDOW_FUNCTIONS = frozenset({"prev", "next", "row_number", "row_cumsum", "row_rank_dense", "row_rank_min", "row_window_session"})


def bind_window(b: Binder, function: Function, call: syntax.Call, scope: Scope) -> plan.Expr:
    """A reference to the column that will hold the window function's value."""
    collector = b.windows
    args = [bind_argument(b, argument, scope) for argument in call.arguments]
    signature = choose(b, function, args, call)
    if signature is None:
        return unknown(call.span)
    if collector is None or collector.values_only or b.collector is not None:
        b.refuse(f"The function '{function.name}' is only possible in extend, where, project and serialize (R-268).", call.span)
        return null_of(result_type(signature, args))
    if not collector.serialized:
        hints = ("sort, top or serialize before it gives the rows an order.",)
        b.refuse(f"The function '{function.name}' needs rows that have an order (R-244).", call.span, hints=hints)
    args = coerce(b, function, signature, args, call)
    kind = result_type(signature, args)
    column = b.column("", kind)
    collector.add(column, plan.Call(function.canonical, _complete(b, function.canonical, args, call), kind, call.span))
    return plan.Ref(column, call.span)


def _complete(b: Binder, name: str, args: list[plan.Expr], call: syntax.Call) -> tuple[plan.Expr, ...]:
    """The arguments with their defaults: an engine need not know them. A null restart is none."""
    off = plan.Const(False, ScalarType.BOOL, call.span)
    match name:
        case "prev" | "next":
            _check_offset(b, args, call)
            one = plan.Const(1, ScalarType.LONG, call.span)
            default = convert(args[2], args[0].type) if len(args) > 2 else null_of(args[0].type)
            return (args[0], args[1] if len(args) > 1 else one, default)
        case "row_number":
            return (args[0] if args else plan.Const(1, ScalarType.LONG, call.span), args[1] if len(args) > 1 else off)
        case "row_window_session":
            return (*args[:3], args[3] if len(args) > 3 else off)
        case _:
            return (args[0], args[1] if len(args) > 1 else off)


def _check_offset(b: Binder, args: list[plan.Expr], call: syntax.Call) -> None:
    if len(args) < 2:
        return
    offset = args[1]
    if not isinstance(offset, plan.Const) or not isinstance(offset.value, int) or offset.value < 0:
        b.refuse(f"The offset of '{call.name.text}' must be a constant number of rows.", call.arguments[1].span)
