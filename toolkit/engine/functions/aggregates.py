"""Aggregates (R-245 to R-263): what they give for no rows, how they skip nulls, and their predicated forms.

Every row is a template in which `@` stands for the FILTER clause of the predicated form (`sumif`, `make_set_if`).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from toolkit.engine.functions.forms import constant_integer, constant_number, form, json_value, real, text, whole
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.sql import PHYSICAL, Form, Lowered, Sql, print_expression
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

BOOL, INT, LONG, REAL, DECIMAL = ScalarType.BOOL, ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL
STRING, DYNAMIC, DATETIME, TIMESPAN, GUID = (
    ScalarType.STRING,
    ScalarType.DYNAMIC,
    ScalarType.DATETIME,
    ScalarType.TIMESPAN,
    ScalarType.GUID,
)
UNKNOWN = ScalarType.UNKNOWN

LONGEST_ARRAY = 1_048_576  # R-340; results are not limited
OBSOLETE_CAP = 128


def _filter(position: int, condition: Sql | None) -> tuple[str, tuple[Sql, ...]]:
    return ("", ()) if condition is None else (f" FILTER (WHERE {{{position}}})", (condition,))


def aggregate_form(template: str, values: Sequence[Sql], condition: Sql | None) -> Sql:
    """The template over the values, `@` replaced by the FILTER clause."""
    clause, extra = _filter(len(values), condition)
    return form(template.replace("@", clause), *values, *extra)


def _predicate(call: plan.AggregateCall, position: int, lowering: Lowering, predicated: bool) -> Sql | None:
    """R-262: a predicate that is null counts as false, as it does in FILTER."""
    return lowering.condition(call.args[position]) if predicated else None


# --- counting -------------------------------------------------------------------------------------------------------


@REGISTRY.aggregate("count", "cnt", "countif")
def _count(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    condition = _predicate(call, 0, lowering, call.name == "countif")
    return Lowered(aggregate_form("count(*)@", (), condition), False)


@REGISTRY.aggregate("dcount", "dcountif", "count_distinct", "count_distinctif")
def _distinct_count(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-258: exact; the accuracy only says how far the service may be off."""
    condition = _predicate(call, 1, lowering, call.name.endswith("if"))
    return Lowered(aggregate_form("count(DISTINCT {0})@", (args[0].sql,), condition), False)


# --- sums and averages ----------------------------------------------------------------------------------------------

_SUMS = {
    INT: "CAST(coalesce(sum({0})@, 0) AS BIGINT)",
    LONG: "CAST(coalesce(sum({0})@, 0) AS BIGINT)",
    TIMESPAN: "CAST(coalesce(sum({0})@, 0) AS BIGINT)",
    REAL: "coalesce(sum({0})@, CAST(0 AS DOUBLE))",
    DECIMAL: "coalesce(sum({0})@, 0)",
}
_AVERAGES = {
    INT: "coalesce(avg({0})@, CAST('NaN' AS DOUBLE))",
    LONG: "coalesce(avg({0})@, CAST('NaN' AS DOUBLE))",
    REAL: "coalesce(avg({0})@, CAST('NaN' AS DOUBLE))",
    TIMESPAN: "CAST(sum({0})@ // nullif(count({0})@, 0) AS BIGINT)",
    DATETIME: "CAST(sum({0})@ // nullif(count({0})@, 0) AS BIGINT)",
}


def _by_type(call: plan.AggregateCall, templates: dict[ScalarType, str]) -> str:
    kind = call.args[0].type
    template = templates.get(kind)
    if template is None:
        raise Refusal(f"{call.name} of {kind} values is not documented", call.span)
    return template


@REGISTRY.aggregate("sum", "sumif")
def _sum(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-248: a sum that leaves the range of long is an error, never a wrapped or a wider number (R-030)."""
    condition = _predicate(call, 1, lowering, call.name == "sumif")
    return Lowered(aggregate_form(_by_type(call, _SUMS), (args[0].sql,), condition), False)


@REGISTRY.aggregate("avg", "avgif")
def _avg(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-245: NaN for no values; times keep their type and are null then."""
    condition = _predicate(call, 1, lowering, call.name == "avgif")
    return Lowered(aggregate_form(_by_type(call, _AVERAGES), (args[0].sql,), condition), call.args[0].type in (TIMESPAN, DATETIME))


@REGISTRY.aggregate("min", "minif", "max", "maxif")
def _extreme(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    kind = call.args[0].type
    if kind is DYNAMIC:
        raise Refusal(f"{call.name} of dynamic values is not documented; a conversion such as tolong(...) makes the type clear", call.span)
    condition = _predicate(call, 1, lowering, call.name.endswith("if"))
    value = aggregate_form(f"{call.name[:3]}({{0}})@", (args[0].sql,), condition)
    return _or_empty(kind, value)


def _or_empty(kind: ScalarType, value: Sql) -> Lowered:
    """Strings are never null: no value at all is ''."""
    return Lowered(form("coalesce({0}, '')", value), False) if kind is STRING else Lowered(value, True)


@REGISTRY.aggregate("take_any", "any", "take_anyif", "anyif")
def _take_any(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-254: a value that is neither null nor '' where there is one."""
    if len(args) != (2 if call.name.endswith("if") else 1):
        raise Refusal(f"{call.name} of several values is taken from one row and has no single value", call.span)
    condition = _predicate(call, 1, lowering, call.name.endswith("if"))
    kind = call.args[0].type
    order = row_order(lowering)
    by = f" ORDER BY {', '.join(f'{{{index}}}' for index in range(1, len(order) + 1))}" if order else ""
    value = form("nullif({0}, '')", args[0].sql) if kind is STRING else args[0].sql
    return _or_empty(kind, aggregate_form(f"any_value({{0}}{by})@", (value, *order), condition))


# --- spread ---------------------------------------------------------------------------------------------------------

_SPREADS = {
    "stdev": "coalesce(stddev_samp({0})@, CAST(0 AS DOUBLE))",
    "stdevp": "coalesce(stddev_pop({0})@, CAST(0 AS DOUBLE))",
    "variance": "coalesce(var_samp({0})@, CAST(0 AS DOUBLE))",
    "variancep": "coalesce(var_pop({0})@, CAST(0 AS DOUBLE))",
    "covariance": "coalesce(covar_samp({0}, {1})@, CAST(0 AS DOUBLE))",
    "covariancep": "coalesce(covar_pop({0}, {1})@, CAST(0 AS DOUBLE))",
}


@REGISTRY.aggregate(*_SPREADS, *(f"{name}if" for name in _SPREADS))
def _spread(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-261: sample forms divide by n - 1; one row or none gives 0."""
    predicated = call.name.endswith("if")
    count = 2 if call.name.startswith("covariance") else 1
    condition = _predicate(call, count, lowering, predicated)
    if any(expr.type in (TIMESPAN, DATETIME, BOOL) for expr in call.args[:count]):
        raise Refusal(f"{call.name} of times is not documented", call.span)
    values = [real(expr.type, arg.sql) for expr, arg in zip(call.args[:count], args[:count], strict=True)]
    return Lowered(aggregate_form(_SPREADS[call.name.removesuffix("if")], values, condition), False)


_BITS = {"binary_all_and": "bit_and", "binary_all_or": "bit_or", "binary_all_xor": "bit_xor"}


@REGISTRY.aggregate(*_BITS)
def _bits(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    value = form(f"{_BITS[call.name]}({{0}})", whole(call.args[0].type, args[0].sql))
    return Lowered(form(f"CAST({{0}} AS {PHYSICAL[call.type]})", value), True)


# --- arrays ---------------------------------------------------------------------------------------------------------


def _cap(call: plan.AggregateCall, position: int) -> int:
    """The number of elements that are kept: given, or the default, which is also the greatest (R-255)."""
    default = OBSOLETE_CAP if call.name in ("makelist", "makeset") else LONGEST_ARRAY
    if len(call.args) <= position:
        return default
    return max(0, min(constant_integer(call.args[position], "the number of elements"), LONGEST_ARRAY))


def _and(*conditions: Sql | None) -> Sql | None:
    present = [condition for condition in conditions if condition is not None]
    if len(present) < 2:
        return present[0] if present else None
    return form("({0} AND {1})", *present)


@REGISTRY.aggregate("make_list", "make_list_if", "makelist")
def _make_list(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-255: nulls are dropped, duplicates stay, the order is that of the rows. An array gives its elements (geo_h3cell_rings page)."""
    predicated = call.name.endswith("_if")
    cap = _cap(call, 2 if predicated else 1)
    value = args[0]
    present = form("({0} IS NOT NULL)", value.sql) if value.nullable else None
    condition = _and(_predicate(call, 1, lowering, predicated), present)
    if call.args[0].type is DYNAMIC:
        return Lowered(_flat_list(value.sql, condition, cap, row_order(lowering)), False)
    return Lowered(_list_text(json_value(call.args[0].type, value.sql), condition, cap, row_order(lowering)), False)


_TOO_LONG = f"kql:an array of more than {LONGEST_ARRAY} elements is cut off by the service at an arbitrary place"


def row_order(lowering: Lowering) -> Sequence[Sql]:
    """The sort keys of the group's rows (`{0} DESC NULLS LAST`), where the lowering knows any: several threads read them."""
    keys: Sequence[Sql] = getattr(lowering, "row_order", ())
    return keys


def _list_text(element: Sql, condition: Sql | None, cap: int, order: Sequence[Sql]) -> Sql:
    """`element` is never NULL in the rows of `condition`.

    Joining the texts is twice as fast as building a list of them; a list is needed only to cut it off.
    """
    places = ", ".join(f"{{{index}}}" for index in range(1, len(order) + 1))
    by = f" ORDER BY {places}" if order else ""
    if cap == LONGEST_ARRAY:
        joined = aggregate_form(f"coalesce(string_agg({{0}}, ','{by})@, '')", (element, *order), condition)
        count = aggregate_form("count(*)@", (), condition)
        too_long = text(_TOO_LONG)
        return form(f"('[' || CASE WHEN {{1}} > {LONGEST_ARRAY} THEN error({{2}}) ELSE {{0}} END || ']')", joined, count, too_long)
    items = aggregate_form(f"list({{0}}{by})@", (element, *order), condition)
    return _cut(items, cap)


def _flat_list(value: Sql, condition: Sql | None, cap: int, order: Sequence[Sql]) -> Sql:
    """Dynamic values one after the other; an array stands for its elements."""
    places = ", ".join(f"{{{index}}}" for index in range(1, len(order) + 1))
    by = f" ORDER BY {places}" if order else ""
    every = aggregate_form(f"flatten(list({_ELEMENTS}{by})@)", (value, *order), condition)
    items = form("list_filter({0}, lambda item: item <> 'null')", every)
    if cap < LONGEST_ARRAY:
        return _cut(items, cap)
    return form(f"CASE WHEN len({{0}}) > {LONGEST_ARRAY} THEN error({{1}}) ELSE {{2}} END", items, text(_TOO_LONG), _cut(items, cap))


def _cut(items: Sql, cap: int) -> Sql:
    return form(f"('[' || coalesce(array_to_string(list_slice({{0}}, 1, {cap}), ','), '') || ']')", items)


@REGISTRY.aggregate("make_list_with_nulls")
def _make_list_with_nulls(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    element = form("coalesce({0}, 'null')", json_value(call.args[0].type, args[0].sql))
    return Lowered(_list_text(element, None, LONGEST_ARRAY, row_order(lowering)), False)


_ELEMENTS = "CASE WHEN starts_with({0}, '[') THEN CAST(json_extract({0}, '$[*]') AS VARCHAR[]) ELSE [{0}] END"
_PLAIN_SETS = frozenset({STRING, INT, LONG, BOOL})
"""Types whose list to_json writes as KQL does."""


@REGISTRY.aggregate("make_set", "make_set_if", "makeset")
def _make_set(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-256: distinct values without nulls. The service leaves the order open; sorted, the same run gives the same bytes."""
    predicated = call.name.endswith("_if")
    cap = _cap(call, 2 if predicated else 1)
    kind = call.args[0].type
    value = args[0]
    condition = _and(_predicate(call, 1, lowering, predicated), form("({0} IS NOT NULL)", value.sql) if value.nullable else None)
    if kind is DYNAMIC:
        every = aggregate_form(f"list_sort(list_distinct(flatten(list({_ELEMENTS})@)))", (value.sql,), condition)
        return Lowered(_set_text(form("list_filter({0}, lambda item: item <> 'null')", every), cap, json=False), False)
    plain = kind in _PLAIN_SETS
    source = value.sql if plain or kind in (DATETIME, TIMESPAN, REAL) else json_value(kind, value.sql)
    distinct = aggregate_form("list_sort(list(DISTINCT {0})@)", (source,), condition)
    if kind in (DATETIME, TIMESPAN, REAL):
        # sorted as numbers, then written
        distinct = form("list_transform({0}, lambda item: " + _inside_lambda(kind) + ")", distinct)
    return Lowered(_set_text(distinct, cap, json=plain), False)


def _inside_lambda(kind: ScalarType) -> str:
    """The JSON text of a list's element, as a template; none of these forms has a brace of its own."""
    return print_expression(json_value(kind, Form("item")))


def _set_text(items: Sql, cap: int, *, json: bool) -> Sql:
    taken = form(f"list_slice({{0}}, 1, {cap})", items)
    if json:
        return form("coalesce(CAST(to_json({0}) AS VARCHAR), '[]')", taken)
    return form("('[' || coalesce(array_to_string({0}, ','), '') || ']')", taken)


# --- percentiles ----------------------------------------------------------------------------------------------------


@REGISTRY.aggregate("percentile")
def _percentile(call: plan.AggregateCall, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-260: nearest rank, an element of the input. The share is a decimal: 0.55 as a real times 20 is above 11."""
    value = _percentile_of(call.args[0].type, args[0].sql, constant_number(call.args[1]), call)
    return Lowered(form(f"CAST({{0}} AS {PHYSICAL[call.type]})", value), True)


def _percentile_of(kind: ScalarType, value: Sql, percent: int | float | None, call: plan.AggregateCall) -> Sql:
    if percent is None or not 0 <= percent <= 100:
        raise Refusal("a percentile is a constant from 0 to 100", call.span)
    if kind not in (INT, LONG, REAL, DECIMAL, DATETIME, TIMESPAN):
        raise Refusal(f"percentiles of {kind} values are not documented", call.span)
    share = Decimal(str(percent)) / 100
    return form(f"quantile_disc({{0}}, CAST('{share:f}' AS DECIMAL(18,15)))", value)
