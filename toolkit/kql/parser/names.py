"""Names, patterns with `*`, types and schemas: everything that is spelled, not computed."""

from __future__ import annotations

from toolkit.kql.keywords import DECLARED_KEYWORDS, KEYWORDS, NAME_KEYWORDS, PATH_KEYWORDS
from toolkit.kql.lexer import IDENTIFIER, LONG, STRING
from toolkit.kql.literals import LiteralError, string_value
from toolkit.kql.parser import messages
from toolkit.kql.parser.stream import Stream
from toolkit.kql.source import Span
from toolkit.kql.syntax import ColumnDecl, Expr, Name, NameRef, Schema, Wildcard
from toolkit.kql.types import DECLARABLE, TYPEOF_NAMES

BARE_NAMES = NAME_KEYWORDS | {IDENTIFIER}
DECLARED_NAMES = DECLARED_KEYWORDS | {IDENTIFIER}
PATH_NAMES = BARE_NAMES | PATH_KEYWORDS
_WILD_PARTS = DECLARED_NAMES | {"*", LONG}


class Names(Stream):
    """Reading names. Every method leaves the stream behind the name, or where it was when there is none."""

    def name_length(self, at: int, allowed: frozenset[str]) -> int:
        """How many tokens a name at index `at` has: 1, 3 or more for a bracketed one, 0 for none."""
        kind = self.kinds[at]
        if kind in allowed:
            return 1
        if kind == "[" and self.kinds[at + 1] == STRING:
            end = at + 2
            while self.kinds[end] == STRING:
                end += 1
            return end + 1 - at if self.kinds[end] == "]" else 0
        if kind == "{" and self.kinds[at + 2] == "}" and self.starts[at + 1] == self.ends[at] and self.starts[at + 2] == self.ends[at + 1]:
            return 3 if self.kinds[at + 1] == IDENTIFIER or self.kinds[at + 1] in KEYWORDS else 0
        return 0

    def optional_name(self, allowed: frozenset[str] = BARE_NAMES) -> Name | None:
        kind = self.kinds[self.at]
        if kind in allowed:
            name = Name(self.tokens.spelling(self.at), span=self.token_span())
            self.at += 1
            return name
        length = self.name_length(self.at, allowed) if kind in ("[", "{") else 0
        if not length:
            return None
        return self._bracketed_name(length) if kind == "[" else self._placeholder()

    def _placeholder(self) -> Name:
        """`{name}`: a parameter of a workbook or another tool that was not filled in. Grammatical, but nothing can run it."""
        start, word = self.start(), self.spelling(1)
        self.at += 3
        hint = "It is a parameter of the tool that sends the query, which has to put a value in its place first."
        message = f"Expected a name or value, found the placeholder '{{{word}}}'."
        self.report("placeholder", message, self.span(start), (hint,), "KS213", "semantic")
        return Name(f"{{{word}}}", span=self.span(start))

    def _bracketed_name(self, length: int) -> Name:
        start = self.start()
        text = "".join(self.string_text(at) for at in range(self.at + 1, self.at + length - 1))
        self.at += length
        return Name(text, span=self.span(start))

    def string_text(self, at: int) -> str:
        """The value of the string token at index `at`; a bad one is reported."""
        try:
            return string_value(self.tokens.spelling(at))
        except LiteralError as error:
            self.report("bad-literal", str(error), Span(self.starts[at], self.ends[at]), stage="semantic")
            return ""

    def name(self, expected: str = "a name", allowed: frozenset[str] = BARE_NAMES) -> Name:
        """A required name; a keyword in its place is reported as needing brackets, and read as the name."""
        found = self.optional_name(allowed)
        if found is not None:
            return found
        word = self.kinds[self.at]
        if word in KEYWORDS:
            return self.keyword_as_name(expected)
        self.fail(expected)
        return Name("", span=self.gap())

    def named_token(self) -> Name:
        """The token at hand as a name, whatever it is."""
        name = Name(self.spelling(), span=self.token_span())
        self.at += 1
        return name

    def keyword_as_name(self, expected: str = "a name") -> Name:
        span, word = self.token_span(), self.spelling()
        self.fail(expected, messages.needs_brackets(word), "KS228")
        self.at += 1
        return Name(word, span=span)

    # --- patterns

    def wildcard_length(self, at: int) -> int:
        """How many adjacent tokens make a pattern with `*` at index `at`; 0 when there is none."""
        kinds, starts, ends = self.kinds, self.starts, self.ends
        if kinds[at] != "*" and not (kinds[at] in DECLARED_NAMES and kinds[at + 1] == "*" and starts[at + 1] == ends[at]):
            return 0
        end = at + 1
        while kinds[end] in _WILD_PARTS and starts[end] == ends[end - 1]:
            end += 1
        return end - at

    def optional_wildcard(self) -> Wildcard | None:
        """`abc*`, `*_s`, `*`; also in brackets, `[*abc*]`."""
        start, bracket = self.start(), self.kinds[self.at] == "["
        first = self.at + 1 if bracket else self.at
        length = self.wildcard_length(first)
        if not length or (bracket and self.kinds[first + length] != "]"):
            return None
        pattern = self.text[self.starts[first] : self.ends[first + length - 1]]
        self.at = first + length + (1 if bracket else 0)
        return Wildcard(pattern, span=self.span(start))

    def column_pattern(self) -> Expr:
        """A column name or a pattern: project-away, -keep and -reorder."""
        wildcard = self.optional_wildcard()
        if wildcard is not None:
            return wildcard
        name = self.name("a column name")
        return NameRef(name.text, span=name.span)

    # --- types and schemas

    def type_name(self, known: object = DECLARABLE) -> str:
        """The word of a type; an unknown word is reported (KS160) and kept."""
        word = self.spelling()
        if word in DECLARABLE or (known is TYPEOF_NAMES and word in TYPEOF_NAMES):
            self.at += 1
            return word
        if self.kinds[self.at] in BARE_NAMES or word in KEYWORDS:
            self.fail("a type name", messages.type_hints(word), "KS160")
            self.at += 1
            return word
        self.fail("a type name")
        return ""

    def column_declaration(self) -> ColumnDecl:
        """`name: type`."""
        start = self.start()
        name = self.name("a column name", DECLARED_NAMES)
        kind = self.type_name() if self.expect(":") else None
        return ColumnDecl(name, kind, span=self.span(start))

    def schema(self, *, star: bool = False) -> Schema:
        """`(name: type, ...)`; with `star`, also `(*)` and `(*, name: type)`."""
        start = self.start()
        if not self.expect("(", "'(' and the columns, for example (Name: string, Count: long)"):
            return Schema((), span=self.gap())
        self.take(",")
        is_open = star and self.take("*")
        if is_open:
            self.take(",")
        columns = self.items(self.column_declaration, trailing=True)
        self.close(")")
        return Schema(columns, is_open, span=self.span(start))
