"""Trees: the corpus against its golden files, precedence, spans, recovery, and what no text may do."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kql.corpus import golden_file, golden_path, message_files, nodes, queries, query_files
from tests.kql.test_literals import printed
from toolkit.kql import syntax
from toolkit.kql.lexer import END, tokenize
from toolkit.kql.parser import parse
from toolkit.kql.parser.expressions import BINARY
from toolkit.kql.parser.operators import OPERATORS, SOURCES
from toolkit.kql.printer import print_node
from toolkit.kql.syntax import BadOperator, Binary, Expr, Literal, Missing, Name, NameRef, Node, Pipeline, QueryStatement, Where

CORPUS = [query for file in query_files() for query in queries(file)]
BAD = [query for file in message_files() for query in queries(file)]


@pytest.mark.parametrize("file", [*query_files(), *message_files()], ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_golden(file: Path) -> None:
    """`python -m tests.kql.corpus` writes the golden files anew."""
    assert golden_file(file) == golden_path(file).read_text(encoding="utf-8")


def test_the_corpus_has_no_syntax_errors() -> None:
    for query in CORPUS:
        assert parse(query).diagnostics == (), query


def test_every_bad_query_is_reported() -> None:
    for query in BAD:
        assert parse(query).diagnostics, query


def test_the_corpus_covers_the_grammar() -> None:
    """Every node, operator, source and binary operator occurs in it."""
    abstract = {syntax.Node, syntax.Operator, syntax.Statement}
    known = {kind for kind in vars(syntax).values() if inspect.isclass(kind) and issubclass(kind, Node)} - abstract
    seen = {type(node) for query in CORPUS for node in nodes(parse(query).query)}
    assert {kind.__name__ for kind in known - seen} == {"BadOperator", "Missing"}
    words = {kind for query in CORPUS for kind in tokenize(query).kinds}
    assert (OPERATORS.keys() | SOURCES.keys() | BINARY.keys()) - words == set()


# --- precedence, shown by parentheses around every operation

PRECEDENCE = [
    ("a or b and c", "(a or (b and c))"),
    ("a and b or c and d", "((a and b) or (c and d))"),
    ("a == b and c", "((a == b) and c)"),
    ("a == b < c", "(a == (b < c))"),
    ("a < b == c", "((a < b) == c)"),
    ("a + b < c - d", "((a + b) < (c - d))"),
    ("a + b * c", "(a + (b * c))"),
    ("a - b - c", "((a - b) - c)"),
    ("a / b * c % d", "(((a / b) * c) % d)"),
    ("a == b has c", "(a == (b has c))"),
    ("a * b has c", "(a * (b has c))"),
    ("a has b * c", "((a has b) * c)"),
    ("-a * b", "(-a * b)"),
    ("a has -b", "(a has -b)"),
    ("a in (b, c + d) or e", "(a in (b, (c + d)) or e)"),
    ("a between (b .. c + d) and e", "(a between (b .. (c + d)) and e)"),
    ("a =~ b and c !~ d", "((a =~ b) and (c !~ d))"),
    ("a <> b", "(a != b)"),
    ("a notcontains b", "(a !contains b)"),
]


@pytest.mark.parametrize(("text", "grouped"), PRECEDENCE)
def test_precedence(text: str, grouped: str) -> None:
    assert group(printed(parse(f"print {text}").query.statements[0])) == grouped


def group(expr: Node) -> str:
    match expr:
        case syntax.Binary(operator=operator, left=left, right=right):
            return f"({group(left)} {operator} {group(right)})"
        case syntax.In(operator=operator, value=value, items=items):
            return f"{group(value)} {operator} ({', '.join(group(item) for item in items)})"
        case syntax.Between(value=value, low=low, high=high):
            return f"{group(value)} between ({group(low)} .. {group(high)})"
        case syntax.Unary(operator=operator, operand=operand):
            return f"{operator}{group(operand)}"
    return print_node(expr)


CHAINED = ["a == b == c", "a < b < c", "a has b has c", "a in (1) in (2)", "a == b in (1)", "a between (1 .. 2) == b"]


@pytest.mark.parametrize("chain", CHAINED)
def test_comparisons_do_not_chain(chain: str) -> None:
    (found,) = parse(f"print {chain}").diagnostics
    assert found.alias == "KS198"


def test_long_chains_are_shallow() -> None:
    for word in ("and", "or"):
        result = parse("T | where " + f" {word} ".join(f"a == {number}" for number in range(10_000)))
        assert result.diagnostics == ()
        assert depth(result.query) < 40


def depth(root: Node) -> int:
    deepest, level = 0, [root]
    while level:
        deepest += 1
        level = [child for node in level for child in node.children()]
    return deepest


# --- spans


@pytest.mark.parametrize("query", CORPUS)
def test_spans_hold_their_text(query: str) -> None:
    """A child lies in its parent, siblings do not overlap, and names and literals cover exactly their spelling."""
    for node in nodes(parse(query).query):
        start, end = node.span
        assert 0 <= start <= end <= len(query)
        assert query[start:end] == query[start:end].strip(), (type(node), query[start:end])
        for child in node.children():
            assert start <= child.span.start <= child.span.end <= end, (type(node), type(child))
        if isinstance(node, Literal) and node.kind != "string":
            assert query[start:end] == node.text
        elif isinstance(node, NameRef | Name):
            text = node.name if isinstance(node, NameRef) else node.text
            assert query[start:end] == text or query[start] == "["
        elif isinstance(node, Binary):
            assert node.left.span.end <= node.operator_span.start < node.operator_span.end <= node.right.span.start


@pytest.mark.parametrize("query", CORPUS)
def test_the_text_of_an_expression_is_that_expression(query: str) -> None:
    for node in nodes(parse(query).query):
        if isinstance(node, Binary | syntax.Call | syntax.Path | syntax.In | syntax.Between | syntax.Index | syntax.Paren | Literal):
            again = parse(f"print {query[node.span.start : node.span.end]}")
            if isinstance(node, Binary | syntax.In) and isinstance(getattr(node, "left", getattr(node, "value", None)), syntax.Star):
                continue
            if again.diagnostics == ():
                assert printed(again.query.statements[0]) == node


# --- recovery

RECOVERY = [
    ("T | whre a | project b | sumarize c | take 1", ["BadOperator", "Project", "BadOperator", "Take"]),
    ("T where a == 1 | take 1", ["Where", "Take"]),
    ("T | where a == 1 project b extend c = 1", ["Where", "Project", "Extend"]),
    ("T | where (a == 1 | take 1", ["Where"]),
    ("T | where f(a, , b) | take 1", ["Where", "Take"]),
    ("T | project a b c, d | take 1", ["Project", "Take"]),
    ("T | where a == | take 1", ["Where", "Take"]),
    ("T | | take 1", ["BadOperator", "Take"]),
    ("| where a | take 1", ["Where", "Take"]),
]


@pytest.mark.parametrize(("query", "operators"), RECOVERY)
def test_parsing_goes_on_after_an_error(query: str, operators: list[str]) -> None:
    result = parse(query)
    assert not result.ok
    statement = result.query.statements[0]
    assert isinstance(statement, QueryStatement)
    assert isinstance(statement.value, Pipeline)
    assert [type(operator).__name__ for operator in statement.value.operators] == operators


def test_several_errors_in_the_order_of_the_text() -> None:
    query = "let a = ;\nT | whre x == 1 | project b c | take 1\nlet d = 1;\nU | where title == 1"
    found = parse(query).diagnostics
    assert [query[one.start : one.end] for one in found] == [";", "whre", "c", "let", "title"]


def test_a_mistaken_operator_is_read_as_what_was_meant() -> None:
    for mistaken, right in [("a AND b", "a and b"), ("a && b", "a and b"), ("a || b", "a or b"), ("a not in (b)", "a !in (b)")]:
        result = parse(f"T | where {mistaken}")
        assert len(result.diagnostics) == 1
        assert result.query == parse(f"T | where {right}").query


def test_missing_and_bad_nodes_come_with_an_error() -> None:
    for query in [*BAD, *CORPUS]:
        result = parse(query)
        holes = [node for node in nodes(result.query) if isinstance(node, Missing | BadOperator)]
        implied = [node for node in nodes(result.query) if isinstance(node, syntax.ExpandItem) and isinstance(node.value, Missing)]
        assert not result.ok or len(holes) == len(implied), query


# --- no text may do harm


@given(st.text(max_size=60))
def test_no_text_raises(text: str) -> None:
    check_sound(text)


@given(st.sampled_from(CORPUS + BAD), st.data())
def test_no_broken_query_raises(query: str, data: st.DataObject) -> None:
    """A corpus query with one token taken out, doubled, swapped with the next or replaced."""
    tokens = tokenize(query)
    places = [(start, end) for kind, start, end in zip(tokens.kinds, tokens.starts, tokens.ends, strict=True) if kind != END]
    at = data.draw(st.integers(0, len(places) - 1)) if places else 0
    if not places:
        return
    start, end = places[at]
    word = data.draw(st.sampled_from(["", query[start:end] * 2, *", ( ) | ; by = where ' [ { 1 .. - let * on".split()]))
    check_sound(f"{query[:start]} {word} {query[end:]}")


def check_sound(text: str) -> None:
    result = parse(text)
    places = [(found.start, found.end) for found in result.diagnostics]
    assert places == sorted(places)
    assert all(0 <= start <= end <= len(text) for start, end in places)
    if result.ok:
        for node in nodes(result.query):
            assert not isinstance(node, BadOperator)


def repeated(opening: str, middle: str, closing: str) -> Callable[[int], str]:
    return lambda times: opening * times + middle + closing * times


NESTED: dict[str, Callable[[int], str]] = {
    "parentheses": lambda times: "print " + repeated("(", "1", ")")(times),
    "calls": lambda times: "print " + repeated("f(a, 1 + ", "1", ")")(times),
    "lists": lambda times: "T | where " + repeated("a in (", "1", ")")(times),
    "indexes": lambda times: "print a" + repeated("[a", "", "]")(times),
    "bounds": lambda times: "T | where " + repeated("a between (", "1 .. 2", " .. 3)")(times),
    "joins": lambda times: "T " + repeated("| join (T ", "| take 1", ") on a")(times),
    "subqueries": lambda times: "print " + repeated("toscalar(print ", "1", ")")(times),
    "apply": lambda times: "T " + repeated("| mv-apply a on (where b ", "", ")")(times),
    "facets": lambda times: "T " + "| facet by a with " + "facet by a with " * times + "take 1",
    "functions": lambda times: "let f = () {" + repeated("let f = () {", "1", "}; f()")(times) + "}",
    "dynamic": lambda times: "print dynamic(" + repeated("[1, ", "1", "]")(times) + ")",
    "objects": lambda times: "print dynamic(" + repeated('{"a": ', "1", "}")(times) + ")",
    "macros": lambda times: "macro-expand g as x (" * times,
    "open": lambda times: "(" * times,
    "closed": lambda times: ")" * times,
    "types": lambda times: "print " + "typeof(" * times,
}


@pytest.mark.parametrize("shape", NESTED)
def test_deep_nesting_is_a_finding_not_a_crash(shape: str) -> None:
    for times in (5, 40):
        codes = {found.code for found in parse(NESTED[shape](times)).diagnostics}
        assert "nested-too-deeply" not in codes
    for times in (101, 3_000):
        result = parse(NESTED[shape](times))
        assert result.diagnostics
        assert depth(result.query) < 1000


def test_the_limit_follows_the_caller_s_stack() -> None:
    """Called from deep within a program there is room for less."""

    def deeper(levels: int) -> tuple[str, ...]:
        if levels:
            return deeper(levels - 1)
        return tuple(found.code for found in parse(NESTED["calls"](60)).diagnostics)

    frames = len(inspect.stack())
    assert deeper(0) == ()
    assert deeper(sys.getrecursionlimit() - frames - 250) == ("nested-too-deeply",)


@pytest.mark.parametrize("text", ["print " + "a + " * 5000 + "a", "print a" + ".b" * 5000, "print " + "a[0]" * 1 + "[0]" * 5000])
def test_chains_that_cannot_be_shallow_are_refused(text: str) -> None:
    assert [found.code for found in parse(text).diagnostics] == ["nested-too-deeply"]


def test_a_megabyte() -> None:
    query = "T | where a in (" + ",\n".join(f'"value number {number}"' for number in range(45_000)) + ")"
    assert len(query) > 950_000
    result = parse(query)
    assert result.diagnostics == ()
    assert result.query.span == (0, len(query))


def test_trees_are_values() -> None:
    """Equality and hash go by content; the place never takes part."""
    one, two = parse("T | where a == 1").query, parse("T   |where a==1").query
    assert one == two
    assert hash(one) == hash(two)
    assert one != parse("T | where a == 2").query
    for kind in vars(syntax).values():
        if inspect.isclass(kind) and issubclass(kind, Node):
            assert not next(part for part in fields(kind) if part.name == "span").compare


def test_where_predicate_is_the_bare_expression() -> None:
    (statement,) = parse("T | where a").query.statements
    assert statement == QueryStatement(Pipeline(NameRef("T"), (Where(NameRef("a")),)))


def test_an_empty_text_has_no_statement() -> None:
    for text in ("", "  \n", "// only a comment"):
        assert parse(text).query.statements == ()
        assert parse(text).ok


def test_expressions_are_typed_as_such() -> None:
    assert {NameRef, Pipeline, Missing, syntax.Input} <= set(get_args(Expr))
