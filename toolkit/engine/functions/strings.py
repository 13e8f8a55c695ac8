"""String functions (R-129 to R-149). Positions and lengths count characters (code points); texts are never NULL.

A function here takes strings; the binder converts dynamics where the service does (R-083), and `_text` makes sure.
"""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.engine.errors import failing
from toolkit.engine.functions import forms
from toolkit.engine.functions.conversion import as_text
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.sql import Form, Literal, Lowered, Sql
from toolkit.engine.udf import strings as udf
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

LONG, STRING, DYNAMIC, UNKNOWN = ScalarType.LONG, ScalarType.STRING, ScalarType.DYNAMIC, ScalarType.UNKNOWN
_LONGEST = 2_147_483_647


def _text(call: plan.Call, args: Sequence[Lowered], index: int) -> Sql:
    """An argument as text; '' for null."""
    return as_text(call.args[index].type, args[index])


def strict_text(call: plan.Call, args: Sequence[Lowered], index: int) -> Sql:
    """An argument that has to be a string: the service does not take a dynamic for it (R-083)."""
    if call.args[index].type not in (STRING, UNKNOWN):
        raise Refusal(f"{call.name}() needs a string here; tostring(...) makes text of a {call.args[index].type}", call.args[index].span)
    return args[index].sql


def _number(call: plan.Call, args: Sequence[Lowered], index: int) -> Sql:
    return forms.whole(call.args[index].type, args[index].sql)


def _simple(name: str, template: str) -> None:
    """A total function of texts, whatever the arguments were."""

    def build(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
        return Lowered(Form(template, tuple(_text(call, args, index) for index in range(len(args)))), False)

    REGISTRY.builder(name)(build)


_simple("tolower", "lower({0})")
_simple("toupper", "upper({0})")
_simple("strlen", "length({0})")
_simple("string_size", "strlen({0})")
_simple("isascii", "(length({0}) = strlen({0}))")
_simple("isutf8", "({0} IS NOT NULL)")
_simple("strcmp", "(CASE WHEN {0} < {1} THEN -1 WHEN {0} > {1} THEN 1 ELSE 0 END)::BIGINT")

_REVERSE = forms.register_python("reverse", udf.reverse, ["VARCHAR"], "VARCHAR")
_COUNT = forms.register_python("count_overlapping", udf.count_overlapping, ["VARCHAR", "VARCHAR"], "BIGINT")
_INDEXOF = forms.register_python("indexof", udf.indexof, ["VARCHAR", "VARCHAR", "BIGINT", "BIGINT", "BIGINT"], "BIGINT")
_REPLACE_STRINGS = forms.register_python("replace_strings", udf.replace_strings, ["VARCHAR"] * 3, "VARCHAR", strict=False)
_TRANSLATE = forms.register_python("translate", udf.translate, ["VARCHAR"] * 3, "VARCHAR")
_FORMAT_BYTES = forms.register_python("format_bytes", udf.format_bytes, ["DOUBLE", "BIGINT", "VARCHAR"], "VARCHAR")
_HAS_ANY_INDEX = forms.register_python("has_any_index", udf.has_any_index, ["VARCHAR", "VARCHAR"], "BIGINT", strict=False)
_FROM_STRING = forms.register_python("codepoints_from_string", udf.codepoints_from_string, ["VARCHAR"], "VARCHAR")
_TO_STRING = forms.register_python("codepoints_to_string", udf.codepoints_to_string, ["VARCHAR"], "VARCHAR")


# --- parts of a text ------------------------------------------------------------------------------------------------


@REGISTRY.builder("substring")
def _substring(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """R-129: 0-based, a negative start counts from the end, one before the beginning gives ''."""
    if any(isinstance(arg, plan.Const) and arg.value is None for arg in call.args[1:]):
        # the row engine gives a null string, which exists nowhere else; the constant folder gives another result.
        raise Refusal("substring() with a null position has no single documented result", call.span)
    text, start = _text(call, args, 0), _number(call, args, 1)
    length: Sql = Form("least({0}, 2147483647)", (_number(call, args, 2),)) if len(args) > 2 else forms.number(_LONGEST)
    known_start = forms.constant_number(call.args[1])
    known_length = forms.constant_number(call.args[2]) if len(args) > 2 else _LONGEST
    if isinstance(known_length, int):
        length = forms.number(min(known_length, _LONGEST))
        if known_length <= 0:
            return Lowered(forms.text(""), False)
    if isinstance(known_start, int) and 0 <= known_start < _LONGEST:
        begin: Sql = forms.number(known_start + 1)
        cut = Form("substring({0}, {1}, {2})", (text, begin, length))
    else:
        cut = Form(
            "(CASE WHEN {1} >= 0 THEN substring({0}, least({1}, 2147483646) + 1, {2})"
            " WHEN {1} >= -length({0}) THEN substring({0}, length({0}) + least({1}, 0) + 1, {2}) ELSE '' END)",
            (text, start, length),
        )
    if not isinstance(known_length, int):
        cut = Form("(CASE WHEN {1} > 0 THEN {0} ELSE '' END)", (cut, length))
    if any(arg.nullable for arg in args[1:]):
        cut = Form("coalesce({0}, '')", (cut,))
    return Lowered(cut, False)


def split_list(call: plan.Call, args: Sequence[Lowered]) -> Sql:
    """The pieces of `split(text, delimiter)` as a list of VARCHAR."""
    if isinstance(call.args[1], plan.Const) and call.args[1].value == "":
        raise Refusal("split() by an empty delimiter is not documented", call.args[1].span)
    return Form("string_split({0}, {1})", (_text(call, args, 0), _text(call, args, 1)))


@REGISTRY.builder("split")
def _split(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """R-131. With an index still an array, of one element; past the end it is empty."""
    pieces = split_list(call, args)
    if len(args) > 2:
        # official rules write -1; what the service makes of it is told nowhere, and it matters only where there are rows
        message = Literal(failing("split() with a negative index is not documented", call.args[2].span), "VARCHAR")
        one = "CASE WHEN {1} < 0 THEN CAST(error({2}) AS VARCHAR[]) ELSE list_slice({0}, {1} + 1, {1} + 1) END"
        pieces = Form(one, (pieces, _number(call, args, 2), message))
    return Lowered(Form("CAST(to_json({0}) AS VARCHAR)", (pieces,)), len(args) > 2 and args[2].nullable)


@REGISTRY.builder("indexof")
def _indexof(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-132."""
    text, needle = _text(call, args, 0), _text(call, args, 1)
    if len(args) == 2:
        return Lowered(Form("(strpos({0}, {1}) - 1)", (text, needle)), False)
    if len(args) == 5 and forms.constant_number(call.args[4]) != 1:
        known = call.args[1].value if isinstance(call.args[1], plan.Const) else None
        if not isinstance(known, str) or not known or udf.has_border(known):
            raise Refusal("whether occurrences of indexof() may overlap is not documented", call.span)
    rest: list[Sql] = [_number(call, args, index) for index in range(2, len(args))]
    rest += [forms.number(value) for value in (-1, 1)[len(rest) - 1 :]]
    return Lowered(forms.python_call(lowering, _INDEXOF, text, needle, *rest), True)


@REGISTRY.builder("has_any_index")
def _has_any_index(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    if call.args[1].type is not DYNAMIC:
        raise Refusal("has_any_index() needs a dynamic array", call.args[1].span)
    return Lowered(forms.python_call(lowering, _HAS_ANY_INDEX, _text(call, args, 0), args[1].sql), False)


def count_literal(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """countof of plain text: occurrences may overlap (R-135), which only a needle that begins as it ends can."""
    text, needle = strict_text(call, args, 0), _text(call, args, 1)
    known = call.args[1].value if isinstance(call.args[1], plan.Const) else None
    if known == "":
        return Lowered(forms.number(0), False)
    if not isinstance(known, str) or udf.has_border(known):
        return Lowered(forms.python_call(lowering, _COUNT, text, needle), False)
    removed = Form("((strlen({0}) - strlen(replace({0}, {1}, ''))) // {2})", (text, needle, forms.number(len(known.encode()))))
    return Lowered(removed, False)


# --- joining and changing -------------------------------------------------------------------------------------------


@REGISTRY.builder("strcat")
def _strcat(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    return Lowered(forms.concat([_text(call, args, index) for index in range(len(args))]), False)


@REGISTRY.builder("strcat_delim")
def _strcat_delim(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """R-141: nulls keep their place as ''."""
    parts: list[Sql] = []
    for index in range(1, len(args)):
        parts += [_text(call, args, index), _text(call, args, 0)]
    return Lowered(forms.concat(parts[:-1]), False)


@REGISTRY.builder("strcat_array")
def _strcat_array(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """R-142: texts without quotes, null as '', nested values as JSON; what is no array is its own text."""
    if call.args[0].type is not DYNAMIC:
        raise Refusal("strcat_array() needs a dynamic array", call.args[0].span)
    items = "list_transform(CAST(json_extract_string({0}, '$[*]') AS VARCHAR[]), lambda e: coalesce(e, ''))"
    # array_to_string takes only a constant delimiter
    constant = isinstance(call.args[1], plan.Const)
    together = f"array_to_string({items}, {{1}})" if constant else f"coalesce(list_reduce({items}, lambda a, b: a || {{1}} || b), '')"
    if not constant:
        together = f"(CASE WHEN json_array_length({{0}}) = 0 THEN '' ELSE {together} END)"
    joined = f"(CASE WHEN {{0}} IS NULL THEN '' WHEN left({{0}}, 1) = '[' THEN {together} ELSE {{2}} END)"
    return Lowered(Form(joined, (args[0].sql, _text(call, args, 1), as_text(DYNAMIC, args[0]))), False)


@REGISTRY.builder("replace_string")
def _replace_string(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    return Lowered(Form("replace({0}, {1}, {2})", (strict_text(call, args, 0), _text(call, args, 1), _text(call, args, 2))), False)


@REGISTRY.builder("replace_strings")
def _replace_strings(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    if call.args[1].type is not DYNAMIC or call.args[2].type is not DYNAMIC:
        raise Refusal("replace_strings() needs dynamic arrays of lookups and of replacements", call.span)
    return Lowered(forms.python_call(lowering, _REPLACE_STRINGS, strict_text(call, args, 0), args[1].sql, args[2].sql), False)


@REGISTRY.builder("translate")
def _translate(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    search, replacement = call.args[0], call.args[1]
    text = _text(call, args, 2)
    if not (isinstance(search, plan.Const) and isinstance(search.value, str) and isinstance(replacement, plan.Const)):
        return Lowered(forms.python_call(lowering, _TRANSLATE, _text(call, args, 0), _text(call, args, 1), text), False)
    known = str(replacement.value)
    pairs: dict[str, str] = {}
    for index, char in enumerate(search.value):
        pairs.setdefault(char, known[min(index, len(known) - 1)] if known else "")
    return Lowered(Form("translate({0}, {1}, {2})", (text, forms.text("".join(pairs)), forms.text("".join(pairs.values())))), False)


@REGISTRY.builder("reverse")
def _reverse(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """By code point (R-144); DuckDB's own keeps what a reader sees as one character together."""
    text = _text(call, args, 0)
    slow = forms.python_call(lowering, _REVERSE, text)
    return Lowered(Form("(CASE WHEN length({0}) = strlen({0}) THEN reverse({0}) ELSE {1} END)", (text, slow)), False)


@REGISTRY.builder("strrep")
def _strrep(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    count = forms.constant_number(call.args[1])
    if not isinstance(count, int) or not 1 <= count <= 1024:
        raise Refusal("the documentation contradicts itself on strrep() beyond a constant from 1 to 1024", call.args[1].span)
    text = _text(call, args, 0)
    delimiter = _text(call, args, 2) if len(args) > 2 else forms.text("")
    return Lowered(Form("(repeat({0} || {1}, {2}) || {0})", (text, delimiter, forms.number(count - 1))), False)


@REGISTRY.builder("format_bytes")
def _format_bytes(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    size = forms.real(call.args[0].type, args[0].sql)
    precision = _number(call, args, 1) if len(args) > 1 else forms.number(0)
    unit = _text(call, args, 2) if len(args) > 2 else forms.text("")
    text = forms.python_call(lowering, _FORMAT_BYTES, size, precision, unit)
    return Lowered(Form("coalesce({0}, '')", (text,)), False)


@REGISTRY.builder("regex_quote")
def _regex_quote(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    """R-149: a backslash before every character that has a meaning in a regular expression."""
    meta = forms.text(r"([\\.+*?()|\[\]{}^$#&\-~])")
    return Lowered(Form("regexp_replace({0}, {1}, {2}, 'g')", (_text(call, args, 0), meta, forms.text(r"\\\1"))), False)


@REGISTRY.builder("unicode_codepoints_from_string", "to_utf8")
def _from_string(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    return Lowered(forms.python_call(lowering, _FROM_STRING, _text(call, args, 0)), False)


@REGISTRY.builder("unicode_codepoints_to_string")
def _to_string(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    items: list[Sql] = [forms.text("[")]
    for index, arg in enumerate(args):
        items += [forms.text(",")] * bool(index) + [forms.json_element(call.args[index].type, arg)]
    return Lowered(forms.python_call(lowering, _TO_STRING, forms.concat([*items, forms.text("]")])), False)


@REGISTRY.builder("new_guid")
def _new_guid(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    return Lowered(Form("CAST(uuid() AS VARCHAR)"), False)
