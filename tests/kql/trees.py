"""Random syntax trees that a text can have: parentheses stand where the grammar needs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

from toolkit.kql import syntax
from toolkit.kql.keywords import KEYWORDS
from toolkit.kql.literals import quoted
from toolkit.kql.parser.expressions import BINARY, EQUALITY, MEMBERSHIP, PRODUCT, RELATION, SUM, TEXT
from toolkit.kql.syntax import Call, Expr, Literal, Name, Named, NameRef, Operator, OrderKey, Parameter, Paren, Pipeline

T = TypeVar("T")

_WORDS = [*"T a b_1 _x $left Col 1abc 1d 0x1F true h {p a.b - \\ \u00e9".split(), "a b", "it's", 'q"', "x\ny", ""]
_NAMES = st.sampled_from(_WORDS) | st.sampled_from(sorted(KEYWORDS)) | st.text(max_size=6)
_PATTERNS = ["*", "a*", "*_s", "x*1*y"]
_TYPES = ["string", "long", "datetime", "dynamic"]
_CONSTANTS = [
    *(Literal("real", text) for text in ("1.5", "1.", "2e3", "0.1e-5")),
    Literal("timespan", "5m"),
    Literal("timespan", "time(1:00)"),
    Literal("bool", "true"),
    Literal("datetime", "datetime(2024-01-02)"),
    Literal("int", "int(5)"),
    Literal("dynamic", 'dynamic({"a": [1, null]})'),
    Literal("dynamic", "dynamic([\n1\n])"),
]


def _level(level: int) -> list[str]:
    canonical = {word for at, word in BINARY.values() if at == level}
    return sorted(canonical - MEMBERSHIP - {"between", "!between", ":"})


class Grower:
    """Grows trees from random choices; `depth` bounds how far."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw

    def pick(self, choices: list[T]) -> T:
        found: T = self.draw(st.sampled_from(choices))
        return found

    def some(self, grow: Callable[[], T], least: int = 1, most: int = 3) -> tuple[T, ...]:
        return tuple(grow() for _ in range(self.draw(st.integers(least, most))))

    def maybe(self, grow: Callable[[], T]) -> T | None:
        return grow() if self.draw(st.booleans()) else None

    # --- expressions, from the tightest binding to the loosest

    def name(self) -> Name:
        return Name(self.draw(_NAMES))

    def ref(self) -> NameRef:
        return NameRef(self.draw(_NAMES))

    def string(self) -> Literal:
        return Literal("string", quoted(self.draw(st.text(max_size=8))))

    def literal(self) -> Literal:
        kind = self.pick(["string", "long", "other"])
        if kind == "string":
            return self.string()
        return Literal("long", str(self.draw(st.integers(0, 2**63 - 1)))) if kind == "long" else self.pick(_CONSTANTS)

    def call(self, depth: int) -> Call:
        return Call(self.name(), self.some(lambda: self.argument(depth), 0))

    def argument(self, depth: int) -> Expr:
        kind = self.pick(["expression", "expression", "named", "star"])
        if kind == "star":
            return syntax.Star()
        return syntax.NamedArgument(self.name(), self.expression(depth)) if kind == "named" else self.expression(depth)

    def operand(self, depth: int) -> Expr:
        if depth <= 0:
            return self.ref() if self.draw(st.booleans()) else self.literal()
        match self.pick(["ref", "literal", "call", "paren", "scalar", "path", "pathcall", "index", "signed"]):
            case "call":
                return self.call(depth - 1)
            case "paren":
                return Paren(self.expression(depth - 1))
            case "scalar":
                return syntax.ToScalar(self.expression(depth - 1))
            case "path":
                return syntax.Path(self.base(depth - 1), self.name())
            case "pathcall":
                return syntax.Path(self.base(depth - 1), self.call(depth - 1))
            case "index":
                return syntax.Index(self.base(depth - 1), self.expression(depth - 1))
            case "signed":
                return syntax.Unary(self.pick(["-", "+"]), self.base(depth - 1))
            case "literal":
                return self.literal()
        return self.ref()

    def base(self, depth: int) -> Expr:
        kind = self.pick(["ref", "call", "paren"]) if depth > 0 else "ref"
        if kind == "call":
            return self.call(depth - 1)
        return Paren(self.expression(depth - 1)) if kind == "paren" else self.ref()

    def binary(self, level: int, left: Callable[[int], Expr], right: Callable[[int], Expr], depth: int) -> Expr:
        if depth <= 0 or self.pick([True, True, False]):
            return left(depth)
        return syntax.Binary(self.pick(_level(level)), left(depth - 1), right(depth - 1))

    def text_match(self, depth: int) -> Expr:
        if depth > 0 and self.pick([False] * 7 + [True]):
            return Paren(syntax.Binary(self.pick(_level(TEXT)), syntax.Star(), self.operand(depth - 1)))
        return self.binary(TEXT, self.operand, self.operand, depth)

    def product(self, depth: int) -> Expr:
        return self.binary(PRODUCT, self.text_match, self.text_match, depth)

    def sum(self, depth: int) -> Expr:
        return self.binary(SUM, self.product, self.product, depth)

    def relation(self, depth: int) -> Expr:
        return self.binary(RELATION, self.sum, self.sum, depth)

    def equality(self, depth: int) -> Expr:
        kind = self.pick(["none", "binary", "in", "between"]) if depth > 0 else "none"
        if kind == "in":
            items = self.some(lambda: self.expression(depth - 1))
            return syntax.In(self.pick(sorted(MEMBERSHIP)), self.relation(depth - 1), items)
        if kind == "between":
            low, high = self.expression(depth - 1), self.expression(depth - 1)
            return syntax.Between(self.relation(depth - 1), low, high, self.draw(st.booleans()))
        return self.binary(EQUALITY, self.relation, self.relation, depth) if kind == "binary" else self.relation(depth)

    def expression(self, depth: int) -> Expr:
        kind = self.pick(["plain", "plain", "and", "or"]) if depth > 0 else "plain"
        if kind == "plain":
            return self.equality(depth)
        first = syntax.Binary("and", self.equality(depth - 1), self.equality(depth - 1))
        return first if kind == "and" else syntax.Binary("or", first, self.equality(depth - 1))

    # --- lists

    def item(self, depth: int) -> Named:
        kind = self.pick(["bare", "named", "tuple"])
        names = {"bare": (0, 0), "named": (1, 1), "tuple": (1, 3)}[kind]
        return Named(self.some(self.name, *names), self.expression(depth), kind == "tuple")

    def items(self, depth: int, least: int = 1) -> tuple[Named, ...]:
        return self.some(lambda: self.item(depth), least)

    def expressions(self, depth: int, least: int = 1) -> tuple[Expr, ...]:
        return self.some(lambda: self.expression(depth), least)

    def key(self, depth: int) -> OrderKey:
        return OrderKey(self.expression(depth), self.pick([None, "asc", "desc"]), self.pick([None, "first", "last"]))

    def pattern(self) -> Expr:
        return self.ref() if self.draw(st.booleans()) else syntax.Wildcard(self.pick(_PATTERNS))

    def schema(self) -> syntax.Schema:
        return syntax.Schema(self.some(lambda: syntax.ColumnDecl(self.name(), self.pick(_TYPES))))

    def hints(self) -> tuple[Parameter, ...]:
        return self.pick([(), (Parameter("hint.strategy", NameRef("shuffle")),), (Parameter("hint.num_partitions", Literal("long", "4")),)])

    def expand_items(self, depth: int) -> tuple[syntax.ExpandItem, ...]:
        return self.some(lambda: syntax.ExpandItem(self.maybe(self.name), self.expression(depth), self.maybe(lambda: self.pick(_TYPES))))

    def parse_pattern(self) -> tuple[Expr, ...]:
        parts: list[Expr] = []
        for part in self.some(self.parse_part):
            if parts and isinstance(part, Literal) and isinstance(parts[-1], Literal):
                parts.append(syntax.Star())  # two strings side by side would be one
            parts.append(part)
        return tuple(parts)

    def parse_part(self) -> Expr:
        if self.draw(st.booleans()):
            return self.string()
        return syntax.ParseColumn(self.name(), self.maybe(lambda: self.pick(_TYPES)))

    # --- operators, pipelines and statements

    def operator(self, depth: int) -> Operator:
        rules: list[Callable[[], Operator]] = [
            lambda: syntax.Where(self.expression(depth)),
            lambda: syntax.Extend(self.items(depth)),
            lambda: syntax.Project(self.items(depth, 0)),
            lambda: syntax.ProjectAway(self.some(self.pattern, 0)),
            lambda: syntax.ProjectReorder(self.some(lambda: OrderKey(self.pattern(), self.pick([None, "asc", "granny-desc"])))),
            lambda: syntax.Summarize(self.items(depth, 0), self.maybe(lambda: self.items(depth)), parameters=self.hints()),
            lambda: syntax.Distinct(self.items(depth)),
            lambda: syntax.Sort(self.some(lambda: self.key(depth))),
            lambda: syntax.Top(self.expression(depth), self.key(depth)),
            lambda: syntax.Take(self.expression(depth)),
            lambda: syntax.Join(self.table(depth), self.expressions(depth), parameters=self.hints()),
            lambda: syntax.Lookup(self.table(depth), self.expressions(depth)),
            lambda: syntax.Union_(self.some(lambda: self.leg(depth))),
            lambda: syntax.MvExpand(self.expand_items(depth), self.maybe(lambda: self.expression(depth)), self.draw(st.booleans())),
            lambda: syntax.MvApply(self.expand_items(depth), self.subquery(depth), self.maybe(lambda: self.expression(depth))),
            lambda: syntax.Parse(self.expression(depth), self.parse_pattern(), self.draw(st.booleans())),
            lambda: syntax.ParseKv(self.expression(depth), self.schema()),
            lambda: syntax.Partition(self.ref(), self.subquery(depth)),
            lambda: syntax.Fork(self.some(lambda: syntax.ForkBranch(self.maybe(self.name), self.subquery(depth)))),
            lambda: syntax.Evaluate(self.call(depth), self.maybe(self.schema)),
            lambda: syntax.As(self.name()),
            lambda: syntax.TopHitters(self.expression(depth), self.expression(depth), self.maybe(lambda: self.expression(depth))),
            lambda: syntax.MakeSeries(
                self.some(lambda: syntax.SeriesAggregate(self.item(depth), self.maybe(lambda: self.expression(depth)))),
                self.item(depth),
                step=self.expression(depth),
                by=self.maybe(lambda: self.items(depth)),
            ),
        ]
        return self.pick(rules)()

    def operators(self, depth: int) -> tuple[Operator, ...]:
        return self.some(lambda: self.operator(depth - 1))

    def subquery(self, depth: int) -> Pipeline:
        return Pipeline(syntax.Input(), self.operators(depth))

    def table(self, depth: int) -> Expr:
        return self.ref() if depth <= 0 or self.draw(st.booleans()) else Pipeline(self.ref(), self.operators(depth), True)

    def leg(self, depth: int) -> Expr:
        return self.table(depth) if self.draw(st.booleans()) else self.pattern()

    def source(self, depth: int) -> Expr | Operator:
        rules: list[Callable[[], Expr | Operator]] = [
            self.ref,
            lambda: self.table(depth),
            lambda: syntax.Print(self.items(depth)),
            lambda: syntax.Range(self.name(), self.expression(depth), self.expression(depth), self.expression(depth)),
            lambda: syntax.DataTable(self.schema(), self.some(self.literal, 0)),
            lambda: syntax.Path(Call(Name("workspace"), (self.string(),)), self.name()),
        ]
        return self.pick(rules)()

    def pipeline(self, depth: int) -> Pipeline:
        return Pipeline(self.source(depth), self.operators(depth))

    def function(self, depth: int) -> syntax.FunctionDecl:
        parameters = self.some(self.parameter, 0)
        lets = self.some(lambda: syntax.Let(self.name(), self.expression(depth)), 0)
        body = self.maybe(lambda: self.pipeline(depth) if self.draw(st.booleans()) else self.expression(depth))
        return syntax.FunctionDecl(parameters, lets, body, self.draw(st.booleans()))

    def parameter(self) -> syntax.FunctionParameter:
        return syntax.FunctionParameter(self.name(), self.schema() if self.draw(st.booleans()) else self.pick(_TYPES))

    def scalar_parameter(self) -> syntax.FunctionParameter:
        return syntax.FunctionParameter(self.name(), self.pick(_TYPES), self.maybe(self.literal))

    def statement(self, depth: int) -> syntax.Statement:
        values: list[Callable[[int], Expr]] = [self.expression, self.pipeline, self.pipeline]
        rules: list[Callable[[], syntax.Statement]] = [
            lambda: syntax.Let(self.name(), self.pick([*values, self.function])(depth)),
            lambda: syntax.SetOption(self.draw(_NAMES), self.maybe(self.literal)),
            lambda: syntax.DeclareParameters(self.some(self.scalar_parameter)),
            lambda: syntax.QueryStatement(self.pick(values)(depth)),
        ]
        return self.pick(rules)()


@st.composite
def expressions(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Expr:
    return Grower(draw).expression(4)


@st.composite
def trees(draw: Callable[[st.SearchStrategy[Any]], Any]) -> syntax.Query:
    grower = Grower(draw)
    return syntax.Query(grower.some(lambda: grower.statement(3)))
