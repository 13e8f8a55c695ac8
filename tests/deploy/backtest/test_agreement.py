"""One law: a backtest over the wire is the simulation, window by window, of the same rule on the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.azure_server import AzureServer, Site
from tests.deploy.conftest import TABLES, rule_text, write_project
from toolkit import Workspace as Engine
from toolkit.azure import PUBLIC, LogsClient, StaticCredential
from toolkit.content.models.rule import Rule
from toolkit.deploy.backtest import Backtest, schedule_of
from toolkit.deploy.backtest.backtest import rule_of
from toolkit.simulate import raise_alerts, window_of

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
RULE = "detections/iam/rules/rule.yaml"
BODY, SIGNATURE = "SigninLogs | where TimeGenerated between (ago(since) .. now())", "since:timespan=2h"
FUNCTION = f"functionAlias: Recent\nfunctionParameters: '{SIGNATURE}'\nquery: |\n  {BODY}\n"

QUERIES = [
    "SigninLogs",
    "SigninLogs | where TimeGenerated > ago(90m) // ago(1d)",
    "Recent | where IPAddress != 'ago(1h)'",
    "let wide = 3h;\n  Recent(wide) | summarize n = count(), seen = max(TimeGenerated) by UserPrincipalName | where seen > ago(2h)",
    "SigninLogs | summarize n = count() | extend t = now() | where n > 1",
    "let old = toscalar(SigninLogs | summarize min(TimeGenerated));\n  SigninLogs | where TimeGenerated > max_of(old, ago(1h))",
    "union (SigninLogs | where TimeGenerated < ago(30m)), (Recent(1h) | take 2) | render table",
]


@pytest.fixture(scope="module")
def server() -> Iterator[AzureServer]:
    with AzureServer(Site("soc", Engine(TABLES))) as found:
        yield found


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.sampled_from(QUERIES),
    minutes=st.lists(st.integers(1, 26 * 60 - 1).filter(lambda minute: minute % 60), max_size=12),
    schedule=st.sampled_from([("2h", "2h"), ("3h", "6h"), ("4h", "4h"), ("6h", "12h")]),
    trigger=st.tuples(st.sampled_from(["gt", "lt", "eq", "ne"]), st.integers(0, 2)),
    grouping=st.sampled_from(["SingleAlert", "AlertPerResult"]),
    suppression=st.sampled_from(["", "3h", "9h"]),
)
def test_a_backtest_is_the_simulation_of_every_window(server: AzureServer, tmp_path: Path, **drawn: Any) -> None:
    engine = Engine(TABLES)
    engine.define_function("Recent", BODY, SIGNATURE)
    rows = [
        {"TimeGenerated": NOW - timedelta(minutes=minute), "UserPrincipalName": f"u{minute % 3}", "IPAddress": f"192.0.2.{minute % 5}"}
        for minute in drawn["minutes"]
    ]
    engine.ingest("SigninLogs", rows)
    site = server.site()
    site.engine, site._view = engine, None
    (frequency, period), (operator, threshold) = drawn["schedule"], drawn["trigger"]
    keys = {
        "query": f"|\n  {drawn['query']}",
        "queryFrequency": frequency,
        "queryPeriod": period,
        "triggerOperator": operator,
        "triggerThreshold": str(threshold),
        "eventGroupingSettings": f"{{aggregationKind: {drawn['grouping']}}}",
    }
    if drawn["suppression"]:
        keys |= {"suppressionEnabled": "true", "suppressionDuration": drawn["suppression"]}
    project = write_project(tmp_path, server, {RULE: rule_text(1, **keys), "detections/iam/functions/Recent.yaml": FUNCTION})
    item = project.select([tmp_path / RULE])[0]
    rule = rule_of(item)
    backtest = Backtest.prepare(project, item, "local", schedule_of(rule, NOW, 1))
    with LogsClient(PUBLIC.at(logs=server.url), StaticCredential("t")) as logs:
        outcome = backtest.run(logs, site.customer_id)
    found = {run.time: None if run.suppressed else run.alerts for run in outcome.runs}
    assert found == _simulated(engine, rule, drawn["query"])


def _simulated(engine: Engine, rule: Rule, query: str) -> dict[datetime, int | None]:
    """Alerts of each run of a day, None for a run that suppression leaves out (S-47)."""
    assert rule.query_frequency is not None
    found: dict[datetime, int | None] = {}
    silent_until = datetime.min.replace(tzinfo=UTC)
    for number in reversed(range(timedelta(days=1) // rule.query_frequency)):
        time = NOW - number * rule.query_frequency
        if time < silent_until:
            found[time] = None
            continue
        window = window_of(rule, time)
        result = engine.query(query, now=time, start=window.start, end=window.end)
        names = [name for name, _ in result.columns]
        alerts = raise_alerts(rule, [dict(zip(names, row, strict=True)) for row in result.rows()], window)
        found[time] = len(alerts)
        if alerts and rule.suppression_enabled and rule.suppression_duration:
            silent_until = time + rule.suppression_duration
    return found
