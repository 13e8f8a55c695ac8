"""Rules on the local Azure: windows, functions, thresholds, suppression, what is not known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.azure_server import FORBIDDEN, SERVER_ERROR, UNAVAILABLE, AzureServer, Fault
from tests.deploy.conftest import rule_text, write_project
from toolkit.azure import PUBLIC, LogsClient, Options, Retries, StaticCredential, errors
from toolkit.content.findings import ContentError
from toolkit.content.project import Project
from toolkit.deploy.backtest import Backtest, BacktestError, Outcome, schedule_of
from toolkit.deploy.backtest.backtest import rule_of

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
FUNCTION = "detections/iam/functions/{}.yaml"
RULE = "detections/iam/rules/rule.yaml"


TOO_SLOW = Fault("too-slow", 504, "GatewayTimeout", "The queries did not finish in time.")


class Bench:
    """A local Azure, a project whose environment `local` it is, and a client that does not wait."""

    def __init__(self, server: AzureServer, folder: Path) -> None:
        self.server, self.folder = server, folder

    def sign_ins(self, *hours_ago: float, table: str = "SigninLogs") -> Bench:
        """One row for each of these times before NOW."""
        engine = self.server.site().engine
        assert engine is not None
        rows = [{"TimeGenerated": NOW - timedelta(hours=hours), "ResultType": "50126"} for hours in hours_ago]
        engine.ingest(table, rows)
        return self

    def project(self, files: Mapping[str, str] | None = None, **rule: str) -> Project:
        return write_project(self.folder, self.server, {RULE: rule_text(1, **rule), **(files or {})})

    def prepare(self, project: Project, days: int = 1, step: timedelta | None = None) -> Backtest:
        item = project.select([self.folder / RULE])[0]
        return Backtest.prepare(project, item, "local", schedule_of(rule_of(item), NOW, days, step))

    def run(
        self,
        files: Mapping[str, str] | None = None,
        rule: Mapping[str, str] | None = None,
        *,
        days: int = 1,
        step: timedelta | None = None,
        **keys: str,
    ) -> Outcome:
        return self.ask(self.prepare(self.project(files, **(rule or {}), **keys), days, step))

    def ask(self, backtest: Backtest) -> Outcome:
        with LogsClient(PUBLIC.at(logs=self.server.url), StaticCredential("t"), Options(retries=Retries(status=1, backoff=0))) as logs:
            return backtest.run(logs, self.server.site().customer_id)

    def asked(self) -> list[Mapping[str, Any]]:
        """Every query that reached the workspace in a batch: its body."""
        return [each["body"] for record in self.server.log if record.path.endswith("$batch") for each in record.body["requests"]]


@pytest.fixture
def bench(server: AzureServer, tmp_path: Path) -> Bench:
    return Bench(server, tmp_path)


def _alerts(outcome: Outcome) -> dict[int, int]:
    """Alerts by the hours between a run and NOW, for runs that raise any."""
    return {(NOW - run.time) // timedelta(hours=1): run.raised for run in outcome.runs if run.raised}


def test_every_run_asks_for_its_window_at_its_time(bench: Bench) -> None:
    query = "|\n  SigninLogs\n  | where TimeGenerated > ago(90m)\n  | extend Text = 'ago(1d)'"
    outcome = bench.sign_ins(0.5, 5.75).run(queryFrequency="1h", queryPeriod="2h", query=query)
    assert len(outcome.runs) == 24
    assert _alerts(outcome) == {0: 1, 5: 1}  # at 4 hours ago the window of two hours has the row, ago(90m) has not
    bodies = bench.asked()
    assert [bodies[0]["timespan"], bodies[-1]["timespan"]] == [
        "2026-03-01T09:00:00Z/2026-03-01T11:00:00Z",
        "2026-03-02T08:00:00Z/2026-03-02T10:00:00Z",
    ]
    assert bodies[-1]["query"].rstrip() == (
        "SigninLogs\n| where TimeGenerated > (datetime(2026-03-02T10:00:00.0000000Z) - (90m))\n| extend Text = 'ago(1d)'\n| count"
    )
    assert bench.server.log.count("POST", "$batch") == 1


def test_a_window_hides_rows_that_the_query_asks_for(bench: Bench) -> None:
    """The rule's window and its own filter are both applied (S-13)."""
    query = "|\n  SigninLogs\n  | where TimeGenerated > ago(7d)"
    outcome = bench.sign_ins(3.5).run(queryFrequency="1h", queryPeriod="1h", query=query)
    assert _alerts(outcome) == {3: 1}


def _function(name: str, body: str, parameters: str = "") -> dict[str, str]:
    lines = "".join(f"  {line}\n" for line in body.split("\n"))
    return {FUNCTION.format(name): f"functionAlias: {name}\nfunctionParameters: '{parameters}'\nquery: |\n{lines}"}


def test_ago_inside_the_projects_functions_is_the_run_s_time(bench: Bench) -> None:
    files = {
        **_function("Recent", "Since(ago(30m)) // from ago(30m) on"),
        **_function(
            "Since", "let wanted = '50126';\nSigninLogs\n| where TimeGenerated > start and ResultType == wanted;", "start:datetime"
        ),
        **_function("Unused", "Heartbeat | where TimeGenerated > ago(1d)"),
    }
    rule = {"queryFrequency": "1h", "queryPeriod": "1h", "query": "|\n  let few = 0;\n  Recent\n  | where strlen(ResultType) > few"}
    outcome = bench.sign_ins(0.25, 3.25, 3.75, 6.75).run(files, rule)
    assert _alerts(outcome) == {0: 1, 3: 1}
    assert outcome.functions == ("Since", "Recent")
    assert outcome.notes == ()
    assert "Unused" not in bench.asked()[0]["query"]


def test_a_function_that_only_the_workspace_has_is_called_and_named(bench: Bench) -> None:
    bench.server.site().saved_searches.put(
        "there",
        {"name": "there", "properties": {"functionAlias": "There", "displayName": "There", "query": "SigninLogs | where now() > ago(1d)"}},
    )
    bench.server.site().saved_searches.put(
        "plain", {"name": "plain", "properties": {"functionAlias": "Plain", "displayName": "Plain", "query": "SigninLogs"}}
    )
    bench.server.site().touch("function", "there")
    bench.server.site().touch("function", "plain")
    outcome = bench.sign_ins(2.5).run(queryFrequency="1h", queryPeriod="1h", query="|\n  union There, Plain | where now() > ago(1h)")
    assert _alerts(outcome) == {2: 1}
    assert [run.rows for run in outcome.runs if run.rows] == [2]
    assert len(outcome.notes) == 1
    assert outcome.notes[0].startswith("There is a function of the workspace")


def test_a_function_sees_the_lets_of_the_query_before_its_call(bench: Bench) -> None:
    """R-306: a saved function is expanded where it is called."""
    files = _function("Wanted", "SigninLogs | where ResultType == code")
    outcome = bench.sign_ins(2.5).run(files, queryFrequency="1h", queryPeriod="1h", query="|\n  let code = '50126';\n  Wanted | take 5")
    assert _alerts(outcome) == {2: 1}


@pytest.mark.parametrize(
    ("operator", "threshold", "hours"),
    [("gt", 1, {2}), ("lt", 1, set(range(24)) - {2, 5}), ("eq", 1, {5}), ("ne", 0, {2, 5})],
)
def test_the_threshold(bench: Bench, operator: str, threshold: int, hours: set[int]) -> None:
    bench.sign_ins(2.25, 2.5, 5.5)
    outcome = bench.run(queryFrequency="1h", queryPeriod="1h", triggerOperator=operator, triggerThreshold=str(threshold))
    assert set(_alerts(outcome)) == hours


def test_an_alert_per_result_is_counted_up_to_the_cap(bench: Bench) -> None:
    bench.sign_ins(*[1.5] * 151, *[3.5] * 3)
    outcome = bench.run(queryFrequency="1h", queryPeriod="1h", eventGroupingSettings="{aggregationKind: AlertPerResult}")
    assert _alerts(outcome) == {1: 150, 3: 3}
    assert (outcome.alerts, outcome.with_alerts, outcome.alerts_per_day) == (153, 2, 153)


def test_suppression_leaves_runs_out_and_says_how_many(bench: Bench) -> None:
    """S-47: after the alert at 10 hours ago nothing runs for three hours; the run at exactly three hours does."""
    bench.sign_ins(10.5, 9.5, 7.5, 6.5, 2.5)
    rule = {"queryFrequency": "1h", "queryPeriod": "1h", "suppressionEnabled": "true", "suppressionDuration": "3h"}
    outcome = bench.run(rule=rule)
    assert set(_alerts(outcome)) == {10, 7, 2}
    spared = [run for run in outcome.runs if run.suppressed]
    assert [(NOW - run.time) // timedelta(hours=1) for run in spared] == [9, 8, 6, 5, 1, 0]
    assert outcome.to_json()["suppression"] == {"duration": "3h", "runsNotRun": 6, "alertsSpared": 2}


def test_full_rows_are_asked_for_where_they_cannot_be_counted(bench: Bench) -> None:
    bench.server.behaviour.row_limit = 2
    bench.sign_ins(1.5, 1.6, 1.7, 4.5)
    query = "|\n  SigninLogs\n  | render timechart"
    outcome = bench.run(queryFrequency="1h", queryPeriod="1h", query=query)
    assert _alerts(outcome) == {4: 1}
    assert outcome.number("partial") == 1
    partial = outcome.incomplete[0]
    assert (partial.rows, partial.alerts, partial.time) == (None, None, NOW - timedelta(hours=1))
    assert "exceed the set limit" in partial.problem
    assert outcome.alerts_per_day == pytest.approx(24 / 23)


def test_windows_that_fail_are_named_and_not_counted_as_silent(bench: Bench) -> None:
    """`assert` fails in the windows before midnight only."""
    query = "|\n  SigninLogs\n  | where assert(now() > datetime(2026-03-02), 'too early')"
    outcome = bench.sign_ins(2.5).run(queryFrequency="1h", queryPeriod="1h", query=query)
    assert outcome.number("failed") == 14
    assert max(run.time for run in outcome.incomplete) == datetime(2026, 3, 2, tzinfo=UTC)
    assert _alerts(outcome) == {2: 1}
    assert [(day.date.day, day.failed, day.alerts) for day in outcome.days] == [(1, 13, 0), (2, 1, 1)]


def test_a_refused_query_is_not_sent_again_and_again(bench: Bench) -> None:
    outcome = bench.run(days=10, queryFrequency="1h", queryPeriod="1h", query="|\n  Nonsense")
    assert outcome.number("failed") == 240
    assert outcome.alerts_per_day is None
    assert bench.server.log.count("POST", "$batch") == 1
    assert "not asked" in outcome.runs[-1].problem


def test_a_request_that_fails_later_costs_its_windows_only(bench: Bench) -> None:
    backtest = bench.sign_ins(0.5).prepare(bench.project(queryFrequency="1h", queryPeriod="1h"), days=10)

    class Breaking:
        def total(self, steps: int) -> None:
            assert steps == 240

        def step(self, name: str) -> None:
            if name == "2026-02-24 13:00":  # the last window of the first request
                bench.server.faults.add(SERVER_ERROR, path="batch", times=2)

    with LogsClient(PUBLIC.at(logs=bench.server.url), StaticCredential("t"), Options(retries=Retries(status=1, backoff=0))) as logs:
        outcome = backtest.run(logs, bench.server.site().customer_id, Breaking())
    assert outcome.number("failed") == 100
    assert _alerts(outcome) == {0: 1}


def test_a_request_that_takes_too_long_is_halved(bench: Bench) -> None:
    backtest = bench.sign_ins(0.5, 20.5).prepare(bench.project(queryFrequency="1h", queryPeriod="1h"))
    bench.server.faults.add(TOO_SLOW, path="batch")
    assert _alerts(bench.ask(backtest)) == {0: 1, 20: 1}
    answered = [len(record.body["requests"]) for record in bench.server.log if record.path.endswith("$batch") and record.status == 200]
    assert answered == [12, 12]


def test_windows_that_always_take_too_long_are_failed_runs(bench: Bench) -> None:
    backtest = bench.sign_ins(0.5).prepare(bench.project(queryFrequency="12h", queryPeriod="12h"))
    bench.server.faults.add(TOO_SLOW, path="batch", times=2)  # both windows together, then the first alone
    outcome = bench.ask(backtest)
    assert [(run.status, run.alerts) for run in outcome.runs] == [("failed", None), ("evaluated", 1)]


@pytest.mark.parametrize(("fault", "kind"), [(FORBIDDEN, errors.AuthorizationError), (UNAVAILABLE, errors.UnavailableError)])
def test_a_workspace_that_cannot_be_asked_is_an_error(bench: Bench, fault: Any, kind: type[Exception]) -> None:
    backtest = bench.prepare(bench.project())
    bench.server.faults.add(fault, path="batch", times=None)
    with pytest.raises(kind):
        bench.ask(backtest)


def test_faults_that_pass_change_nothing(bench: Bench) -> None:
    backtest = bench.sign_ins(2.5).prepare(bench.project(queryFrequency="1h", queryPeriod="1h"))
    bench.server.faults.add(UNAVAILABLE, path="batch")
    assert _alerts(bench.ask(backtest)) == {2: 1}


def test_an_nrt_rule_is_looked_at_hour_by_hour(bench: Bench) -> None:
    rule = rule_text(kind="NRT", queryFrequency="", queryPeriod="", triggerOperator="", triggerThreshold="")
    project = write_project(bench.folder, bench.server, {RULE: rule})
    outcome = bench.sign_ins(2.5, 2.6, 7.5).ask(bench.prepare(project))
    assert _alerts(outcome) == {2: 1, 7: 1}
    assert [note for note in outcome.notes if "NRT" in note and "lower bound" in note]


def test_a_sample_of_the_runs_says_so_and_extrapolates(bench: Bench) -> None:
    bench.sign_ins(*(hours + 0.5 for hours in range(24)))
    rule = {"queryFrequency": "1h", "queryPeriod": "1h", "suppressionEnabled": "true", "suppressionDuration": "5h"}
    outcome = bench.run(rule=rule, step=timedelta(hours=6))
    assert (len(outcome.runs), outcome.alerts, outcome.alerts_per_day) == (4, 4, 24)
    assert [note.split(":")[0] for note in outcome.notes] == ["one run in 6 was looked at", "suppression is not applied to a sample"]


def test_parameters_are_those_of_the_environment(bench: Bench) -> None:
    rule = rule_text(
        queryFrequency="1h",
        queryPeriod="1h",
        parameters="\n  code: {type: string, default: '0'}",
        query="|\n  SigninLogs | where ResultType == {{ code | kql }}",
    )
    write_project(bench.folder, bench.server, {RULE: rule}, "parameters: {code: '50126'}")
    outcome = bench.sign_ins(2.5).ask(bench.prepare(Project.load(bench.folder, bench.folder)))
    assert _alerts(outcome) == {2: 1}


REFUSED = [
    ("SigninLogs; Heartbeat", {}, "2 results"),
    ("let ago = (x: timespan) { now() - x };\n  SigninLogs", {}, "a function ago of its own"),
    ("Loop", _function("Loop", "Loop2 | take 1") | _function("Loop2", "Loop()"), "calls itself (Loop -> Loop2 -> Loop)"),
    ("Broken", _function("Broken", "SigninLogs; Heartbeat"), "no function that KQL can call"),
]


@pytest.mark.parametrize(("query", "files", "problem"), REFUSED, ids=[row[2] for row in REFUSED])
def test_a_rule_that_cannot_be_backtested_says_why(bench: Bench, query: str, files: dict[str, str], problem: str) -> None:
    with pytest.raises(BacktestError) as caught:
        bench.prepare(bench.project(files, query=f"|\n  {query}"))
    assert problem in str(caught.value)


def test_a_query_that_is_no_kql_is_an_error_at_its_line(bench: Bench) -> None:
    with pytest.raises(ContentError, match=r"rule\.yaml:\d+:\d+") as caught:
        bench.prepare(bench.project(query="|\n  SigninLogs\n  | where ("))
    assert "| where (" in str(caught.value)


def test_a_function_with_a_broken_template_is_an_error_at_its_place(bench: Bench) -> None:
    with pytest.raises(ContentError, match=r"F\.yaml"):
        bench.prepare(bench.project(_function("F", "SigninLogs | where {{ missing }}"), query="|\n  F()"))


def test_the_report_as_json_holds_every_window(bench: Bench) -> None:
    found = json.loads(json.dumps(bench.sign_ins(2.5, 30.5).run(days=2, queryFrequency="1h", queryPeriod="1h").to_json()))
    assert {key: found[key] for key in ("runs", "runsWithAlerts", "alerts", "expectedAlertsPerDay", "busiestDay", "failed", "partial")} == {
        "runs": 48,
        "runsWithAlerts": 2,
        "alerts": 2,
        "expectedAlertsPerDay": 1.0,
        "busiestDay": "2026-03-01",
        "failed": 0,
        "partial": 0,
    }
    assert [day["alerts"] for day in found["days"]] == [0, 1, 1]
    assert found["windows"][-3] == {
        "start": "2026-03-02T07:00:00Z",
        "end": "2026-03-02T08:00:00Z",
        "status": "evaluated",
        "rows": 1,
        "alerts": 1,
        "suppressed": False,
    }
