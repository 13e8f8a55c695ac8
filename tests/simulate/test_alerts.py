"""From rows to alerts: the trigger, grouping, entities, details and texts of the service (S-36 to S-62)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from toolkit.content.models.rule import Rule
from toolkit.content.models.validate import validate_model
from toolkit.content.yaml import parse_yaml
from toolkit.simulate import Window, raise_alerts, window_of
from toolkit.simulate.cells import cell_text

_NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
_GUID = "00000000-0000-0000-0000-000000000001"
_WINDOW = Window(_NOW - timedelta(hours=1), _NOW)
_BASE = "name: A rule\ndescription: Its text\nseverity: Low\nqueryPeriod: 1h\ntriggerOperator: gt\ntriggerThreshold: 0\ntactics: [Impact]\n"


def _rule(text: str = "") -> Rule:
    document, findings = parse_yaml(_BASE + text, "rule.yaml")
    rule = validate_model(Rule, document, findings)
    assert rule is not None
    assert not findings.found, findings.found
    return rule


def _rows(count: int, **values: Any) -> list[dict[str, Any]]:
    return [{"TimeGenerated": _NOW - timedelta(minutes=count - number), "N": number, **values} for number in range(count)]


@pytest.mark.parametrize(
    ("operator", "threshold", "counts"),
    [("gt", 2, {2: 0, 3: 1}), ("lt", 2, {0: 1, 1: 1, 2: 0}), ("eq", 0, {0: 1, 1: 0}), ("ne", 1, {0: 1, 1: 0, 2: 1})],
)
def test_the_trigger(operator: str, threshold: int, counts: dict[int, int]) -> None:
    text = _BASE.replace("gt", operator).replace("triggerThreshold: 0", f"triggerThreshold: {threshold}")
    document, findings = parse_yaml(text, "rule.yaml")
    rule = validate_model(Rule, document, findings)
    assert rule is not None
    assert {rows: len(raise_alerts(rule, _rows(rows), _WINDOW)) for rows in counts} == counts


@pytest.mark.parametrize(
    ("kind", "rows", "alerts"), [("Scheduled", 1, 1), ("Scheduled", 150, 150), ("Scheduled", 151, 150), ("NRT", 31, 30), ("NRT", 0, 0)]
)
def test_an_alert_per_result_up_to_the_cap(kind: str, rows: int, alerts: int) -> None:
    rule = _rule(f"kind: {kind}\neventGroupingSettings: {{aggregationKind: AlertPerResult}}\n")
    raised = raise_alerts(rule, _rows(rows), _WINDOW)
    assert len(raised) == alerts
    if rows > alerts:
        assert [len(alert.rows) for alert in raised] == [1] * (alerts - 1) + [rows]


def test_times_are_those_of_the_rows_or_of_the_window() -> None:
    alert = raise_alerts(_rule(), _rows(3), _WINDOW)[0]
    assert (alert.start, alert.end) == (_NOW - timedelta(minutes=3), _NOW - timedelta(minutes=1))
    alert = raise_alerts(_rule(), [{"N": 1}], _WINDOW)[0]
    assert (alert.start, alert.end) == (_WINDOW.start, _WINDOW.end)


def test_the_window_ends_at_the_nominal_time() -> None:
    assert window_of(_rule(), _NOW) == _WINDOW
    assert window_of(_rule("kind: NRT\n"), _NOW) == Window(_NOW - timedelta(minutes=1), _NOW)


def _mapping(kind: str, **columns: str) -> str:
    fields = "".join(f"  - {{identifier: {name}, columnName: {column}}}\n" for name, column in columns.items())
    return f"entityMappings:\n- entityType: {kind}\n  fieldMappings:\n{fields}"


@pytest.mark.parametrize(
    ("kind", "columns", "row", "stored"),
    [
        ("Account", {"FullName": "A"}, {"A": "CONTOSO\\bob"}, {"Name": "bob", "NTDomain": "CONTOSO"}),
        ("Account", {"FullName": "A"}, {"A": "bob@contoso.com"}, {"Name": "bob", "UPNSuffix": "contoso.com"}),
        ("Account", {"FullName": "A"}, {"A": "masterclient"}, {"Name": "masterclient"}),
        ("Account", {"FullName": "A", "Name": "B"}, {"A": "x@contoso.com", "B": "bob"}, {"Name": "bob", "UPNSuffix": "contoso.com"}),
        ("Account", {"Name": "A"}, {"A": "bob@contoso.com"}, {"Name": "bob", "UPNSuffix": "contoso.com"}),
        ("Host", {"FullName": "A"}, {"A": "web01.contoso.com"}, {"HostName": "web01", "DnsDomain": "contoso.com"}),
        ("IP", {"Address": "A"}, {"A": " 203.0.113.1 "}, {"Address": "203.0.113.1"}),
        ("FileHash", {"Algorithm": "A", "Value": "B"}, {"A": "SHA256", "B": "00"}, {"Algorithm": "SHA256", "Value": "00"}),
        ("URL", {"Url": "A"}, {"A": {"x": [1]}}, {"Url": '{"x":[1]}'}),
        ("Account", {"AadUserId": "A"}, {"A": _GUID}, {"AadUserId": _GUID}),
    ],
)
def test_entities_as_the_service_stores_them(kind: str, columns: dict[str, str], row: dict[str, Any], stored: dict[str, str]) -> None:
    alert = raise_alerts(_rule(_mapping(kind, **columns)), [row], _WINDOW)[0]
    assert [dict(entity.stored) for entity in alert.entities] == [stored]


@pytest.mark.parametrize(
    ("kind", "columns", "row", "note"),
    [
        ("Account", {"FullName": "A"}, {"A": "Root"}, "S-54"),
        ("Account", {"Name": "A"}, {"A": "local system"}, "S-54"),
        ("Account", {"AadUserId": "A"}, {"A": "bob"}, "it is no GUID"),
        ("FileHash", {"Algorithm": "A", "Value": "B"}, {"A": "", "B": "00"}, "S-53"),
        ("IP", {"Address": "A"}, {"A": "  "}, None),
        ("IP", {"Address": "A"}, {"A": None}, None),
    ],
)
def test_entities_that_are_left_out(kind: str, columns: dict[str, str], row: dict[str, Any], note: str | None) -> None:
    alert = raise_alerts(_rule(_mapping(kind, **columns)), [row], _WINDOW)[0]
    assert alert.entities == ()
    assert len(alert.notes) == (1 if note else 0)
    assert note is None or note in alert.notes[0]


def test_an_entity_appears_once_whatever_its_case() -> None:
    rule = _rule(_mapping("Account", FullName="A"))
    alert = raise_alerts(rule, [{"A": "Bob"}, {"A": "bob"}, {"A": "alice"}], _WINDOW)[0]
    assert [entity.mapped["FullName"] for entity in alert.entities] == ["Bob", "alice"]


def test_entities_are_limited_per_mapping() -> None:
    rule = _rule(_mapping("IP", Address="A"))
    rows = [{"A": f"198.51.{number // 256}.{number % 256}"} for number in range(600)]
    assert len(raise_alerts(rule, rows, _WINDOW)[0].entities) == 500


def test_custom_details_are_distinct_texts() -> None:
    rule = _rule("customDetails: {Who: A, Many: N, None: B}\n")
    rows = [{"A": "bob", "N": 1, "B": ""}, {"A": "bob", "N": 2.5, "B": None}]
    assert raise_alerts(rule, rows, _WINDOW)[0].details == {"Who": ["bob"], "Many": ["1", "2.5"]}


def test_custom_details_end_at_two_kilobytes_and_fifty_values() -> None:
    rule = _rule("customDetails: {N: N, Long: L}\n")
    alert = raise_alerts(rule, [{"N": number, "L": "x" * 700} for number in range(80)], _WINDOW)[0]
    assert len(alert.details["N"]) == 50
    rows = [{"N": 1, "L": str(number) * 700} for number in range(5)]
    alert = raise_alerts(rule, rows, _WINDOW)[0]
    assert len(alert.details["Long"]) == 2
    assert "S-58" in alert.notes[0]


@pytest.mark.parametrize(
    ("override", "rows", "title", "severity", "tactics"),
    [
        ("alertDisplayNameFormat: 'By {{A}} {{ N }}'", [{"A": "bob", "N": 1}], "By bob 1", "Low", ("Impact",)),
        ("alertDisplayNameFormat: 'By {{A}}'", [{"A": "bob"}, {"A": "al"}, {"A": "bob"}], "By bob, al", "Low", ("Impact",)),
        ("alertDisplayNameFormat: 'By {{A}} {{B}}'", [{"A": "bob", "B": ""}], "A rule", "Low", ("Impact",)),
        ("alertDisplayNameFormat: '{{A}}'", [{"A": "é" * 200}], "é" * 128, "Low", ("Impact",)),
        ("alertDisplayNameFormat: '{{A}}'", [{"A": "{{N}}", "N": 1}], "{{N}}", "Low", ("Impact",)),
        ("alertSeverityColumnName: A", [{"A": "high"}], "A rule", "High", ("Impact",)),
        ("alertSeverityColumnName: A", [{"A": "urgent"}], "A rule", "Low", ("Impact",)),
        ("alertTacticsColumnName: A", [{"A": '["Persistence", "Execution"]'}], "A rule", "Low", ("Persistence", "Execution")),
        ("alertTacticsColumnName: A", [{"A": "nothing"}], "A rule", "Low", ("Impact",)),
    ],
)
def test_overrides(override: str, rows: list[dict[str, Any]], title: str, severity: str, tactics: tuple[str, ...]) -> None:
    alert = raise_alerts(_rule(f"alertDetailsOverride:\n  {override}\n"), rows, _WINDOW)[0]
    assert (alert.title, alert.severity, alert.tactics) == (title, severity, tactics)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (1.5, "1.5"),
        (timedelta(days=1, hours=2), "1.02:00:00"),
        (timedelta(seconds=-1.5), "-00:00:01.5000000"),
        (datetime(2026, 3, 2, 10, 0, 0, 5, tzinfo=UTC), "2026-03-02T10:00:00.0000050Z"),
        ({"a": [1, None, "é"]}, '{"a":[1,null,"é"]}'),
    ],
)
def test_cells_as_text(value: Any, text: str) -> None:
    assert cell_text(value) == text
