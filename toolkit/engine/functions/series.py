"""Functions over series (arrays of numbers): element by element, one number of a series, filling, filters, fits."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.engine.functions.forms import constant_number, form, json_element, python_call, register_python, text, whole
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.sql import Literal, Lowered, Sql
from toolkit.engine.udf import series
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

TEXT, FLAG = "VARCHAR", "BOOLEAN"
DYNAMIC = ScalarType.DYNAMIC

_ELEMENTWISE = register_python("series_elementwise", series.elementwise, [TEXT, TEXT], TEXT)
_PAIRWISE = register_python("series_pairwise", series.pairwise, [TEXT, TEXT, TEXT], TEXT)
_FORWARD = register_python("series_fill_forward", series.fill_forward, [TEXT, TEXT], TEXT)
_BACKWARD = register_python("series_fill_backward", series.fill_backward, [TEXT, TEXT], TEXT)
_CONST = register_python("series_fill_const", series.fill_const, [TEXT, TEXT, TEXT], TEXT)
_LINEAR = register_python("series_fill_linear", series.fill_linear, [TEXT, TEXT, FLAG, TEXT], TEXT)
_STATS = register_python("series_stats", series.stats, [TEXT, FLAG], TEXT)
_SEASONAL = register_python("series_seasonal", series.seasonal, [TEXT, "BIGINT"], TEXT)
_DOT = register_python("series_dot_product", series.dot_product, [TEXT, TEXT], "DOUBLE")

REGISTRY.udf("series_sum", series.series_sum, [DYNAMIC], ScalarType.REAL)
REGISTRY.udf("series_product", series.series_product, [DYNAMIC], ScalarType.REAL)
REGISTRY.udf("series_magnitude", series.magnitude, [DYNAMIC], ScalarType.REAL)
REGISTRY.udf("series_pearson_correlation", series.pearson_correlation, [DYNAMIC, DYNAMIC], ScalarType.REAL)
REGISTRY.udf("series_cosine_similarity", series.cosine_similarity, [DYNAMIC, DYNAMIC], ScalarType.REAL)
REGISTRY.udf("series_iir", series.iir, [DYNAMIC, DYNAMIC, DYNAMIC], DYNAMIC)
REGISTRY.udf("series_fit_line_dynamic", series.fit_line, [DYNAMIC], DYNAMIC)


def _json(call: plan.Call, args: Sequence[Lowered], position: int, default: str) -> Sql:
    """An optional argument as JSON text; a typed null is the JSON null."""
    return json_element(call.args[position].type, args[position]) if len(args) > position else text(default)


@REGISTRY.builder(*(f"series_{name}" for name in series.UNARY))
def _elementwise(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(python_call(lowering, _ELEMENTWISE, args[0].sql, text(call.name.removeprefix("series_"))), True)


@REGISTRY.builder(*(f"series_{name}" for name in series.BINARY))
def _pairwise(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    left, right = _operands(call, args)
    return Lowered(python_call(lowering, _PAIRWISE, left, right, text(call.name.removeprefix("series_"))), True)


def _operands(call: plan.Call, args: Sequence[Lowered]) -> tuple[Sql, Sql]:
    """Series as they are (a null series makes the result null), numbers as JSON text."""
    left, right = (
        arg.sql if expr.type is DYNAMIC else json_element(expr.type, arg) for expr, arg in zip(call.args[:2], args[:2], strict=True)
    )
    return left, right


@REGISTRY.builder("series_dot_product")
def _dot_product(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(python_call(lowering, _DOT, *_operands(call, args)), True)


@REGISTRY.builder("series_fill_forward", "series_fill_backward")
def _fill_direction(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    name = _FORWARD if call.name == "series_fill_forward" else _BACKWARD
    return Lowered(python_call(lowering, name, args[0].sql, _json(call, args, 1, "null")), True)


@REGISTRY.builder("series_fill_const")
def _fill_const(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    constant, missing = _json(call, args, 1, "0"), _json(call, args, 2, "null")
    return Lowered(python_call(lowering, _CONST, args[0].sql, constant, missing), True)


@REGISTRY.builder("series_fill_linear")
def _fill_linear(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    edges = args[2].sql if len(args) > 2 else Literal(True, FLAG)
    missing, constant = _json(call, args, 1, "null"), _json(call, args, 3, "0.0")
    return Lowered(python_call(lowering, _LINEAR, args[0].sql, missing, edges, constant), True)


@REGISTRY.builder("series_stats_dynamic")
def _stats(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    ignore = args[1].sql if len(args) > 1 else Literal(False, FLAG)
    return Lowered(python_call(lowering, _STATS, args[0].sql, ignore), True)


# What series_stats yields as columns, in order.
_STATISTICS = ("min", "min_idx", "max", "max_idx", "avg", "stdev", "variance")
_FITS = ("rsquare", "slope", "variance", "rvariance", "interception", "line_fit")


@REGISTRY.builder("series_stats_nth", "series_fit_line_nth")
def _nth(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """One of the columns of series_stats or series_fit_line; the first argument is its number."""
    position = constant_number(call.args[0])
    name = call.name.removesuffix("_nth")
    members = _STATISTICS if name == "series_stats" else _FITS
    if not isinstance(position, int) or not 0 <= position < len(members):
        raise Refusal(f"{name} yields {len(members)} values", call.span)
    bag = REGISTRY.scalars[f"{name}_dynamic"](plan.Call(f"{name}_dynamic", call.args[1:], DYNAMIC, call.span), args[1:], lowering)
    value = form(f"CAST(json_extract({{0}}, '$.{members[position]}') AS VARCHAR)", bag.sql)
    if call.type is ScalarType.REAL:
        return Lowered(form("CAST({0} AS DOUBLE)", value), True)
    return Lowered(form("CAST({0} AS BIGINT)", value) if call.type is ScalarType.LONG else value, True)


@REGISTRY.builder("series_seasonal")
def _seasonal(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """Only for a given period: how the service detects one is not documented."""
    period = constant_number(call.args[1]) if len(args) > 1 else None
    if len(args) != 2 or not isinstance(period, int) or period < 1:
        raise Refusal("series_seasonal is supported for a constant period only: how the service detects one is not documented", call.span)
    return Lowered(python_call(lowering, _SEASONAL, args[0].sql, whole(call.args[1].type, args[1].sql)), True)


#
_UNDOCUMENTED = "how the service computes it is not documented in full"
for _name in (
    "series_decompose",
    "series_decompose_anomalies",
    "series_decompose_forecast",
    "series_fit_2lines",
    "series_fit_2lines_dynamic",
    "series_fit_poly",
    "series_outliers",
    "series_periods_detect",
    "series_periods_validate",
):
    REGISTRY.refusals[_name] = _UNDOCUMENTED
for _name in ("series_stats", "series_fit_line"):
    REGISTRY.refusals[_name] = "it yields several columns, which extend and project take, other expressions do not"
