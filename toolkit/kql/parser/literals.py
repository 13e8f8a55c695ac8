"""Literals in the token stream: strings that join, typed literals, dynamic and typeof."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from toolkit.kql.lexer import BAD_STRING, BOOL, CURLY_STRING, GUID, IDENTIFIER, LITERAL_KINDS, LONG, REAL, STRING, STRINGS, TIMESPAN, TYPED
from toolkit.kql.literals import LiteralError, json_of, number_value, string_value, typed_value
from toolkit.kql.parser import messages
from toolkit.kql.parser.names import BARE_NAMES, Names
from toolkit.kql.source import Span
from toolkit.kql.syntax import Expr, Literal, Missing, NameRef, Unary
from toolkit.kql.times import parse_timespan_literal
from toolkit.kql.types import TYPEOF_NAMES

_BAD_ESCAPE = re.compile(r"""\\(?:[\\'"abfnrtv]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-3]?[0-7]{1,2}|(.))""")
_BACKSLASH_HINT = "Write a backslash as '\\\\', or use a verbatim string: @'C:\\Windows'."


class Literals(Names):
    """Reading literals. A bad one is reported, kept by its text, and has the value None."""

    def literal(self) -> Literal:
        """The literal at hand: any of LITERAL_KINDS."""
        kind = self.kinds[self.at]
        if kind in STRINGS:
            return self.string()
        start, text = self.start(), self.spelling()
        self.at += 1
        try:
            found, value = self._value(kind, text)
        except LiteralError as error:
            found, value = error.kind, None
            self.bad_literal(error, self.span(start))
        return Literal(found, text, value, span=self.span(start))

    def _value(self, kind: str, text: str) -> tuple[str, object]:
        if kind == LONG:
            return "long", number_value(LONG, text)
        if kind == REAL:
            return "real", number_value(REAL, text)
        if kind == TIMESPAN:
            return "timespan", parse_timespan_literal(text)
        if kind == BOOL:
            return "bool", text.lower() == "true"
        if kind == GUID:
            hint = f"A guid outside dynamic(...) is written guid({text})."
            self.report("bare-guid", "Expected an expression, found a bare guid.", self._last(), (hint,), "KS214")
            return "guid", text.lower()
        if not text.endswith(")"):
            self.report("expected-token", "Expected ')' on the same line.", self._last(), (), "KS001")
        return typed_value(text)

    def _last(self) -> Span:
        return Span(self.starts[self.at - 1], self.ends[self.at - 1])

    def bad_literal(self, error: LiteralError, span: Span) -> None:
        self.report("bad-literal", str(error), span, stage="semantic")

    def string(self) -> Literal:
        """One or more adjacent string tokens, which are one string (R-013)."""
        start, kinds = self.start(), self.kinds
        texts, values = [], []
        while kinds[self.at] in STRINGS:
            text = self.spelling()
            texts.append(text)
            values.append(string_value(text) if kinds[self.at] == STRING else self._bad_string(text))
            self.at += 1
        span = self.span(start)
        return Literal("string", texts[0] if len(texts) == 1 else " ".join(texts), "".join(values), span=span)

    def _bad_string(self, text: str) -> str:
        start = self.starts[self.at]
        if self.kinds[self.at] == CURLY_STRING:
            hint = f'Typographic quotes do not delimit strings: write "{text[1:-1]}".'
            self.report("bad-quotes", f"Expected \" or ', found {text[0]}.", Span(start, start + 1), (hint,), "KS002")
            return text[1:-1]
        if self.kinds[self.at] == BAD_STRING:
            bad = next(match for match in _BAD_ESCAPE.finditer(text) if match.group(1) is not None)
            span = Span(start + bad.start(), start + bad.end())
            self.report("bad-escape", f"Expected an escape sequence that exists, found '{bad.group()}'.", span, (_BACKSLASH_HINT,), "KS001")
            return text
        quote = next(mark for mark in ("```", "~~~", "'", '"') if mark in text[:5])
        hints = [f"A string ends on the line it begins on, with the same quote: {quote}."] if len(quote) == 1 else []
        if f"\\{quote}" in text and "@" not in text[:2]:
            hints.insert(0, f"'\\{quote}' is a quote inside the string, not its end. {_BACKSLASH_HINT}")
        first = text.index(quote) + len(quote)
        message = f"Expected {quote} at the end of the string, found the end of the {'line' if len(quote) == 1 else 'query'}."
        self.report("unclosed-string", message, Span(start, start + first), hints, "KS001")
        return text

    def type_literal(self) -> Expr:
        """`typeof(type)`, or `typeof(schema)`; the value is the type's word."""
        start = self.start()
        self.at += 2
        if self.kinds[self.at + 1] == ")" and self.kinds[self.at] not in ("*", ")"):
            value: object = self._named_type()
        else:
            value = None
            self.items(self._type_element)
        self.close(")")
        span = self.span(start)
        return Literal("type", self.text[span.start : span.end], value, span=span)

    def _named_type(self) -> str:
        """The word in typeof(word): an unknown one is grammatical to Microsoft's analyzer, and then no type (KS160)."""
        word = self.spelling()
        if word not in TYPEOF_NAMES and self.kinds[self.at] == IDENTIFIER:
            hints = messages.type_hints(word)
            self.report("unknown-type", f"Expected a type name, found '{word}'.", self.token_span(), hints, "KS160", "semantic")
            self.at += 1
            return word
        return self.type_name(TYPEOF_NAMES)

    def _type_element(self) -> None:
        if not self.take("*"):
            self.column_declaration()

    # --- dynamic

    def dynamic_literal(self) -> Literal:
        """`dynamic(json)`; the value is compact JSON text, None for dynamic(null)."""
        start = self.start()
        self.at += 2
        parts: list[str] = []
        self._json(parts)
        self.close(")")
        span, value = self.span(start), "".join(parts)
        return Literal("dynamic", self.text[span.start : span.end], None if value == "null" else value, span=span)

    def _json(self, out: list[str]) -> None:
        kind = self.kinds[self.at]
        if kind == STRING:
            out.append(json.dumps(self.string().value, ensure_ascii=False))
        elif kind == "[":
            self._json_group(out, "[", "]", lambda: self._json(out))
        elif kind == "{" and self.name_length(self.at, BARE_NAMES):
            self.name()
            out.append("null")
        elif kind == "{":
            self._json_group(out, "{", "}", lambda: self._json_pair(out))
        elif kind in LITERAL_KINDS:
            self._json_literal(out)
        elif kind == "-" and self.kinds[self.at + 1] in (LONG, REAL):
            self.at += 1
            out.append(self._negative_json())
        elif kind == "null":
            self.at += 1
            out.append("null")
        elif kind == "dynamic" and self.kinds[self.at + 1] == "(":
            self.at += 2
            if self.enter():
                self._json(out)
                self.depth -= 1
            self.close(")")
        else:
            self._bad_json()

    def _bad_json(self) -> None:
        hints = ("dynamic(...) holds a constant: for values that are computed use pack_array(...) or bag_pack(...).",)
        self.fail("a JSON value", hints, "KS006")

    def _json_literal(self, out: list[str]) -> None:
        kind = self.kinds[self.at]
        start, text = self.start(), self.spelling()
        if kind == GUID:
            self.at += 1
            out.append(f'"{text.lower()}"')
            return
        found = self.literal()
        try:
            if kind == TYPED and found.kind == "bool":
                raise LiteralError("dynamic", text, "a JSON value")
            out.append(json_of(found.kind, found.value))
        except LiteralError as error:
            self.bad_literal(error, self.span(start))

    def _negative_json(self) -> str:
        """A number behind its minus sign. The smallest long is one only together with it; an infinity is text in JSON."""
        if self.spelling() == str(2**63):
            self.at += 1
            return str(-(2**63))
        parts: list[str] = []
        self._json_literal(parts)
        number = "".join(parts)
        return f'"-{number[1:]}' if number.startswith('"') else f"-{number}"

    def _json_group(self, out: list[str], opening: str, closing: str, element: Callable[[], None]) -> None:
        self.at += 1
        out.append(opening)
        if self.kinds[self.at] != closing and self.enter():
            self.items(lambda: self._separated(out, opening, element))
            self.depth -= 1
        out.append(closing)
        self.close(closing)

    def _separated(self, out: list[str], opening: str, element: Callable[[], None]) -> None:
        if out[-1] is not opening:
            out.append(",")
        element()

    def _json_pair(self, out: list[str]) -> None:
        if self.kinds[self.at] != STRING:
            hints = ('The names of properties are strings, as in dynamic({"a": 1}).',) if self.kinds[self.at + 1] == ":" else ()
            self.fail("a property name in quotes", hints, "KS006")
            return
        out.append(json.dumps(string_value(self.spelling()), ensure_ascii=False))
        self.at += 1
        if self.expect(":"):
            out.append(":")
            self._json(out)

    # --- where the grammar takes literals only

    def optional_literal(self) -> Expr | None:
        """A literal, a signed number, dynamic(...), typeof(...) or an unfilled `{placeholder}`; None where none of them begins."""
        kind = self.kinds[self.at]
        if kind in LITERAL_KINDS:
            return self.literal()
        if kind in ("-", "+"):
            start = self.start()
            if self.kinds[self.at + 1] in (LONG, REAL, TIMESPAN):
                self.at += 1
                if kind == "-" and self.spelling() == str(2**63):  # the smallest long is a number only with its sign
                    self.at += 1
                    return Literal("long", str(-(2**63)), -(2**63), span=self.span(start))
                number = self.literal()
                return Unary(kind, number, span=self.span(start))
            return None
        if kind == "dynamic" and self.kinds[self.at + 1] == "(":
            return self.dynamic_literal()
        if kind == "typeof" and self.kinds[self.at + 1] == "(":
            return self.type_literal()
        if kind == "{" and self.name_length(self.at, BARE_NAMES):
            name = self.name()
            return NameRef(name.text, span=name.span)
        return None

    def required_literal(self) -> Expr:
        found = self.optional_literal()
        if found is not None:
            return found
        self.fail("a constant", alias="KS006")
        return Missing(span=self.gap())
