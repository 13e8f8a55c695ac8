"""Operators' options, `name = value` (R-002): their names and their values."""

from __future__ import annotations

from collections.abc import Iterable

from toolkit.kql.keywords import HINT_WORDS, KEYWORDS
from toolkit.kql.lexer import IDENTIFIER
from toolkit.kql.parser.literals import Literals
from toolkit.kql.syntax import Expr, Missing, NameRef, Parameter

KNOWN_PARAMETERS = HINT_WORDS | frozenset(
    """bagexpansion bin_legacy cycles decodeblocks expandoutput force_remote isfuzzy kind with_itemindex with_match_id with_source
    with_step_name withsource best_effort __crossCluster __crossDB __id __isFuzzy __noWithSource __packedColumn
    __sourceColumnIndex""".split()
)
"""Options that every operator's grammar takes; whether they make sense there is the binder's question."""

_LIST_VALUES = frozenset({"hint.shufflekey", "hint.pass_filters_column"})


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
        kind = self.kinds[self.at]
        if kind == IDENTIFIER or kind in KEYWORDS:
            self.at += 1
            return NameRef(self.tokens.spelling(self.at - 1), span=self.span(self.starts[self.at - 1]))
        name = self.optional_name()
        if name is not None:
            return NameRef(name.text, span=name.span)
        self.fail("a value")
        return Missing(span=self.gap())
