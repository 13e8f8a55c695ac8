"""Weighted and listed percentiles, bags and schemas of groups, and what is made of hll and tdigest states."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

from toolkit.engine.functions.aggregates import LONGEST_ARRAY, aggregate_form
from toolkit.engine.functions.forms import (
    concat,
    constant_integer,
    constant_number,
    form,
    json_value,
    number,
    python_call,
    register_python,
    sql_list,
    text,
    whole,
)
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.sql import PHYSICAL, Lowered, Sql
from toolkit.engine.udf import bags, estimates
from toolkit.kql import plan
from toolkit.kql.types import TYPEOF_NAMES, ScalarType

INT, LONG, REAL, DATETIME, TIMESPAN, DYNAMIC = (
    ScalarType.INT,
    ScalarType.LONG,
    ScalarType.REAL,
    ScalarType.DATETIME,
    ScalarType.TIMESPAN,
    ScalarType.DYNAMIC,
)
TEXT, TEXTS = "VARCHAR", "VARCHAR[]"

_WEIGHTED_INTEGERS = register_python("percentilew", estimates.weighted_percentile_integers, ["BIGINT[]", "BIGINT[]", TEXT], "BIGINT")
_WEIGHTED_REALS = register_python("percentilew_real", estimates.weighted_percentile_reals, ["DOUBLE[]", "BIGINT[]", TEXT], "DOUBLE")
_MAKE_BAG = register_python("make_bag", bags.make_bag, [TEXT, "BIGINT"], TEXT)
_BUILD_SCHEMA = register_python("buildschema", bags.buildschema, [TEXTS], TEXT)
_HLL_MERGE = register_python("hll_merge", estimates.hll_merge, [TEXTS], TEXT)
_TDIGEST_MERGE = register_python("tdigest_merge", estimates.tdigest_merge, [TEXTS], TEXT)
_PERCENTILE = register_python("percentile_tdigest", estimates.percentile_tdigest, [TEXT, TEXT], TEXT)
_PERCENTILES = register_python("percentiles_array_tdigest", estimates.percentiles_array_tdigest, [TEXT, TEXTS], TEXT)
_RANK = register_python("rank_tdigest", estimates.rank_tdigest, [TEXT, TEXT], "DOUBLE")
_PERCENT_RANK = register_python("percentrank_tdigest", estimates.percentrank_tdigest, [TEXT, TEXT], "DOUBLE")
_INTERSECT = register_python("dcount_intersect", estimates.dcount_intersect, [TEXTS], "BIGINT")
_DCOUNT = register_python("dcount_hll", estimates.dcount_hll, [TEXT], "BIGINT")


# --- percentiles ----------------------------------------------------------------------------------------------------


def percent_text(percent: object) -> str:
    """A percentile as exact decimal text; refused outside 0 to 100."""
    if isinstance(percent, bool) or not isinstance(percent, (int, float)) or not 0 <= percent <= 100:
        raise Refusal("a percentile is a constant from 0 to 100")
    return f"{Decimal(str(percent)):f}"


def _percents(exprs: Sequence[plan.Expr]) -> list[str]:
    """Percentiles given one by one, or as one constant dynamic array."""
    if len(exprs) == 1 and exprs[0].type is DYNAMIC:
        value = exprs[0].value if isinstance(exprs[0], plan.Const) else None
        found = json.loads(value) if isinstance(value, str) else None
        if not isinstance(found, list) or not found:
            raise Refusal("the percentiles must be a constant array of some numbers", getattr(exprs[0], "span", None))
        return [percent_text(percent) for percent in found]
    return [percent_text(constant_number(expr)) for expr in exprs]


def _weighted(call: plan.AggregateCall, args: Sequence[Lowered], percent: str, lowering: Lowering) -> Sql:
    kind = call.args[0].type
    if kind not in (INT, LONG, REAL, DATETIME, TIMESPAN):
        raise Refusal(f"percentiles of {kind} values are not documented", call.span)
    name = _WEIGHTED_REALS if kind is REAL else _WEIGHTED_INTEGERS
    value = form("CAST({0} AS BIGINT)", args[0].sql) if kind is INT else args[0].sql
    weight = whole(call.args[1].type, args[1].sql)
    return python_call(lowering, name, form("list({0})", value), form("list({0})", weight), text(percent))


@REGISTRY.aggregate("percentilew")
def _percentilew(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    value = _weighted(call, args, percent_text(constant_number(call.args[2])), lowering)
    return Lowered(form(f"CAST({{0}} AS {PHYSICAL[call.type]})", value), True)


@REGISTRY.aggregate("percentiles_array", "percentilesw_array")
def _percentiles_array(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-260: all percentiles in one array; null for no values."""
    kind = call.args[0].type
    if kind not in (INT, LONG, REAL, DATETIME, TIMESPAN):
        raise Refusal(f"percentiles of {kind} values are not documented", call.span)
    weighted = call.name == "percentilesw_array"
    parts: list[Sql] = []
    for percent in _percents(call.args[2:] if weighted else call.args[1:]):
        share = f"{Decimal(percent) / 100:f}"
        plain = form(f"quantile_disc({{0}}, CAST('{share}' AS DECIMAL(18,15)))", args[0].sql)
        value = _weighted(call, args, percent, lowering) if weighted else plain
        parts += [text("," if parts else "["), json_value(kind, value)]
    return Lowered(concat([*parts, text("]")]), True)


# --- bags and schemas -----------------------------------------------------------------------------------------------


@REGISTRY.aggregate("make_bag", "make_bag_if", "make_dictionary")
def _make_bag(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    predicated = call.name == "make_bag_if"
    condition = lowering.condition(call.args[1]) if predicated else None
    position = 2 if predicated else 1
    cap = 128 if call.name == "make_dictionary" else LONGEST_ARRAY
    if len(call.args) > position:
        cap = max(0, min(constant_integer(call.args[position], "the number of keys"), LONGEST_ARRAY))
    # one text, because an SQL list is slow to hand to Python
    items = aggregate_form("('[' || coalesce(string_agg({0}, ',')@, '') || ']')", (args[0].sql,), condition)
    return Lowered(python_call(lowering, _MAKE_BAG, items, number(cap)), False)


@REGISTRY.aggregate("buildschema")
def _buildschema(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(python_call(lowering, _BUILD_SCHEMA, form("list({0})", args[0].sql)), True)


# --- hll ------------------------------------------------------------------------------------------------------------


@REGISTRY.aggregate("hll", "hll_if")
def _hll(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    condition = lowering.condition(call.args[1]) if call.name == "hll_if" else None
    element = json_value(call.args[0].type, args[0].sql)
    values = aggregate_form("array_to_string(list_sort(list(DISTINCT {0})@), ',')", (element,), condition)
    return Lowered(concat([text(f'{{"{estimates.HLL}":['), values, text("]}")]), True)  # null without values


@REGISTRY.aggregate("hll_merge")
def _hll_merge(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(python_call(lowering, _HLL_MERGE, form("list({0})", args[0].sql)), True)


@REGISTRY.builder("hll_merge")
def _hll_merge_scalar(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(python_call(lowering, _HLL_MERGE, sql_list([arg.sql for arg in args])), True)


@REGISTRY.builder("dcount_hll")
def _dcount_hll(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(python_call(lowering, _DCOUNT, args[0].sql), True)


@REGISTRY.builder("dcount_intersect")
def _dcount_intersect(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """What the plugin of this name counts for one of its columns."""
    return Lowered(python_call(lowering, _INTERSECT, sql_list([arg.sql for arg in args])), True)


# --- tdigest --------------------------------------------------------------------------------------------------------


@REGISTRY.aggregate("tdigest")
def _tdigest(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    kind = call.args[0].type
    if kind not in (INT, LONG, REAL, DATETIME):
        raise Refusal(f"tdigest of {kind} values is not supported", call.span)
    weight = whole(call.args[1].type, args[1].sql) if len(args) > 1 else number(1)
    template = "string_agg('[' || {0} || ',' || CAST({1} AS VARCHAR) || ']', ',')"  # null without values
    pairs = form(template, json_value(kind, args[0].sql), weight)
    return Lowered(concat([text(f'{{"{estimates.TDIGEST}":['), pairs, text("]}")]), True)


@REGISTRY.aggregate("tdigest_merge", "merge_tdigest")
def _tdigest_merge(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(python_call(lowering, _TDIGEST_MERGE, form("list({0})", args[0].sql)), True)


@REGISTRY.builder("tdigest_merge", "merge_tdigest")
def _tdigest_merge_scalar(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(python_call(lowering, _TDIGEST_MERGE, sql_list([arg.sql for arg in args])), True)


@REGISTRY.builder("percentile_tdigest")
def _percentile_tdigest(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    value = python_call(lowering, _PERCENTILE, args[0].sql, text(percent_text(constant_number(call.args[1]))))
    if len(args) < 3:
        return Lowered(value, True)
    name = call.args[2].value if isinstance(call.args[2], plan.Const) else None
    kind = TYPEOF_NAMES.get(str(name))
    if kind in (INT, LONG):
        return Lowered(form(f"CAST(trunc(CAST({{0}} AS DOUBLE)) AS {PHYSICAL[kind]})", value), True)
    if kind is REAL:
        return Lowered(form("CAST({0} AS DOUBLE)", value), True)
    raise Refusal(f"percentile_tdigest as {name} is not supported", call.span)


@REGISTRY.builder("percentiles_array_tdigest")
def _percentiles_array_tdigest(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    percents = sql_list([text(percent) for percent in _percents(call.args[1:])])
    return Lowered(python_call(lowering, _PERCENTILES, args[0].sql, percents), True)


@REGISTRY.builder("rank_tdigest", "percentrank_tdigest")
def _rank_tdigest(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    name = _RANK if call.name == "rank_tdigest" else _PERCENT_RANK
    return Lowered(python_call(lowering, name, args[0].sql, json_value(call.args[1].type, args[1].sql)), True)
