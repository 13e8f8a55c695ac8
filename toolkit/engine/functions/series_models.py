"""Functions over whole series: filters, fits, outliers, periods, decompositions (R-331).

Those that yield several columns run once per row and give a list of JSON texts, of which `<name>_nth` takes one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from toolkit.engine.functions.forms import (
    constant_number,
    form,
    json_element,
    python_call,
    real,
    register_python,
    sql_list,
    text,
    whole,
)
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.sql import Literal, Lowered, Sql
from toolkit.engine.udf import series_decomposition as decomposition
from toolkit.engine.udf import series_filters as filters
from toolkit.engine.udf import series_fits as fits
from toolkit.engine.udf import series_outliers, series_periods
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

TEXT, TEXTS, REAL, WHOLE, FLAG = "VARCHAR", "VARCHAR[]", "DOUBLE", "BIGINT", "BOOLEAN"
DYNAMIC = ScalarType.DYNAMIC

Arguments = Callable[[plan.Call, Sequence[Lowered]], list[Sql]]

# The defaults of the documentation.
_THRESHOLD, _ANOMALY = Literal(0.6, REAL), Literal(1.5, REAL)
_AUTOMATIC, _NO_POINTS = Literal(-1, WHOLE), Literal(0, WHOLE)
_TRENDS, _KINDS = ("avg", "linefit", "none"), ("ctukey", "tukey")
# The page says avg; its charts, and that of anomaly-detection, show forecasts that rise.
_FORECAST_TRENDS = ("linefit", "avg", "none")


def _number(call: plan.Call, args: Sequence[Lowered], position: int, default: Sql) -> Sql:
    return real(call.args[position].type, args[position].sql) if position < len(args) else default


def _integer(call: plan.Call, args: Sequence[Lowered], position: int, default: Sql) -> Sql:
    return whole(call.args[position].type, args[position].sql) if position < len(args) else default


def _choice(call: plan.Call, args: Sequence[Lowered], position: int, choices: Sequence[str]) -> Sql:
    """One of some words, the first by default; a constant is checked at once, another value in its row."""
    if position >= len(args):
        return text(choices[0])
    expr = call.args[position]
    if isinstance(expr, plan.Const) and expr.value not in choices:
        raise Refusal(f"{call.name.removesuffix('_nth')} knows {', '.join(map(repr, choices))} here, not {expr.value!r}", call.span)
    return args[position].sql


def _json(call: plan.Call, args: Sequence[Lowered], position: int) -> Sql:
    """An optional series: NULL where it is left out, the JSON null where its value is null."""
    return json_element(call.args[position].type, args[position]) if position < len(args) else Literal(None, TEXT)


# --- several columns ------------------------------------------------------------------------------------------------


def _series_only(call: plan.Call, args: Sequence[Lowered]) -> list[Sql]:
    return [args[0].sql]


def _complex(call: plan.Call, args: Sequence[Lowered]) -> list[Sql]:
    return [args[0].sql, _json(call, args, 1)]


def _poly(call: plan.Call, args: Sequence[Lowered]) -> list[Sql]:
    return [args[0].sql, _json(call, args, 1), _integer(call, args, 2, Literal(1, WHOLE))]


def _decompose(call: plan.Call, args: Sequence[Lowered]) -> list[Sql]:
    period, points = _integer(call, args, 1, _AUTOMATIC), _integer(call, args, 3, _NO_POINTS)
    return [args[0].sql, period, _choice(call, args, 2, _TRENDS), points, _number(call, args, 4, _THRESHOLD)]


def _forecast(call: plan.Call, args: Sequence[Lowered]) -> list[Sql]:
    points, period = _integer(call, args, 1, _NO_POINTS), _integer(call, args, 2, _AUTOMATIC)
    return [args[0].sql, points, period, _choice(call, args, 3, _FORECAST_TRENDS), _number(call, args, 4, _THRESHOLD)]


def _anomalies(call: plan.Call, args: Sequence[Lowered]) -> list[Sql]:
    limits = [_number(call, args, 1, _ANOMALY), _number(call, args, 6, _THRESHOLD)]
    places = [_integer(call, args, 2, _AUTOMATIC), _integer(call, args, 4, _NO_POINTS)]
    trend, kind = _choice(call, args, 3, _TRENDS), _choice(call, args, 5, _KINDS)
    return [args[0].sql, sql_list(limits, REAL), sql_list(places, WHOLE), trend, kind]


def _detect(call: plan.Call, args: Sequence[Lowered]) -> list[Sql]:
    shortest, longest = (real(call.args[position].type, args[position].sql) for position in (1, 2))
    return [args[0].sql, shortest, longest, whole(call.args[3].type, args[3].sql)]


def _validate(call: plan.Call, args: Sequence[Lowered]) -> list[Sql]:
    periods = [real(expr.type, arg.sql) for expr, arg in zip(call.args[1:], args[1:], strict=True)]
    return [args[0].sql, sql_list(periods, REAL)]


_SEVERAL: dict[str, tuple[str, Arguments]] = {
    "series_fit_line": (register_python("series_fit_line", fits.fit_line, [TEXT], TEXTS), _series_only),
    "series_fit_2lines": (register_python("series_fit_2lines", fits.fit_2lines, [TEXT], TEXTS), _series_only),
    "series_fit_poly": (register_python("series_fit_poly", fits.fit_poly, [TEXT, TEXT, WHOLE], TEXTS, strict=False), _poly),
    "series_fft": (register_python("series_fft", filters.fft, [TEXT, TEXT], TEXTS, strict=False), _complex),
    "series_ifft": (register_python("series_ifft", filters.ifft, [TEXT, TEXT], TEXTS, strict=False), _complex),
    "series_decompose": (
        register_python("series_decompose", decomposition.decompose, [TEXT, WHOLE, TEXT, WHOLE, REAL], TEXTS),
        _decompose,
    ),
    "series_decompose_forecast": (
        register_python("series_decompose_forecast", decomposition.forecast, [TEXT, WHOLE, WHOLE, TEXT, REAL], TEXTS),
        _forecast,
    ),
    "series_decompose_anomalies": (
        register_python("series_decompose_anomalies", decomposition.anomalies, [TEXT, f"{REAL}[]", f"{WHOLE}[]", TEXT, TEXT], TEXTS),
        _anomalies,
    ),
    "series_periods_detect": (register_python("series_periods_detect", series_periods.detect, [TEXT, REAL, REAL, WHOLE], TEXTS), _detect),
    "series_periods_validate": (register_python("series_periods_validate", series_periods.validate, [TEXT, f"{REAL}[]"], TEXTS), _validate),
}


@REGISTRY.builder(*(f"{name}_nth" for name in _SEVERAL))
def _nth(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """One of the columns; the first argument is its number."""
    position = constant_number(call.args[0])
    if not isinstance(position, int):
        raise Refusal("the number of a column must be a constant", call.span)
    name = call.name.removesuffix("_nth")
    sql_name, arguments = _SEVERAL[name]
    inner = plan.Call(name, call.args[1:], DYNAMIC, call.span)
    value = form(f"{{0}}[{position + 1}]", python_call(lowering, sql_name, *arguments(inner, args[1:])))
    if call.type is ScalarType.REAL:
        return Lowered(form("CAST(trim({0}, '\"') AS DOUBLE)", value), True)
    return Lowered(form("CAST({0} AS BIGINT)", value) if call.type is ScalarType.LONG else value, True)


for _name in (*_SEVERAL, "series_stats"):
    REGISTRY.refusals[_name] = "it yields several columns, which extend and project take, other expressions do not"


# --- one column -----------------------------------------------------------------------------------------------------

REGISTRY.udf("series_fit_line_dynamic", fits.fit_line_dynamic, [DYNAMIC], DYNAMIC)
REGISTRY.udf("series_fit_2lines_dynamic", fits.fit_2lines_dynamic, [DYNAMIC], DYNAMIC)

_FIR = register_python("series_fir", filters.fir, [TEXT, TEXT, FLAG, FLAG], TEXT, strict=False)
_OUTLIERS = register_python("series_outliers", series_outliers.outliers, [TEXT, TEXT, REAL, REAL, REAL, WHOLE], TEXT, strict=False)
_SEASONAL = register_python("series_seasonal", decomposition.seasonal, [TEXT, WHOLE, WHOLE], TEXT)


@REGISTRY.builder("series_fir")
def _fir(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    flags = [args[position].sql if position < len(args) else Literal(None, FLAG) for position in (2, 3)]
    return Lowered(python_call(lowering, _FIR, args[0].sql, args[1].sql, *flags), True)


@REGISTRY.builder("series_outliers")
def _outliers(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    nothing = Literal(None, REAL)
    numbers = [_number(call, args, position, nothing) for position in (2, 3, 4)]
    points = _integer(call, args, 5, _NO_POINTS)
    return Lowered(python_call(lowering, _OUTLIERS, args[0].sql, _choice(call, args, 1, _KINDS), *numbers, points), True)


@REGISTRY.builder("series_seasonal")
def _seasonal(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    period, points = _integer(call, args, 1, _AUTOMATIC), _integer(call, args, 2, _NO_POINTS)
    return Lowered(python_call(lowering, _SEASONAL, args[0].sql, period, points), True)
