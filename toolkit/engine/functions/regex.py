"""Functions of regular expressions (R-123 to R-128, R-135 to R-140), and `matches` for the operator.

The SQL asks first whether a text is ASCII only, wherever the answer changes the pattern: see `engine.regex`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from toolkit.engine.functions import forms
from toolkit.engine.functions.conversion import as_text, convert_text
from toolkit.engine.functions.registry import REGISTRY, Lowering, Refusal
from toolkit.engine.functions.sharing import once
from toolkit.engine.functions.strings import count_literal, strict_text
from toolkit.engine.regex import Regex, compile_regex, python_regex
from toolkit.engine.sql import Form, Lowered, Sql
from toolkit.engine.udf import regex as udf
from toolkit.kql import plan

_TEST = forms.register_python("regex_test", udf.regex_test, ["VARCHAR"] * 3, "BOOLEAN")
_EXTRACT = forms.register_python("regex_extract", udf.regex_extract, ["VARCHAR"] * 3 + ["BIGINT"], "VARCHAR")
_ALL = forms.register_python("regex_all", udf.regex_all, ["VARCHAR"] * 4, "VARCHAR")
_COUNT = forms.register_python("regex_count", udf.regex_count, ["VARCHAR"] * 3, "BIGINT")
_REPLACE = forms.register_python("regex_replace", udf.regex_replace, ["VARCHAR"] * 4, "VARCHAR")
_REPLACE_BY_ROW = forms.register_python("regex_replace_by_row", udf.regex_replace_by_row, ["VARCHAR"] * 3, "VARCHAR")
_INDEXOF = forms.register_python("regex_indexof", udf.regex_indexof, ["VARCHAR", "VARCHAR", "BIGINT", "BIGINT", "BIGINT"], "BIGINT")

_MOST_GROUPS = 16


def by_text(text: Sql, regex: Regex, re2: Callable[[Sql, Sql], Sql], slow: Callable[[Sql], Sql]) -> Sql:
    """The form that suits each text: RE2 with the pattern for ASCII or for any text, Python where RE2 has none.

    `re2` gets the text and the pattern, `slow` the text.
    """
    ascii_form, unicode_form = regex.ascii, regex.unicode
    if ascii_form is not None and ascii_form == unicode_form:
        return re2(text, forms.text(ascii_form))

    def general(name: Sql) -> Sql:
        return re2(name, forms.text(unicode_form)) if unicode_form is not None else slow(name)

    if ascii_form is None:
        return general(text)
    choice = "(CASE WHEN length({0}) = strlen({0}) THEN {1} ELSE {2} END)"
    return once(text, lambda name: Form(choice, (name, re2(name, forms.text(ascii_form)), general(name))))


def matches(text: Sql, pattern: str, lowering: Lowering, flags: str = "") -> Sql:
    """`text matches regex pattern`: whether it matches anywhere (R-128). Refusal when the pattern is not possible."""
    regex = compile_regex(pattern, flags)
    return by_text(
        text,
        regex,
        lambda name, re2: Form("regexp_matches({0}, {1})", (name, re2)),
        lambda name: forms.python_call(lowering, _TEST, name, forms.text(pattern), forms.text(flags)),
    )


def constant_pattern(expr: plan.Expr) -> str:
    """R-127: the service takes only constant patterns here."""
    if isinstance(expr, plan.Const) and isinstance(expr.value, str):
        return expr.value
    raise Refusal("the regular expression must be a constant", getattr(expr, "span", None))


def _compiled(expr: plan.Expr) -> Regex:
    try:
        return compile_regex(constant_pattern(expr))
    except Refusal as problem:
        problem.span = problem.span or getattr(expr, "span", None)
        raise


@REGISTRY.builder("extract")
def _extract(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-136: the group in the first match, '' without one; converted when a type is given."""
    regex = _compiled(call.args[0])
    group = forms.constant_integer(call.args[1], "the number of the capture group")
    if not 0 <= group <= len(regex.groups):
        raise Refusal(f"the pattern has {len(regex.groups)} capture groups, found number {group}", call.args[1].span)
    text = strict_text(call, args, 2)
    found = by_text(
        text,
        regex,
        lambda name, re2: Form(f"regexp_extract({{0}}, {{1}}, {group})", (name, re2)),
        lambda name: forms.python_call(lowering, _EXTRACT, name, forms.text(regex.source), forms.text(""), forms.number(group)),
    )
    return convert_text(call.type, found, lowering) if len(args) > 3 else Lowered(found, False)


def _chosen_groups(call: plan.Call, regex: Regex) -> list[int]:
    """The groups that extract_all returns (R-137): numbers out of range are dropped, none left means all."""
    everything = list(range(1, len(regex.groups) + 1))
    if len(call.args) < 3:
        return everything
    choice = call.args[1]
    value = json.loads(choice.value) if isinstance(choice, plan.Const) and isinstance(choice.value, str) else None
    if not isinstance(value, list):
        raise Refusal("the capture groups must be a constant array", getattr(choice, "span", None))
    numbers: list[int] = []
    for item in value:
        if isinstance(item, str):
            if item not in regex.groups:
                raise Refusal(f"the pattern has no group named {item!r}", getattr(choice, "span", None))
            numbers.append(regex.groups.index(item) + 1)
        elif isinstance(item, int) and item in everything:
            numbers.append(item)
    return numbers or everything


@REGISTRY.builder("extract_all")
def _extract_all(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    regex = _compiled(call.args[0])
    if not 1 <= len(regex.groups) <= _MOST_GROUPS:
        raise Refusal(f"extract_all() needs 1 to {_MOST_GROUPS} capture groups, found {len(regex.groups)} (SEM0213)", call.args[0].span)
    groups = _chosen_groups(call, regex)
    text = strict_text(call, args, len(args) - 1)
    chosen = forms.text(",".join(map(str, groups)))

    def slow(name: Sql) -> Sql:
        return forms.python_call(lowering, _ALL, name, forms.text(regex.source), forms.text(""), chosen)

    if regex.matches_empty:  # DuckDB reports an empty match right after another one, which the service does not
        return Lowered(slow(text), True)
    return Lowered(by_text(text, regex, lambda name, re2: _all_of(name, re2, groups), slow), True)


def _all_of(text: Sql, re2: Sql, groups: Sequence[int]) -> Sql:
    """JSON of all matches, NULL for none. RE2 gives NULL for a group that took no part, the service ''."""
    lists = [Form(f"regexp_extract_all({{0}}, {{1}}, {group})", (text, re2)) for group in groups]
    if len(lists) == 1:
        items: Sql = Form("list_transform({0}, lambda m: coalesce(m, ''))", (lists[0],))
    else:
        zipped = Form("list_zip(" + ", ".join(f"{{{index}}}" for index in range(len(lists))) + ")", tuple(lists))
        row = ", ".join(f"coalesce(m[{index}], '')" for index in range(1, len(lists) + 1))
        items = Form(f"list_transform({{0}}, lambda m: [{row}])", (zipped,))
    return Form("nullif(CAST(to_json({0}) AS VARCHAR), '[]')", (items,))


@REGISTRY.builder("countof")
def _countof(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-135: plain occurrences overlap, matches do not."""
    kind = forms.constant_text(call.args[2], "the kind of countof()") if len(args) > 2 else "normal"
    if kind == "normal":
        return count_literal(call, args, lowering)
    if kind != "regex":
        raise Refusal(f"the kind of countof() is normal or regex, found {kind!r}", call.args[2].span)
    regex = _compiled(call.args[1])
    text = strict_text(call, args, 0)
    if regex.source == "":
        return Lowered(forms.number(0), False)

    def slow(name: Sql) -> Sql:
        return forms.python_call(lowering, _COUNT, name, forms.text(regex.source), forms.text(""))

    if regex.matches_empty:
        return Lowered(slow(text), False)
    return Lowered(by_text(text, regex, lambda name, re2: Form("length(regexp_extract_all({0}, {1}))", (name, re2)), slow), False)


@REGISTRY.builder("indexof_regex")
def _indexof_regex(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    regex = _compiled(call.args[1])
    python_regex(regex.source)
    numbers = [forms.whole(call.args[index].type, args[index].sql) for index in range(2, len(args))]
    numbers += [forms.number(value) for value in (0, -1, 1)[len(numbers) :]]
    text = as_text(call.args[0].type, args[0])
    return Lowered(forms.python_call(lowering, _INDEXOF, text, forms.text(regex.source), *numbers), True)


@REGISTRY.builder("replace")
def _replace(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """The obsolete replace(regex, rewrite, source)."""
    return _replace_regex(plan.Call("replace_regex", (call.args[2], *call.args[:2]), call.type, call.span), (args[2], *args[:2]), lowering)


@REGISTRY.builder("replace_regex")
def _replace_regex(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-138: \\0 is the whole match, \\1 a group. The pattern may come from a row (R-127)."""
    if not isinstance(call.args[1], plan.Const):
        return _replace_by_row(call, args, lowering)
    regex = _compiled(call.args[1])
    text, rewrite = strict_text(call, args, 0), forms.constant_text(call.args[2], "the rewrite of replace_regex()")
    for escape in re.findall(r"\\(.?)", rewrite, re.DOTALL):
        if not (escape == "\\" or (escape.isdigit() and int(escape) <= len(regex.groups))):
            raise Refusal(f"\\{escape} in the rewrite is not a capture group of the pattern", call.args[2].span)
    replaced = by_text(
        text,
        regex,
        lambda name, re2: Form("regexp_replace({0}, {1}, {2}, 'g')", (name, re2, args[2].sql)),
        lambda name: forms.python_call(lowering, _REPLACE, name, forms.text(regex.source), forms.text(""), args[2].sql),
    )
    return Lowered(replaced, False)


def _replace_by_row(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    forms.constant_text(call.args[2], "the rewrite of replace_regex()")
    pattern = strict_text(call, args, 1)
    replaced = forms.python_call(lowering, _REPLACE_BY_ROW, strict_text(call, args, 0), pattern, args[2].sql)
    return Lowered(replaced, False)


_TRIM = {"trim": "^({0})|({0})$", "trim_start": "^({0})", "trim_end": "({0})$"}


@REGISTRY.builder(*_TRIM)
def _trim(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """R-140: the service puts the pattern's text into one of its own and removes all matches of that."""
    pattern = constant_pattern(call.args[0])
    if not pattern:
        raise Refusal(f"{call.name}() with an empty regular expression is refused by the service (SEM0217)", call.args[0].span)
    whole = _TRIM[call.name].replace("{0}", _without_names(pattern))
    try:
        regex = compile_regex(whole)
    except Refusal as problem:
        problem.span = problem.span or call.args[0].span
        raise
    text = strict_text(call, args, 1)
    removed = by_text(
        text,
        regex,
        lambda name, re2: Form("regexp_replace({0}, {1}, '', 'g')", (name, re2)),
        lambda name: forms.python_call(lowering, _REPLACE, name, forms.text(whole), forms.text(""), forms.text("")),
    )
    return Lowered(removed, False)


def _without_names(pattern: str) -> str:
    """The pattern with its groups unnamed, because `trim` contains it twice and names are unique."""
    return re.sub(r"(?<!\\)\(\?P?<[A-Za-z_][\w.\[\]]*>", "(", pattern)
