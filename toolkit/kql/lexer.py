"""Text -> tokens, by one compiled expression (R-001 to R-023).

A token's kind is its keyword or punctuation as written, or one of the upper-case kinds below. Tokens are kept as parallel
lists: the parser looks at kinds far more often than at anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from toolkit.kql.keywords import HINT_WORDS, KEYWORDS, LITERAL_WORDS, NEGATED_WORDS

IDENTIFIER = "IDENTIFIER"
STRING = "STRING"
BAD_STRING = "BAD_STRING"  # closed, but with an escape that does not exist
OPEN_STRING = "OPEN_STRING"  # no closing quote on its line
CURLY_STRING = "CURLY_STRING"  # in typographic quotes, as word processors write them
LONG = "LONG"
REAL = "REAL"
TIMESPAN = "TIMESPAN"
BOOL = "BOOL"
GUID = "GUID"  # a bare guid
TYPED = "TYPED"  # datetime(...), int(...): raw text up to the closing parenthesis
BLOCK_COMMENT = "BLOCK_COMMENT"  # /* ... */, which KQL does not have
DIRECTIVE = "DIRECTIVE"  # `#` to the end of the line
BAD = "BAD"
END = "END"

STRINGS = frozenset({STRING, BAD_STRING, OPEN_STRING, CURLY_STRING})
LITERAL_KINDS = STRINGS | {LONG, REAL, TIMESPAN, BOOL, GUID, TYPED}

_SPACE = " \\t\\r\\n\\f\\v\\x00\\xa0\\u1680\\u180e\\u2000-\\u200b\\u202f\\u205f\\u3000\\ufeff\\u2028\\u2029\\x85"
# a comment ends with its line; there are no others.
_TRIVIA = rf"(?:[{_SPACE}]++|//[^\n\r\u2028\u2029]*+)*+"
_ESCAPE = r"""\\(?:[\\'"abfnrtv]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-3]?[0-7]{1,2})"""
_STRING = (
    rf"""[hH]?(?:"(?:[^"\\\r\n]++|{_ESCAPE})*+"|'(?:[^'\\\r\n]++|{_ESCAPE})*+'"""
    r"""|@"(?:[^"\r\n]++|"")*+"|@'(?:[^'\r\n]++|'')*+'|```(?:[^`]++|`(?!``))*+```|~~~(?:[^~]++|~(?!~~))*+~~~)"""
)
_CURLY_STRING = "[\u201c\u201d\u201e][^\u201c\u201d\"\\r\\n]*+[\u201c\u201d\"]|[\u2018\u2019\u201a][^\u2018\u2019'\\r\\n]*+[\u2018\u2019']"
_END_OF_WORD = r"(?![A-Za-z0-9_])"
_UNITS = (
    "milliseconds|millisecond|millisec|millis|milli|microseconds|microsecond|microsec|micros|micro|nanoseconds|nanosecond|nanosec|"
    "nanos|nano|minutes|minute|min|seconds|second|sec|hours|hour|hrs|hr|days|day|ticks|tick|ms|m|s|d|h"
)


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_COMPOUND = [word for word in KEYWORDS if not word.replace("_", "a").isalnum() and word not in NEGATED_WORDS and word not in HINT_WORDS]

_PATTERN = re.compile(
    _TRIVIA
    + "(?:"
    + "|".join(
        f"(?P<{name}>{pattern})"
        for name, pattern in (
            (TYPED, rf"(?:{_any_of(LITERAL_WORDS)})\([^)\r\n]*+\)?"),
            ("COMPOUND", rf"(?:{_any_of(_COMPOUND)}|{_any_of(HINT_WORDS)}){_END_OF_WORD}"),
            (STRING, _STRING),
            (GUID, r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"),
            (BAD_STRING, r"""[hH]?(?:"(?:[^"\\\r\n]++|\\.)*+"|'(?:[^'\\\r\n]++|\\.)*+')"""),
            (OPEN_STRING, r"""[hH]?@?["'][^\r\n]*+|[hH]?(?:```|~~~)(?:.|\n)*+"""),
            ("WORD", r"[A-Za-z_$][A-Za-z0-9_]*+"),
            (BLOCK_COMMENT, r"/\*(?:[^*]++|\*(?!/))*+(?:\*/)?"),
            ("PUNCTUATION", r"&&|\|\||==|=~|=>|=|!=|!~|<=|<>|<\||<|>=|>|\.\.|[()\[\]{}|,;:.+\-*/%@?]"),
            (REAL, rf"[0-9]++(?:\.(?!\.(?!\.))[0-9]*+(?:[eE][+-]?[0-9]++)?|[eE][+-]?[0-9]++){_END_OF_WORD}"),
            (TIMESPAN, rf"[0-9]++(?:\.[0-9]++)?(?:{_UNITS}){_END_OF_WORD}"),
            (LONG, rf"(?:0[xX][0-9a-fA-F]++|[0-9]++){_END_OF_WORD}"),
            ("DIGITS", r"[0-9]++[A-Za-z_][A-Za-z0-9_]*+"),
            ("NEGATED", rf"(?:{_any_of(NEGATED_WORDS)}){_END_OF_WORD}"),
            (DIRECTIVE, r"#[^\r\n]*+"),
            (CURLY_STRING, _CURLY_STRING),
            (END, r"\Z"),
            (BAD, r"(?:.|\n)"),
        )
    )
    + ")"
)

_BOOLEANS = dict.fromkeys(("true", "True", "TRUE", "false", "False", "FALSE"), BOOL)
_WORDS: dict[str, str] = {**KEYWORDS, **_BOOLEANS}
_BY_TEXT = frozenset({"PUNCTUATION", "COMPOUND", "NEGATED"})


@dataclass(slots=True)
class Tokens:
    """The tokens of a text: `text[starts[i]:ends[i]]` has `kinds[i]`. Several END tokens follow the last one, so that
    looking ahead never runs off the list."""

    text: str
    kinds: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    block_comments: list[tuple[int, int]] = field(default_factory=list)

    def spelling(self, at: int) -> str:
        return self.text[self.starts[at] : self.ends[at]]


def tokenize(text: str) -> Tokens:
    """Every character ends up in a token or in the space between tokens; nothing is refused here."""
    tokens = Tokens(text)
    add_kind, add_start, add_end = tokens.kinds.append, tokens.starts.append, tokens.ends.append
    words, by_text = _WORDS, _BY_TEXT
    for match in _PATTERN.finditer(text):
        kind = match.lastgroup or BAD
        start, end = match.span(kind)
        if kind == "WORD":
            kind = words.get(text[start:end], IDENTIFIER)
        elif kind in by_text:
            kind = text[start:end]
        elif kind == "DIGITS":
            kind = IDENTIFIER
        elif kind == END:
            break
        elif kind == BLOCK_COMMENT:
            tokens.block_comments.append((start, end))
            continue
        add_kind(kind)
        add_start(start)
        add_end(end)
    for _ in range(8):
        add_kind(END)
        add_start(len(text))
        add_end(len(text))
    return tokens
