"""Operators' options, `name = value` (R-002): their names and their values."""

from __future__ import annotations

from collections.abc import Iterable

from toolkit.kql.diagnostics import suggestion
from toolkit.kql.keywords import HINT_WORDS, KEYWORDS
from toolkit.kql.lexer import IDENTIFIER
from toolkit.kql.parser.literals import Literals
from toolkit.kql.parser.names import BARE_NAMES, DECLARED_NAMES
from toolkit.kql.syntax import Expr, Missing, NameRef, Parameter

KNOWN_PARAMETERS = HINT_WORDS | frozenset(
    """bagexpansion bin_legacy cycles decodeblocks expandoutput force_remote isfuzzy kind with_itemindex with_match_id with_source
    with_step_name withsource best_effort __crossCluster __crossDB __id __isFuzzy __noWithSource __packedColumn
    __sourceColumnIndex""".split()
)
"""Options that every operator's grammar takes; whether they make sense there is the binder's question."""

_VALUE_WORDS = BARE_NAMES | {"simple", "relaxed", "nooptimization"}


class Parameters(Literals):
    """Reading options."""

    def parameter_list(self, own: Iterable[str] = ()) -> tuple[Parameter, ...]:
        """`name = value` as often as it comes; `own` are the operator's names besides the common ones."""
        found: list[Parameter] = []
        while self.kinds[self.at + 1] == "=" and self.is_parameter_name(own):
            found.append(self.parameter())
        return tuple(found)

    def is_parameter_name(self, own: Iterable[str] = ()) -> bool:
        kind = self.kinds[self.at]
        if kind in KNOWN_PARAMETERS:
            return True
        return ((kind == IDENTIFIER or kind in KEYWORDS) and self.spelling() in own) or self.spelling() in KNOWN_PARAMETERS

    def parameter(self) -> Parameter:
        """`name = value`; the name is whatever stands there."""
        start, name = self.start(), self.spelling()
        self.at += 1
        if not self.expect("="):
            return Parameter(name, Missing(span=self.gap()), span=self.span(start))
        return Parameter(name, self.parameter_value(), span=self.span(start))

    def parameter_value(self) -> Expr:
        literal = self.optional_literal()
        if literal is not None:
            return literal
        name = self.optional_name(_VALUE_WORDS)
        if name is not None:
            return NameRef(name.text, span=name.span)
        self.fail("a value")
        return Missing(span=self.gap())

    def property(self) -> Parameter:
        """`name = value` of an external table or a restriction: any name, a constant or a word."""
        start = self.start()
        name = self.name("the name of an option", DECLARED_NAMES)
        self.expect("=")
        value = self.optional_literal()
        if value is None:
            word = self.name("a value", DECLARED_NAMES)
            value = NameRef(word.text, span=word.span)
        return Parameter(name.text, value, span=self.span(start))

    def property_list(self, own: Iterable[str]) -> tuple[Parameter, ...]:
        """`(name = value, ...)` where only the names of `own` are known."""
        if not self.expect("("):
            return ()
        found = self.items(lambda: self.known_property(own))
        self.close(")")
        return found

    def known_property(self, own: Iterable[str]) -> Parameter:
        if self.spelling() not in own:
            self.fail("the name of an option", suggestion(self.spelling(), own) or (f"The options are {', '.join(own)}.",))
        return self.parameter()
