"""Fused JSON paths and their substring guards, against a plain reading of the rules in Python."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit import Workspace

NAMES = ["a", "b", "kind", "x y", 'q"r', "*", "a.b"]
TEXTS = ["create", "creates", "CREATE", "get", "a/b", "403", "4.5", "", '{"a":"create"}', '["create"]', "tr\u00fcb", "no json"]

scalars = st.one_of(st.sampled_from(TEXTS), st.integers(-500, 500), st.booleans(), st.none(), st.sampled_from([4.5, 1e3, -0.25]))
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)), max_leaves=8
)
nested = st.recursive(values, lambda inner: st.dictionaries(st.sampled_from(NAMES), inner.map(json.dumps), max_size=2), max_leaves=3)
documents = st.one_of(
    st.builds(
        lambda value, ascii_only: json.dumps(value, ensure_ascii=ascii_only),
        st.dictionaries(st.sampled_from(NAMES), nested, max_size=4),
        st.booleans(),
    ),
    st.builds(lambda value: json.dumps(value).replace("c", "\\u0063").replace("/", "\\/"), values),
    st.sampled_from(["", "no json", "null", "[1]", '"create"']),
)
steps = st.one_of(st.sampled_from(NAMES), st.integers(-2, 2))
runs = st.lists(st.lists(steps, min_size=1, max_size=2), min_size=1, max_size=3)

_MISSING = None


def parse(text: str) -> Any:
    """parse_json (R-085)."""
    if not text:
        return _MISSING
    try:
        return json.loads(text)
    except ValueError:
        return text


def text_of(value: Any) -> str:
    """tostring of a dynamic (R-078)."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def step_into(value: Any, step: str | int) -> Any:
    if isinstance(step, str):
        return value.get(step) if isinstance(value, dict) else None
    if not isinstance(value, list) or not -len(value) <= step < len(value):
        return None
    return value[step]


def evaluate(text: str, path: list[list[str | int]]) -> Any:
    value: Any = None
    for run in path:
        value = parse(text)
        for step in run:
            value = step_into(value, step)
        text = text_of(value)
    return value


def kql_of(path: list[list[str | int]]) -> str:
    expression = "s"
    for index, run in enumerate(path):
        expression = f"parse_json({expression})" if index == 0 else f"parse_json(tostring({expression}))"
        expression += "".join(f"[{json.dumps(step)}]" if isinstance(step, str) else f"[{step}]" for step in run)
    return expression


def over(texts: list[str]) -> Workspace:
    workspace = Workspace({"T": {"i": "long", "s": "string"}})
    workspace.ingest("T", [{"i": index, "s": text} for index, text in enumerate(texts)])
    return workspace


@given(st.lists(documents, min_size=1, max_size=6), st.lists(runs, min_size=1, max_size=4))
def test_paths_mean_what_their_steps_mean(texts: list[str], paths: list[list[list[str | int]]]) -> None:
    """One path, several runs of parse_json(tostring(...)), several paths in one SELECT: always the step-by-step value."""
    items = ", ".join(f"p{index} = {kql_of(path)}, t{index} = tostring({kql_of(path)})" for index, path in enumerate(paths))
    rows = over(texts).query(f"T | order by i asc | project {items}").rows()
    for text, row in zip(texts, rows, strict=True):
        for index, path in enumerate(paths):
            expected = evaluate(text, path)
            assert row[2 * index] == expected, (text, path)
            assert row[2 * index + 1] == text_of(expected), (text, path)


OPERATORS: dict[str, Any] = {
    "==": lambda text, needle: text == needle,
    "!=": lambda text, needle: text != needle,
    "=~": lambda text, needle: text.lower() == needle.lower(),
    "contains": lambda text, needle: needle.lower() in text.lower(),
    "contains_cs": lambda text, needle: needle in text,
    "!contains": lambda text, needle: needle.lower() not in text.lower(),
    "startswith": lambda text, needle: text.lower().startswith(needle.lower()),
    "endswith_cs": lambda text, needle: text.endswith(needle),
}


@pytest.mark.parametrize("operator", OPERATORS)
@given(
    texts=st.lists(documents, min_size=1, max_size=6),
    path=runs,
    needle=st.sampled_from(["create", "CREATE", "403", "4.5", "a/b", "true", "c", "[1]"]),
)
def test_guards_never_lose_a_row(operator: str, texts: list[str], path: list[list[str | int]], needle: str) -> None:
    """What a filter over a path selects is what the operator selects over its text."""
    query = f"T | where tostring({kql_of(path)}) {operator} {json.dumps(needle)} | project i | order by i asc"
    expected = [index for index, text in enumerate(texts) if OPERATORS[operator](text_of(evaluate(text, path)), needle)]
    assert [row[0] for row in over(texts).query(query)] == expected


@given(
    texts=st.lists(documents, min_size=1, max_size=6),
    path=runs,
    needles=st.lists(st.sampled_from(["create", "403", "a/b", "get"]), min_size=2, max_size=3),
)
def test_alternatives_are_a_list(texts: list[str], path: list[list[str | int]], needles: list[str]) -> None:
    """`x == a or x == b` and `x in (a, b)`, also beside a test of another kind."""
    value = f"tostring({kql_of(path)})"
    listed = ", ".join(map(json.dumps, needles))
    equals = " or ".join(f"{value} == {json.dumps(needle)}" for needle in needles)
    workspace = over(texts)
    found = {row[0] for row in workspace.query(f"T | where {value} in ({listed}) | project i")}
    assert found == {index for index, text in enumerate(texts) if text_of(evaluate(text, path)) in needles}
    assert found == {row[0] for row in workspace.query(f"T | where {equals} | project i")}
    either = {row[0] for row in workspace.query(f"T | where {equals} or {value} startswith 'cre' | project i")}
    assert either == found | {row[0] for row in workspace.query(f"T | where {value} startswith 'cre' | project i")}


def test_chains_through_computed_columns_become_one_path() -> None:
    workspace = over(['{"r": {"kind": "Job", "meta": "{\\"n\\": 5}"}}', "{}"])
    query = """T | extend d = parse_json(s) | extend r = parse_json(tostring(d.r)) | project-away d
        | extend n = tolong(parse_json(tostring(r.meta)).n) | where tostring(r.kind) == "Job" | project i, n"""
    assert workspace.query(query).rows() == [(0, 5)]
    sql = workspace.sql(query)
    assert '$."r"."kind"' in sql
    assert "json_valid" not in sql, "the intermediate documents are not made"
