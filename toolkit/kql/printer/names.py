"""Names as they have to be written in each position (R-001 to R-006)."""

from __future__ import annotations

import re

from toolkit.kql.keywords import DECLARED_KEYWORDS, KEYWORDS, LITERAL_WORDS, NAME_KEYWORDS, PATH_KEYWORDS
from toolkit.kql.lexer import END, IDENTIFIER, tokenize
from toolkit.kql.literals import quoted

_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_]*")
_NEEDS_NO_ESCAPE = re.compile(r"[ !#-&(-\[\]-~\xa1-\u1fff]+")
_PLACEHOLDER = re.compile(r"\{[A-Za-z_$][A-Za-z0-9_]*\}")
_WORDS_OF_VALUES = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
_WORDS_OF_STATEMENTS = frozenset(
    """let set alias declare restrict view typeof evaluate facet partition reduce range render fork lookup entity_group
    inline_external_table __partitionby""".split()
)
_MEMBER = (NAME_KEYWORDS | PATH_KEYWORDS) - LITERAL_WORDS.keys()
_REFERENCE = _MEMBER - _WORDS_OF_STATEMENTS
_DECLARED = (DECLARED_KEYWORDS - LITERAL_WORDS.keys()) - {"top-nested", "top-hitters", "sample-distinct"}
_CALLEE = NAME_KEYWORDS - LITERAL_WORDS.keys() - _WORDS_OF_STATEMENTS
_BARE = NAME_KEYWORDS - LITERAL_WORDS.keys()


def _written(name: str, keywords: frozenset[str]) -> str:
    if _PLACEHOLDER.fullmatch(name):
        return name
    if name in keywords or (name not in KEYWORDS and _is_word(name)):
        return name
    return f"['{name}']" if _NEEDS_NO_ESCAPE.fullmatch(name) else f"[{quoted(name)}]"


def _is_word(name: str) -> bool:
    if _PLAIN.fullmatch(name):
        return name not in _WORDS_OF_VALUES
    return name[:1].isdigit() and tokenize(name).kinds[:2] == [IDENTIFIER, END]


def reference(name: str, avoid: frozenset[str] = frozenset()) -> str:
    """A name in an expression; `avoid` are words that would begin the next clause there."""
    return _written(name, _REFERENCE - avoid if avoid else _REFERENCE)


def callee(name: str, avoid: frozenset[str] = frozenset()) -> str:
    """The name of a function before its parentheses."""
    return _written(name, _CALLEE - avoid if avoid else _CALLEE)


def member(name: str) -> str:
    """A name after a dot."""
    return _written(name, _MEMBER)


def declared(name: str) -> str:
    """A name before `=` or `:`."""
    return _written(name, _DECLARED)


def bare(name: str) -> str:
    """A name of its own: after `as`, `let`, in project-away ..."""
    return _written(name, _BARE)
