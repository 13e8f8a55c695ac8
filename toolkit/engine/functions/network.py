"""IPv4 and IPv6 functions (R-164 to R-168).

Plain IPv4 addresses, which is nearly all of them, are tested and counted in SQL; everything else (masks, blanks, IPv6)
goes to Python, and only for the rows that could be an address at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from toolkit.engine.functions import forms, ip_patterns
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.functions.sharing import once
from toolkit.engine.functions.strings import strict_text
from toolkit.engine.sql import Form, Literal, Lowered, Sql
from toolkit.engine.udf import network as udf
from toolkit.engine.udf.strings import json_text
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

STRING, DYNAMIC, UNKNOWN = ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.UNKNOWN

_PLAIN = forms.text(ip_patterns.PLAIN)
_PERHAPS = forms.text(r"\s*[0-9.]+(/[0-9]+)?\s*")
_PRIVATE = forms.text(r"^(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.)")
_NUMBER = (
    "(CAST(split_part({0}, '.', 1) AS BIGINT) * 16777216 + CAST(split_part({0}, '.', 2) AS BIGINT) * 65536"
    " + CAST(split_part({0}, '.', 3) AS BIGINT) * 256 + CAST(split_part({0}, '.', 4) AS BIGINT))"
)


def _python(name: str, function: Callable[..., Any], arguments: Sequence[str], result: str, *, strict: bool = True) -> str:
    return forms.register_python(name, function, arguments, result, strict=strict)


_PARSE = _python("parse_ipv4", udf.parse_ipv4, ["VARCHAR"], "BIGINT")
_PARSE_MASK = _python("parse_ipv4_mask", udf.parse_ipv4_mask, ["VARCHAR", "BIGINT"], "BIGINT")
_COMPARE = _python("ipv4_compare", udf.ipv4_compare, ["VARCHAR", "VARCHAR", "BIGINT"], "BIGINT")
_MATCH = _python("ipv4_is_match", udf.ipv4_is_match, ["VARCHAR", "VARCHAR", "BIGINT"], "BOOLEAN")
_IN_RANGE = _python("ipv4_is_in_range", udf.ipv4_in_range, ["VARCHAR", "VARCHAR"], "BOOLEAN")
_IN_ANY = _python("ipv4_is_in_any_range", udf.ipv4_in_any_range, ["VARCHAR", "VARCHAR"], "BOOLEAN")
_IS_PRIVATE = _python("ipv4_is_private", udf.ipv4_is_private, ["VARCHAR"], "BOOLEAN")
_SUFFIX = _python("ipv4_netmask_suffix", udf.ipv4_netmask_suffix, ["VARCHAR"], "BIGINT")
_FORMAT = _python("format_ipv4", udf.format_ipv4, ["VARCHAR", "BIGINT", "BOOLEAN"], "VARCHAR")
_FORMAT_NUMBER = _python("format_ipv4_number", udf.format_ipv4_number, ["BIGINT", "BIGINT", "BOOLEAN"], "VARCHAR")
_CIDR_LIST = _python("ipv4_range_to_cidr_list", udf.ipv4_range_to_cidr_list, ["VARCHAR", "VARCHAR"], "VARCHAR")
_HAS_ANY = _python("has_any_ipv4", udf.has_any_ipv4, ["VARCHAR", "VARCHAR"], "BOOLEAN", strict=False)
_HAS_PREFIX = _python("has_any_ipv4_prefix", udf.has_any_ipv4_prefix, ["VARCHAR", "VARCHAR"], "BOOLEAN", strict=False)
_PARSE6 = _python("parse_ipv6", udf.parse_ipv6, ["VARCHAR"], "VARCHAR")
_PARSE6_MASK = _python("parse_ipv6_mask", udf.parse_ipv6_mask, ["VARCHAR", "BIGINT"], "VARCHAR")
_COMPARE6 = _python("ipv6_compare", udf.ipv6_compare, ["VARCHAR", "VARCHAR", "BIGINT"], "BIGINT")
_MATCH6 = _python("ipv6_is_match", udf.ipv6_is_match, ["VARCHAR", "VARCHAR", "BIGINT"], "BOOLEAN")
_IN_RANGE6 = _python("ipv6_is_in_range", udf.ipv6_in_range, ["VARCHAR", "VARCHAR"], "BOOLEAN")
_IN_ANY6 = _python("ipv6_is_in_any_range", udf.ipv6_in_any_range, ["VARCHAR", "VARCHAR"], "BOOLEAN")


def _number(call: plan.Call, args: Sequence[Lowered], index: int, default: int) -> Sql:
    return forms.whole(call.args[index].type, args[index].sql) if len(args) > index else forms.number(default)


def _fast(text: Sql, plain: Callable[[Sql], Sql], slow: Callable[[Sql], Sql]) -> Sql:
    """`plain` for a plain address, `slow` for what may still be one, NULL for the rest."""
    template = "(CASE WHEN regexp_full_match({0}, {1}) THEN {2} WHEN regexp_full_match({0}, {3}) THEN {4} END)"
    return once(text, lambda name: Form(template, (name, _PLAIN, plain(name), _PERHAPS, slow(name))))


def _value(text: Sql) -> Sql:
    return Form(_NUMBER, (text,))


def plain_or_python(lowering: Lowering, function: str, text: Sql, of_number: Callable[[Sql], Sql]) -> Sql:
    """`of_number` over the number of a plain address, the Python function for what may still be one, NULL for the rest."""
    return _fast(text, lambda name: of_number(_value(name)), lambda name: forms.python_call(lowering, function, name))


@REGISTRY.builder("parse_ipv4")
def _parse_ipv4(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    text = strict_text(call, args, 0)
    return Lowered(_fast(text, _value, lambda name: forms.python_call(lowering, _PARSE, name)), True)


@REGISTRY.builder("ipv4_is_private")
def _ipv4_is_private(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    text = strict_text(call, args, 0)
    found = _fast(
        text,
        lambda name: Form("regexp_matches({0}, {1})", (name, _PRIVATE)),
        lambda name: forms.python_call(lowering, _IS_PRIVATE, name),
    )
    return Lowered(found, True)


@REGISTRY.builder("ipv4_netmask_suffix")
def _ipv4_netmask_suffix(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    text = strict_text(call, args, 0)
    return Lowered(_fast(text, lambda _: forms.number(32), lambda name: forms.python_call(lowering, _SUFFIX, name)), True)


def _in_networks(text: Sql, networks: Sequence[str], slow: Callable[[Sql], Sql]) -> Sql | None:
    """Membership in known networks; None when it is better done in Python."""
    parsed = [found for found in map(udf.ipv4, networks) if found is not None]
    inside = ip_patterns.pattern(parsed) if len(parsed) == len(networks) else None
    if inside is None:
        return None
    template = (
        "(CASE WHEN regexp_full_match({0}, {1}) THEN TRUE WHEN regexp_full_match({0}, {2}) THEN FALSE"
        " WHEN regexp_full_match({0}, {3}) THEN {4} END)"
    )
    return once(text, lambda name: Form(template, (name, forms.text(inside), _PLAIN, _PERHAPS, slow(name))))


def _constant(expr: plan.Expr) -> object:
    return expr.value if isinstance(expr, plan.Const) else None


@REGISTRY.builder("ipv4_is_in_range")
def _ipv4_is_in_range(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    text, network = strict_text(call, args, 0), strict_text(call, args, 1)
    known = _constant(call.args[1])

    def slow(name: Sql) -> Sql:
        return forms.python_call(lowering, _IN_RANGE, name, network)

    if isinstance(known, str):
        if udf.ipv4(known) is None:
            return Lowered(Literal(None, "BOOLEAN"), True)
        return Lowered(_in_networks(text, [known], slow) or slow(text), True)
    return Lowered(slow(text), True)


def _range_array(call: plan.Call, args: Sequence[Lowered]) -> tuple[Sql, list[str] | None]:
    """The ranges after the first argument as one JSON array, and the texts where all are constants."""
    rest = call.args[1:]
    if len(rest) == 1 and rest[0].type is DYNAMIC:
        value = _constant(rest[0])
        items = json.loads(value) if isinstance(value, str) else None
        known = items if isinstance(items, list) and all(isinstance(item, str) for item in items) else None
        return args[1].sql, known
    if any(arg.type not in (STRING, UNKNOWN) for arg in rest):
        raise Refusal(f"{call.name}() takes strings, or one dynamic array", call.span)
    values = [_constant(arg) for arg in rest]
    if all(isinstance(value, str) for value in values):
        return forms.text(json_text(values)), [str(value) for value in values]
    parts: list[Sql] = [forms.text("[")]
    for index, arg in enumerate(args[1:]):
        parts += [forms.text(",")] * bool(index) + [forms.json_element(STRING, arg)]
    return forms.concat([*parts, forms.text("]")]), None


@REGISTRY.builder("ipv4_is_in_any_range")
def _ipv4_is_in_any_range(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    text = strict_text(call, args, 0)
    ranges, known = _range_array(call, args)

    def slow(name: Sql) -> Sql:
        return forms.python_call(lowering, _IN_ANY, name, ranges)

    return Lowered((_in_networks(text, known, slow) if known else None) or slow(text), True)


def _call(name: str, sql_name: str, texts: int, default: int | None, result_nullable: bool = True) -> None:
    """A Python function of strings, with an optional prefix length after them; '' for an invalid one where it gives text."""

    def build(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
        values = [strict_text(call, args, index) for index in range(texts)]
        if default is not None:
            values.append(_number(call, args, texts, default))
        found = forms.python_call(lowering, sql_name, *values)
        return Lowered(found if result_nullable else Form("coalesce({0}, '')", (found,)), result_nullable)

    REGISTRY.builder(name)(build)


_call("parse_ipv4_mask", _PARSE_MASK, 1, 32)
_call("ipv4_compare", _COMPARE, 2, 32)
_call("ipv4_is_match", _MATCH, 2, 32)
_call("ipv4_range_to_cidr_list", _CIDR_LIST, 2, None)
_call("parse_ipv6", _PARSE6, 1, None, False)
_call("parse_ipv6_mask", _PARSE6_MASK, 1, 128, False)
_call("ipv6_compare", _COMPARE6, 2, -1)
_call("ipv6_is_match", _MATCH6, 2, -1)
_call("ipv6_is_in_range", _IN_RANGE6, 2, None)


@REGISTRY.builder("ipv6_is_in_any_range")
def _ipv6_is_in_any_range(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    ranges, _ = _range_array(call, args)
    return Lowered(forms.python_call(lowering, _IN_ANY6, strict_text(call, args, 0), ranges), True)


@REGISTRY.builder("format_ipv4", "format_ipv4_mask")
def _format_ipv4(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """The address is text, or a number in network order; '' when it or the prefix is invalid."""
    prefix = _number(call, args, 1, 32)
    with_mask = Literal(call.name == "format_ipv4_mask", "BOOLEAN")
    if call.args[0].type in (STRING, UNKNOWN):
        found = forms.python_call(lowering, _FORMAT, args[0].sql, prefix, with_mask)
    else:
        found = forms.python_call(lowering, _FORMAT_NUMBER, forms.whole(call.args[0].type, args[0].sql), prefix, with_mask)
    return Lowered(Form("coalesce({0}, '')", (found,)), False)


@REGISTRY.builder("has_ipv4", "has_any_ipv4", "has_ipv4_prefix", "has_any_ipv4_prefix")
def _has_ipv4(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    wanted, _ = _range_array(call, args)
    name = _HAS_PREFIX if call.name.endswith("_prefix") else _HAS_ANY
    return Lowered(forms.python_call(lowering, name, strict_text(call, args, 0), wanted), False)
