"""Operators written in another language's way, or nearly right: reported with a hint and read as what was meant.

Where an operand ends and no operator of KQL follows, the text is wrong in any case. What stands there is looked at here, and
when it can be understood the token gets the kind that it should have had, so that parsing goes on without further findings.
"""

from __future__ import annotations

from toolkit.kql.diagnostics import did_you_mean
from toolkit.kql.keywords import KEYWORDS, NEGATED_WORDS
from toolkit.kql.lexer import BAD, IDENTIFIER, LITERAL_KINDS, LONG, REAL
from toolkit.kql.parser.stream import Stream
from toolkit.kql.source import Span
from toolkit.kql.times import TIMESPAN_UNITS

_WORDS = frozenset(
    """and or in has contains startswith endswith between has_any has_all has_cs contains_cs startswith_cs endswith_cs hasprefix
    hassuffix hasprefix_cs hassuffix_cs""".split()
)
_FUNCTIONS = frozenset("not isnull isnotnull isempty isnotempty ago tolower toupper strlen tostring".split())
_SYMBOLS = {"&&": "and", "||": "or"}


def repaired(p: Stream, *, condition: bool) -> bool:
    """Whether the token at hand was understood as an operator and now has its kind. `condition`: `=` can only mean `==`."""
    kind = p.kinds[p.at]
    if kind in _SYMBOLS:
        return _symbol(p, kind)
    if kind == "=":
        return condition and _equality(p)
    if kind == IDENTIFIER:
        return _word(p, p.spelling())
    if kind == BAD and p.spelling() == "!" and p.kinds[p.at + 1] == IDENTIFIER:
        return _negated(p)
    return False


def _symbol(p: Stream, kind: str) -> bool:
    if kind == "||" and p.is_operator_word(p.at + 1):
        return False
    right = _SYMBOLS[kind]
    p.fail(f"'{right}'", (f"The logical operator is written '{right}', not '{kind}'.",), "KS002")
    p.kinds[p.at] = right
    return True


def _equality(p: Stream) -> bool:
    p.fail("'=='", ("Equality is written '==' (or '=~' to ignore case).",), "KS198")
    p.kinds[p.at] = "=="
    return True


def _word(p: Stream, word: str) -> bool:
    lower = word.lower()
    if lower in _WORDS:
        return _read_as(p, 1, lower, f"Keywords are written in lower case: '{lower}'.")
    if lower == "not" and p.spelling(1).lower() in _WORDS:
        return _read_as(p, 2, f"!{p.spelling(1).lower()}", f"The negated operator is written '!{p.spelling(1).lower()}'.")
    if lower == "matches":
        length = 2 if p.spelling(1) == "regex" else 1
        return _read_as(p, length, "matches regex", "The operator is written 'matches regex', with one blank.")
    if lower in ("starts", "ends") and p.spelling(1) == "with":
        return _read_as(p, 2, f"{lower}with", f"The operator is written in one word: '{lower}with'.")
    return _hinted(p, word, lower)


def _hinted(p: Stream, word: str, lower: str) -> bool:
    """Words that are only explained, not understood."""
    before = p.tokens.spelling(p.at - 1)
    expected = "an operator or the end of the expression"
    if word in TIMESPAN_UNITS and p.kinds[p.at - 1] in (LONG, REAL):
        p.fail(expected, (f"A time span is written without a blank: {before}{word}.",))
    elif lower == "is":
        p.fail(expected, ("Null is tested by a function: isnull(a), isnotnull(a), or isempty(a) for strings.",))
    elif before in _FUNCTIONS:
        p.fail("'(' and the arguments", (f"A function is called with parentheses: {before}({word}).",))
    elif p.kinds[p.at + 1] in LITERAL_KINDS or p.kinds[p.at + 1] in (IDENTIFIER, "("):
        near = did_you_mean(word, _WORDS)
        if near:
            return _read_as(p, 1, near[0], f"Did you mean '{near[0]}'?")
    return False


def _negated(p: Stream) -> bool:
    word = f"!{p.spelling(1)}"
    near = did_you_mean(word, NEGATED_WORDS)
    return bool(near) and _read_as(p, 2, near[0], f"Did you mean '{near[0]}'?")


def _read_as(p: Stream, length: int, kind: str, hint: str) -> bool:
    """Report the next `length` tokens, and put one token of another kind in their place."""
    if kind not in KEYWORDS:
        return False
    last = p.at + length - 1
    found = p.text[p.starts[p.at] : p.ends[last]]
    p.report("unexpected-token", f"Expected an operator, found '{found}'.", Span(p.starts[p.at], p.ends[last]), (hint,), "KS198")
    p.at = last
    p.kinds[last] = kind
    return True
