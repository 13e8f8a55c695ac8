"""parse and parse-where (R-278 to R-287): one regular expression with a group per capture, then the conversions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.engine.functions import regex as regex_functions
from toolkit.engine.functions.conversion import convert_text
from toolkit.engine.functions.folding import quote
from toolkit.engine.functions.registry import Refusal
from toolkit.engine.lower.block import Block
from toolkit.engine.lower.expressions import Expressions, null_of
from toolkit.engine.regex import compile_regex
from toolkit.engine.sql import ColumnName, Form, Literal, Lowered, Sql
from toolkit.kql import plan
from toolkit.kql.passes.rewrite import references
from toolkit.kql.types import ScalarType

if TYPE_CHECKING:
    from toolkit.engine.lower.relations import Relations

_GROUP = "kqlcapture"
_INTEGER = r"\s*[-+]?[0-9]+"
_GUID = r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"
_SHAPES = {
    ScalarType.LONG: _INTEGER,
    ScalarType.INT: _INTEGER,
    ScalarType.REAL: r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)",
    ScalarType.BOOL: r"\s*(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[-+]?[0-9]+)",
    # two whole forms: with `flags=U` an optional closing brace would be left behind
    ScalarType.GUID: rf"\s*(?:\{{{_GUID}\}}|{_GUID})",
}
# In regex mode every typed capture has a shape, and some have another one.
_REGEX_SHAPES = _SHAPES | {
    ScalarType.REAL: r"\s*[-+]?[0-9]+(?:\.[0-9]+)?",
    ScalarType.BOOL: r"\s*(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])",
    ScalarType.DATETIME: r"\s*(?:[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{1,4})"
    r"(?:[Tt ]\s*[0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2}(?:\.[0-9]*)?)?)?(?:[Zz]|[-+][0-9]{1,2}(?::[0-9]{1,2})?)?",
    ScalarType.TIMESPAN: r"\s*-?(?:[0-9]+\.[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}|[0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2})?)(?:\.[0-9]*)?",
}
_TYPED = frozenset(
    {
        ScalarType.LONG,
        ScalarType.INT,
        ScalarType.REAL,
        ScalarType.BOOL,
        ScalarType.DATETIME,
        ScalarType.TIMESPAN,
        ScalarType.GUID,
        ScalarType.DYNAMIC,
    }
)
# The texts that a typed capture may convert from are fewer than those that the function takes: no hex, no exponents.
_TEXTS = {
    ScalarType.LONG: r"^\s*[-+]?[0-9]+\s*$",
    ScalarType.INT: r"^\s*[-+]?[0-9]+\s*$",
    ScalarType.BOOL: r"^\s*([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[-+]?[0-9]+)\s*$",
}


@dataclass(frozen=True)
class _Pattern:
    """The struct of captures that a match gives ('' when there is none), and the test for a match."""

    captures: Sql
    matched: Sql
    fields: tuple[str, ...]


def parse(lowering: Relations, rel: plan.Parse) -> Block:
    block = lowering.lower(rel.input)
    block = block.ready_for(references(rel.value))
    text = lowering.expressions(block.columns).lower(rel.value).sql
    captures = [part for part in rel.parts if isinstance(part, plan.ParseCapture)]
    try:
        pattern = _regex_pattern(rel, text, lowering) if rel.kind == "regex" else _literal_pattern(rel, text)
    except Refusal as refusal:
        lowering.context.refuse(f"this 'parse' is not supported: {refusal.reason}", refusal.span or rel.span)
        return Block(block.source, block.columns | {part.column.id: null_of(part.column.type) for part in captures})
    number = lowering.context.fresh_id()
    where = [*block.where, pattern.matched] if rel.where else block.where
    kept = {key: value for key, value in block.columns.items() if key not in {part.column.id for part in captures}}
    level = Block(block.source, {**kept, number: Lowered(pattern.captures, False)}, where, block.order).sealed()
    return _converted(lowering, rel, captures, pattern, level, ColumnName(number))


def _converted(
    lowering: Relations, rel: plan.Parse, captures: list[plan.ParseCapture], pattern: _Pattern, level: Block, struct: Sql
) -> Block:
    """The captures in their types: one that does not convert blanks all of them, except in relaxed and regex mode (R-279)."""
    expressions = lowering.expressions(level.columns)
    texts = [Form(f"struct_extract({{0}}, '{field}')", (struct,)) for field in pattern.fields]
    typed = [(part.column, text) for part, text in zip(captures, texts, strict=True) if part.column.type is not ScalarType.STRING]
    columns = dict(level.columns)
    for part, text in zip(captures, texts, strict=True):
        columns[part.column.id] = Lowered(text, False)
    for column, text in typed:
        columns[column.id] = _conversion(lowering, expressions, column, text, rel)
    result = Block(level.source, columns, level.where, level.order)
    if not typed or rel.kind == "relaxed" or (rel.kind == "regex" and not rel.where):
        return result
    result = result.sealed()
    tests = tuple(ColumnName(column.id) for column, _ in typed)
    converted = Form(" AND ".join(f"{{{index}}} IS NOT NULL" for index in range(len(tests))), tests)
    if rel.where:
        return Block(result.source, result.columns, [*result.where, converted], result.order)
    for part in captures:
        nothing = null_of(part.column.type)
        value = Form("CASE WHEN {0} THEN {1} ELSE {2} END", (converted, ColumnName(part.column.id), nothing.sql))
        result.columns[part.column.id] = Lowered(value, nothing.nullable)
    return result


def _conversion(lowering: Relations, expressions: Expressions, column: plan.Column, text: Sql, rel: plan.Parse) -> Lowered:
    if column.type not in _TYPED:
        lowering.context.refuse(f"'parse' into a {column.type} is not supported (R-287)", rel.span)
        return null_of(column.type)
    allowed = _TEXTS.get(column.type)
    if allowed is not None:
        text = Form("CASE WHEN regexp_matches({0}, {1}) THEN {0} ELSE '' END", (text, Literal(allowed, "VARCHAR")))
    if column.type is ScalarType.GUID:
        text = Form("trim({0}, {1})", (text, Literal(" \t\r\n{}", "VARCHAR")))
    return convert_text(column.type, text, expressions)


# --- simple and relaxed -------------------------------------------------------------------------------------------------


def _literal_pattern(rel: plan.Parse, text: Sql) -> _Pattern:
    """Literals as they are, captures as short as possible, anchored at both ends (R-278)."""
    parts: list[str] = []
    names: list[str] = []
    for index, part in enumerate(rel.parts):
        match part:
            case plan.ParseText(text=literal):
                parts.append(quote(literal))
            case plan.ParseStar():
                parts.append(".*?")
            case plan.ParseCapture(column=column):
                parts.append(f"({_lazy(rel, index, column)})")
                names.append(f"g{len(names)}")
    pattern = Literal("\\A" + "".join(parts) + "\\z", "VARCHAR")
    return _extraction(text, pattern, names, names, "'s'")


def _lazy(rel: plan.Parse, index: int, column: plan.Column) -> str:
    """Before a `*` a typed capture takes the text of its type's shape, if there is one (R-282)."""
    if not isinstance(_after(rel, index), plan.ParseStar):
        return ".*?"
    shape = _SHAPES.get(column.type)
    if shape is None:
        raise Refusal(f"a {column.type} before '*' has no shape of its own (R-283, R-287)", rel.span)
    return f"(?:{shape})?"


def _after(rel: plan.Parse, index: int) -> plan.ParsePart | None:
    return rel.parts[index + 1] if index + 1 < len(rel.parts) else None


def _extraction(text: Sql, pattern: Sql, names: list[str], fields: list[str], options: str) -> _Pattern:
    listed = "[" + ", ".join(f"'{name}'" for name in names) + "]"
    matched = Form(f"regexp_matches({{0}}, {{1}}, {options})", (text, pattern))
    if not names:
        return _Pattern(Literal("", "VARCHAR"), matched, ())
    return _Pattern(Form(f"regexp_extract({{0}}, {{1}}, {listed}, {options})", (text, pattern)), matched, tuple(fields))


# --- regex --------------------------------------------------------------------------------------------------------------


def _regex_pattern(rel: plan.Parse, text: Sql, lowering: Relations) -> _Pattern:
    """Literals are patterns, strings are as long as possible, not anchored at either end (R-281)."""
    parts: list[str] = []
    count = 0
    for index, part in enumerate(rel.parts):
        match part:
            case plan.ParseText(text=literal):
                parts.append(_balanced(literal))
            case plan.ParseStar():
                parts.append(".*?")
            case plan.ParseCapture(column=column):
                parts.append(f"(?P<{_GROUP}{count}>{_greedy(rel, index, column)})")
                count += 1
    if set(rel.flags) - set("imsU"):
        raise Refusal(f"flags={rel.flags} (only i, m, s and U are documented)", rel.span)
    regex = compile_regex("".join(parts), rel.flags)
    names = [f"g{index}" for index in range(len(regex.groups))]
    fields = [f"g{regex.groups.index(f'{_GROUP}{index}')}" for index in range(count)]
    variants = [form for form in (regex.ascii, regex.unicode) if form is not None]
    if not variants or regex.unicode is None:
        raise Refusal("the engine has no exact equivalent of this regular expression", rel.span)
    expressions = lowering.expressions({})
    if regex.ascii is None or regex.ascii == regex.unicode:
        return _extraction(text, Literal(regex.unicode, "VARCHAR"), names, fields, "''")
    plain = _extraction(text, Literal(regex.ascii, "VARCHAR"), names, fields, "''")
    general = _extraction(text, Literal(regex.unicode, "VARCHAR"), names, fields, "''")
    template = "CASE WHEN length({0}) = strlen({0}) THEN {1} ELSE {2} END"
    matched = regex_functions.matches(text, "".join(parts), expressions, rel.flags)
    return _Pattern(Form(template, (text, plain.captures, general.captures)), matched, plain.fields)


def _greedy(rel: plan.Parse, index: int, column: plan.Column) -> str:
    if column.type is ScalarType.STRING:
        return ".*"
    shape = _REGEX_SHAPES.get(column.type)
    if shape is not None:
        return shape
    if column.type is ScalarType.DYNAMIC or not isinstance(_after(rel, index), plan.ParseText):
        raise Refusal(f"a {column.type} at this place of a regular expression (R-287)", rel.span)
    return ".*?"


_TOKEN = re.compile(r"\\.|\[(?:\\.|\^?\]?[^\]\\])*\]|[()]", re.DOTALL)


def _balanced(pattern: str) -> str:
    """A closing parenthesis that closes nothing is a literal one (R-281)."""
    depth = 0

    def keep(match: re.Match[str]) -> str:
        nonlocal depth
        found = match.group()
        if found == ")" and depth == 0:
            return r"\)"
        depth += {"(": 1, ")": -1}.get(found, 0)
        return found

    return _TOKEN.sub(keep, pattern)
