"""Templates: what comes out, what is refused and where, and that no value changes the structure of a query."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from textwrap import indent
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.content.sections import Section, check, parameters
from toolkit.content.template.literals import kql_literal, kql_string
from toolkit.content.template.parameters import ParameterError, parameter_value
from toolkit.content.template.render import is_template, render_query
from toolkit.content.yaml import Scalar, parse_yaml
from toolkit.kql.source import NOWHERE

_VALUES = {
    "name": 'x" or 1 == 1 //',
    "admins": ["bob", 'o\'neil "x"'],
    "limit": 5,
    "below": -5,
    "ratio": 0.25,
    "on": True,
    "window": timedelta(minutes=90),
    "odd": timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=500),
    "moment": datetime(2026, 3, 2, 10, tzinfo=UTC),
    "id": UUID(int=1),
    "column": "Caller",
}


@pytest.mark.parametrize("section", parameters("templates.txt"))
def test_rendering(section: Section) -> None:
    lines = section.text.splitlines()
    template = "\n".join(line for line in lines if not line.startswith(">>> "))
    expected = "\n".join(line[4:] for line in lines if line.startswith(">>> "))
    document, findings = parse_yaml(f"query: |-\n{indent(template, '  ')}\n", "rule.yaml")
    scalar = document.mapping.get("query")
    assert isinstance(scalar, Scalar)
    query = render_query(document, scalar, _VALUES, findings)
    check(findings.found, section.expected)
    assert (query.text.rstrip("\n") if query else "") == expected


@given(st.text())
def test_a_rule_without_markers_renders_to_itself(text: str) -> None:
    document, _ = parse_yaml("query: x", "x")
    scalar = Scalar(text, "str", "", NOWHERE)
    if not is_template(text):
        _, findings = parse_yaml("", "x")
        query = render_query(document, scalar, {}, findings)
        assert query is not None
        assert query.text is text


@given(st.text())
def test_a_text_is_one_string_literal_of_the_same_value(text: str) -> None:
    literal = kql_string(text)
    assert literal[0] == literal[-1] == '"'
    assert "\n" not in literal
    inner, out = iter(literal[1:-1]), []
    for char in inner:
        assert char != '"'
        if char != "\\":
            out.append(char)
            continue
        escape = next(inner)
        code = "".join(next(inner) for _ in range(4)) if escape == "u" else ""
        out.append(chr(int(code, 16)) if code else {"n": "\n", "r": "\r", "t": "\t"}.get(escape, escape))
    assert "".join(out) == text


_LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()


@given(st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_a_dynamic_literal_is_the_json_of_its_value(value: object) -> None:
    literal = str(kql_literal([value]))
    assert literal.startswith("dynamic(")
    assert json.loads(literal.removeprefix("dynamic(").removesuffix(")")) == [value]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", "yes", "yes"),
        ("int", "5", 5),
        ("real", "1e3", 1000.0),
        ("bool", "True", True),
        ("timespan", "-1h", timedelta(hours=-1)),
        ("timespan", "P1DT2H", timedelta(days=1, hours=2)),
        ("datetime", "2026-03-02T10:00:00+02:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("guid", "00000000-0000-0000-0000-000000000001", UUID(int=1)),
        ("int", "5.5", None),
        ("bool", "yes", None),
        ("timespan", "soon", None),
        ("datetime", "monday", None),
        ("guid", "1", None),
        ("list", "a", None),
    ],
)
def test_values_of_parameters(kind: str, text: str, value: object) -> None:
    scalar = Scalar(text, "str", "", NOWHERE)
    if value is None:
        with pytest.raises(ParameterError, match="expected"):
            parameter_value(kind, scalar)
    else:
        assert parameter_value(kind, scalar) == value


_MAPPED = """\
let A = {{ admins }};
T
| where a in (A) and b == {{ name }} and c
| where {{ column | raw }} == 1
"""


@pytest.mark.parametrize(
    ("rendered", "underlined"),
    [
        ("A = ", "A = "),
        ("a in (A)", "a in (A)"),
        ("and c", "and c"),
        ("1 == 1", "| where a in (A) and b == {{ name }} and c"),
        ("Caller", "| where {{ column | raw }} == 1"),
        ("== 1\n", "== 1"),
    ],
)
def test_places_of_a_rendered_query_in_the_file(rendered: str, underlined: str) -> None:
    document, findings = parse_yaml("query: |\n" + indent(_MAPPED, "  "), "rule.yaml")
    scalar = document.mapping.get("query")
    assert isinstance(scalar, Scalar)
    query = render_query(document, scalar, _VALUES, findings)
    assert query is not None
    start = query.text.rindex(rendered)
    span = query.file_span(start, start + len(rendered.rstrip("\n")))
    assert document.source.text[span.start : span.end] == underlined


def test_places_after_a_statement_are_found_by_their_text() -> None:
    document, findings = parse_yaml("query: |\n  {% for a in admins %}\n  // {{ a }}\n  {% endfor %}\n  T\n  | where x\n", "rule.yaml")
    scalar = document.mapping.get("query")
    assert isinstance(scalar, Scalar)
    query = render_query(document, scalar, _VALUES, findings)
    assert query is not None
    at = query.text.index("where")
    assert document.source.position(query.file_span(at, at + 5).start) == (6, 5)
    assert document.source.position(query.file_span(0, 2).start) == (1, 8)
