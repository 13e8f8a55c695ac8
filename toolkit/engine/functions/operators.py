"""Comparison, arithmetic and logic (R-025 to R-057).

Each comparison is written in two ways: as a total value (R-044: a null operand gives false, not null), and as a
condition where NULL may stand for FALSE, so that a filter over a nullable column stays a plain `=`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext

from toolkit.engine.functions.registry import REGISTRY, Lowering, PythonFunction, Refusal
from toolkit.engine.sql import PHYSICAL, Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

ConditionBuilder = Callable[[plan.Call, Sequence[Lowered], Lowering], Sql]
CONDITIONS: dict[str, ConditionBuilder] = {}

_REAL = ScalarType.REAL
_DECIMAL = ScalarType.DECIMAL


def _pair(args: Sequence[Lowered]) -> tuple[Sql, Sql]:
    return args[0].sql, args[1].sql


def _may_be_nan(expr: plan.Expr) -> bool:
    if expr.type is not _REAL:
        return False
    return not isinstance(expr, plan.Const) or (isinstance(expr.value, float) and expr.value != expr.value)


def _refuse_dynamic(call: plan.Call) -> None:
    if all(arg.type is ScalarType.DYNAMIC for arg in call.args):
        raise Refusal(f"{call.name!r} between two dynamic values is not supported: wrap them in tostring() or tolong() (R-080)")
    for arg in call.args:
        if arg.type is ScalarType.DYNAMIC:
            raise Refusal(f"{call.name!r} over a dynamic value needs a cast, for example tolong() or tostring() (R-079)", arg.span)


# --- equality -----------------------------------------------------------------------------------------------------------


def _equal(call: plan.Call, args: Sequence[Lowered]) -> Sql:
    """a = b. DuckDB says NaN = NaN, IEEE and KQL do not."""
    both_nan = _may_be_nan(call.args[0]) and _may_be_nan(call.args[1])
    return Form("({0} = {1} AND NOT isnan({0}))" if both_nan else "({0} = {1})", _pair(args))


@REGISTRY.builder("==")
def _equals(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    _refuse_dynamic(call)
    return _total(_equal(call, args), args, when_one_null="FALSE")


@REGISTRY.builder("!=")
def _not_equals(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    _refuse_dynamic(call)
    return _total(Form("NOT {0}", (_equal(call, args),)), args, when_one_null="TRUE")


def _total(test: Sql, args: Sequence[Lowered], when_one_null: str) -> Lowered:
    """Makes a comparison total for one null operand; two nulls compare to null (R-045, R-341)."""
    nullable = [arg.nullable for arg in args]
    if not any(nullable):
        return Lowered(Form("({0})", (test,)), False)
    if not all(nullable):
        return Lowered(Form(f"coalesce({{0}}, {when_one_null})", (test,)), False)
    template = f"CASE WHEN {{1}} IS NOT NULL OR {{2}} IS NOT NULL THEN coalesce({{0}}, {when_one_null}) END"
    return Lowered(Form(template, (test, args[0].sql, args[1].sql)), True)


def _equals_condition(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Sql:
    _refuse_dynamic(call)
    return _equal(call, args)


def _not_equals_condition(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Sql:
    _refuse_dynamic(call)
    if _may_be_nan(call.args[0]) and _may_be_nan(call.args[1]):
        return Form("({0} IS DISTINCT FROM {1} OR isnan({0}))", _pair(args))
    operator = "IS DISTINCT FROM" if any(arg.nullable for arg in args) else "<>"
    return Form(f"({{0}} {operator} {{1}})", _pair(args))


CONDITIONS["=="] = _equals_condition
CONDITIONS["!="] = _not_equals_condition


# --- order --------------------------------------------------------------------------------------------------------------


@REGISTRY.builder("<", "<=", ">", ">=")
def _compare(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """Three-valued (R-046). NaN is above everything to DuckDB and compares false in KQL."""
    _refuse_dynamic(call)
    larger, other = (0, 1) if call.name[0] == ">" else (1, 0)
    tests = [f"{{0}} {call.name} {{1}}"]
    if _may_be_nan(call.args[larger]):
        tests.append(f"NOT isnan({{{larger}}})")
    if _may_be_nan(call.args[other]) and len(call.name) == 2 and _may_be_nan(call.args[larger]):
        tests.append(f"NOT isnan({{{other}}})")
    return Lowered(Form("(" + " AND ".join(tests) + ")", _pair(args)), any(arg.nullable for arg in args))


def _range_bounds(call: plan.Call, args: Sequence[Lowered]) -> tuple[Lowered, Lowered, Lowered]:
    value, low, high = args
    if call.args[1].type is ScalarType.DATETIME and call.args[2].type is ScalarType.TIMESPAN:
        high = Lowered(Form("({0} + {1})", (low.sql, high.sql)), low.nullable or high.nullable)
    return value, low, high


@REGISTRY.builder("between", "!between")
def _between(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """Inclusive; null when any operand is null, for both forms (R-041, R-053)."""
    for arg in call.args:
        if arg.type in (ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.GUID):
            raise Refusal(f"{call.name!r} takes numbers, datetimes and timespans, not {arg.type} (R-041)", arg.span)
    value, low, high = _range_bounds(call, args)
    word = "NOT BETWEEN" if call.name.startswith("!") else "BETWEEN"
    test = f"({{0}} {word} {{1}} AND {{2}})"
    parts = (value.sql, low.sql, high.sql)
    if low.nullable or high.nullable:
        # SQL answers false as soon as one bound excludes the value, KQL looks at both
        return Lowered(Form(f"CASE WHEN {{1}} IS NOT NULL AND {{2}} IS NOT NULL THEN {test} END", parts), True)
    return Lowered(Form(test, parts), value.nullable)


# --- logic --------------------------------------------------------------------------------------------------------------

REGISTRY.template("and", "({0} AND {1})")
REGISTRY.template("or", "({0} OR {1})")


@REGISTRY.builder("not")
def _not(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    operand = "{0}" if call.args[0].type is ScalarType.BOOL else "({0} <> 0)"
    return Lowered(Form(f"(NOT {operand})", (args[0].sql,)), args[0].nullable)


# --- arithmetic ---------------------------------------------------------------------------------------------------------


def _as(arg: Lowered, kind: ScalarType, wanted: ScalarType) -> Sql:
    """An operand in the physical type of the result: DuckDB computes int + int in 32 bits, KQL in 64 (R-025)."""
    if PHYSICAL[kind] == PHYSICAL[wanted]:
        return arg.sql
    if isinstance(arg.sql, Literal) and kind is ScalarType.INT and wanted is ScalarType.LONG:
        return Literal(arg.sql.value, "BIGINT")
    return Form(f"CAST({{0}} AS {PHYSICAL[wanted]})", (arg.sql,))


def _operands(call: plan.Call, args: Sequence[Lowered]) -> tuple[Sql, Sql]:
    _refuse_dynamic(call)
    left, right = call.args
    if call.type is _DECIMAL and _REAL in (left.type, right.type):
        raise Refusal("arithmetic between decimal and real is not supported: it cannot be exact")
    wanted = call.type
    return _as(args[0], left.type, wanted), _as(args[1], right.type, wanted)


def _nullable(args: Sequence[Lowered]) -> bool:
    return any(arg.nullable for arg in args)


@REGISTRY.builder("+")
def _plus(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    if len(args) == 1:
        return args[0]
    if call.args[0].type is call.args[1].type is ScalarType.DATETIME:
        raise Refusal("two datetimes cannot be added (R-026)")
    return Lowered(Form("({0} + {1})", _operands(call, args)), _nullable(args))


@REGISTRY.builder("-")
def _minus(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    if len(args) == 1:
        return _negate(call, args, _)
    return Lowered(Form("({0} - {1})", _operands(call, args)), _nullable(args))


@REGISTRY.builder("negate")
def _negate(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    _refuse_dynamic(call)
    return Lowered(Form("(- {0})", (_as(args[0], call.args[0].type, call.type),)), args[0].nullable)


@REGISTRY.builder("*")
def _times(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    left, right = call.args
    if call.type is ScalarType.TIMESPAN:
        factors = (left.type, right.type)
        if _REAL in factors or _DECIMAL in factors:
            product = Form("CAST(CAST({0} AS DOUBLE) * CAST({1} AS DOUBLE) AS BIGINT)", _pair(args))
            return Lowered(product, _nullable(args))
        return Lowered(Form("({0} * {1})", _pair(args)), _nullable(args))
    if call.type is _DECIMAL:
        return _decimal_udf("decimal_times", call, args, lowering)
    return Lowered(Form("({0} * {1})", _operands(call, args)), _nullable(args))


@REGISTRY.builder("/")
def _divide(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """Integers truncate toward zero, and by zero give null; reals follow IEEE (R-027, R-028)."""
    _refuse_dynamic(call)
    right = call.args[1]
    if call.type is _REAL:
        return Lowered(Form("(CAST({0} AS DOUBLE) / CAST({1} AS DOUBLE))", _pair(args)), _nullable(args))
    if call.type is _DECIMAL:
        return _decimal_udf("decimal_divide", call, args, lowering)
    if call.type is ScalarType.TIMESPAN and right.type in (_REAL, _DECIMAL):
        return Lowered(Form("CAST(CAST({0} AS DOUBLE) / CAST({1} AS DOUBLE) AS BIGINT)", _pair(args)), _nullable(args))
    never_zero = isinstance(right, plan.Const) and bool(right.value)
    template = "({0} // {1})" if never_zero else "({0} // nullif({1}, 0))"
    return Lowered(Form(template, _operands(call, args)), _nullable(args) or not never_zero)


@REGISTRY.builder("%")
def _modulo(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """The mathematical remainder, never negative (R-029)."""
    if _DECIMAL in (call.args[0].type, call.args[1].type):
        raise Refusal("the remainder of decimals is not supported")
    value, divisor = _operands(call, args)
    by = call.args[1]
    if isinstance(by, plan.Const) and isinstance(by.value, (int, float)) and by.value and abs(by.value) < 2**62:
        size = Literal(abs(by.value), PHYSICAL[call.type])
        return Lowered(Form("((({0} % {1}) + {1}) % {1})", (value, size)), _nullable(args))
    if call.type is not _REAL:
        divisor = Form("nullif({0}, 0)", (divisor,))
    template = "CASE WHEN ({0} % {1}) < 0 THEN ({0} % {1}) + abs({1}) ELSE ({0} % {1}) END"
    return Lowered(Form(template, (value, divisor)), True)


# --- decimals -----------------------------------------------------------------------------------------------------------

_SCALE = Decimal(1).scaleb(-18)


def _exactly(value: Decimal) -> Decimal:
    """A result that the stored form (18 fractional digits) holds exactly; refused otherwise (R-032)."""
    if value != value.quantize(_SCALE):
        raise ValueError(f"kql:the decimal {value} has more than 18 fractional digits, which this engine does not hold")
    return value.quantize(_SCALE)


def _decimal_times(left: Decimal, right: Decimal) -> Decimal:
    with localcontext() as context:
        context.prec = 76
        return _exactly(left * right)


def _decimal_divide(left: Decimal, right: Decimal) -> Decimal | None:
    if right == 0:
        return None
    with localcontext() as context:
        context.prec = 76
        return _exactly(left / right)


def _decimal_udf(name: str, call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    lowering.use_udf(f"kql_{name}")
    return Lowered(Form(f"kql_{name}({{0}}, {{1}})", _operands(call, args)), True)


for _name, _function in (("decimal_times", _decimal_times), ("decimal_divide", _decimal_divide)):
    _type = PHYSICAL[_DECIMAL]
    REGISTRY.python[f"kql_{_name}"] = PythonFunction(f"kql_{_name}", _function, (_type, _type), _type)
