"""The law of the printer, parse(print(tree)) == tree, and its layout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from tests.kql.corpus import queries, query_files
from tests.kql.trees import expressions, trees
from toolkit.kql.parser import parse
from toolkit.kql.printer import print_node, print_query
from toolkit.kql.printer.layout import WIDTH
from toolkit.kql.syntax import Expr, Query, QueryStatement

CORPUS = [query for file in query_files() for query in queries(file)]


def assert_law(query: Query) -> None:
    text = print_query(query)
    result = parse(text)
    assert not [found for found in result.diagnostics if found.stage == "syntax"], (text, result.diagnostics)
    assert result.query == query, text
    assert print_query(result.query) == text


@pytest.mark.parametrize("query", CORPUS)
def test_law_over_the_corpus(query: str) -> None:
    assert_law(parse(query).query)


@given(trees())
def test_law_over_generated_trees(tree: Query) -> None:
    assert_law(tree)


@given(expressions())
def test_law_over_generated_expressions(expression: Expr) -> None:
    assert_law(Query((QueryStatement(expression),)))


def test_law_over_public_queries(shared: Path) -> None:
    """Every query of the conformance data that has no syntax error."""
    count = 0
    for line in (shared / "conformance" / "queries.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if not case["syntax_errors"]:
            result = parse(case["query"])
            if result.ok:
                assert_law(result.query)
                count += 1
    assert count > 1400


def test_verdicts_on_public_queries(shared: Path) -> None:
    """Accepted and rejected as Microsoft's analyzer does."""
    verdicts: dict[tuple[bool, bool], int] = {}
    for line in (shared / "conformance" / "queries.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        ours = any(found.stage == "syntax" and found.severity == "error" for found in parse(case["query"]).diagnostics)
        key = (bool(case["syntax_errors"]), ours)
        verdicts[key] = verdicts.get(key, 0) + 1
    accepted, rejected = verdicts.get((False, False), 0), verdicts.get((True, True), 0)
    assert accepted / (accepted + verdicts.get((False, True), 0)) >= 0.995
    assert rejected / (rejected + verdicts.get((True, False), 0)) >= 0.95


MANY = [f"column{number}" for number in range(20)]
LAYOUTS = [
    ("T|where a==1|take 5", "T\n| where a == 1\n| take 5"),
    ("T|take 5", "T\n| take 5"),
    ("let a=1;let b=2;T", "let a = 1;\nlet b = 2;\nT"),
    ("let a=T|where b==1|take 1;a", "let a =\n    T\n    | where b == 1\n    | take 1;\na"),
    ("let a=T|take 1;a", "let a = T | take 1;\na"),
    ("T|join(T2|project a)on a", "T\n| join (T2 | project a) on a"),
    ("T|join(T2|project a|take 1)on a", "T\n| join (\n    T2\n    | project a\n    | take 1\n) on a"),
    ("let f=(a:long,b:string='x'){let c=1;T|where d==a};f(1)", "let f = (a: long, b: string = 'x') { let c = 1; T | where d == a };\nf(1)"),
    ("T|where ['a b']==1 and [\"c\"]==2", "T\n| where ['a b'] == 1 and c == 2"),
    ("datatable(a:long,b:string)[1,'x',2,'y']", "datatable(a: long, b: string) [1, 'x', 2, 'y']"),
    ("T|project " + ",".join(MANY), "T\n| project\n    " + ",\n    ".join(MANY)),
    (
        "T|where " + " or ".join(f"column{number}=='x'" for number in range(9)),
        "T\n| where " + "\n    or ".join(f"column{number} == 'x'" for number in range(9)),
    ),
    ("print ```a\nb```,dynamic([\n1])", "print ```a\nb```, dynamic([\n1])"),
]


@pytest.mark.parametrize(("text", "printed"), LAYOUTS, ids=range(len(LAYOUTS)))
def test_layout(text: str, printed: str) -> None:
    result = parse(text)
    assert result.diagnostics == ()
    assert print_query(result.query) == printed


def test_lines_are_short_where_they_can_be() -> None:
    for query in CORPUS:
        for line in print_query(parse(query).query).splitlines():
            assert len(line) <= WIDTH or '"' in line or "'" in line or "- " in line or " or " not in line


def test_long_chains_are_printed_without_recursion() -> None:
    text = "T\n| where " + " and ".join(f"a == {number}" for number in range(10_000))
    result = parse(text)
    assert parse(print_query(result.query)).query == result.query
    text = "print " + " + ".join(["a"] * 300)
    assert print_query(parse(text).query).split() == text.split()


def test_part_of_a_tree() -> None:
    (statement,) = parse("T | where a == 1 or b").query.statements
    assert print_node(statement) == "T\n| where a == 1 or b"
