"""Arrays, bags and sets (R-087 to R-097). What runs per row in many rules is SQL; the rest is Python on JSON text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps

from toolkit.engine.functions.forms import (
    concat,
    constant_integer,
    constant_number,
    constant_text,
    elements,
    form,
    json_element,
    json_value,
    number,
    once,
    python_call,
    real,
    register_python,
    sql_list,
    text,
    whole,
)
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.sql import Literal, Lowered, Sql
from toolkit.engine.udf import arrays, bags
from toolkit.engine.udf.json_text import array_elements, quoted
from toolkit.kql import plan
from toolkit.kql.times import TICKS_PER_HOUR
from toolkit.kql.types import ScalarType

DYNAMIC, STRING, BOOL, REAL = ScalarType.DYNAMIC, ScalarType.STRING, ScalarType.BOOL, ScalarType.REAL
INT, LONG, DATETIME, TIMESPAN, GUID = ScalarType.INT, ScalarType.LONG, ScalarType.DATETIME, ScalarType.TIMESPAN, ScalarType.GUID
TEXT, INTEGER = "VARCHAR", "BIGINT"


def _json_list(items: Sequence[Sql]) -> Sql:
    parts: list[Sql] = [text("[")]
    for index, item in enumerate(items):
        parts += [text(","), item] if index else [item]
    return concat([*parts, text("]")])


def _joined(items: Sql) -> Sql:
    """A list of JSON texts as one JSON array."""
    return form("('[' || array_to_string({0}, ',') || ']')", items)


# --- packing --------------------------------------------------------------------------------------------------------


@REGISTRY.builder("pack_array")
def _pack_array(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(_json_list([json_element(expr.type, arg) for expr, arg in zip(call.args, args, strict=True)]), False)


def bag_of(keys: Sequence[Sql | str], values: Sequence[Sql]) -> Sql:
    """A bag as JSON text. `keys`: names, or SQL of VARCHAR; `values`: JSON text."""
    parts: list[Sql] = []
    for index, (key, value) in enumerate(zip(keys, values, strict=True)):
        parts.append(text("," if index else "{"))
        parts.append(text(quoted(key)) if isinstance(key, str) else form("CAST(to_json({0}) AS VARCHAR)", key))
        parts += [text(":"), value]
    return concat([*parts, text("}" if parts else "{}")])


@REGISTRY.builder("to_dynamic")
def _to_dynamic(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """A typed value where a dynamic is wanted, for example a branch of iff beside a dynamic one."""
    kind = call.args[0].type
    return Lowered(json_value(kind, args[0].sql), args[0].nullable or kind in (DYNAMIC, ScalarType.UNKNOWN))


@REGISTRY.builder("bag_pack")
def _bag_pack(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-087. What a repeated key means is not documented: refused where it can be seen, an error where it turns up."""
    if len(args) % 2:
        raise Refusal("bag_pack takes keys and values in pairs", call.span)
    keys: list[Sql | str] = []
    for expr, arg in zip(call.args[::2], args[::2], strict=True):
        constant = isinstance(expr, plan.Const) and isinstance(expr.value, str) and expr.type is STRING
        keys.append(str(expr.value) if constant and isinstance(expr, plan.Const) else _key_text(expr, arg))
    names = [key for key in keys if isinstance(key, str)]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Refusal(f"bag_pack with the key '{twice}' twice has no documented meaning", call.span)
    values = [json_element(expr.type, arg) for expr, arg in zip(call.args[1::2], args[1::2], strict=True)]
    return Lowered(_distinct_keys(keys, bag_of(keys, values)), False)


def _key_text(expr: plan.Expr, arg: Lowered) -> Sql:
    if expr.type is not STRING:
        raise Refusal(f"a key of bag_pack is a string, not {expr.type}; tostring(...) makes one", getattr(expr, "span", None))
    return arg.sql


def _distinct_keys(keys: Sequence[Sql | str], bag: Sql) -> Sql:
    computed = [key for key in keys if not isinstance(key, str)]
    if not computed or len(keys) == 1:
        return bag
    all_keys = sql_list([text(key) if isinstance(key, str) else key for key in keys])
    message = text("kql: bag_pack with one key twice has no documented meaning")
    return form(f"(CASE WHEN len(list_distinct({{0}})) < {len(keys)} THEN error({{1}}) ELSE {{2}} END)", all_keys, message, bag)


@REGISTRY.builder("bag_pack_nonempty")
def _bag_pack_nonempty(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """pack_all(true) (R-088): members that are null or '' are left out. The names are constants."""
    members: list[Sql] = []
    for key, expr, arg in zip(call.args[::2], call.args[1::2], args[1::2], strict=True):
        member = concat([text(f"{quoted(constant_text(key, 'a key'))}:"), json_element(expr.type, arg)])
        empty = "{0} = ''" if expr.type is STRING else "{0} IS NULL OR {0} = '\"\"'" if expr.type is DYNAMIC else "{0} IS NULL"
        members.append(form(f"(CASE WHEN {empty} THEN NULL ELSE {{1}} END)", arg.sql, member))
    return Lowered(form("('{{' || coalesce(array_to_string({0}, ','), '') || '}}')", sql_list(members)), False)


# --- arrays in SQL --------------------------------------------------------------------------------------------------

# Dynamic values are compact JSON: the first character tells arrays and bags apart.
REGISTRY.template("array_length", "(CASE WHEN starts_with({0}, '[') THEN CAST(json_array_length({0}) AS BIGINT) END)", total=False)
REGISTRY.template("bag_keys", "(CASE WHEN starts_with({0}, '{{') THEN CAST(to_json(json_keys({0})) AS VARCHAR) END)", total=False)


@REGISTRY.builder("array_concat")
def _array_concat(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """One level: the texts without their brackets, joined."""
    if len(args) == 1:
        return Lowered(form("(CASE WHEN starts_with({0}, '[') THEN {0} END)", args[0].sql), True)
    tests = " AND ".join(f"starts_with({{{index}}}, '[')" for index in range(len(args)))
    inner = ", ".join(f"nullif(substr({{{index}}}, 2, length({{{index}}}) - 2), '')" for index in range(len(args)))
    template = f"(CASE WHEN {tests} THEN '[' || coalesce(array_to_string([{inner}], ','), '') || ']' END)"
    return Lowered(form(template, *(arg.sql for arg in args)), True)


@REGISTRY.builder("array_slice")
def _array_slice(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-090: both ends inclusive, negative ones from the end; what lies outside is left out."""
    array = args[0].sql
    length = form("CAST(json_array_length({0}) AS BIGINT)", array)
    start, end = (_from_end(expr, whole(expr.type, arg.sql), length) for expr, arg in zip(call.args[1:], args[1:], strict=True))
    template = (
        "(CASE WHEN starts_with({0}, '[') THEN CASE WHEN {3} < 0 THEN '[]'"
        " ELSE '[' || array_to_string(list_slice({1}, greatest({2}, 0) + 1, {3} + 1), ',') || ']' END END)"
    )
    return Lowered(form(template, array, elements(array), start, end), True)


def _from_end(expr: plan.Expr, index: Sql, length: Sql) -> Sql:
    value = constant_number(expr)
    if isinstance(value, int):
        return index if value >= 0 else form("({1} + {0})", index, length)
    return form("(CASE WHEN {0} < 0 THEN {1} + {0} ELSE {0} END)", index, length)


@REGISTRY.builder("set_has_element")
def _set_has_element(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-094: equality knows types, `1` is not `"1"`; a whole real equals the integer of its value."""
    kind = call.args[1].type
    wanted = _spellings(kind, args[1].sql)
    test = form("list_contains({0}, {1})", elements(args[0].sql), wanted[0])
    if len(wanted) > 1:
        test = form("list_has_any({0}, {1})", elements(args[0].sql), sql_list(wanted))
    return Lowered(form("(CASE WHEN starts_with({0}, '[') THEN {1} END)", args[0].sql, test), True)


def _spellings(kind: ScalarType, value: Sql) -> list[Sql]:
    """The JSON texts that an element equal to the value may have."""
    plain = json_value(kind, value)
    if kind in (INT, LONG):
        return [plain, form("({0} || '.0')", plain)]
    if kind is REAL:
        return [plain, form("regexp_replace({0}, '\\.0$', '')", plain)]
    return [plain]


# Keeping the first of equal elements in place costs n^2 steps: only short lists are worth it, the service keeps no order.
_DISTINCT = (
    "CASE WHEN len(items) > 200 THEN list_sort(list_distinct(items))"
    " ELSE list_filter(items, lambda item, place: list_position(items, item) = place) END"
)


@REGISTRY.builder("set_union", "set_intersect", "set_difference")
def _set_operation(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-094: distinct elements; null when an argument is no array."""
    _require_dynamic(call)
    first, *others = (elements(arg.sql) for arg in args)
    for other in others:
        if call.name == "set_union":
            first = form("list_concat({0}, {1})", first, other)
        else:
            negation = "NOT " if call.name == "set_difference" else ""
            first = once(other, "others", f"list_filter({{0}}, lambda item: {negation}list_contains(others, item))", first)
    tests = " AND ".join(f"starts_with({{{index}}}, '[')" for index in range(1, len(args) + 1))
    result = _joined(once(first, "items", _DISTINCT))
    return Lowered(form(f"(CASE WHEN {tests} THEN {{0}} END)", result, *(arg.sql for arg in args)), True)


# --- arrays in Python -----------------------------------------------------------------------------------------------


def _json_argument(expr: plan.Expr, arg: Lowered) -> Sql:
    return json_element(expr.type, arg)


def _of_array(function: Callable[[list[str]], str | None]) -> Callable[[str], str | None]:
    """The function over the elements of one JSON array: an SQL list is slow to hand to Python."""

    @wraps(function)
    def call(arguments: str) -> str | None:
        return function(array_elements(arguments) or [])

    return call


def _variadic(name: str, function: Callable[[list[str]], str | None]) -> None:
    """A function of any number of dynamics; a null is the JSON null."""
    sql_name = register_python(name, _of_array(function), [TEXT], TEXT)

    def build(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
        _require_dynamic(call)
        arguments = _json_list([json_element(expr.type, arg) for expr, arg in zip(call.args, args, strict=True)])
        return Lowered(python_call(lowering, sql_name, arguments), True)

    REGISTRY.scalars[name] = build


def _require_dynamic(call: plan.Call) -> None:
    for expr in call.args:
        if expr.type is not DYNAMIC:
            raise Refusal(f"{call.name} takes dynamic values, not {expr.type}", getattr(expr, "span", call.span))


for _name, _function in {
    "zip": arrays.zip_arrays,
    "bag_merge": bags.bag_merge,
}.items():
    _variadic(_name, _function)

REGISTRY.udf("array_reverse", arrays.array_reverse, [DYNAMIC], DYNAMIC)
REGISTRY.udf("array_rotate_left", arrays.array_rotate_left, [DYNAMIC, LONG], DYNAMIC)
REGISTRY.udf("array_rotate_right", arrays.array_rotate_right, [DYNAMIC, LONG], DYNAMIC)
REGISTRY.udf("array_sum", arrays.array_sum, [DYNAMIC], REAL)
REGISTRY.udf("bag_has_key", bags.bag_has_key, [DYNAMIC, STRING], BOOL)
REGISTRY.udf("bag_remove_keys", bags.bag_remove_keys, [DYNAMIC, DYNAMIC], DYNAMIC)
REGISTRY.udf("bag_zip", bags.bag_zip, [DYNAMIC, DYNAMIC], DYNAMIC, strict=False)
REGISTRY.udf("jaccard_index", arrays.jaccard_index, [DYNAMIC, DYNAMIC], DYNAMIC)
REGISTRY.udf("set_equals", arrays.set_equals, [DYNAMIC, DYNAMIC], BOOL)
REGISTRY.udf("treepath", bags.treepath, [DYNAMIC], DYNAMIC)

_SHIFTS = {
    name: register_python(name, function, [TEXT, INTEGER, TEXT], TEXT)
    for name, function in (("array_shift_left", arrays.array_shift_left), ("array_shift_right", arrays.array_shift_right))
}
_SPLIT = register_python("array_split", arrays.array_split, [TEXT, TEXT], TEXT)
_INDEX_OF = register_python("array_index_of", arrays.array_index_of, [TEXT, TEXT, INTEGER, INTEGER, INTEGER], INTEGER)
_IFF = register_python("array_iff", arrays.array_iff, [TEXT, TEXT, TEXT], TEXT)
_SET_KEY = register_python("bag_set_key", bags.bag_set_key, [TEXT, TEXT, TEXT], TEXT)
_REPEAT = register_python("repeat", arrays.repeated, [TEXT, INTEGER], TEXT)
_CANONICAL = register_python("dynamic_to_json", bags.canonical, [TEXT], TEXT)
_RANGE_TICKS = register_python("range_of_ticks", arrays.range_of_ticks, [INTEGER, INTEGER, INTEGER, "BOOLEAN"], TEXT)
_RANGE_REALS = register_python("range_of_reals", arrays.range_of_reals, ["DOUBLE", "DOUBLE", "DOUBLE"], TEXT)


def _sorted_arrays(arrays_text: str, descending: bool, nulls_last: bool) -> str:
    """All arrays of an array, sorted by the first one."""
    found = arrays.array_sort(array_elements(arrays_text) or [], descending, nulls_last)
    return "[" + ",".join("null" if item is None else item for item in found) + "]"


_SORT = register_python("array_sort", _sorted_arrays, [TEXT, "BOOLEAN", "BOOLEAN"], TEXT)

# Numbers (as reals, then exactly), then strings, then the rest, each element with its sort key in front.
_SORT_KEY = (
    "CASE WHEN starts_with(item, '\"') THEN {{'rank': 1, 'real': 0.0::DOUBLE, 'whole': 0::HUGEINT,"
    " 'text': json_extract_string(item, '$'), 'json': item}}"
    " WHEN starts_with(item, '-') OR item[1] BETWEEN '0' AND '9' THEN {{'rank': 0, 'real': CAST(item AS DOUBLE),"
    " 'whole': coalesce(TRY_CAST(item AS HUGEINT), 0), 'text': '', 'json': item}}"
    " ELSE {{'rank': 2, 'real': 0.0::DOUBLE, 'whole': 0::HUGEINT, 'text': '', 'json': item}} END"
)


def _sort_one(array: Lowered, descending: bool, nulls_last: Sql) -> Lowered:
    """The elements sorted, the nulls behind or in front of them."""
    keyed = f"list_transform(list_filter(items, lambda item: item <> 'null'), lambda item: {_SORT_KEY})"
    values = f"list_transform(list_sort({keyed}, '{'DESC' if descending else 'ASC'}'), lambda item: item.json)"
    nulls = "list_filter(items, lambda item: item = 'null')"
    both = f"CASE WHEN {{0}} THEN list_concat({values}, {nulls}) ELSE list_concat({nulls}, {values}) END"
    result = _joined(once(elements(array.sql), "items", both, nulls_last))
    return Lowered(form("(CASE WHEN starts_with({0}, '[') THEN {1} END)", array.sql, result), True)


@REGISTRY.builder("array_sort_asc", "array_sort_desc")
def _array_sort(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-092. With several arrays the result is an array of the sorted ones."""
    given = list(zip(call.args, args, strict=True))
    nulls_last: Sql = Literal(True, "BOOLEAN")
    if given[-1][0].type is BOOL:
        nulls_last = given.pop()[1].sql
    if any(expr.type is not DYNAMIC for expr, _ in given):
        raise Refusal(f"{call.name} takes dynamic arrays", call.span)
    descending = "desc" in call.name
    if len(given) == 1:
        return _sort_one(given[0][1], descending, nulls_last)
    together = _json_list([json_element(expr.type, arg) for expr, arg in given])
    return Lowered(python_call(lowering, _SORT, together, Literal(descending, "BOOLEAN"), nulls_last), True)


@REGISTRY.builder("array_sort_asc_nth", "array_sort_desc_nth")
def _array_sort_nth(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """One of the arrays that array_sort_asc(a, b, ...) yields as columns; the first argument is its number."""
    position = constant_integer(call.args[0], "the number of the array")
    name = call.name.removesuffix("_nth")
    inner = plan.Call(name, call.args[1:], DYNAMIC, call.span)
    sorted_all = _array_sort(inner, args[1:], lowering)
    if sum(expr.type is DYNAMIC for expr in inner.args) == 1:
        return sorted_all
    return Lowered(form(f"nullif(CAST(json_extract({{0}}, '$[{position}]') AS VARCHAR), 'null')", sorted_all.sql), True)


@REGISTRY.builder(*_SHIFTS)
def _array_shift(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    fill = _json_argument(call.args[2], args[2]) if len(args) > 2 else text("null")
    count = whole(call.args[1].type, args[1].sql)
    return Lowered(python_call(lowering, _SHIFTS[call.name], args[0].sql, count, fill), True)


@REGISTRY.builder("array_split")
def _array_split(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(python_call(lowering, _SPLIT, args[0].sql, _json_argument(call.args[1], args[1])), True)


@REGISTRY.builder("array_index_of")
def _array_index_of(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    if len(args) == 2:
        places = [form("list_position({0}, {1})", elements(args[0].sql), each) for each in _spellings(call.args[1].type, args[1].sql)]
        found = places[0] if len(places) == 1 else form("least(nullif({0}, 0), nullif({1}, 0))", *places)
        template = "(CASE WHEN starts_with({0}, '[') THEN CAST(coalesce(nullif({1}, 0), 0) - 1 AS BIGINT) END)"
        return Lowered(form(template, args[0].sql, found), True)
    numbers = [whole(expr.type, arg.sql) for expr, arg in zip(call.args[2:], args[2:], strict=True)]
    defaults = [number(0), number(-1), number(1)][len(numbers) :]
    return Lowered(python_call(lowering, _INDEX_OF, args[0].sql, json_value(call.args[1].type, args[1].sql), *numbers, *defaults), True)


@REGISTRY.builder("array_iff")
def _array_iff(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    branches = (_json_argument(expr, arg) for expr, arg in zip(call.args[1:], args[1:], strict=True))
    return Lowered(python_call(lowering, _IFF, args[0].sql, *branches), True)


@REGISTRY.builder("bag_set_key")
def _bag_set_key(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(python_call(lowering, _SET_KEY, args[0].sql, args[1].sql, _json_argument(call.args[2], args[2])), True)


@REGISTRY.builder("repeat")
def _repeat(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(python_call(lowering, _REPEAT, _json_argument(call.args[0], args[0]), whole(call.args[1].type, args[1].sql)), True)


@REGISTRY.builder("dynamic_to_json")
def _dynamic_to_json(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-095; a value that is not dynamic is written as tostring writes it."""
    if call.args[0].type is not DYNAMIC:
        return lowering.lower(plan.Call("tostring", call.args, STRING, call.span))
    return Lowered(form("coalesce({0}, '')", python_call(lowering, _CANONICAL, args[0].sql)), False)


# --- range ----------------------------------------------------------------------------------------------------------


@REGISTRY.builder("range")
def _range(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-097: an inclusive array, at most 1,048,576 elements; the step is 1, or 1 h between times."""
    kinds = [expr.type for expr in call.args]
    start, stop = args[0].sql, args[1].sql
    fixed_step = constant_number(call.args[2]) if len(args) > 2 else None
    if fixed_step is not None and fixed_step <= 0:
        raise Refusal("range with a step that is not above zero is not documented", call.span)
    if kinds[0] in (DATETIME, TIMESPAN) and kinds[1] is kinds[0] and kinds[2:] in ([], [TIMESPAN]):
        step = args[2].sql if len(args) > 2 else number(TICKS_PER_HOUR)
        flag = Literal(kinds[0] is TIMESPAN, "BOOLEAN")
        return Lowered(python_call(lowering, _RANGE_TICKS, start, stop, step, flag), True)
    if any(kind not in (INT, LONG, REAL) for kind in kinds):
        raise Refusal(f"range over {', '.join(kinds)} is not documented", call.span)
    if REAL in kinds:
        reals = [real(kind, arg.sql) for kind, arg in zip(kinds, args, strict=True)]
        return Lowered(python_call(lowering, _RANGE_REALS, *reals, *([Literal(1.0, "DOUBLE")] if len(args) < 3 else [])), True)
    wholes = [whole(kind, arg.sql) for kind, arg in zip(kinds, args, strict=True)]
    step = wholes[2] if len(args) > 2 else number(1)
    template = (
        "(CASE WHEN {2} > 0 THEN CAST(to_json(generate_series({0}, "
        f"CAST(least({{1}}, {{0}} + CAST({arrays.LONGEST_RANGE - 1} AS HUGEINT) * {{2}}) AS BIGINT), {{2}})) AS VARCHAR) END)"
    )
    return Lowered(form(template, wholes[0], wholes[1], step), True)
