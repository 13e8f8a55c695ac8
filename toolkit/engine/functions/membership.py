"""in, !in, in~, !in~, has_any, has_all over lists (R-044, R-052, R-116, R-117, R-120, R-122).

Arrays among the items are flattened: constants when the query is lowered, computed ones row by row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from toolkit.engine.functions.folding import fold, folded, lowers_exactly, text_literal
from toolkit.engine.functions.operators import CONDITIONS
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.functions.text_operators import constant_text, has_any_of, terms_of_list
from toolkit.engine.sql import PHYSICAL, Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.times import parse_datetime, parse_timespan
from toolkit.kql.types import ScalarType

_MISSING = object()


@dataclass(frozen=True)
class _Items:
    """The items of a list: constants, in the type of the left operand; scalars and arrays that rows compute."""

    constants: tuple[object, ...]
    scalars: tuple[Sql, ...]
    arrays: tuple[Sql, ...]


def json_elements(text: str) -> list[Any]:
    """The elements of a dynamic constant: of an array its own, anything else is one element; reals stay exact."""
    value = json.loads(text, parse_float=Decimal, strict=False)
    return value if isinstance(value, list) else [value]


def element_text(value: Any) -> str:
    """tostring of a JSON value (R-078)."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def _typed(value: Any, kind: ScalarType) -> object:
    """A JSON element in the type of the left operand; `_MISSING` when it can equal nothing of that type."""
    if value is None:
        return _MISSING
    if kind is ScalarType.STRING:
        return element_text(value)
    if isinstance(value, str):
        return _typed_text(value, kind)
    if kind is ScalarType.BOOL and isinstance(value, bool):
        return value
    if kind.is_number and isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return value if kind is ScalarType.DECIMAL or isinstance(value, int) else float(value)
    if kind is ScalarType.TIMESPAN and isinstance(value, int) and not isinstance(value, bool):
        return value
    return _MISSING


def _typed_text(text: str, kind: ScalarType) -> object:
    """R-035: a text beside a typed column is read as that type."""
    found: object = None
    if kind is ScalarType.DATETIME:
        found = parse_datetime(text)
    elif kind is ScalarType.TIMESPAN:
        found = parse_timespan(text)
    elif kind is ScalarType.GUID:
        found = text.lower()
    elif kind is ScalarType.BOOL:
        found = {"true": True, "false": False}.get(text.strip().lower())
    elif kind.is_number:
        found = _number(text)
    return _MISSING if found is None else found


def _number(text: str) -> object:
    try:
        value = Decimal(text.strip())
    except ArithmeticError:
        return None
    return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)


def _sort_items(call: plan.Call, args: Sequence[Lowered], kind: ScalarType) -> _Items:
    constants: list[object] = []
    scalars: list[Sql] = []
    arrays: list[Sql] = []
    for expr, arg in zip(call.args[1:], args[1:], strict=True):
        if isinstance(expr, plan.Const):
            constants += _constants(expr, kind)
        elif expr.type is ScalarType.DYNAMIC:
            arrays.append(arg.sql)
        else:
            scalars.append(arg.sql)
    return _Items(tuple(constants), tuple(scalars), tuple(arrays))


def _constants(expr: plan.Const, kind: ScalarType) -> Iterator[object]:
    if expr.value is None:
        return
    if expr.type is ScalarType.DYNAMIC:
        for element in json_elements(str(expr.value)):
            typed = _typed(element, kind)
            if typed is not _MISSING:
                yield typed
    elif expr.type is ScalarType.STRING and kind is not ScalarType.STRING:
        typed = _typed_text(str(expr.value), kind)
        if typed is not _MISSING:
            yield typed
    else:
        yield expr.value


def _literal(value: object, kind: ScalarType) -> Literal:
    if isinstance(value, float) and kind.is_integer:
        return Literal(value, "DOUBLE")
    if isinstance(value, int) and not isinstance(value, bool) and kind.is_number and not -(2**63) <= value < 2**63:
        return Literal(float(value), "DOUBLE")
    if isinstance(value, int) and kind is ScalarType.INT and not isinstance(value, bool):
        return Literal(value, "BIGINT")
    if isinstance(value, int) and kind is ScalarType.REAL:
        return Literal(float(value), "DOUBLE")
    return Literal(value, PHYSICAL[kind])


def _list(value: Sql, items: Iterable[Sql]) -> Sql:
    parts = tuple(items)
    places = ", ".join(f"{{{index}}}" for index in range(1, len(parts) + 1))
    return Form(f"{{0}} IN ({places})" if len(parts) > 1 else "{0} = {1}", (value, *parts))


def _any(tests: Sequence[Sql]) -> Sql:
    if not tests:
        return Form("FALSE")
    return Form("(" + " OR ".join(f"{{{index}}}" for index in range(len(tests))) + ")", tuple(tests))


def _text_of_element(kind: ScalarType) -> str:
    """How an array's elements are compared with a value of a type: their SQL, over `e`, the element's JSON text."""
    if kind is ScalarType.STRING:
        return "json_extract_string(e, '$')"
    if kind.is_integer:
        return "TRY_CAST(e AS DECIMAL(38,9))"
    if kind is ScalarType.REAL:
        return "TRY_CAST(e AS DOUBLE)"
    if kind is ScalarType.BOOL:
        return "TRY_CAST(e AS BOOLEAN)"
    if kind is ScalarType.GUID:
        return "lower(json_extract_string(e, '$'))"
    raise Refusal(f"'in' over a computed array for values of type {kind} is not supported")


def _in_array(value: Sql, array: Sql, kind: ScalarType, ignore_case: bool) -> Sql:
    element = _text_of_element(kind)
    if ignore_case:
        element = f"translate({element}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')"
    wanted = Form("CAST({0} AS DECIMAL(38,9))", (value,)) if kind.is_integer else value
    elements = "CASE WHEN starts_with({1}, '[') THEN CAST(json_extract({1}, '$[*]') AS VARCHAR[]) ELSE [{1}] END"
    return Form(f"list_contains(list_transform({elements}, lambda e: {element}), {{0}})", (wanted, array))


def _membership(call: plan.Call, args: Sequence[Lowered], *, ignore_case: bool) -> Sql:
    """The bare test: NULL or false for a miss."""
    kind = call.args[0].type
    value = args[0].sql
    if kind is ScalarType.DYNAMIC:
        kind, value = _dynamic_operand(call, value)
    items = _sort_items(call, args, kind)
    if ignore_case and kind is ScalarType.STRING:
        return _any([*_folded_list(value, items), *(_in_array(folded(value), array, kind, True) for array in items.arrays)])
    listed = [*(_literal(item, kind) for item in dict.fromkeys(items.constants)), *items.scalars]
    tests = [_list(value, listed)] if listed else []
    return _any([*tests, *(_in_array(value, array, kind, False) for array in items.arrays)])


def _dynamic_operand(call: plan.Call, value: Sql) -> tuple[ScalarType, Sql]:
    """A dynamic on the left is compared by what it holds: with numbers as a number, else as text (R-081)."""
    if all(arg.type.is_number for arg in call.args[1:]):
        return ScalarType.REAL, Form("TRY_CAST({0} AS DOUBLE)", (value,))
    return ScalarType.STRING, Form("coalesce(json_extract_string({0}, '$'), '')", (value,))


def _folded_list(value: Sql, items: _Items) -> Iterator[Sql]:
    texts = list(dict.fromkeys(fold(str(item)) for item in items.constants))
    ascii_texts = [text for text in texts if text.isascii()]
    if ascii_texts:
        test = _list(Form("lower({0})", (value,)), map(text_literal, ascii_texts))
        if not all(map(lowers_exactly, ascii_texts)):
            # the characters beyond ASCII with an ASCII lower case are longer in UTF-8
            test = Form("({0} AND strlen({1}) = strlen(lower({1})))", (test, value))
        yield test
    others = [text_literal(text) for text in texts if not text.isascii()]
    scalars = [folded(scalar) for scalar in items.scalars]
    if others or scalars:
        yield _list(folded(value), [*others, *scalars])


@REGISTRY.builder("in", "in~")
def _in(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """Total: a null is in nothing (R-044, R-052)."""
    return Lowered(Form("coalesce({0}, FALSE)", (_membership(call, args, ignore_case=call.name == "in~"),)), False)


@REGISTRY.builder("!in", "!in~")
def _not_in(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    return Lowered(Form("(NOT coalesce({0}, FALSE))", (_membership(call, args, ignore_case=call.name == "!in~"),)), False)


def _in_condition(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Sql:
    return _membership(call, args, ignore_case=call.name == "in~")


CONDITIONS["in"] = _in_condition
CONDITIONS["in~"] = _in_condition


# --- has_any, has_all -------------------------------------------------------------------------------------------------


def _constant_needles(expr: plan.Expr) -> list[str | None] | None:
    """The needles of a constant argument; None among them stands for a null, which matches everything (R-117)."""
    if isinstance(expr, plan.Const) and expr.value is None:
        return [None]
    if isinstance(expr, plan.Const) and expr.type is ScalarType.DYNAMIC:
        return [None if element is None else element_text(element) for element in json_elements(str(expr.value))]
    needle = constant_text(expr)
    return None if needle is None else [needle]


def _computed_needles(expr: plan.Expr, arg: Lowered) -> Sql:
    """The needles of an argument that rows compute, as a list of texts."""
    if expr.type is ScalarType.DYNAMIC:
        elements = "CASE WHEN starts_with({0}, '[') THEN CAST(json_extract({0}, '$[*]') AS VARCHAR[]) ELSE [{0}] END"
        return Form(f"list_transform({elements}, lambda e: json_extract_string(e, '$'))", (arg.sql,))
    if expr.type is ScalarType.STRING:
        return Form("[{0}]", (arg.sql,))
    raise Refusal(f"needles of type {expr.type} that are not constant are not supported", getattr(expr, "span", None))


@REGISTRY.builder("has_any", "has_all")
def _has_many(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """Whether the text has any, or all, of the terms (R-116); nothing to find is false, and true for all (R-117)."""
    text = args[0].sql
    if call.args[0].type is ScalarType.DYNAMIC:
        text = Form("coalesce(json_extract_string({0}, '$'), '')", (text,))
    elif call.args[0].type is not ScalarType.STRING:
        raise Refusal(f"{call.name!r} takes a string on the left, not {call.args[0].type}", call.args[0].span)
    every = call.name == "has_all"
    tests: list[Sql] = []
    constants: list[str] = []
    for expr, arg in zip(call.args[1:], args[1:], strict=True):
        needles = _constant_needles(expr)
        if needles is None:
            tests.append(terms_of_list(text, _computed_needles(expr, arg), every=every))
        else:
            tests += [Form("TRUE")] * (None in needles)
            constants += [needle for needle in needles if needle is not None]
    groups = [[needle] for needle in dict.fromkeys(constants)] if every else [constants] if constants else []
    tests += [has_any_of(text, group, lowering) for group in groups]
    if not tests:
        return Lowered(Form("TRUE" if every else "FALSE"), False)
    word = " AND " if every else " OR "
    return Lowered(Form("(" + word.join(f"{{{index}}}" for index in range(len(tests))) + ")", tuple(tests)), args[0].nullable)
