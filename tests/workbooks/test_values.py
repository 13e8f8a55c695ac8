"""What references become, and where each character of the new text came from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.workbooks.defaults import opening_value
from toolkit.workbooks.model import PARAMETER_KINDS, Parameter
from toolkit.workbooks.references import substitute
from toolkit.workbooks.values import TimeRange, Value, written

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _parameter(kind: int, **content: Any) -> Parameter:
    return Parameter(
        "P",
        PARAMETER_KINDS[kind],
        (),
        content,
        value=content.get("value"),
        json_data=content.get("jsonData"),
        query=content.get("query"),
        multiple=content.get("multiSelect", False),
        quote=content.get("quote", "'"),
        delimiter=content.get("delimiter", ","),
    )


@pytest.mark.parametrize(
    ("hours", "form", "query", "text"),
    [
        (24, "", "> ago(1d)", "Last 24 hours"),
        (24, "label", "Last 24 hours", "Last 24 hours"),
        (1, "query", "> ago(1h)", "> ago(1h)"),
        (168, "label", "Last 7 days", "Last 7 days"),
        (4, "value", "> ago(4h)", "> ago(4h)"),
        (24, "start", "datetime(2026-03-01T12:00:00.000Z)", "2026-03-01 12:00"),
        (24, "end", "datetime(2026-03-02T12:00:00.000Z)", "2026-03-02 12:00"),
        (24, "startISO", "2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00.000Z"),
        (24, "endDateISO", "2026-03-02T00:00:00.000Z", "2026-03-02T00:00:00.000Z"),
        (24, "seconds", "86400", "86400"),
        (24, "grain", "30m", "30m"),
        (24, "durationISO", "PT24H", "PT24H"),
        (24, "lable", "> ago(1d)", "Last 24 hours"),
    ],
)
def test_time_ranges(hours: int, form: str, query: str, text: str) -> None:
    value = Value(TimeRange.last(timedelta(hours=hours), NOW))
    assert written(value, form, "query") == query
    assert written(value, form, "text") == text


def test_a_range_with_both_ends() -> None:
    value = opening_value(
        _parameter(4, value={"durationMs": 0, "startTime": "2026-03-01T00:00:00Z", "endTime": "2026-03-02T00:00:00Z"}), NOW
    )
    assert written(value, "", "query") == "between (datetime(2026-03-01T00:00:00.000Z) .. datetime(2026-03-02T00:00:00.000Z))"
    assert written(value, "label", "text") == "2026-03-01 00:00 to 2026-03-02 00:00"


_VAULT = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/v"
_TWO = '[{"value": "a", "label": "First"}, {"value": "b", "selected": true}]'


@pytest.mark.parametrize(
    ("parameter", "form", "expected"),
    [
        (_parameter(1, value="x"), "", "x"),
        (_parameter(1, value='say "x"'), "escape", 'say \\"x\\"'),
        (_parameter(1, value='{"a": {"b": [7]}}'), "$.a.b.0", "7"),
        (_parameter(1, value="\n"), "escapejson", "\\n"),
        (_parameter(1, value='{"a": [{"b": 1}, {"b": 2}]}'), "$.a[*].b", "[1, 2]"),
        (_parameter(1, value='{"a": 1}'), "$..a", ""),
        (_parameter(1, value='a = "x"\n[b]\nc = 1'), "tomltojson", '{\n  "a": "x",\n  "b": {\n    "c": 1\n  }\n}'),
        (_parameter(1, value="no = toml = 1"), "tomltojson", "no = toml = 1"),
        (_parameter(1, value=_VAULT), "name", "v"),
        (_parameter(1, value=_VAULT), "resourcegroup", "rg"),
        (_parameter(1, value=_VAULT), "subscriptionId", "00000000-0000-0000-0000-000000000001"),
        (_parameter(1, value=_VAULT), "resourcetype", "Microsoft.KeyVault/vaults"),
        (_parameter(1, value="plain"), "name", "plain"),
        (_parameter(2, multiSelect=True, value=[_VAULT, "x"]), "name", "'v','x'"),
        (_parameter(1, value="Hi"), "base64", "SGk="),
        (_parameter(2, jsonData=_TWO), "", "b"),
        (_parameter(2, jsonData=_TWO, value="a"), "label", "First"),
        (_parameter(2, jsonData="[1, 7]", value=7), "", "7"),
        (_parameter(2, jsonData=_TWO, multiSelect=True, value=["a", "b"]), "", "'a','b'"),
        (_parameter(2, jsonData=_TWO, multiSelect=True, value=["a", "b"], quote="", delimiter=" or "), "", "a or b"),
        (_parameter(2, jsonData=_TWO, multiSelect=True, value=["value::all"]), "", "'a','b'"),
        (_parameter(2, jsonData=_TWO, multiSelect=True, value=["value::1"]), "", "'a'"),
        (_parameter(2, multiSelect=True, value=["value::all"], typeSettings={"selectAllValue": "*"}), "", "'*'"),
        (_parameter(2, multiSelect=True, value=["value::all"], typeSettings={"selectAllValue": "[]"}), "", "[]"),
        (_parameter(2, multiSelect=True, value=["value::all"], typeSettings={"selectAllValue": "*"}), "label", "All"),
        (_parameter(2, value="value::all", typeSettings={"selectAllValue": "All"}), "", "All"),
        (_parameter(2, multiSelect=True, jsonData="not JSON"), "", ""),
    ],
)
def test_values(parameter: Parameter, form: str, expected: str) -> None:
    assert written(opening_value(parameter, NOW), form, "query") == expected


@given(st.lists(st.sampled_from(["{P}", "{P:label}", "{Q}", "ab", "{", "}", "{2}", " "]), max_size=12), st.text(max_size=5))
def test_every_character_knows_where_it_came_from(parts: list[str], pasted: str) -> None:
    text = "".join(parts)
    found = substitute(text, {"P": Value(pasted)}, "query")
    assert found.text == text.replace("{P}", pasted).replace("{P:label}", pasted) or "{P" in pasted
    for at, char in enumerate(found.text):
        span = found.origin(at, at + 1)
        origin = text[span.start : span.end]
        assert origin == char or origin in ("{P}", "{P:label}")
