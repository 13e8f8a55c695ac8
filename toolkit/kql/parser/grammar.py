"""The parser: tabular expressions (sources, pipes, subqueries) on top of scalar expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from toolkit.kql.diagnostics import did_you_mean
from toolkit.kql.keywords import KEYWORDS
from toolkit.kql.lexer import IDENTIFIER, LONG, Tokens
from toolkit.kql.parser import messages
from toolkit.kql.parser.expressions import BINARY, Expressions
from toolkit.kql.parser.names import BARE_NAMES, PATH_NAMES
from toolkit.kql.parser.parameters import KNOWN_PARAMETERS
from toolkit.kql.parser.stream import LIST_ENDS, NO_CLAUSES
from toolkit.kql.source import Span
from toolkit.kql.syntax import BadOperator, Expr, Index, Input, NameRef, Operator, Paren, Path, Pipeline

OperatorRule = Callable[["Parser"], Operator]
SourceRule = Callable[["Parser"], "Expr | None"]

_STANDALONE = frozenset({"find", "print", "search", "union", "macro-expand", "evaluate", "range"})
"""Operators that need no input and so may begin a query."""

_AFTER_CHART = frozenset(BINARY) - {"-", "+"}


class Parser(Expressions):
    """A parser of one text. `operators` and `sources` are the rules for the words that begin them."""

    def __init__(self, tokens: Tokens, operators: Mapping[str, OperatorRule], sources: Mapping[str, SourceRule]) -> None:
        super().__init__(tokens)
        self.operators = operators
        self.sources = sources

    # --- what begins here

    def source_expression(self) -> Expr | None:
        rule = self.sources.get(self.kinds[self.at])
        return rule(self) if rule is not None else None

    def starts_query(self) -> bool:
        """Whether an operator begins here. Words that may also be names are operators only before what never follows a name."""
        kind, following = self.kinds[self.at], self.kinds[self.at + 1]
        if kind not in self.operators:
            return False
        if kind not in BARE_NAMES:
            return True
        if kind == "evaluate":
            return following in BARE_NAMES or following == "[" or following in KNOWN_PARAMETERS
        if kind == "range":
            length = self.name_length(self.at + 1, BARE_NAMES)
            return length > 0 and self.kinds[self.at + 1 + length] == "from"
        if kind in ("partition", "reduce", "facet"):
            return following == "by" or following in KNOWN_PARAMETERS
        return following in (LONG, IDENTIFIER) or (following == "by" and kind in ("sort", "order"))

    # --- pipelines

    def query_expression(self) -> Expr:
        start = self.start()
        source: Expr | Operator
        if self.starts_query():
            source = self._leading_operator()
        else:
            source = self.expression()
            if self.kinds[self.at] not in ("|", "||") and not self._pipe_is_missing():
                return source
        operators = self.pipes()
        return Pipeline(source, operators, span=self.span(start))

    def _leading_operator(self) -> Operator:
        word, span = self.spelling(), self.token_span()
        if word not in _STANDALONE:
            hint = f"A query begins with a table: T | {word} ..."
            stage = "syntax" if word in BARE_NAMES else "semantic"
            self.report("operator-without-input", f"Expected a table before '{word}', found none.", span, (hint,), "KS174", stage)  # type: ignore[arg-type]
        return self.operator()

    def _pipe_is_missing(self) -> bool:
        kind = self.kinds[self.at]
        return kind in self.operators and self.kinds[self.at + 1] not in LIST_ENDS and not self.starts_line_of_statement()

    def pipes(self) -> tuple[Operator, ...]:
        """`| operator` as often as it comes; an operator without its `|` is reported and read."""
        found: list[Operator] = []
        kinds = self.kinds
        while True:
            if kinds[self.at] == "|":
                self.at += 1
            elif kinds[self.at] == "||":
                self.fail("'|'", ("One '|' stands between two operators.",), "KS176")
                self.at += 1
            elif kinds[self.at] in LIST_ENDS or not self._goes_on_without_pipe():
                return tuple(found)
            found.append(self.operator())

    def _goes_on_without_pipe(self) -> bool:
        """Something follows an operator that does not belong to it; whether it is another operator."""
        kind = self.kinds[self.at]
        if self.starts_line_of_statement():
            return False
        if kind in self.operators:
            self.fail("'|' before the next operator", (f"A '|' is missing before '{kind}'.",))
            return True
        self.fail("'|', ';' or the end of the query" if self.depth == 0 else "'|' or the end of the subquery")
        self.skip_to()
        return self.take("|")

    def starts_line_of_statement(self) -> bool:
        """Whether a statement seems to begin here: then only a `;` is missing."""
        return self.kinds[self.at] == "let" and self.name_length(self.at + 1, BARE_NAMES) > 0

    def operator(self) -> Operator:
        """One operator; BadOperator with a diagnostic where none begins."""
        kind = self.kinds[self.at]
        rule = self.operators.get(kind)
        if rule is None or (kind == "count" and self.kinds[self.at + 1] == "("):
            return self._bad_operator(kind)
        if self.kinds[self.at + 1] == "-" and self.adjacent(1) and self._misspelt_with_dash():
            return self._bad_operator(kind)
        return rule(self)

    def _bad_operator(self, kind: str) -> BadOperator:
        start = self.start()
        length = self._dashed_length()
        if length > 1:
            word = self.text[start : self.ends[self.at + length - 1]]
            span = Span(start, start + len(word))
            message = f"Expected an operator after '|', found '{word}'."
            self.report("expected-operator", message, span, messages.operator_hints(word), "KS176")
        else:
            self.fail("an operator after '|'", self._bad_operator_hints(kind), "KS176")
        if kind in LIST_ENDS:
            return BadOperator("", span=self.gap())
        self.at += length
        self.skip_to()
        span = self.span(start)
        return BadOperator(self.text[span.start : span.end], span=span)

    def _misspelt_with_dash(self) -> bool:
        """`project-awy a`: grammatical as `project -awy`, where nobody means that."""
        word = self.text[self.start() : self.ends[self.at + self._dashed_length() - 1]]
        return any("-" in near for near in did_you_mean(word, messages.OPERATOR_WORDS))

    def _dashed_length(self) -> int:
        """How many adjacent tokens make a word with dashes here, such as a misspelt `project-awy`."""
        length = 1
        while self.adjacent(length) and (self.kinds[self.at + length] in ("-", IDENTIFIER) or self.kinds[self.at + length] in KEYWORDS):
            length += 1
        return length

    def _bad_operator_hints(self, kind: str) -> tuple[str, ...]:
        if kind == "count":
            return ("The operator is written without parentheses: | count.",)
        if kind == "|":
            return ("Nothing stands between the two '|'.",)
        if kind in LIST_ENDS:
            return ("A '|' at the end is not needed.",)
        return messages.hints_at(self) or messages.operator_hints(self.spelling())

    # --- subqueries

    def subquery(self) -> Expr:
        """Operators without a source: the surrounding operator hands them its rows."""
        start = self.start()
        kind = self.kinds[self.at]
        if kind == "__contextual_datatable":
            return self.query_expression()
        first = self.operator()
        return Pipeline(Input(span=Span(start, start)), (first, *self.pipes()), span=self.span(start))

    def subquery_group(self) -> Expr:
        """A subquery in its parentheses."""
        if not self.expect("(", "'(' and the operators of the subquery"):
            return self.missing("a subquery")
        body = self.nested(self.subquery)
        self.close(")")
        return body

    def group(self, inner: Expr, span: Span) -> Expr:
        if isinstance(inner, Pipeline) and not inner.parenthesised:
            return Pipeline(inner.source, inner.operators, True, span=span)
        return Paren(inner, span=span)

    # --- what the operators' rules share

    def named_items(self, clauses: frozenset[str] = NO_CLAUSES, *, required: bool = True) -> tuple[Expr, ...]:
        return self.items(self.item, clauses, required="an expression" if required else None)

    def column_path(self) -> Expr:
        """A column as partition and facet name it: a name with members and indexes; a `(` behind it begins the subquery."""
        name = self.name("a column name", PATH_NAMES)
        found: Expr = NameRef(name.text, span=name.span)
        while self.kinds[self.at] in (".", "["):
            if self.take("."):
                found = Path(found, self.name("a member name", PATH_NAMES), span=self.span(name.span.start))
            else:
                self.at += 1
                index = self.nested(self.expression)
                self.close("]")
                found = Index(found, index, span=self.span(name.span.start))
        return found

    def word(self, expected: str, *allowed: str) -> str:
        """One of a few words that are not keywords everywhere."""
        text = self.spelling()
        if text in allowed or (not allowed and (self.kinds[self.at] == IDENTIFIER or self.kinds[self.at] in KEYWORDS)):
            self.at += 1
            return text
        self.fail(expected)
        return ""
