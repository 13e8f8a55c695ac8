"""Names, literals and scalar expressions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.kql.source import NOWHERE, Span
from toolkit.kql.syntax.base import Node

if TYPE_CHECKING:
    from toolkit.kql.syntax import Expr
    from toolkit.kql.syntax.sources import Parameter


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A declared or referenced name, unescaped; `['a b']` and `a` differ only in text."""

    text: str


@dataclass(frozen=True, slots=True)
class Wildcard(Node):
    """A name pattern with `*`: `T*`, `*_s`, or `*` alone, wherever the grammar takes patterns."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Missing(Node):
    """Stands where an expression was required and none was found; a diagnostic says so."""


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A literal of any type.

    `kind` is a KQL type name, or "type" for typeof(T). `text` is the source spelling (adjacent strings joined by one
    blank); it alone is compared. `value`: str, bool, int, float, Decimal, int ticks of 100 ns for datetime (since
    0001-01-01) and timespan, canonical lower-case text for guid, JSON text (compact, R-021) for dynamic, None for null.
    """

    kind: str
    text: str
    value: object = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NameRef(Node):
    """A bare name in an expression: a column, variable, table or function without arguments; also `$left`."""

    name: str


@dataclass(frozen=True, slots=True)
class Star(Node):
    """`*` as an argument or item: count(*), arg_max(t, *), distinct *, search *, `* has "x"`."""


@dataclass(frozen=True, slots=True)
class Paren(Node):
    """A parenthesised scalar expression, kept because a printer must not lose it."""

    inner: Expr


@dataclass(frozen=True, slots=True)
class Path(Node):
    """`base.member`; for a call member (`workspace("w").T`, `database("d").f(1)`) see `member` being a Call."""

    base: Expr
    member: Name | Call | Wildcard


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`base[index]`. `a["x"]` and `a.x` are different nodes with one meaning."""

    base: Expr
    index: Expr


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`-x` or `+x`."""

    operator: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Any two-operand operator by its canonical spelling: `and`, `==`, `=~`, `!has_cs`, `matches regex`, `+`, `<>`→`!=` ...

    `operator_span` is the place of the operator itself, for diagnostics.
    """

    operator: str
    left: Expr
    right: Expr
    operator_span: Span = field(default=NOWHERE, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Between(Node):
    """`value between (low .. high)`, or `!between` when negated."""

    value: Expr
    low: Expr
    high: Expr
    negated: bool = False


@dataclass(frozen=True, slots=True)
class In(Node):
    """Membership with a parenthesised list: `in`, `!in`, `in~`, `!in~`, `has_any`, `has_all`.

    An item may be a tabular expression (Pipeline); a bare name may turn out to be tabular when bound.
    """

    operator: str
    value: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class NamedArgument(Node):
    """`name = value` inside a call's parentheses."""

    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`f(a, b)`. `toscalar`, `materialize`, `view`-less user functions, aggregates and plugins all look like this."""

    name: Name
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class ToScalar(Node):
    """`toscalar [kind=nooptimization] (pipeline)`."""

    body: Expr
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class ToTable(Node):
    """`totable [kind=...] (pipeline)`."""

    body: Expr
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Named(Node):
    """An item of project, extend, summarize (also after `by`), print, distinct, serialize, project-rename, make-series, reduce
    and graph projections: `name = expr`, `(a, b) = expr`, or `expr` alone with no names. `tuple_form` tells `(a) =` from `a =`.

    Items of those operators are always Named, except for Star; call arguments are NamedArgument or the bare expression."""

    names: tuple[Name, ...]
    value: Expr
    tuple_form: bool = False
