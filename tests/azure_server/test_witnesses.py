"""Microsoft's own clients work against the local Azure: what they send is understood, what it answers they can read.

They are witnesses only; the toolkit does not use them. Each is skipped where its package is not installed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceResponseTimeoutError,
)

from tests.azure_server import (
    DROPPED,
    SERVER_ERROR,
    SUBSCRIPTION,
    THROTTLED,
    THROTTLED_BARE,
    TRANSIENT,
    AzureServer,
    Behaviour,
    Fault,
    Site,
)
from tests.azure_server.witnesses import BOOK, GROUP, RULE, TABLES, FakeCredential, Token, options, scheduled
from toolkit import Workspace


@pytest.fixture(scope="module")
def engine() -> Workspace:
    workspace = Workspace(TABLES)
    rows = [
        {
            "TimeGenerated": f"2026-03-02T0{hour}:00:00.1234567Z",
            "User": f"user{hour}",
            "Score": 0.5,
            "Details": {"a": [1]},
            "Took": "01:00:00",
        }
        for hour in range(1, 10)
    ]
    workspace.ingest("SigninLogs", rows)
    return workspace


@pytest.fixture
def server(engine: Workspace) -> Iterator[AzureServer]:
    behaviour = Behaviour(page_size=2, row_limit=5)
    with AzureServer(Site("soc", engine), Site("soc2", engine), behaviour=behaviour) as server:
        yield server


@pytest.fixture
def insights(server: AzureServer) -> Iterator[Any]:
    module = pytest.importorskip("azure.mgmt.securityinsight")
    with module.SecurityInsightsMgmtClient(FakeCredential(), SUBSCRIPTION, **options(server)) as client:
        yield client


@pytest.fixture
def logs(server: AzureServer) -> Iterator[Any]:
    module = pytest.importorskip("azure.monitor.query")
    with module.LogsQueryClient(FakeCredential(), endpoint=server.url, authentication_policy=Token()) as client:
        yield client


def test_scheduled_rules(insights: Any) -> None:
    made = insights.alert_rules.create_or_update(GROUP, "soc", RULE, scheduled())
    assert made.properties.query_period == timedelta(days=1)
    assert made.properties.sub_techniques == ["T1110.001"]
    changed = scheduled(severity="Low")
    changed.etag = made.etag
    again = insights.alert_rules.create_or_update(GROUP, "soc", RULE, changed)
    assert (again.properties.severity, again.name) == ("Low", RULE)
    with pytest.raises(ResourceExistsError, match="Etag does not match"):
        insights.alert_rules.create_or_update(GROUP, "soc", RULE, changed)
    insights.alert_rules.delete(GROUP, "soc", RULE)
    insights.alert_rules.delete(GROUP, "soc", RULE)
    with pytest.raises(ResourceNotFoundError):
        insights.alert_rules.get(GROUP, "soc", RULE)
    with pytest.raises(HttpResponseError, match="was recently deleted"):
        insights.alert_rules.create_or_update(GROUP, "soc", RULE, scheduled())


def test_rules_of_every_kind_are_listed_page_by_page(insights: Any, server: AzureServer) -> None:
    models = pytest.importorskip("azure.mgmt.securityinsight.models")
    fast = models.NrtAlertRuleProperties(
        display_name="Fast",
        enabled=True,
        severity="Medium",
        query="SigninLogs",
        suppression_enabled=False,
        suppression_duration=timedelta(hours=1),
    )
    incidents = models.MicrosoftSecurityIncidentCreationAlertRuleProperties(
        display_name="I", enabled=True, product_filter="Azure Security Center"
    )
    insights.alert_rules.create_or_update(GROUP, "soc", "a", scheduled())
    insights.alert_rules.create_or_update(GROUP, "soc", "b", models.NrtAlertRule(kind="NRT", properties=fast))
    insights.alert_rules.create_or_update(
        GROUP,
        "soc",
        "c",
        models.FusionAlertRule(kind="Fusion", properties=models.FusionAlertRuleProperties(enabled=True, alert_rule_template_name="f")),
    )
    insights.alert_rules.create_or_update(
        GROUP, "soc", "d", models.MicrosoftSecurityIncidentCreationAlertRule(kind="MicrosoftSecurityIncidentCreation", properties=incidents)
    )
    found = [(type(rule).__name__, rule.name) for rule in insights.alert_rules.list(GROUP, "soc")]
    assert found == [
        ("ScheduledAlertRule", "a"),
        ("NrtAlertRule", "b"),
        ("FusionAlertRule", "c"),
        ("MicrosoftSecurityIncidentCreationAlertRule", "d"),
    ]
    assert server.log.count("GET", "/alertRules") == 2


def test_actions_templates_and_metadata(insights: Any, server: AzureServer) -> None:
    models = pytest.importorskip("azure.mgmt.securityinsight.models")
    insights.alert_rules.create_or_update(GROUP, "soc", RULE, scheduled())
    place = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Logic/workflows/w"
    properties = models.ActionRequestProperties(logic_app_resource_id=place, trigger_uri="https://example.com/x")
    insights.actions.create_or_update(GROUP, "soc", RULE, "a1", models.ActionRequest(properties=properties))
    assert [action.properties.workflow_id for action in insights.actions.list_by_alert_rule(GROUP, "soc", RULE)] == ["w"]
    insights.actions.delete(GROUP, "soc", RULE, "a1")
    server.site().templates.put("t", {"name": "t", "kind": "Scheduled", "properties": {"displayName": "T", "queryPeriod": "P1D"}})
    (template,) = insights.alert_rule_templates.list(GROUP, "soc")
    assert (template.kind, template.properties.query_period) == ("Scheduled", timedelta(days=1))
    source = models.MetadataSource(kind="SourceRepository", name="repo")
    marker = models.MetadataModel(properties=models.MetadataProperties(parent_id="/a", kind="AnalyticsRule", source=source))
    insights.metadata.create(GROUP, "soc", f"analyticsrule-{RULE}", marker)
    assert [item.properties.source.kind for item in insights.metadata.list(GROUP, "soc")] == ["SourceRepository"]
    insights.metadata.delete(GROUP, "soc", f"analyticsrule-{RULE}")


def test_watchlists_are_polled(insights: Any, server: AzureServer) -> None:
    models = pytest.importorskip("azure.mgmt.securityinsight.models")
    server.behaviour.operation_polls = 2
    content = "User,Team\nann,blue\nbob,red\neve,red\n"
    properties = models.WatchlistProperties(
        display_name="Admins", provider="Microsoft", source="a.csv", source_type="Local", items_search_key="User", raw_content=content
    )
    poller = insights.watchlists.begin_create_or_update(GROUP, "soc", "admins", models.Watchlist(properties=properties))
    made = poller.result(timeout=10)
    assert (made.properties.provisioning_state, made.properties.raw_content) == ("Succeeded", None)
    items = list(insights.watchlist_items.list(GROUP, "soc", "admins"))
    assert [item.properties.items_key_value["User"] for item in items] == ["ann", "bob", "eve"]
    item = models.WatchlistItem(properties=models.WatchlistItemProperties(items_key_value={"User": "zoe", "Team": "blue"}))
    insights.watchlist_items.create_or_update(GROUP, "soc", "admins", "33333333-0000-0000-0000-000000000001", item)
    insights.watchlist_items.delete(GROUP, "soc", "admins", items[0].name)
    assert [watchlist.name for watchlist in insights.watchlists.list(GROUP, "soc")] == ["admins"]
    insights.watchlists.begin_delete(GROUP, "soc", "admins").result(timeout=10)
    assert list(insights.watchlists.list(GROUP, "soc")) == []
    assert server.log.count("GET", "/operations/") >= 5


def test_errors_and_retries(insights: Any, server: AzureServer) -> None:
    with pytest.raises(HttpResponseError) as refused:
        insights.alert_rules.create_or_update(GROUP, "soc", RULE, scheduled(query="Missing_CL"))
    assert refused.value.error is not None
    assert (refused.value.status_code, refused.value.error.code) == (400, "BadRequest")
    assert refused.value.error.message == "Failed to run the analytics rule query. One of the tables does not exist."
    server.faults.add(THROTTLED, method="PUT").add(SERVER_ERROR, method="PUT").add(DROPPED, method="PUT")
    insights.alert_rules.create_or_update(GROUP, "soc", RULE, scheduled())
    assert server.log.writes == {("create", f"{server.site().sentinel}/alertRules/{RULE}"): 1}
    server.deny("Microsoft.SecurityInsights/alertRules/write")
    with pytest.raises(HttpResponseError, match=r"perform action 'Microsoft\.SecurityInsights/alertRules/write'"):
        insights.alert_rules.create_or_update(GROUP, "soc", RULE, scheduled())
    server.tokens = {"another"}
    with pytest.raises(ClientAuthenticationError):
        insights.alert_rules.get(GROUP, "soc", RULE)


def test_saved_searches(server: AzureServer) -> None:
    module = pytest.importorskip("azure.mgmt.loganalytics")
    models = pytest.importorskip("azure.mgmt.loganalytics.models")
    with module.LogAnalyticsManagementClient(FakeCredential(), SUBSCRIPTION, **options(server)) as client:
        tags = [models.Tag(name="tactics", value="Execution")]
        saved = models.SavedSearch(
            properties=models.SavedSearchProperties(category="Hunting Queries", display_name="H", query="SigninLogs", tags=tags)
        )
        made = client.saved_searches.create_or_update(GROUP, "soc", "h1", saved)
        assert (made.properties.version, made.properties.tags[0].value) == (2, "Execution")
        with pytest.raises(ResourceExistsError, match="Newer data exists"):
            client.saved_searches.create_or_update(GROUP, "soc", "h1", saved)
        saved.etag = made.etag
        client.saved_searches.create_or_update(GROUP, "soc", "h1", saved)
        found = client.saved_searches.list_by_workspace(GROUP, "soc")
        assert [each.name for each in found.value] == ["h1"]
        client.saved_searches.delete(GROUP, "soc", "h1")
        with pytest.raises(ResourceNotFoundError):
            client.saved_searches.get(GROUP, "soc", "h1")


def test_workbooks(server: AzureServer) -> None:
    module = pytest.importorskip("azure.mgmt.applicationinsights")
    models = pytest.importorskip("azure.mgmt.applicationinsights.v2023_06_01.models")
    with module.ApplicationInsightsManagementClient(FakeCredential(), SUBSCRIPTION, **options(server)) as client:
        content = json.dumps({"version": "Notebook/1.0", "items": []})
        book = models.Workbook(location="westeurope", kind="shared", display_name="W", serialized_data=content, category="sentinel")
        made = client.workbooks.create_or_update(GROUP, BOOK, book)
        assert (made.display_name, made.version, made.serialized_data) == ("W", "Notebook/1.0", content)
        assert client.workbooks.get(GROUP, BOOK).serialized_data is None
        assert client.workbooks.get(GROUP, BOOK, can_fetch_content=True).serialized_data == content
        changed = client.workbooks.update(GROUP, BOOK, workbook_update_parameters=models.WorkbookUpdateParameters(display_name="W2"))
        assert changed.display_name == "W2"
        assert len(list(client.workbooks.revisions_list(GROUP, BOOK))) == 2
        assert [each.name for each in client.workbooks.list_by_resource_group(GROUP, "sentinel")] == [BOOK]
        assert [each.name for each in client.workbooks.list_by_subscription("sentinel")] == [BOOK]
        book.display_name = "W2"
        with pytest.raises(ResourceExistsError, match="A Workbook with the same name already exists"):
            client.workbooks.create_or_update(GROUP, BOOK[:-1] + "2", book)
        client.workbooks.delete(GROUP, BOOK)
        client.workbooks.delete(GROUP, BOOK)


def test_log_alerts(server: AzureServer) -> None:
    module = pytest.importorskip("azure.mgmt.monitor")
    models = pytest.importorskip("azure.mgmt.monitor.models")
    with module.MonitorManagementClient(FakeCredential(), SUBSCRIPTION, **options(server)) as client:
        condition = models.Condition(query="SigninLogs", time_aggregation="Count", operator="GreaterThan", threshold=3.0)
        rule = models.ScheduledQueryRuleResource(
            location="westeurope",
            kind="LogAlert",
            severity=2,
            enabled=True,
            scopes=[server.site().id],
            evaluation_frequency=timedelta(minutes=5),
            window_size=timedelta(minutes=60),
            criteria=models.ScheduledQueryRuleCriteria(all_of=[condition]),
        )
        made = client.scheduled_query_rules.create_or_update(GROUP, "alert", rule)
        assert (made.window_size, made.kind, made.criteria.all_of[0].threshold) == (timedelta(hours=1), "LogAlert", 3.0)
        assert [each.name for each in client.scheduled_query_rules.list_by_resource_group(GROUP)] == ["alert"]
        assert [each.name for each in client.scheduled_query_rules.list_by_subscription()] == ["alert"]
        rule.criteria.all_of[0].query = "Missing_CL | take 1"
        with pytest.raises(HttpResponseError) as refused:
            client.scheduled_query_rules.create_or_update(GROUP, "alert", rule)
        assert refused.value.error is not None
        inner = json.loads(str(refused.value.error.message))["error"]["innererror"]["innererror"]
        assert inner["message"] == "'take' operator: Failed to resolve table or column expression named 'Missing_CL'"
        client.scheduled_query_rules.delete(GROUP, "alert")


def test_a_query(logs: Any, server: AzureServer) -> None:
    columns = "TimeGenerated, Score = Score / 0.0 - Score / 0.0, Details, Took, N = 1"
    query = f"SigninLogs | take 1 | project {columns} | render barchart with (title='T')"
    result = logs.query_workspace(
        server.site().customer_id, query, timespan=None, include_statistics=True, include_visualization=True, server_timeout=60
    )
    (table,) = result.tables
    assert table.columns_types == ["datetime", "real", "dynamic", "timespan", "long"]
    moment, score, details, took, number = table.rows[0]
    assert isinstance(moment, datetime)
    assert moment.microsecond == 123456
    assert (score, details, str(took), number) == ("NaN", '{"a":[1]}', "01:00:00", 1)
    assert result.statistics["query"]["datasetStatistics"][0]["tableRowCount"] == 1
    assert (result.visualization["visualization"], result.visualization["title"]) == ("barchart", "T")


@pytest.mark.parametrize(
    ("timespan", "rows"),
    [
        (timedelta(hours=3), 3),
        ((datetime(2026, 3, 2, 1, tzinfo=UTC), datetime(2026, 3, 2, 3, tzinfo=UTC)), 2),
        ((datetime(2026, 3, 2, 1, tzinfo=UTC), timedelta(hours=1.5)), 2),
        (None, 9),
    ],
)
def test_timespans(logs: Any, server: AzureServer, timespan: Any, rows: int) -> None:
    result = logs.query_workspace(server.site().customer_id, "SigninLogs | count", timespan=timespan)
    assert result.tables[0].rows[0][0] == rows


def test_partial_results_and_errors(logs: Any, server: AzureServer) -> None:
    site = server.site().customer_id
    partial = logs.query_workspace(site, "SigninLogs", timespan=None)
    assert (partial.status, len(partial.partial_data[0].rows), partial.partial_error.code) == ("PartialError", 5, "PartialError")
    with pytest.raises(HttpResponseError, match="Failed to resolve table or column expression named 'Missing_CL'"):
        logs.query_workspace(site, "Missing_CL | where A == 1", timespan=None)
    with pytest.raises(HttpResponseError, match="could not be parsed at"):
        logs.query_workspace(site, "SigninLogs | where", timespan=None)
    with pytest.raises(HttpResponseError, match="The workspace could not be found"):
        logs.query_workspace("00000000-0000-0000-0000-000000000000", "print 1", timespan=None)


def test_several_workspaces(logs: Any, server: AzureServer) -> None:
    other = server.site("soc2")
    for name in (other.customer_id, other.name, other.id):
        result = logs.query_workspace(server.site().customer_id, "SigninLogs | count", timespan=None, additional_workspaces=[name])
        assert result.tables[0].rows[0][0] == 18
    result = logs.query_resource(server.site().id, "SigninLogs | count", timespan=timedelta(hours=3))
    assert result.tables[0].rows[0][0] == 3


def test_batches(logs: Any, server: AzureServer) -> None:
    module = pytest.importorskip("azure.monitor.query")
    site = server.site().customer_id
    texts = ["print x = 1", "Missing_CL", "SigninLogs", "print x = 2"]
    answers = logs.query_batch([module.LogsBatchQuery(workspace_id=site, query=text, timespan=None) for text in texts])
    assert [type(answer).__name__ for answer in answers] == [
        "LogsQueryResult",
        "LogsQueryError",
        "LogsQueryPartialResult",
        "LogsQueryResult",
    ]
    assert (answers[0].tables[0].rows[0][0], answers[3].tables[0].rows[0][0]) == (1, 2)
    assert server.log.count("POST") == 1


def test_a_client_that_does_not_wait(logs: Any, server: AzureServer) -> None:
    server.faults.add(Fault("hang", delay=0.3), path="/query")
    with pytest.raises(ServiceResponseTimeoutError):
        logs.query_workspace(server.site().customer_id, "print x = 1", timespan=None, read_timeout=0.1)
    assert server.log.count("POST", "/query") == 1  # a POST is not sent again


def test_bare_throttling_of_a_query_is_not_retried(logs: Any, server: AzureServer) -> None:
    server.faults.add(THROTTLED, path="/query").add(THROTTLED_BARE, path="/query")
    with pytest.raises(HttpResponseError) as refused:
        logs.query_workspace(server.site().customer_id, "print x = 1", timespan=None)
    assert refused.value.status_code == 429
    assert [(record.fault, record.status) for record in server.log] == [("throttled", 429), ("throttled-bare", 429)]


def test_microsofts_client_gets_through_faults(insights: Any, server: AzureServer) -> None:
    server.faults.rate, server.faults.seed = 0.25, 3
    for number in range(40):
        insights.alert_rules.create_or_update(GROUP, "soc", f"r{number}", scheduled())
    server.faults.clear()
    assert len(server.site().rules) == 40
    assert {record.fault for record in server.log} == {"", *(fault.name for fault in TRANSIENT)}
    created = [resource for what, resource in server.log.writes if what == "create"]
    lost = [record for record in server.log if record.fault == "dropped-after"]
    assert len(created) == 40
    assert sum(server.log.writes.values()) == 40 + len(lost)  # a lost answer is the only reason to write twice
