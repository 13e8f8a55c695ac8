"""Scalar expressions: precedence climbing over one table of operators (R-022)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from toolkit.kql.diagnostics import Diagnostic, Stage
from toolkit.kql.keywords import KEYWORDS
from toolkit.kql.lexer import BAD, IDENTIFIER, LITERAL_KINDS
from toolkit.kql.parser import messages, mistakes
from toolkit.kql.parser.names import BARE_NAMES, DECLARED_NAMES, PATH_NAMES
from toolkit.kql.parser.parameters import Parameters
from toolkit.kql.parser.stream import LIST_ENDS, MAX_CHAIN
from toolkit.kql.source import Span
from toolkit.kql.syntax import (
    Between,
    Binary,
    Call,
    Expr,
    In,
    Index,
    Missing,
    Name,
    Named,
    NamedArgument,
    NameRef,
    Parameter,
    Path,
    Star,
    ToScalar,
    ToTable,
    Unary,
)

OR, AND, EQUALITY, RELATION, SUM, PRODUCT, TEXT = range(1, 8)

_STRING_OPERATORS = """=~ !~ has !has has_cs !has_cs hasprefix !hasprefix hasprefix_cs !hasprefix_cs hassuffix !hassuffix hassuffix_cs
    !hassuffix_cs like notlike likecs notlikecs contains !contains contains_cs !contains_cs startswith !startswith startswith_cs
    !startswith_cs endswith !endswith endswith_cs !endswith_cs""".split()

BINARY: dict[str, tuple[int, str]] = {
    "or": (OR, "or"),
    "and": (AND, "and"),
    "==": (EQUALITY, "=="),
    "!=": (EQUALITY, "!="),
    "<>": (EQUALITY, "!="),
    **{word: (EQUALITY, word) for word in ("in", "!in", "in~", "!in~", "has_any", "has_all", "between", "!between")},
    **{word: (RELATION, word) for word in ("<", ">", "<=", ">=")},
    "+": (SUM, "+"),
    "-": (SUM, "-"),
    "*": (PRODUCT, "*"),
    "/": (PRODUCT, "/"),
    "%": (PRODUCT, "%"),
    **{word: (TEXT, word) for word in _STRING_OPERATORS},
    "matches regex": (TEXT, "matches regex"),
    "notcontains": (TEXT, "!contains"),
    "containscs": (TEXT, "contains_cs"),
    "notcontainscs": (TEXT, "!contains_cs"),
    ":": (TEXT, ":"),
}
"""Spelling -> precedence (loosest first) and canonical spelling."""

MEMBERSHIP = frozenset({"in", "!in", "in~", "!in~", "has_any", "has_all"})
MISTAKABLE = frozenset({IDENTIFIER, BAD, "&&", "||", "="})
"""Tokens after an operand that may be an operator written wrongly."""

_AFTER_A_NAME = LIST_ENDS | {",", "=", "."}
_CHAINS = frozenset({OR, AND})
_ASSOCIATIVE = frozenset({OR, AND, SUM, PRODUCT})
_AFTER_STAR = frozenset(word for word, (level, _) in BINARY.items() if level == TEXT) | {"=="}


def combined(operator: str, operands: list[Expr], places: list[Span]) -> Expr:
    """A chain of `and` or `or` as a tree whose depth grows with the logarithm of its length when it is long.

    Up to 32 operands the tree leans to the left as it does in every grammar; both shapes mean the same, and a long chain
    would otherwise make every recursive reader of the tree run out of stack.
    """
    if len(operands) <= 32:
        left = operands[0]
        for right, place in zip(operands[1:], places, strict=True):
            left = Binary(operator, left, right, span=left.span.cover(right.span), operator_span=place)
        return left
    middle = len(operands) // 2
    first = combined(operator, operands[:middle], places[: middle - 1])
    second = combined(operator, operands[middle:], places[middle:])
    return Binary(operator, first, second, span=first.span.cover(second.span), operator_span=places[middle - 1])


class Expressions(Parameters, ABC):
    """Reading scalar expressions. Where one is required and missing, `Missing` stands and a diagnostic says so."""

    @abstractmethod
    def query_expression(self) -> Expr:
        """A scalar or tabular expression, with its pipes; the whole of what parentheses may hold."""

    @abstractmethod
    def starts_query(self) -> bool:
        """Whether what stands here can only be read as a tabular expression."""

    @abstractmethod
    def source_expression(self) -> Expr | None:
        """datatable, externaldata and the like, when one begins here."""

    def missing(self, expected: str = "an expression") -> Missing:
        kind = self.kinds[self.at]
        if kind in KEYWORDS and self.kinds[self.at + 1] in _AFTER_A_NAME:
            self.fail(expected, messages.needs_brackets(self.spelling()), "KS006")
        else:
            self.fail(expected, alias="KS006" if kind != BAD else "KS002")
        return Missing(span=self.gap())

    # --- operators

    def expression(self, floor: int = OR) -> Expr:
        """An expression of operators that bind at least as tightly as `floor`."""
        left = self.operand()
        kind = self.kinds[self.at]
        entry = BINARY.get(kind)
        if entry is None:
            if kind not in MISTAKABLE or not mistakes.repaired(self, condition=self.in_condition):
                return left
            entry = BINARY[self.kinds[self.at]]
        return self._operations(left, floor, entry)

    def _operations(self, left: Expr, floor: int, entry: tuple[int, str] | None) -> Expr:
        kinds, ceiling, links = self.kinds, TEXT, 0
        while entry is not None:
            level, operator = entry
            if level < floor or level > ceiling or self._other_meaning(operator):
                break
            if level in _CHAINS:
                left = self._chain(left, level, operator)
            else:
                links += 1
                if links > MAX_CHAIN:
                    self.too_deep()
                    break
                place = self.token_span()
                if operator == "-" and kinds[self.at + 1] == "-" and self.adjacent(1):
                    self._warn_of_comment()
                self.at += 1
                left = self._right_side(left, level, operator, place)
            ceiling = level if level in _ASSOCIATIVE else level - 1
            entry = BINARY.get(kinds[self.at])
            if entry is None and kinds[self.at] in MISTAKABLE and mistakes.repaired(self, condition=self.in_condition):
                entry = BINARY[kinds[self.at]]
        if entry is not None and floor <= entry[0] > ceiling:
            self._not_chainable(entry[1])
        return left

    in_condition = False

    def condition(self) -> Expr:
        """An expression in which a lone `=` can only be meant as `==`."""
        before, self.in_condition = self.in_condition, True
        found = self.expression()
        self.in_condition = before
        return found

    def _warn_of_comment(self) -> None:
        hint = "A comment starts with '//'. For a subtraction put a blank between the two signs."
        span = Span(self.starts[self.at], self.ends[self.at + 1])
        self.found.append(Diagnostic("minus-minus", "warning", "syntax", "'--' does not begin a comment.", *span, (hint,)))

    def _other_meaning(self, operator: str) -> bool:
        """`in range(...)` belongs to make-series; `--` and `-[` in a graph pattern never get here."""
        return operator == "in" and self.kinds[self.at + 1] == "range"

    def _not_chainable(self, operator: str) -> None:
        hint = f"'{operator}' cannot follow another comparison: put one of them in parentheses, or join two comparisons by 'and'."
        self.fail("'and', 'or' or the end of the expression", (hint,), "KS198")

    def _chain(self, left: Expr, level: int, operator: str) -> Expr:
        operands, places, kinds = [left], [], self.kinds
        while kinds[self.at] == operator:
            places.append(self.token_span())
            self.at += 1
            operands.append(self.expression(level + 1))
        return combined(operator, operands, places)

    def _right_side(self, left: Expr, level: int, operator: str, place: Span) -> Expr:
        start = left.span.start
        if level == EQUALITY:
            if operator in MEMBERSHIP:
                items = self.membership_list()
                return In(operator, left, items, span=self.span(start))
            if operator in ("between", "!between"):
                low, high = self._range()
                return Between(left, low, high, operator[0] == "!", span=self.span(start))
        right = self.operand() if level == TEXT else self.expression(level + 1)
        return Binary(operator, left, right, span=self.span(start), operator_span=place)

    def membership_list(self) -> tuple[Expr, ...]:
        if not self.expect("(", "'(' and a list of values") or not self.enter():
            return ()
        if self.starts_query() or self.holds_subquery(self.at - 1):
            items: tuple[Expr, ...] = (self.query_expression(),)
        else:
            items = self.items(self.expression, required="a value")
        self.depth -= 1
        self.close(")")
        return items

    def _range(self) -> tuple[Expr, Expr]:
        if not self.expect("(", "'(' and two bounds, as in between (1 .. 5)"):
            return self.missing(), self.missing()
        low = self.nested(self.expression)
        high = self.nested(self.expression) if self.expect("..", "'..' between the two bounds") else self.missing()
        self.close(")")
        return low, high

    # --- operands

    def operand(self) -> Expr:
        """A signed or unsigned primary with its members and indexes."""
        kind = self.kinds[self.at]
        if kind == IDENTIFIER:
            return self._named_operand()
        if kind in ("-", "+"):
            start = self.start()
            self.at += 1
            if self.kinds[self.at] in ("-", "+"):
                return self.missing()
            inner = self.primary()
            return Unary(kind, inner, span=self.span(start))
        if kind == "*" and self.kinds[self.at + 1] in _AFTER_STAR:
            self.at += 1
            return Star(span=self.span(self.starts[self.at - 1]))
        return self.primary()

    def _named_operand(self) -> Expr:
        at = self.at
        following = self.kinds[at + 1]
        if following == "(":
            return self.members(self.call())
        self.at = at + 1
        ref = NameRef(self.tokens.spelling(at), span=Span(self.starts[at], self.ends[at]))
        return self.members(ref) if following in (".", "[", "datascope") else ref

    def primary(self) -> Expr:
        kind = self.kinds[self.at]
        if kind == IDENTIFIER:
            return self._named_operand()
        if kind in LITERAL_KINDS:
            literal = self.literal()
            return self.members(literal) if self.kinds[self.at] in (".", "[") else literal
        if kind == "(":
            return self.members(self.parenthesised())
        found = self._keyword_primary(kind)
        return self.missing() if found is None else self.members(found)

    def _keyword_primary(self, kind: str) -> Expr | None:
        if kind == "dynamic" and self.kinds[self.at + 1] == "(":
            return self.dynamic_literal()
        if kind == "typeof" and self.kinds[self.at + 1] == "(":
            return self.type_literal()
        if kind == "toscalar":
            return self._subquery_call(ToScalar)
        if kind == "totable":
            return self._subquery_call(ToTable)
        source = self.source_expression()
        if source is not None:
            return source
        if self.kinds[self.at + 1] == "(" and kind in BARE_NAMES:
            return self.call()
        name = self.optional_name(PATH_NAMES)
        if name is not None:
            return self.call(name) if kind in ("[", "{") and self.kinds[self.at] == "(" else NameRef(name.text, span=name.span)
        return self._unusual_primary(kind)

    def _unusual_primary(self, kind: str) -> Expr | None:
        if kind == "[":
            return self.optional_wildcard() or self._bracketed_expression()
        if kind == "@":
            return self._at_sign()
        if kind in KEYWORDS and self._keyword_stands_for_name():
            name = self.keyword_as_name("an expression")
            return NameRef(name.text, span=name.span)
        return None

    def _bracketed_expression(self) -> Expr:
        """`[expr]` with nothing before it: grammatical to Microsoft's analyzer, and then no value."""
        start = self.start()
        self.at += 1
        elements: list[Expr] = []
        inner = self.nested(lambda: self._elements(elements))
        self.close("]")
        stage: Stage = "semantic" if len(elements) == 1 else "syntax"
        hint = "A name in brackets is quoted: ['name']. A list is written dynamic([...]) or pack_array(...)."
        self.report("unexpected-token", "Expected an expression, found '['.", self.span(start), (hint,), "KS141", stage)
        return inner

    def _elements(self, found: list[Expr]) -> Expr:
        found.extend(self.items(self.expression))
        return found[0] if found else self.missing()

    def _at_sign(self) -> Expr:
        """`@` alone: a name to Microsoft's analyzer, which means something only in management commands."""
        self.report("unexpected-token", "Expected an expression, found '@'.", self.token_span(), (), "KS142", "semantic")
        self.at += 1
        return Missing(span=self.gap())

    def _keyword_stands_for_name(self) -> bool:
        """A reserved word followed by what only follows a name: it was meant as one (KS228)."""
        following = self.kinds[self.at + 1]
        return following in (")", "]", "}", ",", ".", "|", "==", "!=") or (following in BINARY and following not in ("+", "-", "<>"))

    def _subquery_call(self, node: Callable[..., ToScalar | ToTable]) -> Expr:
        start = self.start()
        self.at += 1
        parameters = self.parameter_list(("kind",))
        body: Expr = Missing(span=self.gap())
        if self.expect("("):
            body = self.nested(self.query_expression)
            self.close(")")
        return node(body, parameters, span=self.span(start))

    # --- calls, members, indexes

    def call(self, name: Name | None = None) -> Call:
        """`name(arguments)`; the name is the current token unless given."""
        if name is None:
            name = Name(self.tokens.spelling(self.at), span=self.token_span())
            self.at += 1
        arguments: tuple[Expr, ...] = ()
        if self.expect("("):
            arguments = self._arguments()
        return Call(name, arguments, span=self.span(name.span.start))

    def _arguments(self) -> tuple[Expr, ...]:
        if self.kinds[self.at] == ")":
            self.at += 1
            return ()
        if not self.enter():
            return ()
        wildcards, self.wildcards_allowed = self.wildcards_allowed, False
        arguments = self.items(self.argument)
        self.wildcards_allowed = wildcards
        self.depth -= 1
        self.close(")")
        return arguments

    def argument(self) -> Expr:
        kind, following = self.kinds[self.at], self.kinds[self.at + 1]
        if following in (",", ")"):
            if kind == "*":
                self.at += 1
                return Star(span=self.span(self.starts[self.at - 1]))
        elif (following == "=" and kind in DECLARED_NAMES) or (kind in ("[", "{") and self.definition_length()):
            start = self.start()
            name = self.name(allowed=DECLARED_NAMES)
            self.at += 1
            return NamedArgument(name, self.expression(), span=self.span(start))
        elif kind == "(" and self.definition_length():
            return self.item()
        return self.expression()

    def members(self, base: Expr) -> Expr:
        """`.name`, `.name(...)`, `.['name']` and `[index]` behind an expression, as many as there are."""
        kinds, start, links = self.kinds, base.span.start, 0
        while True:
            kind = kinds[self.at]
            if kind == ".":
                self.at += 1
                base = self._member(base, start)
            elif kind == "[":
                self.at += 1
                index = self.nested(self.expression)
                self.close("]")
                base = Index(base, index, span=self.span(start))
            elif kind == "datascope" and isinstance(base, NameRef):
                self.data_scope()
            else:
                return base
            links += 1
            if links > MAX_CHAIN:
                self.too_deep()
                return base

    def _member(self, base: Expr, start: int) -> Expr:
        kind = self.kinds[self.at]
        length = self.name_length(self.at, BARE_NAMES)
        if length and self.kinds[self.at + length] == "(":
            return Path(base, self.call(self.name()), span=self.span(start))
        if kind == "[" and not self.name_length(self.at, BARE_NAMES):
            self.at += 1
            index = self.nested(self.expression)
            self.close("]")
            return Index(base, index, span=self.span(start))
        wildcard = self.optional_wildcard() if kind != "[" and self.wildcards_allowed else None
        member = wildcard or self.name("a member name", PATH_NAMES)
        return Path(base, member, span=self.span(start))

    def required_call(self, expected: str) -> Call:
        """`name(arguments)` where nothing else may stand."""
        length = self.name_length(self.at, BARE_NAMES)
        if length and self.kinds[self.at + length] == "(":
            return self.call(self.name(expected))
        name = self.name(expected)
        self.fail("'(' and the arguments")
        return Call(name, (), span=self.span(name.span.start))

    # --- tables and patterns of tables

    wildcards_allowed = False

    def entity_pattern(self) -> Expr:
        """A table, function call, path of them, or a pattern such as `T*` or `database("d").*`."""
        wildcard = self.optional_wildcard()
        if wildcard is not None:
            return wildcard
        kind = self.kinds[self.at]
        base: Expr
        if self.kinds[self.at + 1] == "(" and kind in BARE_NAMES:
            base = self.call()
        else:
            name = self.name("a table", PATH_NAMES)
            base = NameRef(name.text, span=name.span)
        self.wildcards_allowed = True
        found = self.members(base)
        self.wildcards_allowed = False
        return found

    def property_group(self) -> tuple[Parameter, ...]:
        """`(name = value, ...)`."""
        if not self.expect("("):
            return ()
        found = self.items(self.property)
        self.close(")")
        return found

    def data_scope(self) -> None:
        """`datascope=hotcache`: which part of a table is read; it does not change what a query means."""
        self.at += 1
        self.expect("=")
        if self.spelling() in ("hotcache", "all"):
            self.at += 1
        else:
            self.fail("'hotcache' or 'all'")

    # --- grouping

    def parenthesised(self) -> Expr:
        start = self.start()
        self.at += 1
        inner: Expr = Missing(span=self.gap())
        if self.enter():
            inner = self.query_expression()
            self.depth -= 1
        self.close(")")
        return self.group(inner, self.span(start))

    @abstractmethod
    def group(self, inner: Expr, span: Span) -> Expr:
        """An expression in parentheses: a Pipeline keeps them itself, everything else gets a Paren."""

    # --- named items

    def definition_length(self) -> int:
        """How many tokens `name =` or `(a, b) =` takes here; 0 when the item has no name."""
        at, kinds = self.at, self.kinds
        if kinds[at] == "(":
            end = at + 1
            while (length := self.name_length(end, DECLARED_NAMES)) > 0:
                end += length
                if kinds[end] != ",":
                    break
                end += 1
            return end + 2 - at if kinds[end] == ")" and kinds[end + 1] == "=" and end > at + 1 else 0
        length = self.name_length(at, DECLARED_NAMES)
        return length + 1 if length and kinds[at + length] == "=" else 0

    def item(self) -> Named:
        """`expr`, `name = expr` or `(a, b) = expr`."""
        start, kind = self.start(), self.kinds[self.at]
        if self.kinds[self.at + 1] == "=" and kind in DECLARED_NAMES:
            name = Name(self.tokens.spelling(self.at), span=self.token_span())
            self.at += 2
            return Named((name,), self.expression(), span=self.span(start))
        if kind in ("(", "[", "{") and self.definition_length():
            return self._unusual_item(start)
        if self.kinds[self.at + 1] == "-" and kind in DECLARED_NAMES and self._dashed_name():
            return self._dashed_item(start)
        value = self.expression()
        return Named((), value, span=value.span)

    def _unusual_item(self, start: int) -> Named:
        if self.kinds[self.at] != "(":
            names: tuple[Name, ...] = (self.name(allowed=DECLARED_NAMES),)
            self.at += 1
            return Named(names, self.expression(), span=self.span(start))
        self.at += 1
        names = self.items(lambda: self.name(allowed=DECLARED_NAMES))
        self.at += 2
        return Named(names, self.expression(), True, span=self.span(start))

    def _dashed_name(self) -> int:
        """The index behind `a-b-c` when `=` follows it; 0 otherwise."""
        end = self.at + 1
        while self.starts[end] == self.ends[end - 1] and (self.kinds[end] == "-" or self.kinds[end] in DECLARED_NAMES):
            end += 1
        return end if self.kinds[end] == "=" else 0

    def _dashed_item(self, start: int) -> Named:
        end = self._dashed_name()
        text = self.text[start : self.ends[end - 1]]
        span = Span(start, self.ends[end - 1])
        self.report("needs-brackets", f"Expected a name, found '{text}'.", span, (f"A name with '-' is written ['{text}'].",), "KS228")
        self.at = end + 1
        return Named((Name(text, span=span),), self.expression(), span=self.span(start))
