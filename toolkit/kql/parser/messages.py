"""The words of the syntax messages: what was found, and what to do about the mistakes that people make most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.kql.diagnostics import suggestion
from toolkit.kql.keywords import KEYWORDS
from toolkit.kql.lexer import BAD, DIRECTIVE, END, IDENTIFIER, STRING
from toolkit.kql.types import DECLARABLE

if TYPE_CHECKING:
    from toolkit.kql.parser.stream import Stream

CODES = {
    "KS002": "unexpected-character",
    "KS006": "expected-expression",
    "KS160": "unknown-type",
    "KS176": "expected-operator",
    "KS228": "needs-brackets",
}
"""Our code for a finding that Microsoft's analyzer reports under its own."""

OPERATOR_WORDS = frozenset(
    """as assert-schema consume count distinct evaluate extend facet filter find fork getschema graph-mark-components graph-match
    graph-shortest-paths graph-to-table graph-where-edges graph-where-nodes invoke join limit lookup make-graph make-series
    mv-apply mv-expand mvapply mvexpand order parse parse-kv parse-where partition print project project-away project-by-names
    project-keep project-rename project-reorder range reduce render sample sample-distinct scan search serialize sort summarize
    take top top-hitters top-nested union where macro-expand __executeAndCache __partitionby""".split()
)
"""Words that begin an operator."""

_SQL_WORDS = {
    "select": "KQL names columns with 'project' and starts with the table: T | project a, b.",
    "from": "KQL starts with the table name itself: T | where ...",
    "having": "A condition on aggregates is a 'where' after 'summarize'.",
    "groupby": "Groups are named after 'summarize ... by'.",
    "group": "Groups are named after 'summarize ... by'.",
}
_MAX_SHOWN = 40


def describe(p: Stream) -> str:
    """The token at hand as a reader sees it."""
    kind = p.kinds[p.at]
    if kind == END:
        return "the end of the query"
    text = p.spelling()
    if kind in (STRING, DIRECTIVE) and len(text) > _MAX_SHOWN:
        text = text[:_MAX_SHOWN] + "..."
    return f"'{text}'"


def hints_at(p: Stream) -> tuple[str, ...]:
    """What to do about the token at hand, when it is one of the usual mistakes."""
    kind, text = p.kinds[p.at], p.spelling()
    if kind == BAD:
        return _character_hints(p, text)
    if kind == DIRECTIVE:
        return ("A comment in KQL starts with '//'.",)
    if kind == "-" and (p.kinds[p.at + 1] == "-" or p.kinds[p.at - 1] == "-"):
        return ("A comment in KQL starts with '//', not with '--'.",)
    if kind == "{" and p.kinds[p.at + 1] in (STRING, "}"):
        return ("A property bag is written dynamic({...}) or bag_pack(...).",)
    if kind == "." and (p.at == 0 or p.kinds[p.at - 1] == ";"):
        return ("Management commands (.show, .create ...) are not part of the query language.",)
    if kind == "=" and p.at and p.kinds[p.at - 1] == ":":
        return ("A value is assigned with '=', not ':='.",)
    if kind == "." and (p.at == 0 or p.kinds[p.at - 1] == ";"):
        return ("Management commands (.show, .create ...) are not part of the query language.",)
    if kind == "=" and p.at and p.kinds[p.at - 1] not in ("let", "(", ",", "|"):
        return ("Equality is written '==' (or '=~' to ignore case).",)
    return _word_hints(kind, text)


def _character_hints(p: Stream, text: str) -> tuple[str, ...]:
    if text in "\u201c\u201d\u201e\u2018\u2019\u201a":
        return ("Typographic quotes do not delimit strings: strings stand in \" or '.",)
    if text == "&":
        return ("The logical operator is written 'and'; bits are combined by binary_and(...).",)
    if text == "!":
        return ("Negation is a function, not(...), or part of an operator: !=, !in, !has, !contains ...",)
    if text == "`":
        return ("A name with special characters is written ['name'].",)
    if text == "\\":
        return ("A backslash is allowed only inside strings.",)
    if text in ("–", "—", "−"):
        return (f"Write the plain minus sign '-' instead of '{text}'.",)
    return ()


def _word_hints(kind: str, text: str) -> tuple[str, ...]:
    lower = text.lower()
    if kind == IDENTIFIER:
        if lower in _SQL_WORDS and lower != text:
            return (_SQL_WORDS[lower],)
        if lower in KEYWORDS:
            return (f"Keywords are written in lower case: '{lower}'.",)
    return ()


def operator_hints(text: str) -> tuple[str, ...]:
    """For a word after `|` that is no operator."""
    lower = text.lower()
    if lower in _SQL_WORDS:
        return (_SQL_WORDS[lower],)
    if lower in OPERATOR_WORDS:
        return (f"Keywords are written in lower case: '{lower}'.",)
    return suggestion(text, OPERATOR_WORDS)


def needs_brackets(word: str) -> tuple[str, ...]:
    """For a keyword in the place of a name (R-004, R-005)."""
    return (f"'{word}' is a keyword: as a name it is written ['{word}'].",)


def no_statement_hints(kind: str) -> tuple[str, ...]:
    """For a token that begins no statement."""
    if kind == ";":
        return ("A ';' stands only between statements.",)
    return ("A query begins with a table, for example SigninLogs | where ...",) if kind == "|" else ()


def unclosed_hint(p: Stream, closing: str) -> tuple[str, ...]:
    """Which bracket the missing `closing` belongs to, shown by the text around it."""
    opening = {")": "(", "]": "[", "}": "{"}[closing]
    depth, at = 0, p.at - 1
    while at >= 0 and (depth or p.kinds[at] != opening):
        depth += (p.kinds[at] in (")", "]", "}")) - (p.kinds[at] in ("(", "[", "{"))
        at -= 1
    if at < 0:
        return ()
    start = p.starts[at - 1] if at and p.starts[at] == p.ends[at - 1] else p.starts[at]
    shown = p.text[start : p.starts[at] + _MAX_SHOWN // 2].split("\n")[0].strip()
    return (f"The '{opening}' in '{shown}' is not closed.",)


def type_hints(word: str) -> tuple[str, ...]:
    """For a word that names no type."""
    return suggestion(word, DECLARABLE) or (f"The types are {', '.join(sorted({str(kind) for kind in DECLARABLE.values()}))}.",)
