"""Where the parser stands: the token stream, positions, diagnostics and how to go on after an error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from inspect import currentframe
from typing import TypeVar

from toolkit.kql.diagnostics import Diagnostic, Stage
from toolkit.kql.lexer import END, Tokens
from toolkit.kql.parser import messages
from toolkit.kql.source import Span
from toolkit.kql.syntax import Expr, Missing

T = TypeVar("T")

LIST_ENDS = frozenset({")", "]", "}", "|", ";", END})
"""Tokens at which every list, operator and expression ends, and at which parsing goes on after an error."""

NO_CLAUSES: frozenset[str] = frozenset()

_CLOSERS = {"(": ")", "[": "]", "{": "}"}
MAX_DEPTH = 100
"""How deep expressions and subqueries may be nested; beyond that a diagnostic stands instead of a Python stack overflow."""

MAX_CHAIN = 400
"""How many operands a chain of `+` or members of a path may have, because the tree is as deep as the chain is long."""


_FRAMES_FOR_EIGHT_LEVELS = 160


def stack_is_short() -> bool:
    """Whether Python's stack may not hold eight more levels of nesting, in whatever depth the caller called the parser."""
    frame, frames = currentframe(), 0
    while frame is not None:
        frame, frames = frame.f_back, frames + 1
    return sys.getrecursionlimit() - frames < _FRAMES_FOR_EIGHT_LEVELS


def _groups_with_pipe(kinds: list[str]) -> set[int]:
    """The indexes of all `(` that hold a subquery, found in one pass."""
    found: set[int] = set()
    open_groups: list[int] = []
    for at, kind in enumerate(kinds):
        if kind == "(":
            open_groups.append(at)
        elif kind == ")":
            if open_groups:
                open_groups.pop()
        elif kind == "|" and open_groups and open_groups[-1] >= 0:
            found.add(open_groups[-1])
        elif kind == "," and open_groups:
            open_groups[-1] = -1
        elif kind == ";":
            open_groups.clear()
    return found


class Stream:
    """The tokens of one text, the place in them, and what was found wrong so far.

    At most one finding is kept per token: what follows from it says nothing new.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.text = tokens.text
        self.kinds = tokens.kinds
        self.starts = tokens.starts
        self.ends = tokens.ends
        self.at = 0
        self.depth = 0
        self.found: list[Diagnostic] = []
        self._reported_at = -1
        self._subqueries: set[int] | None = None
        for start, end in tokens.block_comments:
            hint = "KQL has no block comments: each line of a comment starts with '//'."
            span = Span(start, min(end, start + 2))
            self.report("unexpected-token", "Expected '//' before a comment, found '/*'.", span, (hint,), "KS198")

    # --- looking and moving

    @property
    def kind(self) -> str:
        return self.kinds[self.at]

    def spelling(self, ahead: int = 0) -> str:
        return self.tokens.spelling(self.at + ahead)

    def take(self, kind: str) -> bool:
        """Step over a token of this kind, if it is next."""
        if self.kinds[self.at] == kind:
            self.at += 1
            return True
        return False

    def adjacent(self, ahead: int) -> bool:
        """Whether the token `ahead` of here directly touches the one before it."""
        at = self.at + ahead
        return at > 0 and self.starts[at] == self.ends[at - 1]

    def matching(self, at: int) -> int:
        """The index of the token that closes the bracket at index `at`, or of the end."""
        depth, kinds = 0, self.kinds
        while True:
            kind = kinds[at]
            if kind in _CLOSERS:
                depth += 1
            elif kind in (")", "]", "}"):
                depth -= 1
                if depth <= 0:
                    return at
            elif kind is END or kind == END:
                return at
            at += 1

    def holds_subquery(self, opening: int) -> bool:
        """Whether the group that opens at index `opening` has a `|` of its own before its first comma: then it is one subquery."""
        if self._subqueries is None:
            self._subqueries = _groups_with_pipe(self.kinds)
        return opening in self._subqueries

    # --- spans

    def start(self) -> int:
        return self.starts[self.at]

    def span(self, start: int) -> Span:
        """From the offset `start` to the end of the token last stepped over."""
        end = self.ends[self.at - 1] if self.at else 0
        return Span(start, max(start, end))

    def token_span(self) -> Span:
        return Span(self.starts[self.at], self.ends[self.at])

    def gap(self) -> Span:
        """The empty place right after the last token: where something is missing."""
        end = self.ends[self.at - 1] if self.at else 0
        return Span(end, end)

    # --- findings

    def report(
        self, code: str, message: str, span: Span, hints: Iterable[str] = (), alias: str | None = None, stage: Stage = "syntax"
    ) -> None:
        self.found.append(Diagnostic(code, "error", stage, message, span.start, span.end, tuple(hints), alias))

    def fail(self, expected: str, hints: Iterable[str] = (), alias: str | None = None) -> None:
        """Expected something else here. Says so once per token."""
        if self._reported_at == self.at:
            return
        self._reported_at = self.at
        hints = tuple(hints) or messages.hints_at(self)
        span = self.token_span() if self.kinds[self.at] != END else self.gap()
        code = "expected-token" if alias in (None, "KS005") else messages.CODES.get(alias, "unexpected-token")
        self.report(code, f"Expected {expected}, found {messages.describe(self)}.", span, hints, alias or "KS005")

    def expect(self, kind: str, expected: str | None = None) -> bool:
        if self.kinds[self.at] == kind:
            self.at += 1
            return True
        self.fail(expected or f"'{kind}'")
        return False

    # --- going on after an error

    def skip_to(self, *stops: str) -> None:
        """Step over tokens, and over whole bracketed groups, up to one of `stops` or the end of the enclosing construct."""
        kinds = self.kinds
        while True:
            kind = kinds[self.at]
            if kind in stops or kind in LIST_ENDS:
                return
            self.at = self.matching(self.at) if kind in _CLOSERS else self.at
            if kinds[self.at] == END:
                return
            self.at += 1

    def close(self, kind: str) -> None:
        """The closing bracket of a group, skipping what does not belong to the group."""
        if self.kinds[self.at] == kind:
            self.at += 1
            return
        self.fail(f"'{kind}'", messages.unclosed_hint(self, kind))
        if self.kinds[self.at] not in LIST_ENDS:
            self.skip_to(kind)
        if self.kinds[self.at] == kind:
            self.at += 1

    def items(
        self, item: Callable[[], T], clauses: frozenset[str] = NO_CLAUSES, *, trailing: bool = False, required: str | None = None
    ) -> tuple[T, ...]:
        """Elements separated by commas.

        `clauses` are words that begin what follows the list, `trailing` allows a comma at the end, and `required` names the
        element in the message when there is none at all. After a bad element parsing goes on behind the next comma.
        """
        kinds, found = self.kinds, []
        if required is None and (kinds[self.at] in LIST_ENDS or kinds[self.at] in clauses):
            return ()
        while True:
            before = self.at
            if kinds[self.at] in clauses and kinds[self.at] != "bin":
                self.fail(required or "an expression", alias="KS006")
                break
            found.append(item())
            kind = kinds[self.at]
            if kind == ",":
                self.at += 1
                if trailing and kinds[self.at] in LIST_ENDS:
                    break
            elif kind in LIST_ENDS or kind in clauses or not self._next_element(before):
                break
        return tuple(found)

    def _next_element(self, before: int) -> bool:
        """Between two elements without a comma: whether there is another element to read."""
        if self.is_operator_word(self.at) and self.kinds[self.at + 1] not in LIST_ENDS and self.at > before:
            return False
        self.fail("','")
        if self.at == before:
            self.at += 1
        self.skip_to(",")
        return self.take(",")

    def is_operator_word(self, at: int) -> bool:
        """Whether the token at index `at` begins an operator."""
        return self.kinds[at] in messages.OPERATOR_WORDS

    # --- nesting

    def enter(self) -> bool:
        """One level deeper; False with a diagnostic when that is too deep, and then the rest of the text is skipped."""
        self.depth += 1
        if self.depth <= MAX_DEPTH and (self.depth % 8 or not stack_is_short()):
            return True
        self.depth -= 1
        self.too_deep()
        return False

    def nested(self, parse: Callable[[], Expr]) -> Expr:
        """What `parse` reads, one level deeper."""
        if not self.enter():
            return Missing(span=self.gap())
        inner = parse()
        self.depth -= 1
        return inner

    def too_deep(self) -> None:
        hint = "A part of it can be named with 'let' and used by its name."
        self.report("nested-too-deeply", "This part of the query is nested too deeply to be read.", self.token_span(), (hint,), "KS197")
        self.give_up()

    def give_up(self) -> None:
        """Step to the end of the text; nothing more is reported."""
        self.at = len(self.kinds) - 4
        self._reported_at = self.at
