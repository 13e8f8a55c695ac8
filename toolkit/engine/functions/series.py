"""Functions over series, which are arrays of numbers: element by element, filling, statistics, one number of a series (R-327 to R-330)."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.engine.functions.forms import constant_number, form, json_element, python_call, real, register_python, text
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
# One per number of magnitudes that are given.
_COSINES = [
    register_python(f"series_cosine_similarity_{given}", series.cosine_similarity, [TEXT, TEXT, *["DOUBLE"] * given], "DOUBLE")
    for given in range(3)
]
_DOT = register_python("series_dot_product", series.dot_product, [TEXT, TEXT], "DOUBLE")

REGISTRY.udf("series_sum", series.series_sum, [DYNAMIC], ScalarType.REAL)
REGISTRY.udf("series_product", series.series_product, [DYNAMIC], ScalarType.REAL)
REGISTRY.udf("series_magnitude", series.magnitude, [DYNAMIC], ScalarType.REAL)
REGISTRY.udf("series_pearson_correlation", series.pearson_correlation, [DYNAMIC, DYNAMIC], ScalarType.REAL)
REGISTRY.udf("series_iir", series.iir, [DYNAMIC, DYNAMIC, DYNAMIC], DYNAMIC)


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


@REGISTRY.builder("series_cosine_similarity")
def _cosine(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    magnitudes = [real(expr.type, arg.sql) for expr, arg in zip(call.args[2:], args[2:], strict=True)]
    return Lowered(python_call(lowering, _COSINES[len(magnitudes)], args[0].sql, args[1].sql, *magnitudes), True)


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


@REGISTRY.builder("series_stats_nth")
def _nth(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """One of the columns of series_stats; the first argument is its number."""
    position = constant_number(call.args[0])
    if not isinstance(position, int) or not 0 <= position < len(_STATISTICS):
        raise Refusal(f"series_stats yields {len(_STATISTICS)} values", call.span)
    bag = REGISTRY.scalars["series_stats_dynamic"](plan.Call("series_stats_dynamic", call.args[1:], DYNAMIC, call.span), args[1:], lowering)
    kind = "DOUBLE" if call.type is ScalarType.REAL else "BIGINT"
    return Lowered(form(f"CAST(json_extract({{0}}, '$.{_STATISTICS[position]}') AS {kind})", bag.sql), True)
