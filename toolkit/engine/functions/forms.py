"""SQL forms that several functions share: the calendar over ticks, and values as JSON text.

Every form is closed (a call or parenthesised), so it can stand as an argument anywhere. Ticks are split into days and
the time of day before DuckDB's calendar sees them: its timestamps stop at microseconds, and the seventh digit counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from toolkit.engine.functions.registry import REGISTRY, Lowering, PythonFunction, Refusal
from toolkit.engine.sql import Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.times import TICKS_PER_DAY, TICKS_PER_SECOND
from toolkit.kql.types import ScalarType

DAY = TICKS_PER_DAY
SECOND = TICKS_PER_SECOND
UNIX_EPOCH_MICROSECONDS = 62_135_596_800_000_000

_DATE = f"(DATE '0001-01-01' + CAST(({{0}} // {DAY}) AS INTEGER))"
_TIMESTAMP = f"make_timestamp(({{0}} // 10) - {UNIX_EPOCH_MICROSECONDS})"
_ISO = f"(strftime({_TIMESTAMP}, '%Y-%m-%dT%H:%M:%S.%f') || CAST(({{0}} % 10) AS VARCHAR) || 'Z')"
_SPAN = (
    "(CASE WHEN {0} < 0 THEN '-' ELSE '' END"
    f" || CASE WHEN abs({{0}}) >= {DAY} THEN CAST((abs({{0}}) // {DAY}) AS VARCHAR) || '.' ELSE '' END"
    f" || strftime(make_timestamp((abs({{0}}) % {DAY}) // 10), '%H:%M:%S')"
    f" || CASE WHEN ({{0}} % {SECOND}) <> 0 THEN '.' || lpad(CAST((abs({{0}}) % {SECOND}) AS VARCHAR), 7, '0') ELSE '' END)"
)
# NaN and the infinities have no JSON number; the service writes them as text.
_REAL = (
    "(CASE WHEN isnan({0}) THEN '\"NaN\"' WHEN isinf({0}) THEN CASE WHEN {0} > 0 THEN '\"Infinity\"' ELSE '\"-Infinity\"' END"
    " ELSE CAST(to_json({0}) AS VARCHAR) END)"
)


def form(template: str, *args: Sql) -> Form:
    return Form(template, args)


def text(value: str) -> Literal:
    return Literal(value, "VARCHAR")


def number(value: int) -> Literal:
    return Literal(value, "BIGINT")


def calendar_day(ticks: Sql) -> Sql:
    """The DATE of a datetime."""
    return form(_DATE, ticks)


def timestamp(ticks: Sql) -> Sql:
    """The TIMESTAMP of a datetime, without its seventh digit."""
    return form(_TIMESTAMP, ticks)


def ticks_of_day(day: Sql) -> Sql:
    """Ticks at the start of a DATE or of a TIMESTAMP at midnight."""
    return form(f"((CAST({{0}} AS DATE) - DATE '0001-01-01') * {DAY})", day)


def datetime_text(ticks: Sql) -> Sql:
    """`yyyy-MM-ddTHH:mm:ss.fffffffZ` (R-069); NULL for NULL."""
    return form(_ISO, ticks)


def timespan_text(ticks: Sql) -> Sql:
    """`[-][d.]hh:mm:ss[.fffffff]` (R-070); NULL for NULL."""
    return form(_SPAN, ticks)


_JSON_TEXT: dict[ScalarType, str] = {
    ScalarType.BOOL: "CAST({0} AS VARCHAR)",
    ScalarType.INT: "CAST({0} AS VARCHAR)",
    ScalarType.LONG: "CAST({0} AS VARCHAR)",
    ScalarType.REAL: _REAL,
    ScalarType.STRING: "CAST(to_json({0}) AS VARCHAR)",
    ScalarType.GUID: "('\"' || {0} || '\"')",
    ScalarType.DATETIME: f"('\"' || {_ISO} || '\"')",
    ScalarType.TIMESPAN: f"('\"' || {_SPAN} || '\"')",
    ScalarType.DYNAMIC: "{0}",
    ScalarType.UNKNOWN: "CAST(to_json({0}) AS VARCHAR)",
}


def json_value(kind: ScalarType, value: Sql) -> Sql:
    """A value as JSON text (R-087): temporal values and guids as strings; SQL NULL stays NULL."""
    template = _JSON_TEXT.get(kind)
    if template is None:
        raise Refusal(f"a {kind} inside a dynamic value has no documented form")
    return form(template, value)


def json_element(kind: ScalarType, value: Lowered) -> Sql:
    """The JSON text of a value inside an array or bag: null is written out."""
    found = json_value(kind, value.sql)
    return form("coalesce({0}, 'null')", found) if value.nullable or kind is ScalarType.DYNAMIC else found


def concat(parts: Sequence[Sql]) -> Sql:
    """Texts one after the other; adjacent constants are merged, so `{"a":` is one literal."""
    merged: list[Sql] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, Literal) and isinstance(last, Literal):
            merged[-1] = text(f"{last.value}{part.value}")
        else:
            merged.append(part)
    if len(merged) == 1:
        return merged[0]
    return form("(" + " || ".join(f"{{{index}}}" for index in range(len(merged))) + ")", *merged)


def elements(array: Sql) -> Sql:
    """The elements of an array as a list of JSON texts (JSON null included); an empty list for what is no array."""
    return form("CAST(json_extract({0}, '$[*]') AS VARCHAR[])", array)


def once(value: Sql, name: str, body: str, *args: Sql) -> Sql:
    """`body` over a value that is computed once, however often it is named there; `args` fill its other places from 0 on.

    A lambda over a list of one: inside another lambda DuckDB would compute a repeated expression per element.
    """
    return form(f"(list_transform([{{0}}], lambda {name}: {{1}})[1])", value, form(body, *args))


def sql_list(items: Sequence[Sql], sql_type: str = "VARCHAR") -> Sql:
    if not items:
        return form(f"CAST([] AS {sql_type}[])")
    return form("[" + ", ".join(f"{{{index}}}" for index in range(len(items))) + "]", *items)


def real(kind: ScalarType, value: Sql) -> Sql:
    """A number as DOUBLE; bools count as 0 and 1 (R-025)."""
    if kind is ScalarType.REAL:
        return value
    if kind in (ScalarType.BOOL, ScalarType.INT, ScalarType.LONG, ScalarType.DECIMAL):
        return form("CAST({0} AS DOUBLE)", value)
    raise Refusal(f"a number is expected here, not {kind}")


def whole(kind: ScalarType, value: Sql) -> Sql:
    """An integer as BIGINT; bools count as 0 and 1 (R-025)."""
    if kind is ScalarType.LONG:
        return value
    if kind in (ScalarType.BOOL, ScalarType.INT):
        return form("CAST({0} AS BIGINT)", value)
    raise Refusal(f"an integer is expected here, not {kind}")


def constant_text(expr: plan.Expr, what: str) -> str:
    """A string argument that has to be a constant."""
    if isinstance(expr, plan.Const) and isinstance(expr.value, str):
        return expr.value
    raise Refusal(f"{what} must be a constant string", getattr(expr, "span", None))


def constant_integer(expr: plan.Expr, what: str) -> int:
    """An integer argument that has to be a constant."""
    value = constant_number(expr)
    if isinstance(value, int):
        return value
    raise Refusal(f"{what} must be a constant integer", getattr(expr, "span", None))


def constant_number(expr: plan.Expr) -> int | float | None:
    """The value of a constant number, also behind a sign or a widening conversion; None for anything else."""
    match expr:
        case plan.Const(value=bool()):
            return None
        case plan.Const(value=int() | float() as value):
            return value
        case plan.Call(name="-" | "unary-" | "neg", args=(operand,)):
            inner = constant_number(operand)
            return None if inner is None else -inner
        case plan.Call(name="tolong" | "toint", args=(operand,)):
            inner = constant_number(operand)
            return inner if isinstance(inner, int) else None
        case plan.Call(name="todouble" | "toreal", args=(operand,)):
            inner = constant_number(operand)
            return None if inner is None else float(inner)
        case _:
            return None


def register_python(name: str, function: Callable[..., Any], arguments: Sequence[str], result: str, *, strict: bool = True) -> str:
    """Adds a Python function under SQL types of its own (lists, for example); returns its SQL name."""
    sql_name = f"kql_{name}"
    REGISTRY.python[sql_name] = PythonFunction(sql_name, function, tuple(arguments), result, strict)
    return sql_name


def python_call(lowering: Lowering, sql_name: str, *args: Sql) -> Sql:
    """A call of a Python function added by `register_python`."""
    lowering.use_udf(sql_name)
    return form(f"{sql_name}(" + ", ".join(f"{{{index}}}" for index in range(len(args))) + ")", *args)
