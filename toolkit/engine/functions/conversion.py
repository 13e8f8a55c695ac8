"""Conversions between types (R-058 to R-074, R-085): `to*`, `gettype`, `parse_json`.

They never fail: what cannot be converted is NULL, or '' for text. What an argument holds decides, so every function
here chooses its SQL by the argument's type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from toolkit.engine.functions import forms
from toolkit.engine.functions.registry import REGISTRY, Builder, Lowering, Refusal
from toolkit.engine.functions.sharing import once
from toolkit.engine.sql import Form, Literal, Lowered, Sql
from toolkit.engine.udf import conversion as udf
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

BOOL, INT, LONG, REAL, DECIMAL, STRING, DATETIME, TIMESPAN, GUID, DYNAMIC, UNKNOWN = (
    ScalarType.BOOL, ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL, ScalarType.STRING,
    ScalarType.DATETIME, ScalarType.TIMESPAN, ScalarType.GUID, ScalarType.DYNAMIC, ScalarType.UNKNOWN,
)  # fmt: skip

Converter = Callable[[ScalarType, Sql, Lowering], Sql]
"""SQL of a value (of the given type) in the target type; NULL where it has no value there."""

_INTEGER = forms.text(r"\s*([+-]?[0-9]+|0[xX][0-9a-fA-F]+)\s*")
_REAL = forms.text(r"\s*([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[nN][aA][nN]|[+-]?[iI][nN][fF]([iI][nN][iI][tT][yY])?)\s*")
_DECIMAL = forms.text(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?\s*")
_ISO = forms.text(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z?")
_FRACTION = forms.text(r"\.([0-9]{1,7})")
_TEXT_DATETIME = forms.register_python("todatetime", udf.todatetime_text, ["VARCHAR"], "BIGINT")
_TEXT_TIMESPAN = forms.register_python("totimespan", udf.totimespan_text, ["VARCHAR"], "BIGINT")
_TEXT_DECIMAL = forms.register_python("todecimal_text", udf.todecimal_text, ["VARCHAR"], "VARCHAR")
_QUOTE = forms.text('"')


def _null(sql_type: str) -> Sql:
    return Literal(None, sql_type)


def _unsupported(kind: ScalarType, name: str) -> Refusal:
    return Refusal(f"{name}() of a value of type {kind} is not documented")


def _by_content(value: Sql, text: Sql, number: Sql, yes: str, no: str) -> Sql:
    """A dynamic by what it holds (R-062): a string, true, false, a number; arrays, bags and null give NULL."""
    return Form(
        f"(CASE left({{0}}, 1) WHEN {{1}} THEN {{2}} WHEN 't' THEN {yes} WHEN 'f' THEN {no}"
        " WHEN '[' THEN NULL WHEN '{{' THEN NULL ELSE {3} END)",
        (value, _QUOTE, text, number),
    )


def dynamic_text(value: Sql) -> Sql:
    """A dynamic's text (R-078): a string without quotes, anything else as compact JSON; NULL for null."""
    return Form("(CASE WHEN starts_with({0}, {1}) THEN json_extract_string({0}, '$') ELSE {0} END)", (value, _QUOTE))


def _held_text(value: Sql) -> Sql:
    return Form("json_extract_string({0}, '$')", (value,))


# --- text -----------------------------------------------------------------------------------------------------------

_TEXT: dict[ScalarType, str] = {
    BOOL: "(CASE WHEN {0} THEN 'True' WHEN NOT {0} THEN 'False' END)",
    INT: "CAST({0} AS VARCHAR)",
    LONG: "CAST({0} AS VARCHAR)",
    REAL: "(CASE WHEN isnan({0}) THEN 'NaN' ELSE CAST({0} AS VARCHAR) END)",
    DECIMAL: "(CASE WHEN contains(CAST({0} AS VARCHAR), '.') THEN rtrim(rtrim(CAST({0} AS VARCHAR), '0'), '.')"
    " ELSE CAST({0} AS VARCHAR) END)",
    STRING: "{0}",
    GUID: "{0}",
    UNKNOWN: "CAST({0} AS VARCHAR)",
}


def text_or_null(kind: ScalarType, value: Sql) -> Sql:
    """A value's text (R-069 to R-071, R-351), NULL for null."""
    if kind is DATETIME:
        return forms.datetime_text(value)
    if kind is TIMESPAN:
        return forms.timespan_text(value)
    if kind is DYNAMIC:
        return dynamic_text(value)
    template = _TEXT[kind]
    return value if template == "{0}" else Form(template, (value,))


def as_text(kind: ScalarType, value: Lowered) -> Sql:
    """What `tostring` gives: total, '' for null."""
    if kind is BOOL and not value.nullable:
        return Form("(CASE WHEN {0} THEN 'True' ELSE 'False' END)", (value.sql,))
    found = text_or_null(kind, value.sql)
    return Form("coalesce({0}, '')", (found,)) if value.nullable and kind is not STRING else found


@REGISTRY.builder("tostring")
def _tostring(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    return Lowered(once(args[0].sql, lambda value: as_text(call.args[0].type, Lowered(value, args[0].nullable))), False)


# --- whole numbers --------------------------------------------------------------------------------------------------


def _long_of_text(value: Sql) -> Sql:
    """R-059. DuckDB would round '5.7' and read '1_000'."""
    return Form("(CASE WHEN regexp_full_match({0}, {1}) THEN TRY_CAST({0} AS BIGINT) END)", (value, _INTEGER))


def _long_of_real(value: Sql) -> Sql:
    """Toward zero; what is out of range saturates (R-060)."""
    return Form(
        "(CASE WHEN isnan({0}) THEN NULL WHEN {0} >= 9223372036854775807 THEN 9223372036854775807"
        " WHEN {0} <= -9223372036854775808 THEN CAST('-9223372036854775808' AS BIGINT) ELSE CAST(trunc({0}) AS BIGINT) END)",
        (value,),
    )


def _long_of_json_number(value: Sql) -> Sql:
    return Form("coalesce(TRY_CAST((CASE WHEN regexp_full_match({0}, {1}) THEN {0} END) AS BIGINT), {2})",
                (value, forms.text("-?[0-9]+"), _long_of_real(Form("TRY_CAST({0} AS DOUBLE)", (value,)))))  # fmt: skip


def to_long(kind: ScalarType, value: Sql, lowering: Lowering) -> Sql:
    if kind in (LONG, DATETIME, TIMESPAN):
        return value  # ticks
    if kind in (INT, BOOL):
        return Form("CAST({0} AS BIGINT)", (value,))
    if kind is REAL:
        return _long_of_real(value)
    if kind is DECIMAL:
        return Form("TRY_CAST(trunc({0}) AS BIGINT)", (value,))
    if kind in (STRING, UNKNOWN):
        return _long_of_text(value)
    if kind is DYNAMIC:
        return _by_content(value, _long_of_text(_held_text(value)), _long_of_json_number(value), "1", "0")
    return _null("BIGINT")


def _wrapped(value: Sql) -> Sql:
    """A long's low 32 bits (R-060)."""
    return Form("CAST((xor(({0}) & 4294967295, 2147483648) - 2147483648) AS INTEGER)", (value,))


def _int_of_real(value: Sql) -> Sql:
    return Form(
        "(CASE WHEN isnan({0}) THEN NULL WHEN {0} >= 2147483647 THEN 2147483647 WHEN {0} <= -2147483648 THEN CAST('-2147483648' AS INTEGER)"
        " ELSE CAST(trunc({0}) AS INTEGER) END)",
        (value,),
    )


def _int_of_json_number(value: Sql) -> Sql:
    """A whole number wraps, one with a fraction or an exponent saturates (R-060, R-062)."""
    whole = _wrapped(Form("TRY_CAST({0} AS BIGINT)", (value,)))
    return Form("(CASE WHEN regexp_full_match({0}, {1}) THEN {2} ELSE {3} END)",
                (value, forms.text("-?[0-9]+"), whole, _int_of_real(Form("TRY_CAST({0} AS DOUBLE)", (value,)))))  # fmt: skip


def to_int(kind: ScalarType, value: Sql, lowering: Lowering) -> Sql:
    if kind is INT:
        return value
    if kind is BOOL:
        return Form("CAST({0} AS INTEGER)", (value,))
    if kind in (LONG, DATETIME, TIMESPAN):
        return _wrapped(value)
    if kind is REAL:
        return _int_of_real(value)
    if kind is DECIMAL:
        return Form("TRY_CAST(trunc({0}) AS INTEGER)", (value,))
    if kind in (STRING, UNKNOWN):
        return Form("TRY_CAST({0} AS INTEGER)", (_long_of_text(value),))
    if kind is DYNAMIC:
        text = Form("TRY_CAST({0} AS INTEGER)", (_long_of_text(_held_text(value)),))
        return _by_content(value, text, _int_of_json_number(value), "1", "0")
    return _null("INTEGER")


# --- real, decimal, bool --------------------------------------------------------------------------------------------


def _real_of_text(value: Sql) -> Sql:
    """R-059: '5.' and '1e3' are numbers, '0x10' and '1,000' are not."""
    return Form("(CASE WHEN regexp_full_match({0}, {1}) THEN TRY_CAST({0} AS DOUBLE) END)", (value, _REAL))


def to_real(kind: ScalarType, value: Sql, lowering: Lowering) -> Sql:
    if kind is REAL:
        return value
    if kind in (BOOL, INT, LONG, DECIMAL, DATETIME, TIMESPAN):
        return Form("CAST({0} AS DOUBLE)", (value,))
    if kind in (STRING, UNKNOWN):
        return _real_of_text(value)
    if kind is DYNAMIC:
        return _by_content(value, _real_of_text(_held_text(value)), Form("TRY_CAST({0} AS DOUBLE)", (value,)), "1.0", "0.0")
    return _null("DOUBLE")


def _decimal_of_text(value: Sql, lowering: Lowering) -> Sql:
    """Exactly (R-074), or an error: the engine's decimals have 20 digits before the point and 18 after it (R-032)."""
    return Form(
        "(CASE WHEN NOT regexp_full_match({0}, {1}) THEN NULL WHEN regexp_matches({0}, {2}) THEN CAST({3} AS DECIMAL(38,18))"
        " ELSE CAST({0} AS DECIMAL(38,18)) END)",
        (value, _DECIMAL, forms.text(r"[eE]|\.[0-9]{19}"), forms.python_call(lowering, _TEXT_DECIMAL, value)),
    )


def to_decimal(kind: ScalarType, value: Sql, lowering: Lowering) -> Sql:
    if kind is DECIMAL:
        return value
    if kind in (BOOL, INT, LONG):
        return Form("CAST(CAST({0} AS BIGINT) AS DECIMAL(38,18))", (value,))
    if kind is REAL:
        # a real's shortest digits are what the service shows; its binary expansion would be longer than 18 digits
        return _decimal_of_text(text_or_null(REAL, value), lowering)
    if kind in (STRING, UNKNOWN):
        return _decimal_of_text(value, lowering)
    if kind is DYNAMIC:
        return _by_content(value, _decimal_of_text(_held_text(value), lowering), _decimal_of_text(value, lowering), "1", "0")
    raise _unsupported(kind, "todecimal")


def _bool_of_text(value: Sql) -> Sql:
    """R-063: true or false in any case, or a whole number."""
    return Form(
        "(CASE lower(trim({0}, {1})) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE ELSE {2} <> 0 END)",
        (value, forms.text(" \t\r\n"), _long_of_text(value)),
    )


def to_bool(kind: ScalarType, value: Sql, lowering: Lowering) -> Sql:
    if kind is BOOL:
        return value
    if kind in (INT, LONG, REAL, DECIMAL):
        return Form("({0} <> 0)", (value,))
    if kind in (STRING, UNKNOWN):
        return _bool_of_text(value)
    if kind is DYNAMIC:
        return _by_content(value, _bool_of_text(_held_text(value)), Form("(TRY_CAST({0} AS DOUBLE) <> 0)", (value,)), "TRUE", "FALSE")
    raise _unsupported(kind, "tobool")


# --- time -----------------------------------------------------------------------------------------------------------


def _datetime_of_text(value: Sql, lowering: Lowering) -> Sql:
    """The usual ISO form in SQL, every other text in Python (R-064 to R-067)."""
    ticks = f"((epoch_us(TRY_CAST(left({{0}}, 19) AS TIMESTAMP)) + {forms.UNIX_EPOCH_MICROSECONDS}) * 10"
    fraction = " + CASE WHEN substring({0}, 20, 1) = '.' THEN CAST(rpad(regexp_extract({0}, {2}, 1), 7, '0') AS BIGINT) ELSE 0 END)"
    return Form(
        f"(CASE WHEN regexp_full_match({{0}}, {{1}}) THEN {ticks}{fraction} WHEN {{0}} = '' THEN NULL ELSE {{3}} END)",
        (value, _ISO, _FRACTION, forms.python_call(lowering, _TEXT_DATETIME, value)),
    )


def to_datetime(kind: ScalarType, value: Sql, lowering: Lowering) -> Sql:
    if kind is DATETIME:
        return value
    if kind in (STRING, UNKNOWN):
        return _datetime_of_text(value, lowering)
    if kind is DYNAMIC:  # temporal values inside dynamics are text
        return Form("(CASE WHEN starts_with({0}, {1}) THEN {2} END)", (value, _QUOTE, _datetime_of_text(_held_text(value), lowering)))
    raise _unsupported(kind, "todatetime")


def _ticks_of_real(value: Sql) -> Sql:
    return Form("(CASE WHEN isfinite({0}) AND abs({0}) < 9.2e18 THEN CAST(trunc({0}) AS BIGINT) END)", (value,))


def to_timespan(kind: ScalarType, value: Sql, lowering: Lowering) -> Sql:
    """R-068: a number is a count of ticks, but a number in text is nothing."""
    if kind in (TIMESPAN, DATETIME, LONG):
        return value
    if kind in (BOOL, INT):
        return Form("CAST({0} AS BIGINT)", (value,))
    if kind is REAL:
        return _ticks_of_real(value)
    if kind is DECIMAL:
        return Form("TRY_CAST(trunc({0}) AS BIGINT)", (value,))
    if kind in (STRING, UNKNOWN):
        return forms.python_call(lowering, _TEXT_TIMESPAN, value)
    if kind is DYNAMIC:
        text = forms.python_call(lowering, _TEXT_TIMESPAN, _held_text(value))
        number = Form("coalesce(TRY_CAST((CASE WHEN regexp_full_match({0}, {1}) THEN {0} END) AS BIGINT), {2})",
                      (value, forms.text("-?[0-9]+"), _ticks_of_real(Form("TRY_CAST({0} AS DOUBLE)", (value,)))))  # fmt: skip
        return _by_content(value, text, number, "1", "0")
    return _null("BIGINT")


# --- guid, dynamic, types -------------------------------------------------------------------------------------------


def _guid_of_text(value: Sql) -> Sql:
    """R-072: the first 32 hexadecimal digits, wherever hyphens stand; what follows is ignored."""
    digits = "left(replace(lower({0}), '-', ''), 32)"
    return Form(
        f"(CASE WHEN regexp_full_match({digits}, {{1}}) THEN regexp_replace({digits}, {{2}}, {{3}}) END)",
        (value, forms.text("[0-9a-f]{32}"), forms.text("(.{8})(.{4})(.{4})(.{4})(.{12})"), forms.text(r"\1-\2-\3-\4-\5")),
    )


def to_guid(kind: ScalarType, value: Sql, lowering: Lowering) -> Sql:
    if kind is GUID:
        return value
    if kind in (STRING, UNKNOWN):
        return _guid_of_text(value)
    if kind is DYNAMIC:
        return _guid_of_text(_held_text(value))
    raise _unsupported(kind, "toguid")


def json_of_text(value: Sql) -> Sql:
    """R-085: JSON text as its value, compact; '' and null are null; any other text is a dynamic string.

    DuckDB takes the words NaN and Infinity for JSON, which they are not.
    """
    return Form(
        "(CASE WHEN json_valid({0}) AND lower({0}) NOT IN ('nan', 'inf', 'infinity', '-nan', '-inf', '-infinity')"
        " THEN nullif(CAST(TRY(json({0})) AS VARCHAR), 'null') WHEN {0} <> '' THEN CAST(to_json({0}) AS VARCHAR) END)",
        (value,),
    )


def to_dynamic(kind: ScalarType, value: Sql, lowering: Lowering) -> Sql:
    return json_of_text(value) if kind in (STRING, UNKNOWN) else forms.json_value(kind, value)


CONVERTERS: dict[ScalarType, Converter] = {
    INT: to_int, LONG: to_long, REAL: to_real, DECIMAL: to_decimal, BOOL: to_bool, DATETIME: to_datetime,
    TIMESPAN: to_timespan, GUID: to_guid, DYNAMIC: to_dynamic,
}  # fmt: skip


def convert_text(kind: ScalarType, value: Sql, lowering: Lowering) -> Lowered:
    """Extracted text in the type that a `typeof(...)` argument names; text that does not fit is null, a string stays."""
    if kind in (STRING, UNKNOWN):
        return Lowered(value, False)
    return Lowered(once(value, lambda name: CONVERTERS[kind](STRING, name, lowering)), True)


_NEVER_NULL = {INT: (BOOL, INT, LONG, DATETIME, TIMESPAN), LONG: (BOOL, INT, LONG, DATETIME, TIMESPAN), REAL: (BOOL, INT, LONG, REAL),
               BOOL: (BOOL, INT, LONG, REAL), TIMESPAN: (TIMESPAN, DATETIME, LONG, INT, BOOL), DATETIME: (DATETIME,), GUID: (GUID,),
               DYNAMIC: (BOOL, INT, LONG, REAL, GUID, DATETIME, TIMESPAN)}  # fmt: skip


def _conversion(target: ScalarType) -> Builder:
    def build(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
        source = call.args[0].type
        _refuse_folded(target, call.args[0])
        nullable = args[0].nullable or source not in _NEVER_NULL.get(target, ())
        return Lowered(once(args[0].sql, lambda value: CONVERTERS[target](source, value, lowering)), nullable)

    return build


def _refuse_folded(target: ScalarType, argument: plan.Expr) -> None:
    """R-060: the service's constant folder and its row engine differ on reals out of range."""
    value = forms.constant_number(argument)
    if isinstance(value, float) and target in (INT, LONG):
        limit = 2**31 if target is INT else 2**63
        if not -limit <= value < limit:
            raise Refusal("a real constant out of range has no single documented value as an integer", argument.span)


for _name, _target in {
    "tolong": LONG, "toint": INT, "todouble": REAL, "todecimal": DECIMAL, "tobool": BOOL, "todatetime": DATETIME,
    "totimespan": TIMESPAN, "toguid": GUID, "parse_json": DYNAMIC,
}.items():  # fmt: skip
    REGISTRY.builder(_name)(_conversion(_target))


@REGISTRY.builder("dynamic_integer")
def _dynamic_integer(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """A dynamic compared with an integer: the whole number that it holds; a fraction is not truncated (R-081)."""
    number = Form("TRY_CAST((CASE WHEN regexp_full_match({0}, {1}) THEN regexp_replace({0}, {2}, '') END) AS BIGINT)",
                  (args[0].sql, forms.text(r"-?[0-9]+(\.0+)?"), forms.text(r"\.0+$")))  # fmt: skip
    return Lowered(_by_content(args[0].sql, _long_of_text(_held_text(args[0].sql)), number, "1", "0"), True)


@REGISTRY.builder("tohex")
def _tohex(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """R-073: two's complement in the argument's width, at least `minLength` (at most 16) digits; '' for null."""
    kind = call.args[0].type
    if kind not in (INT, LONG):
        raise _unsupported(kind, "tohex")
    digits = Form("printf('%x', {0})" if kind is LONG else "printf('%x', CAST({0} AS BIGINT) & 4294967295)", (args[0].sql,))
    if len(args) > 1:
        digits = Form("lpad({0}, CAST(greatest(length({0}), least({1}, 16)) AS INTEGER), '0')", (digits, args[1].sql))
    nullable = any(arg.nullable for arg in args)
    return Lowered(Form("coalesce({0}, '')", (digits,)) if nullable else digits, False)


@REGISTRY.builder("gettype")
def _gettype(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """R-040. A dynamic is what it holds now; every other type is known before the query runs.

    A datetime inside a dynamic is a datetime to the service and text here: text of its very form has no certain answer.
    """
    kind = call.args[0].type
    if kind is UNKNOWN:
        raise Refusal("the type of a column of an open table is not known")
    if kind is not DYNAMIC:
        return Lowered(forms.text(str(kind)), False)
    return Lowered(
        Form(
            "(CASE WHEN {0} IS NULL THEN 'null' ELSE CASE left({0}, 1) WHEN {1} THEN CASE WHEN regexp_full_match({0}, {3})"
            " THEN error('kql: gettype() cannot tell a datetime inside a dynamic value from text') ELSE 'string' END"
            " WHEN 't' THEN 'bool' WHEN 'f' THEN 'bool' WHEN '[' THEN 'array' WHEN '{{' THEN 'dictionary'"
            " ELSE CASE WHEN regexp_full_match({0}, {2}) THEN 'long' ELSE 'double' END END END)",
            (args[0].sql, _QUOTE, forms.text("-?[0-9]+"), forms.text('"[0-9-]{10}T[0-9:]{8}[.][0-9]{7}Z"')),
        ),
        False,
    )
