"""Numbers: binning, rounding, powers, trigonometry, bits (R-171 to R-182).

DuckDB's `//` and `%` truncate toward zero and raise for a zero divisor; KQL rounds down and gives null.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.engine.functions.forms import constant_number, form, number, real, whole
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.sql import PHYSICAL, Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

BOOL, INT, LONG, REAL, DECIMAL = ScalarType.BOOL, ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL
DATETIME, TIMESPAN = ScalarType.DATETIME, ScalarType.TIMESPAN
_COUNTS = (BOOL, INT, LONG, DATETIME, TIMESPAN)
"""Types whose values are whole numbers inside the engine: integers and ticks."""

NAN = Literal(float("nan"), "DOUBLE")


def _nullable(args: Sequence[Lowered]) -> bool:
    return any(arg.nullable for arg in args)


# --- binning --------------------------------------------------------------------------------------------------------


def floor_to(value: Sql, size: Sql, positive: int | None, *, never_negative: bool = False) -> Sql:
    """`value` down to a multiple of `size`, both BIGINT. `positive`: the size, where it is a constant between 0 and 2^62.

    The remainder is taken off, so nothing overflows on the way; a wrapped result (R-030) is an error in DuckDB.
    """
    if positive is not None:
        rest = form("({0} % {1})", value, size)
        if not never_negative:
            rest = form("((({0} % {1}) + {1}) % {1})", value, size)
        return form("({0} - {1})", value, rest)
    template = (
        "({0} - CASE WHEN ({0} % nullif({1}, 0)) <> 0 AND (({0} % nullif({1}, 0)) < 0) <> ({1} < 0)"
        " THEN ({0} % nullif({1}, 0)) + {1} ELSE ({0} % nullif({1}, 0)) END)"
    )
    return form(template, value, size)


def _positive_constant(expr: plan.Expr) -> int | None:
    value = constant_number(expr)
    return value if isinstance(value, int) and 0 < value < 2**62 else None


def _ticks_or_whole(kind: ScalarType, value: Sql) -> Sql:
    return value if kind in (DATETIME, TIMESPAN, LONG) else whole(kind, value)


@REGISTRY.builder("bin", "floor")
def _bin(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-171 to R-173. A zero size gives null for whole numbers and NaN for reals; a negative one is computed as the service does (R-342).

    Datetimes count from 0001-01-01 (R-343).
    """
    if len(args) != 2:
        raise Refusal(f"{call.name} takes a value and a size (R-172)", call.span)
    (value_kind, size_kind) = (arg.type for arg in call.args)
    if value_kind in _COUNTS and size_kind in _COUNTS:
        value, size = _ticks_or_whole(value_kind, args[0].sql), _ticks_or_whole(size_kind, args[1].sql)
        constant = _positive_constant(call.args[1])
        result = floor_to(value, size, constant, never_negative=value_kind is DATETIME)
        return Lowered(result, constant is None or _nullable(args))
    if DECIMAL in (value_kind, size_kind):
        return _decimal_bin(call, args)
    reals = [real(kind, arg.sql) for kind, arg in zip((value_kind, size_kind), args, strict=True)]
    return Lowered(form("(floor({0} / {1}) * {1})", *reals), _nullable(args))


def _decimal_bin(call: plan.Call, args: Sequence[Lowered]) -> Lowered:
    """The remainder of two decimals is exact, their quotient would be a real. A size of zero or below has no documented bin."""
    value, size = (form(f"CAST({{0}} AS {PHYSICAL[DECIMAL]})", arg.sql) for arg in args)
    rest = form("({0} % nullif({1}, 0))", value, size)
    template = "(CASE WHEN {1} > 0 THEN CASE WHEN {2} < 0 THEN {0} - {2} - {1} ELSE {0} - {2} END END)"
    return Lowered(form(f"CAST({template} AS {PHYSICAL[DECIMAL]})", value, size, rest), True)


@REGISTRY.builder("bin_at")
def _bin_at(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-174: bins aligned to a fixed point, which may lie on either side of the value."""
    kinds = [arg.type for arg in call.args]
    if DECIMAL in kinds:
        raise Refusal("bin_at of decimals is not documented", call.span)
    if all(kind in _COUNTS for kind in kinds):
        value, size, fixed = (_ticks_or_whole(kind, arg.sql) for kind, arg in zip(kinds, args, strict=True))
        constant, at = _positive_constant(call.args[1]), call.args[2]
        if kinds[0] is DATETIME and constant is not None and isinstance(at, plan.Const) and isinstance(at.value, int):
            # a datetime is never below zero, so one remainder will do
            return Lowered(form("({0} - (({0} + {1}) % {2}))", value, number(-at.value % constant), size), args[0].nullable)
        offset = floor_to(form("({0} - {1})", value, fixed), size, constant)
        return Lowered(form("({0} + {1})", fixed, offset), True)
    value, size, fixed = (real(kind, arg.sql) for kind, arg in zip(kinds, args, strict=True))
    return Lowered(form("({2} + floor(({0} - {2}) / {1}) * {1})", value, size, fixed), _nullable(args))


@REGISTRY.builder("bin_auto")
def _bin_auto(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-175: size and origin come from `set query_bin_auto_size` and `set query_bin_auto_at`."""
    kind = call.args[0].type
    size = lowering.settings.get("query_bin_auto_size")
    at = lowering.settings.get("query_bin_auto_at", 0)
    if kind not in _COUNTS or not isinstance(size, int) or isinstance(size, bool) or not isinstance(at, int):
        raise Refusal("bin_auto needs 'set query_bin_auto_size' with a size of the value's kind", call.span)
    if size <= 0:
        raise Refusal("query_bin_auto_size must be above zero", call.span)
    value = _ticks_or_whole(kind, args[0].sql)
    offset = floor_to(form("({0} - {1})", value, number(at)), number(size), size)
    return Lowered(form("({0} + {1})", number(at), offset), args[0].nullable)


# --- rounding and signs ---------------------------------------------------------------------------------------------


@REGISTRY.builder("round")
def _round(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-176: scale, round half away from zero, unscale; the type is kept. Digits may be negative."""
    kind = call.args[0].type
    digits = constant_number(call.args[1]) if len(args) > 1 else 0
    if not isinstance(digits, int) or not -300 <= digits <= 300:
        raise Refusal("round takes a constant whole number of digits", call.span)
    if kind is REAL:
        return Lowered(form("round({0}, {1})", args[0].sql, Literal(digits, "INTEGER")), args[0].nullable)
    if kind not in (INT, LONG):
        raise Refusal(f"round of a {kind} is not documented", call.span)
    value = args[0].sql if digits >= 0 else form("CAST(round({0}, {1}) AS " + PHYSICAL[kind] + ")", args[0].sql, Literal(digits, "INTEGER"))
    return Lowered(value, args[0].nullable)


@REGISTRY.builder("ceiling")
def _ceiling(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-182: a whole number is its own ceiling and keeps its type."""
    kind = call.args[0].type
    if kind in (INT, LONG):
        return args[0] if call.type is kind else Lowered(whole(kind, args[0].sql), args[0].nullable)
    if kind is DECIMAL:
        return Lowered(form(f"CAST(ceil({{0}}) AS {PHYSICAL[DECIMAL]})", args[0].sql), args[0].nullable)
    return Lowered(form("ceil({0})", real(kind, args[0].sql)), args[0].nullable)


@REGISTRY.builder("abs")
def _abs(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-025: the absolute value of an int is a long."""
    kind = call.args[0].type
    value = args[0].sql if kind in (REAL, DECIMAL, TIMESPAN) else whole(kind, args[0].sql)
    return Lowered(form("abs({0})", value), args[0].nullable)


@REGISTRY.builder("sign")
def _sign(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-177: always a real, 0.0 for null."""
    return Lowered(form("CAST(coalesce(sign({0}), 0) AS DOUBLE)", real(call.args[0].type, args[0].sql)), False)


# --- real functions -------------------------------------------------------------------------------------------------

_REAL_TEMPLATES: dict[str, tuple[str, bool]] = {
    # name: template, whether a value outside the domain makes it null (R-179: NaN goes in and comes out as NaN)
    "acos": ("CASE WHEN {0} BETWEEN -1 AND 1 OR isnan({0}) THEN acos({0}) END", True),
    "asin": ("CASE WHEN {0} BETWEEN -1 AND 1 OR isnan({0}) THEN asin({0}) END", True),
    "atan": ("atan({0})", False),
    "atan2": ("atan2({0}, {1})", False),
    "cos": ("cos({0})", False),
    "cot": ("cot({0})", False),
    "degrees": ("degrees({0})", False),
    "exp": ("exp({0})", False),
    "exp10": ("pow(CAST(10 AS DOUBLE), {0})", False),
    "exp2": ("pow(CAST(2 AS DOUBLE), {0})", False),
    "gamma": ("gamma({0})", False),
    "log": ("CASE WHEN NOT {0} < 0 THEN ln({0}) END", True),
    "log10": ("CASE WHEN NOT {0} < 0 THEN log10({0}) END", True),
    "log2": ("CASE WHEN NOT {0} < 0 THEN log2({0}) END", True),
    "loggamma": ("lgamma({0})", False),
    "pow": ("pow({0}, {1})", False),
    "radians": ("radians({0})", False),
    "sin": ("sin({0})", False),
    "sqrt": ("CASE WHEN NOT {0} < 0 THEN sqrt({0}) END", True),
    "tan": ("tan({0})", False),
}


def _register_real(name: str, template: str, partial: bool) -> None:
    def build(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
        reals = tuple(real(expr.type, arg.sql) for expr, arg in zip(call.args, args, strict=True))
        return Lowered(Form(f"({template})", reals), partial or _nullable(args))

    REGISTRY.scalars[name] = build


for _name, (_template, _partial) in _REAL_TEMPLATES.items():
    _register_real(_name, _template, _partial)

REGISTRY.template("pi", "pi()", total=True)


@REGISTRY.builder("isnan", "isinf", "isfinite")
def _is_special(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(form(call.name + "({0})", real(call.args[0].type, args[0].sql)), args[0].nullable)


@REGISTRY.builder("rand")
def _rand(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-042: another value per call and row; `rand(n)` is one of 0.0 ... n - 1."""
    if not args:
        return Lowered(form("random()"), False)
    return Lowered(form("floor(random() * {0})", real(call.args[0].type, args[0].sql)), args[0].nullable)


# --- comparison -----------------------------------------------------------------------------------------------------


@REGISTRY.builder("max_of", "min_of")
def _extreme_of(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-180: nulls are ignored, as greatest and least do; all null gives null."""
    kinds = {expr.type for expr in call.args}
    if ScalarType.DYNAMIC in kinds or (ScalarType.STRING in kinds and len(kinds) > 1):
        raise Refusal(f"{call.name} over these types is not documented", call.span)
    physical = PHYSICAL[call.type]
    same = kinds == {call.type}
    values = [arg.sql if same else form(f"CAST({{0}} AS {physical})", arg.sql) for arg in args]
    places = ", ".join(f"{{{index}}}" for index in range(len(values)))
    nullable = all(arg.nullable for arg in args)
    return Lowered(form(("greatest" if call.name == "max_of" else "least") + f"({places})", *values), nullable)


@REGISTRY.builder("around")
def _around(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-195: inclusive on both sides; null when any part is null."""
    if any(expr.type not in (INT, LONG, REAL, DATETIME, TIMESPAN) for expr in call.args):
        raise Refusal("around takes numbers, datetimes or timespans", call.span)
    template = "({0} BETWEEN {1} - {2} AND {1} + {2})"
    if _nullable(args):
        # NULL AND FALSE is FALSE: the test for nulls keeps "null when any part is null"
        template = f"(CASE WHEN {{0}} IS NOT NULL AND {{1}} IS NOT NULL AND {{2}} IS NOT NULL THEN {template} END)"
    return Lowered(form(template, *(arg.sql for arg in args)), _nullable(args))


# --- bits -----------------------------------------------------------------------------------------------------------

_BITS = {"binary_and": "({0} & {1})", "binary_or": "({0} | {1})", "binary_xor": "xor({0}, {1})", "binary_not": "(~{0})"}


def _wholes(call: plan.Call, args: Sequence[Lowered]) -> list[Sql]:
    return [whole(expr.type, arg.sql) for expr, arg in zip(call.args, args, strict=True)]


@REGISTRY.builder(*_BITS)
def _bits(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(form(_BITS[call.name], *_wholes(call, args)), _nullable(args))


# The shift count is taken modulo 64, a negative one gives null. The product is formed in 128 bits and wrapped to 64.
_SHIFT_LEFT = (
    "(CASE WHEN {1} >= 0 THEN CAST((((({0}::HUGEINT * (1::HUGEINT << CAST({1} % 64 AS INTEGER))) % 18446744073709551616::HUGEINT)"
    " + 27670116110564327424::HUGEINT) % 18446744073709551616::HUGEINT - 9223372036854775808::HUGEINT) AS BIGINT) END)"
)
_SHIFTS = {"binary_shift_left": _SHIFT_LEFT, "binary_shift_right": "(CASE WHEN {1} >= 0 THEN {0} >> ({1} % 64) END)"}


@REGISTRY.builder(*_SHIFTS)
def _shift(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(form(_SHIFTS[call.name], *_wholes(call, args)), True)


@REGISTRY.builder("bitset_count_ones")
def _count_ones(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(form("CAST(bit_count({0}) AS BIGINT)", *_wholes(call, args)), args[0].nullable)
