"""Case-insensitive text in KQL folds ASCII letters only (R-119); DuckDB's lower() folds all of Unicode.

Two characters outside ASCII have an ASCII lower case: KELVIN SIGN (k) and I WITH DOT ABOVE (i). A test on lower(x) for
text without k and i is therefore exact; otherwise it is a cheap first test, and an exact one follows.
"""

from __future__ import annotations

import re

from toolkit.engine.sql import Form, Literal, Sql

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_LOWER = str.maketrans(_UPPER, _UPPER.lower())
_RE2_SPECIAL = re.compile(r"[^A-Za-z0-9_\s\x80-\U0010ffff]")


def fold(text: str) -> str:
    """ASCII letters in lower case; everything else as it is."""
    return text.translate(_TO_LOWER)


def folded(text: Sql) -> Sql:
    """`fold` in SQL. Slow: for operands that are not known when the query is lowered."""
    return Form("translate({0}, {1}, {2})", (text, Literal(_UPPER, "VARCHAR"), Literal(_UPPER.lower(), "VARCHAR")))


def lowers_exactly(needle: str) -> bool:
    """Whether lower(x) holds `needle` (folded, ASCII) only where x does, ASCII case aside."""
    return needle.isascii() and "k" not in needle and "i" not in needle


def quote(text: str, *, ignore_case: bool = False) -> str:
    """A regular expression (RE2) that matches exactly this text, its ASCII letters in either case when asked."""
    return "".join(_quote(char, ignore_case) for char in text)


def _quote(char: str, ignore_case: bool) -> str:
    if ignore_case and char.isascii() and char.isalpha():
        return f"[{char.lower()}{char.upper()}]"
    if char == "\0":
        return "\\x00"
    return "\\" + char if _RE2_SPECIAL.match(char) else char


def text_literal(text: str) -> Sql:
    return Literal(text, "VARCHAR")


def matches(text: Sql, pattern: str) -> Sql:
    return Form("regexp_matches({0}, {1}, 's')", (text, text_literal(pattern)))
