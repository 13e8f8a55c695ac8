"""KQL text -> syntax tree, with every syntax error found on the way."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.kql.diagnostics import Diagnostic
from toolkit.kql.lexer import tokenize
from toolkit.kql.parser.grammar import Parser
from toolkit.kql.parser.operators import OPERATORS, SOURCES
from toolkit.kql.parser.statements import parse_query
from toolkit.kql.syntax import Query

__all__ = ["ParseResult", "parse"]


@dataclass(frozen=True, slots=True)
class ParseResult:
    """The tree and what was found wrong, in the order of the text. With errors the tree holds Missing and BadOperator nodes."""

    query: Query
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        return not any(found.severity == "error" for found in self.diagnostics)


def parse(text: str) -> ParseResult:
    """Parse a whole query text. Never raises: whatever is wrong with the text is a diagnostic."""
    parser = Parser(tokenize(text), OPERATORS, SOURCES)
    query = parse_query(parser)
    found = sorted(parser.found, key=lambda finding: (finding.start, finding.end))
    return ParseResult(query, tuple(found))
