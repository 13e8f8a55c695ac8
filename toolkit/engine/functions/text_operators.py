"""=~, contains, startswith, endswith and the has family (R-110 to R-119, R-128).

A term is a maximal run of letters and digits (R-111). A needle asks for a border only where its own edge is a term
character (R-112). Constant needles become a cheap test for the text and, where terms matter, a regular expression on
the rows that are left; a needle that is a column costs a pattern per row.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from toolkit.engine.functions.folding import fold, folded, lowers_exactly, matches, quote, text_literal
from toolkit.engine.functions.regex import constant_pattern
from toolkit.engine.functions.regex import matches as regex_matches
from toolkit.engine.functions.registry import REGISTRY, Builder, Lowering, PythonFunction, Refusal
from toolkit.engine.sql import Form, Lowered, Sql
from toolkit.engine.udf.strings import has_any_term
from toolkit.kql import plan
from toolkit.kql.types import ScalarType

_NO_TERM = r"[^\p{L}\p{N}]"
_BEFORE = rf"(?:^|{_NO_TERM})"
_AFTER = rf"(?:$|{_NO_TERM})"
_TERM_CHARACTER = r"[\p{L}\p{N}]"


def constant_text(expr: plan.Expr) -> str | None:
    """The text of a constant needle; numbers count by their text (R-116); None when it is not a constant."""
    if not isinstance(expr, plan.Const):
        return None
    if isinstance(expr.value, str) and expr.type in (ScalarType.STRING, ScalarType.GUID):
        return expr.value
    if isinstance(expr.value, int) and not isinstance(expr.value, bool) and expr.type.is_integer:
        return str(expr.value)
    return None


def _needs_text(call: plan.Call) -> None:
    for arg in call.args[:1]:
        if arg.type is not ScalarType.STRING:
            raise Refusal(f"{call.name!r} takes a string on the left, not {arg.type}", arg.span)


# --- tests by constants -------------------------------------------------------------------------------------------------


def _holds(text: Sql, needle: str, ignore_case: bool) -> Sql:
    """Whether the text holds the needle anywhere."""
    if not ignore_case:
        return Form("contains({0}, {1})", (text, text_literal(needle)))
    needle = fold(needle)
    if not needle.isascii():
        return matches(text, quote(needle, ignore_case=True))
    cheap = Form("contains(lower({0}), {1})", (text, text_literal(needle)))
    if lowers_exactly(needle):
        return cheap
    return Form("({0} AND {1})", (cheap, matches(text, quote(needle, ignore_case=True))))


def _is_term_character(char: str) -> bool:
    return char.isalpha() or char.isnumeric()


# A border between terms where all characters are ASCII. The Unicode classes take RE2 milliseconds to compile, each time.
_ASCII_NO_TERM = "[^0-9A-Za-z]"
_MAX_SUBSTRING_TESTS = 8

REGISTRY.python["kql_has_any_term"] = PythonFunction(
    "kql_has_any_term", has_any_term, ("VARCHAR", "VARCHAR", "BOOLEAN", "BOOLEAN", "BOOLEAN"), "BOOLEAN"
)


@dataclass(frozen=True)
class Borders:
    """Where a needle must stand: at the start of a term, at its end, both for `has` (R-112, R-115)."""

    at_start: bool = True
    at_end: bool = True
    ignore_case: bool = True

    def of(self, needle: str) -> tuple[bool, bool]:
        """Which borders this needle asks for: only where its own edge is a character of terms."""
        return self.at_start and _is_term_character(needle[0]), self.at_end and _is_term_character(needle[-1])


WHOLE_TERM = Borders()


def has_any_of(text: Sql, needles: Sequence[str], lowering: Lowering, borders: Borders = WHOLE_TERM) -> Sql:
    """has and its relatives for constant needles, of which any counts; an empty one is everywhere (R-113)."""
    if "" in needles:
        return Form("({0} IS NOT NULL)", (text,))
    folded_needles = list(dict.fromkeys(fold(needle) if borders.ignore_case else needle for needle in needles))
    free = [needle for needle in folded_needles if borders.of(needle) == (False, False)]
    bound = [needle for needle in folded_needles if borders.of(needle) != (False, False)]
    tests = [_holds(text, needle, borders.ignore_case) for needle in free]
    if bound:
        tests.append(_bound(text, bound, lowering, borders))
    return tests[0] if len(tests) == 1 else Form("(" + " OR ".join(f"{{{index}}}" for index in range(len(tests))) + ")", tuple(tests))


def _bound(text: Sql, needles: Sequence[str], lowering: Lowering, borders: Borders) -> Sql:
    """A cheap search for the text, then the borders: by RE2 in rows of ASCII, in Python in the few others."""
    lowering.use_udf("kql_has_any_term")
    ascii_needles = [needle for needle in needles if needle.isascii()]
    wide = Form(
        "kql_has_any_term({0}, {1}, {2}, {3}, {4})",
        (
            text,
            text_literal(json.dumps(list(needles), ensure_ascii=False)),
            *(Form("TRUE" if flag else "FALSE") for flag in (borders.at_start, borders.at_end, borders.ignore_case)),
        ),
    )
    narrow = matches(text, _alternatives(ascii_needles, borders)) if ascii_needles else Form("FALSE")
    exact = Form("(CASE WHEN strlen({0}) = length({0}) THEN {1} ELSE {2} END)", (text, narrow, wide))
    if len(ascii_needles) < len(needles) or len(needles) > _MAX_SUBSTRING_TESTS:
        return exact
    searched = Form("lower({0})", (text,)) if borders.ignore_case else text
    places = " OR ".join(f"contains({{0}}, {{{index}}})" for index in range(1, len(needles) + 1))
    cheap = Form(f"({places})", (searched, *map(text_literal, needles)))
    return Form("({0} AND {1})", (cheap, exact))


def _alternatives(needles: Sequence[str], borders: Borders) -> str:
    """One pattern for all needles, grouped by the borders they ask for."""
    groups: dict[tuple[bool, bool], list[str]] = {}
    for needle in needles:
        groups.setdefault(borders.of(needle), []).append(quote(needle, ignore_case=borders.ignore_case))
    parts = []
    for (start, end), quoted in groups.items():
        before = f"(?:^|{_ASCII_NO_TERM})" if start else ""
        after = f"(?:$|{_ASCII_NO_TERM})" if end else ""
        parts.append(f"{before}(?:{'|'.join(quoted)}){after}" if len(quoted) > 1 else before + quoted[0] + after)
    return "|".join(parts)


def _equals_ignoring_case(text: Sql, needle: str) -> Sql:
    """Equal byte lengths rule out the two characters beyond ASCII whose lower case is ASCII."""
    needle = fold(needle)
    if not needle.isascii():
        return matches(text, f"^{quote(needle, ignore_case=True)}$")
    size = len(needle)
    return Form(f"(strlen({{0}}) = {size} AND lower({{0}}) = {{1}})", (text, text_literal(needle)))


def _edge(text: Sql, needle: str, function: str, ignore_case: bool) -> Sql:
    if not ignore_case:
        return Form(f"{function}({{0}}, {{1}})", (text, text_literal(needle)))
    needle = fold(needle)
    if lowers_exactly(needle):
        return Form(f"{function}(lower({{0}}), {{1}})", (text, text_literal(needle)))
    pattern = quote(needle, ignore_case=True)
    return matches(text, f"^{pattern}" if function == "starts_with" else f"{pattern}$")


# --- tests by columns ---------------------------------------------------------------------------------------------------

_PATTERN = (
    "(CASE WHEN {2} AND regexp_matches({0}, '^" + _TERM_CHARACTER.replace("{", "{{").replace("}", "}}") + "') THEN {1} ELSE '' END"
    " || regexp_escape({0}) || "
    "CASE WHEN {3} AND regexp_matches({0}, '" + _TERM_CHARACTER.replace("{", "{{").replace("}", "}}") + "$') THEN {4} ELSE '' END)"
)


def _term_of_row(text: Sql, needle: Sql, at_start: bool, at_end: bool, ignore_case: bool) -> Sql:
    if ignore_case:
        text, needle = folded(text), folded(needle)
    flags = tuple(Form("TRUE" if flag else "FALSE") for flag in (at_start, at_end))
    pattern = Form(_PATTERN, (needle, text_literal(_BEFORE), flags[0], flags[1], text_literal(_AFTER)))
    return Form("regexp_matches({0}, {1}, 's')", (text, pattern))


def terms_of_list(text: Sql, needles: Sql, *, every: bool) -> Sql:
    """has_any and has_all for a list (VARCHAR[]) that rows or a subquery compute. A null needle matches everything (R-117)."""
    found = _term_of_row(text, Form("n"), True, True, True)
    hits = Form("len(list_filter({0}, lambda n: n IS NULL OR {1}))", (needles, found))
    if every:
        return Form("coalesce({0} = len({1}), TRUE)", (hits, needles))
    return Form("(coalesce({0}, 0) > 0)", (hits,))


# --- the operators ------------------------------------------------------------------------------------------------------


def _register(name: str, build: Builder) -> None:
    """Registers an operator and its negation; strings are never null, therefore both are total (R-044)."""

    def negated(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
        found = build(call, args, lowering)
        return Lowered(Form("(NOT {0})", (found.sql,)), found.nullable)

    REGISTRY.scalars[name] = build
    REGISTRY.scalars["!~" if name == "=~" else f"!{name}"] = negated


def _contains(ignore_case: bool) -> Builder:
    def build(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
        _needs_text(call)
        needle = constant_text(call.args[1])
        if needle is not None:
            return Lowered(_holds(args[0].sql, needle, ignore_case), args[0].nullable)
        pair = (args[0].sql, args[1].sql)
        return Lowered(Form("contains({0}, {1})", tuple(map(folded, pair)) if ignore_case else pair), args[0].nullable)

    return build


def _edges(function: str, ignore_case: bool) -> Builder:
    def build(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
        _needs_text(call)
        needle = constant_text(call.args[1])
        if needle is not None:
            return Lowered(_edge(args[0].sql, needle, function, ignore_case), args[0].nullable)
        pair = (args[0].sql, args[1].sql)
        return Lowered(Form(f"{function}({{0}}, {{1}})", tuple(map(folded, pair)) if ignore_case else pair), args[0].nullable)

    return build


def _has(at_start: bool, at_end: bool, ignore_case: bool) -> Builder:
    def build(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
        _needs_text(call)
        needle = constant_text(call.args[1])
        if needle is not None:
            test = has_any_of(args[0].sql, [needle], lowering, Borders(at_start, at_end, ignore_case))
        else:
            test = _term_of_row(args[0].sql, args[1].sql, at_start, at_end, ignore_case)
        return Lowered(test, args[0].nullable)

    return build


def _same_ignoring_case(call: plan.Call, args: Sequence[Lowered], _: Lowering) -> Lowered:
    _needs_text(call)
    needle = constant_text(call.args[1])
    if needle is not None:
        return Lowered(_equals_ignoring_case(args[0].sql, needle), args[0].nullable)
    return Lowered(Form("({0} = {1})", (folded(args[0].sql), folded(args[1].sql))), args[0].nullable)


_register("=~", _same_ignoring_case)
for _suffix, _ignore in (("", True), ("_cs", False)):
    _register(f"contains{_suffix}", _contains(_ignore))
    _register(f"startswith{_suffix}", _edges("starts_with", _ignore))
    _register(f"endswith{_suffix}", _edges("ends_with", _ignore))
    _register(f"has{_suffix}", _has(True, True, _ignore))
    _register(f"hasprefix{_suffix}", _has(True, False, _ignore))
    _register(f"hassuffix{_suffix}", _has(False, True, _ignore))


@REGISTRY.builder("matches regex")
def _matches_regex(call: plan.Call, args: Sequence[Lowered], lowering: Lowering) -> Lowered:
    """Searches anywhere; case-sensitive unless the pattern says otherwise (R-110, R-128)."""
    _needs_text(call)
    return Lowered(regex_matches(args[0].sql, constant_pattern(call.args[1]), lowering), args[0].nullable)
