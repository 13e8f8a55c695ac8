"""Literal text -> value, as the reference's rules R-008 to R-021 say."""

from __future__ import annotations

import json
import math
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.kql.literals import LiteralError, quoted, string_value, typed_value
from toolkit.kql.parser import parse
from toolkit.kql.syntax import Expr, Literal, Named, Pipeline, Print, QueryStatement

STRINGS = [
    ("'say \"hi\"'", 'say "hi"'),
    ('"it\'s"', "it's"),
    (r"'\\ \' \" \a\b\f\n\r\t\v'", "\\ ' \" \a\b\f\n\r\t\v"),
    (r"'\x41\101\7\0\377\u00A0\U0001F600'", "AA\a\0\xff\u00a0\U0001f600"),
    (r"'\400'", " 0"),  # three octal digits only up to 377: \40 and a zero
    (r"@'C:\Folder'", r"C:\Folder"),
    ("@'it''s'", "it's"),
    ('@"a""b"', 'a"b'),
    ("h'x'", "x"),
    ("H@'x\\'", "x\\"),
    ('```a\n"b" \\n```', 'a\n"b" \\n'),
    ("~~~'a'~~~", "'a'"),
    ("h```x```", "x"),
    ("''", ""),
]


@pytest.mark.parametrize(("text", "value"), STRINGS)
def test_strings(text: str, value: str) -> None:
    assert string_value(text) == value
    assert literal(text).value == value


@given(st.text())
def test_quoted_strings_read_back(value: str) -> None:
    text = quoted(value)
    assert "\n" not in text
    assert string_value(text) == value
    assert literal(text).value == value


VALUES = [
    ("5", "long", 5),
    ("0xFFFFFFFF", "long", 0xFFFFFFFF),
    ("0xFFFFFFFFFFFFFFFF", "long", -1),
    ("int(010)", "int", 10),
    ("int(0xFFFFFFFF)", "int", -1),
    ("int(-5)", "int", -5),
    ("int(null)", "int", None),
    ("long(9223372036854775807)", "long", 2**63 - 1),
    ("1.", "real", 1.0),
    ("1.5e-3", "real", 0.0015),
    ("real(1)", "real", 1.0),
    ("real(-inf)", "real", -math.inf),
    ("real(null)", "real", None),
    ("decimal(1.10)", "decimal", Decimal("1.10")),
    ("bool(1)", "bool", True),
    ("bool(false)", "bool", False),
    ("true", "bool", True),
    ("1d", "timespan", 864_000_000_000),
    ("1.5h", "timespan", 54_000_000_000),
    ("199nanoseconds", "timespan", 1),
    ("time(2)", "timespan", 2 * 864_000_000_000),
    ("time(10:00)", "timespan", 360_000_000_000),
    ("timespan('00:00:01')", "timespan", 10_000_000),
    ("datetime(2025)", "datetime", 638_712_864_000_000_000),
    ("datetime(2025, 6)", "datetime", 638_843_328_000_000_000),
    ("datetime(1970-01-01T00:00:00.0000001Z)", "datetime", 621_355_968_000_000_001),
    ("datetime(null)", "datetime", None),
    ("guid(ABCDEF00-0000-0000-0000-000000000001)", "guid", "abcdef00-0000-0000-0000-000000000001"),
    ("typeof(string)", "type", "string"),
    ("dynamic(null)", "dynamic", None),
    ("dynamic([1d, datetime(2020-01-01)])", "dynamic", '[864000000000,"2020-01-01T00:00:00.0000000Z"]'),
    ("dynamic({'a': \"b\" 'c', \"d\": [0x10, -1.5, true, null, {}]})", "dynamic", '{"a":"bc","d":[16,-1.5,true,null,{}]}'),
    ("dynamic(6E31A1D4-38ba-4f92-b66a-2d4e4a2f4a59)", "dynamic", '"6e31a1d4-38ba-4f92-b66a-2d4e4a2f4a59"'),
    ("dynamic(dynamic([real(nan)]))", "dynamic", '["NaN"]'),
    ('dynamic("\u00e9\\n")', "dynamic", '"\u00e9\\n"'),
]


@pytest.mark.parametrize(("text", "kind", "value"), VALUES)
def test_values(text: str, kind: str, value: object) -> None:
    found = literal(text)
    assert (found.kind, found.value, found.text) == (kind, value, text)
    assert type(found.value) is type(value)


def test_nan() -> None:
    assert math.isnan(typed_value("real(nan)")[1])  # type: ignore[arg-type]  # a float


REFUSED = [
    "int(2147483648)",
    "int(-2147483649)",
    "int(0x1FFFFFFFF)",
    "int(-0x1)",
    "int(1_000)",
    "int(1.5)",
    "long(9223372036854775808)",
    "9223372036854775808",
    "0x1FFFFFFFFFFFFFFFF",
    "real(x)",
    "decimal(nan)",
    "bool(yes)",
    "datetime(2024-13-01)",
    "datetime(2024, 1, 1, 1)",
    "datetime(202401)",
    "timespan(1w)",
    "timespan(25:00)",
    "guid(1)",
    "dynamic(datetime(null))",
    "dynamic([bool(true)])",
]


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    """One finding at the literal, which keeps its text and has no value."""
    result = parse(f"print {text}")
    assert [found.code for found in result.diagnostics] == ["bad-literal"]
    assert 6 <= result.diagnostics[0].start < result.diagnostics[0].end <= 6 + len(text)
    assert "Expected" in result.diagnostics[0].message


def test_an_escape_that_does_not_exist() -> None:
    with pytest.raises(LiteralError, match="escape"):
        string_value(r"'\W'")


JSON_VALUES: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(JSON_VALUES)
@example(-(2**63))
def test_json_in_dynamic_reads_back(value: object) -> None:
    text = json.dumps(value)
    found = literal(f"dynamic({_without_surrogates(text)})")
    assert json.loads(str(found.value)) == value if value is not None else found.value is None


def _without_surrogates(text: str) -> str:
    """JSON writes characters beyond U+FFFF as two escapes, KQL as one."""
    return json.dumps(json.loads(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def literal(text: str) -> Literal:
    result = parse(f"print {text}")
    assert result.diagnostics == ()
    found = printed(result.query.statements[0])
    assert isinstance(found, Literal)
    return found


def printed(statement: object) -> Expr:
    assert isinstance(statement, QueryStatement)
    assert isinstance(statement.value, Pipeline)
    assert isinstance(statement.value.source, Print)
    item = statement.value.source.items[0]
    assert isinstance(item, Named)
    return item.value
