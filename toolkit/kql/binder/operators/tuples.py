"""Functions that yield several columns: `(a, b) = f(x)`, and the names of the columns that are not named (R-092, R-200, R-329)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from toolkit.kql import plan, syntax
from toolkit.kql.binder.context import Scope
from toolkit.kql.binder.names import carried_name
from toolkit.kql.types import ScalarType

REAL, LONG, DYNAMIC = ScalarType.REAL, ScalarType.LONG, ScalarType.DYNAMIC

Members = tuple[tuple[str, ScalarType], ...]


def _all(kind: ScalarType, *names: str) -> Members:
    return tuple((name, kind) for name in names)


_LINE: Final[Members] = (*_all(REAL, "rsquare", "slope", "variance", "rvariance", "interception"), ("line_fit", DYNAMIC))
_DECOMPOSED: Final[Members] = _all(DYNAMIC, "baseline", "seasonal", "trend", "residual")
_PERIODS: Final[Members] = _all(DYNAMIC, "periods", "scores")
_COMPLEX: Final[Members] = _all(DYNAMIC, "real", "imag")
_SIDES: Final = ("rsquare", "slope", "interception", "variance", "rvariance")

# What each function yields, in order (taken from the public analyzer).
MEMBERS: Final[Mapping[str, Members]] = {
    "series_stats": (
        ("min", REAL),
        ("min_idx", LONG),
        ("max", REAL),
        ("max_idx", LONG),
        *_all(REAL, "avg", "stdev", "variance"),
    ),
    "series_fit_line": _LINE,
    "series_fit_2lines": (
        ("rsquare", REAL),
        ("split_idx", LONG),
        *_all(REAL, "variance", "rvariance"),
        ("line_fit", DYNAMIC),
        *_all(REAL, *(f"{side}_{name}" for side in ("right", "left") for name in _SIDES)),
    ),
    "series_fit_poly": (("rsquare", REAL), ("coefficients", DYNAMIC), *_all(REAL, "variance", "rvariance"), ("poly_fit", DYNAMIC)),
    "series_decompose": _DECOMPOSED,
    "series_decompose_forecast": _DECOMPOSED,
    "series_decompose_anomalies": _all(DYNAMIC, "ad_flag", "ad_score", "baseline"),
    "series_periods_detect": _PERIODS,
    "series_periods_validate": _PERIODS,
    "series_fft": _COMPLEX,
    "series_ifft": _COMPLEX,
}


def columns_of_call(node: syntax.Node, value: plan.Expr, scope: Scope) -> list[tuple[str, plan.Expr]] | None:
    """The columns of a call that yields several, with the names they have by themselves; None for any other expression."""
    if not isinstance(value, plan.Call) or value.name not in MEMBERS:
        return None
    while isinstance(node, syntax.Paren):
        node = node.inner
    first = node.arguments[0] if isinstance(node, syntax.Call) and node.arguments else None
    own = (carried_name(first, scope) if first is not None else None) or ""
    return [(f"{value.name}_{own}_{member}", _member(value, position, kind)) for position, (member, kind) in enumerate(MEMBERS[value.name])]


def _member(call: plan.Call, position: int, kind: ScalarType) -> plan.Expr:
    """An engine is asked for a single member as `<name>_nth`, its number before the arguments."""
    return plan.Call(f"{call.name}_nth", (plan.Const(position, LONG), *call.args), kind, call.span)
