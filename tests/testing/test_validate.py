"""Validation as a library: functions, hunting queries, watchlists, environments and clocks of cases."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.content.project import Project
from toolkit.testing.report import ValidationReport
from toolkit.testing.runner import Settings
from toolkit.testing.validate import Options, Validation

_CONFIG = """\
environments: {prod: {parameters: {names: [bob]}}, dev: {}}
catalog: {tables: {Log_CL: {TimeGenerated: datetime, Name: string, Count: long, Data: dynamic, Raw: string}}}
"""
_RULE = """\
id: 00000000-0000-0000-0000-00000000000{number}
name: A rule
severity: Low
{schedule}
parameters: {{names: {{type: list, default: [alice]}}}}
query: |
  {query}
"""
_SCHEDULE = "queryFrequency: 1h\nqueryPeriod: 1h\ntriggerOperator: gt\ntriggerThreshold: 0"


def _validate(folder: Path, files: dict[str, str], environment: str | None = None) -> ValidationReport:
    for name, text in {"toolkit.yaml": _CONFIG, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Validation(Project.find(folder, folder), Options(Settings(environment))).run()


def _outcomes(report: ValidationReport) -> dict[str, str]:
    return {case.case.name: case.status for result in report.results for case in result.cases}


def _rule(query: str, schedule: str = _SCHEDULE, number: int = 1) -> str:
    return _RULE.format(query=query.replace("\n", "\n  "), schedule=schedule, number=number)


def _rows(*times: str) -> str:
    return "[" + ", ".join(f"{{TimeGenerated: 2026-03-02T{time}Z, Name: n{number}}}" for number, time in enumerate(times)) + "]"


@pytest.mark.parametrize(
    ("schedule", "times", "names"),
    [
        (_SCHEDULE, ("08:59:59.9999999", "09:00:00", "09:00:00.0000001", "10:00:00", "10:00:00.0000001"), ["n2", "n3"]),
        ("kind: NRT", ("09:58:59", "09:59:00", "09:59:00.0000001", "10:00:00"), ["n2", "n3"]),
    ],
)
def test_the_window_begins_after_its_start_and_ends_with_the_clock(
    tmp_path: Path, schedule: str, times: tuple[str, ...], names: list[str]
) -> None:
    rows = ", ".join(f"{{Name: {name}}}" for name in names)
    logs = f"logs: {{Log_CL: {_rows(*times)}}}"
    cases = f"cases:\n- name: window\n  now: 2026-03-02T10:00:00Z\n  {logs}\n  expect: {{rows: [{rows}], exact: true}}\n"
    report = _validate(tmp_path, {"detections/a/rules/r.yaml": _rule("Log_CL", schedule), "detections/a/rules/r.tests.yaml": cases})
    assert _outcomes(report) == {"window": "passed"}, [finding.render() for finding in report.findings]


def test_now_is_the_clock_of_the_case(tmp_path: Path) -> None:
    cases = """\
logs: {Log_CL: [{TimeGenerated: 2026-03-02T09:30:00Z, Name: old}]}
cases:
- {name: given, now: 2026-03-02T10:00:00Z, expect: {rows: [{Now: 2026-03-02T10:00:00Z, Ago: 2026-03-02T09:00:00Z}]}}
- name: latest
  logs: {Log_CL: [{TimeGenerated: 2026-03-02T09:45:00.5Z, Name: b}]}
  expect: {rows: [{Name: b, Now: 2026-03-02T09:45:00.5Z}, {Name: old}]}
- name: undated rows stand at it
  now: 2026-03-02T10:00:00Z
  logs: {Log_CL: [{Name: b}]}
  expect: {rows: [{Name: b, TimeGenerated: 2026-03-02T10:00:00Z}, {}]}
- {name: nothing to take it from, inherit: false, logs: {Log_CL: [{Name: b}]}, expect: none}
"""
    rule = _rule("Log_CL | extend Now = now(), Ago = ago(1h)")
    report = _validate(tmp_path, {"detections/a/rules/r.yaml": rule, "detections/a/rules/r.tests.yaml": cases})
    assert list(_outcomes(report).values()) == ["passed", "passed", "passed", "error"], [finding.render() for finding in report.findings]
    assert [finding.message for finding in (f.diagnostic for f in report.findings) if finding.severity == "error"] == [
        "The case has no `now`, and no log row whose time could stand for it."
    ]


def test_parameters_of_environments_and_cases(tmp_path: Path) -> None:
    cases = """\
logs: {Log_CL: [{Name: alice}, {Name: bob}, {Name: eve}]}
cases:
- {name: default, now: 2026-03-02T10:00:00Z, expect: {rows: [{Name: alice}], exact: true}}
- {name: environment, env: prod, now: 2026-03-02T10:00:00Z, expect: {rows: [{Name: bob}], exact: true}}
- {name: case, env: prod, parameters: {names: [eve]}, now: 2026-03-02T10:00:00Z, expect: {rows: [{Name: eve}], exact: true}}
- {name: unknown environment, env: test, now: 2026-03-02T10:00:00Z, expect: none}
- {name: unknown parameter, parameters: {nams: [x]}, now: 2026-03-02T10:00:00Z, expect: none}
- {name: wrong type, parameters: {names: x}, now: 2026-03-02T10:00:00Z, expect: none}
"""
    files = {"detections/a/rules/r.yaml": _rule("Log_CL | where Name in ({{ names }})"), "detections/a/rules/r.tests.yaml": cases}
    report = _validate(tmp_path, files)
    assert list(_outcomes(report).values()) == ["passed"] * 3 + ["error"] * 3, [finding.render() for finding in report.findings]
    places = {(finding.source.name.rpartition("/")[2], finding.position.line) for finding in report.findings if finding.severity == "error"}
    assert places == {("r.tests.yaml", 6), ("r.tests.yaml", 7), ("r.tests.yaml", 8)}
    assert _outcomes(_validate(tmp_path, files, "prod"))["default"] == "failed"


def test_functions_hunting_queries_and_watchlists(tmp_path: Path) -> None:
    report = _validate(
        tmp_path,
        {
            "detections/a/functions/Busy.yaml": (
                "FunctionAlias: Busy\nFunctionParameters: 'least:long = 5'\nFunctionQuery: Log_CL | where Count >= least\n"
            ),
            "detections/a/functions/Busy.tests.yaml": (
                "logs: {Log_CL: [{Name: a, Count: 3}, {Name: b, Count: 7}]}\ncases:\n"
                "- {name: default argument, now: 2026-03-02T10:00:00Z, expect: {rows: [{Name: b}], exact: true}}\n"
                "- {name: own query, now: 2026-03-02T10:00:00Z, query: Busy(1) | count, expect: {rows: [{Count: 2}]}}\n"
                "- {name: alerts, now: 2026-03-02T10:00:00Z, expect: {alerts: 1}}\n"
            ),
            "detections/a/watchlists/People.yaml": "alias: People\nitemsSearchKey: Who\n",
            "detections/a/watchlists/People.csv": "Who,Why\nb,known\n",
            "detections/a/hunting/h.yaml": (
                "id: 00000000-0000-0000-0000-000000000009\nname: Hunt\ntactics: [Discovery]\n"
                "query: Busy | join kind=inner (_GetWatchlist('People') | project Name = SearchKey, Why) on Name\n"
            ),
            "detections/a/hunting/h.tests.yaml": (
                "logs:\n  Log_CL:\n  - {TimeGenerated: 2020-01-01T00:00:00Z, Name: b, Count: 7}\n"
                "  - {TimeGenerated: 2020-01-01T00:00:00Z, Name: c, Count: 7}\n"
                "cases:\n"
                "- {name: no window, now: 2026-03-02T10:00:00Z, expect: {rows: [{Name: b, Why: known}], exact: true}}\n"
                "- {name: other rows, now: 2026-03-02T10:00:00Z, watchlists: {People: [{Who: c}]}, expect: {rows: [{Name: c, Why: ''}]}}\n"
                "- {name: no rows, now: 2026-03-02T10:00:00Z, watchlists: {People: []}, expect: none}\n"
            ),
        },
    )
    outcomes = _outcomes(report)
    assert outcomes.pop("alerts") == "failed"
    assert set(outcomes.values()) == {"passed"}, [finding.render() for finding in report.findings]
    assert len(outcomes) == 5


def test_rows_by_type(tmp_path: Path) -> None:
    cases = """\
cases:
- name: types
  now: 2026-03-02T10:00:00Z
  logs:
    Log_CL:
      - {Name: 1.0, Count: 5, Data: {a: [1, {b: null}]}, Raw: {kind: Event, n: 1}}
  expect:
    rows:
      - {Name: 1.0, Count: 5.0, Data: {a: [1, {b: null}]}, Raw: {kind: Event, n: 1}, Span: 5m, Nothing: null, Kind: Event, Yes: true}
"""
    query = 'Log_CL | extend Span = 5m, Nothing = int(null), Kind = tostring(parse_json(Raw).kind), Yes = Name == "1.0"'
    report = _validate(tmp_path, {"detections/a/rules/r.yaml": _rule(query), "detections/a/rules/r.tests.yaml": cases})
    assert _outcomes(report) == {"types": "passed"}, [finding.render() for finding in report.findings]


def test_tests_may_name_their_rule(tmp_path: Path) -> None:
    cases = "rule: r.yaml\ncases:\n- {name: other file, now: 2026-03-02T10:00:00Z, logs: {Log_CL: [{Name: x}]}, expect: {alerts: 1}}\n"
    files = {"detections/a/rules/r.yaml": _rule("Log_CL"), "detections/a/rules/more.tests.yaml": cases}
    report = _validate(tmp_path, files)
    assert _outcomes(report) == {"other file": "passed"}
    assert [finding.code for finding in report.findings] == ["no-negative-case"]


def test_a_query_that_the_engine_refuses_is_no_proof(tmp_path: Path) -> None:
    cases = "cases:\n- {name: refused, now: 2026-03-02T10:00:00Z, expect: none}\n"
    rule = _rule("Log_CL | evaluate autocluster()")
    report = _validate(tmp_path, {"detections/a/rules/r.yaml": rule, "detections/a/rules/r.tests.yaml": cases})
    assert _outcomes(report) == {"refused": "error"}
    assert not report.clean


@pytest.mark.parametrize("query", ["Log_CL | take 1; Log_CL | count", "Log_CL | fork (count) (take 1)"])
def test_a_rule_has_one_result(tmp_path: Path, query: str) -> None:
    report = _validate(tmp_path, {"detections/a/rules/r.yaml": _rule(query)})
    found = [finding.diagnostic for result in report.results for finding in result.findings if finding.diagnostic.code == "several-results"]
    assert [(one.severity, one.message) for one in found] == [("error", "The query has 2 results; a rule has exactly one (R-305).")]
