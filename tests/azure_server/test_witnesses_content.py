"""Microsoft's own clients against the local Azure, resource by resource: items, actions, metadata, workbooks, log alerts, functions.

What they must be able to read is data of every kind: who changed what and when, pages, revisions, errors with their details.
Every client also works through faults at random, with nothing written twice.
"""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError, ServiceRequestError

from tests.azure_server import ANALYST, CONFLICT_RETRY, DEPLOYER, SUBSCRIPTION, TRANSIENT, AzureServer, Behaviour, Site
from tests.azure_server.witnesses import BOOK, GROUP, RULE, TABLES, FakeCredential, options, scheduled
from toolkit import Workspace

LATER = datetime(2026, 3, 2, 11, tzinfo=UTC)
CLIENTS = {
    "azure.mgmt.securityinsight": "SecurityInsightsMgmtClient",
    "azure.mgmt.loganalytics": "LogAnalyticsManagementClient",
    "azure.mgmt.applicationinsights": "ApplicationInsightsManagementClient",
    "azure.mgmt.monitor": "MonitorManagementClient",
}


@pytest.fixture
def server() -> Iterator[AzureServer]:
    with AzureServer(Site("soc", Workspace(TABLES)), behaviour=Behaviour(page_size=2, operation_polls=0)) as server:
        yield server


def _client(module: str, server: AzureServer, **more: Any) -> AbstractContextManager[Any]:
    made: AbstractContextManager[Any] = getattr(pytest.importorskip(module), CLIENTS[module])(
        FakeCredential(), SUBSCRIPTION, **{**options(server), **more}
    )
    return made


@pytest.fixture
def insights(server: AzureServer) -> Iterator[Any]:
    with _client("azure.mgmt.securityinsight", server) as client:
        yield client


@pytest.fixture
def books(server: AzureServer) -> Iterator[Any]:
    with _client("azure.mgmt.applicationinsights", server) as client:
        yield client.workbooks


@pytest.fixture
def alerts(server: AzureServer) -> Iterator[Any]:
    with _client("azure.mgmt.monitor", server) as client:
        yield client.scheduled_query_rules


def _models(name: str) -> Any:
    return import_module(f"azure.mgmt.{name}.models")


# --- Sentinel ---------------------------------------------------------------------------------------------------------


def test_items_of_a_watchlist(insights: Any, server: AzureServer) -> None:
    models = _models("securityinsight")
    content = "User,Team\n" + "".join(f"u{number},blue\n" for number in range(5))
    properties = models.WatchlistProperties(
        display_name="Admins", provider="Microsoft", source_type="Local", items_search_key="User", raw_content=content, labels=["a"]
    )
    made = insights.watchlists.begin_create_or_update(GROUP, "soc", "admins", models.Watchlist(properties=properties)).result(timeout=10)
    assert (made.properties.created_by.email, made.properties.labels) == (DEPLOYER, ["a"])
    items = list(insights.watchlist_items.list(GROUP, "soc", "admins"))
    assert [item.properties.items_key_value["User"] for item in items] == ["u0", "u1", "u2", "u3", "u4"]
    assert server.log.count("GET", "/watchlistItems") == 3  # pages of two
    changed = models.WatchlistItem(properties=models.WatchlistItemProperties(items_key_value={"User": "u0", "Team": "red"}))
    changed.etag = items[0].etag
    insights.watchlist_items.create_or_update(GROUP, "soc", "admins", items[0].name, changed)
    with pytest.raises(ResourceExistsError, match="Etag does not match"):
        insights.watchlist_items.create_or_update(GROUP, "soc", "admins", items[0].name, changed)
    server.clock.advance(hours=1)
    server.portal.edit("watchlistItems", items[1].name, parent="admins", Team="green")
    found = insights.watchlist_items.get(GROUP, "soc", "admins", items[1].name).properties
    assert (found.items_key_value["Team"], found.created_by.email, found.updated_by.email) == ("green", DEPLOYER, ANALYST)
    assert found.updated - found.created == timedelta(hours=1)
    insights.watchlist_items.delete(GROUP, "soc", "admins", items[1].name)
    with pytest.raises(ResourceNotFoundError):
        insights.watchlist_items.get(GROUP, "soc", "admins", items[1].name)


def test_actions_of_a_rule(insights: Any, server: AzureServer) -> None:
    models = _models("securityinsight")
    insights.alert_rules.create_or_update(GROUP, "soc", RULE, scheduled())
    for number in range(3):
        place = f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Logic/workflows/w{number}"
        properties = models.ActionRequestProperties(logic_app_resource_id=place, trigger_uri="https://example.com/?sig=SECRET")
        made = insights.actions.create_or_update(GROUP, "soc", RULE, f"a{number}", models.ActionRequest(properties=properties))
        assert "SECRET" not in str(made.as_dict())
    found = list(insights.actions.list_by_alert_rule(GROUP, "soc", RULE))
    assert [(each.name, each.properties.workflow_id) for each in found] == [("a0", "w0"), ("a1", "w1"), ("a2", "w2")]
    assert server.log.count("GET", "/actions") == 2
    assert insights.actions.get(GROUP, "soc", RULE, "a1").etag == found[1].etag
    insights.actions.delete(GROUP, "soc", RULE, "a1")
    with pytest.raises(ResourceNotFoundError):
        insights.actions.get(GROUP, "soc", RULE, "a1")
    with pytest.raises(ResourceNotFoundError):
        insights.actions.get(GROUP, "soc", "none", "a1")


def test_metadata(insights: Any, server: AzureServer) -> None:
    models = _models("securityinsight")
    for number, kind in enumerate(["AnalyticsRule", "Parser", "AnalyticsRule", "Workbook", "AnalyticsRule"]):
        source = models.MetadataSource(kind="SourceRepository", name="contoso's", source_id=str(number))
        properties = models.MetadataProperties(parent_id=f"/{number}", kind=kind, source=source, version="1.0.0", content_id=str(number))
        insights.metadata.create(GROUP, "soc", f"m{number}", models.MetadataModel(properties=properties))
    wanted = "properties/kind eq 'AnalyticsRule' and properties/source/name eq 'contoso''s'"
    assert [each.name for each in insights.metadata.list(GROUP, "soc", filter=wanted)] == ["m0", "m2", "m4"]
    ordered = insights.metadata.list(GROUP, "soc", orderby="properties/kind desc")
    assert [each.properties.kind for each in ordered][:2] == ["Workbook", "Parser"]
    patch = models.MetadataPatch(properties=models.MetadataPropertiesPatch(version="1.0.1"))
    changed = insights.metadata.update(GROUP, "soc", "m1", patch)
    assert (changed.properties.version, changed.properties.content_id, changed.system_data.created_by) == ("1.0.1", "1", DEPLOYER)
    server.portal.delete("metadata", "m1")
    with pytest.raises(ResourceNotFoundError):
        insights.metadata.get(GROUP, "soc", "m1")


def test_who_changed_a_rule_and_when(insights: Any, server: AzureServer) -> None:
    insights.alert_rules.create_or_update(GROUP, "soc", RULE, scheduled())
    server.clock.advance(hours=1)
    server.portal.edit("alertRules", RULE, severity="Low")
    (found,) = insights.alert_rules.list(GROUP, "soc")
    assert (found.system_data.created_by, found.system_data.last_modified_by) == (DEPLOYER, ANALYST)
    assert found.system_data.last_modified_at == found.properties.last_modified_utc == LATER
    server.behaviour.system_data = False
    assert insights.alert_rules.get(GROUP, "soc", RULE).system_data is None


# --- functions, workbooks, log alerts -----------------------------------------------------------------------------------


def test_functions(server: AzureServer) -> None:
    models = _models("loganalytics")
    with _client("azure.mgmt.loganalytics", server) as client:
        properties = models.SavedSearchProperties(
            category="Function", display_name="F", query="SigninLogs", function_alias="F", function_parameters="a:string = 'x'", version=2
        )
        for number in range(3):
            properties.function_alias = f"F{number}"
            client.saved_searches.create_or_update(GROUP, "soc", f"f{number}", models.SavedSearch(properties=properties))
        assert [each.function_alias for each in client.saved_searches.list_by_workspace(GROUP, "soc").value] == ["F0", "F1", "F2"]
        with pytest.raises(HttpResponseError, match="alias 'F2' already exists"):
            client.saved_searches.create_or_update(GROUP, "soc", "other", models.SavedSearch(properties=properties))
        old = client.saved_searches.get(GROUP, "soc", "f0")
        server.portal.edit("savedSearches", "f0", query="SigninLogs | take 1")
        with pytest.raises(ResourceExistsError, match="Newer data exists"):
            client.saved_searches.create_or_update(GROUP, "soc", "f0", old)
        assert client.saved_searches.get(GROUP, "soc", "f0").query == "SigninLogs | take 1"


def _book(name: str, content: str = "{}") -> Any:
    models = import_module("azure.mgmt.applicationinsights.v2023_06_01.models")
    return models.Workbook(
        location="westeurope", kind="shared", display_name=name, serialized_data=content, category="sentinel", tags={"t": name}
    )


def test_workbooks_and_their_revisions(books: Any, server: AzureServer) -> None:
    for number in range(3):
        books.create_or_update(GROUP, f"{BOOK[:-1]}{number}", _book(f"W{number}"), source_id=server.site().id)
    server.clock.advance(hours=1)
    server.portal.edit("workbooks", f"{BOOK[:-1]}0", serializedData='{"items": []}')
    listed = list(books.list_by_resource_group(GROUP, "sentinel", can_fetch_content=True, source_id=server.site().id.lower()))
    assert [(each.display_name, each.serialized_data) for each in listed] == [("W0", '{"items": []}'), ("W1", "{}"), ("W2", "{}")]
    first = listed[0]
    assert (first.user_id, first.time_modified, first.tags, first.etag) == (ANALYST, LATER, {"t": "W0"}, first.etag)
    assert (first.system_data.created_by, first.system_data.last_modified_by) == (DEPLOYER, ANALYST)
    old, new = books.revisions_list(GROUP, first.name)
    assert (new.revision, old.user_id) == (first.revision, DEPLOYER)
    assert books.revision_get(GROUP, first.name, old.revision).serialized_data == "{}"
    with pytest.raises(ResourceExistsError) as refused:
        books.create_or_update(GROUP, BOOK[:-1] + "9", _book("W1"))
    assert refused.value.response is not None
    (trace,) = json.loads(refused.value.response.text())["error"]["innererror"]["trace"]
    assert trace == f"Duplicate workbook: {listed[1].id}"


def _alert(server: AzureServer, **changes: Any) -> Any:
    models = _models("monitor")
    condition = models.Condition(query="SigninLogs | where User == 'a'", time_aggregation="Count", operator="GreaterThan", threshold=3.0)
    properties = {
        "location": "westeurope",
        "kind": "LogAlert",
        "severity": 2,
        "enabled": True,
        "scopes": [server.site().id],
        "evaluation_frequency": timedelta(minutes=5),
        "window_size": timedelta(hours=1),
        "criteria": models.ScheduledQueryRuleCriteria(all_of=[condition]),
        "tags": {"owner": "soc"},
    }
    return models.ScheduledQueryRuleResource(**{**properties, **changes})


def test_log_alerts(alerts: Any, server: AzureServer) -> None:
    models = _models("monitor")
    for number in range(3):
        alerts.create_or_update(GROUP, f"a{number}", _alert(server))
    assert [each.name for each in alerts.list_by_resource_group(GROUP)] == ["a0", "a1", "a2"]
    changed = alerts.update(GROUP, "a1", models.ScheduledQueryRuleResourcePatch(enabled=False, tags={"owner": "me"}))
    assert (changed.enabled, changed.tags, changed.severity) == (False, {"owner": "me"}, 2)
    server.clock.advance(hours=1)
    server.portal.edit("scheduledQueryRules", "a2", severity=4)
    found = alerts.get(GROUP, "a2")
    assert (found.severity, found.system_data.last_modified_by, found.system_data.last_modified_at) == (4, ANALYST, LATER)
    assert (found.auto_mitigate, found.is_legacy_log_analytics_rule, found.created_with_api_version) == (True, False, "2023-12-01")
    with pytest.raises(HttpResponseError, match="cannot be used together"):
        alerts.create_or_update(GROUP, "a3", _alert(server, mute_actions_duration=timedelta(hours=1), auto_mitigate=True))
    with pytest.raises(HttpResponseError, match="evaluation frequency 'PT7M' is not supported"):
        alerts.create_or_update(GROUP, "a3", _alert(server, evaluation_frequency=timedelta(minutes=7)))
    unchecked = models.ScheduledQueryRuleCriteria(
        all_of=[models.Condition(query="Gone_CL", time_aggregation="Count", operator="GreaterThan", threshold=3.0)]
    )
    assert alerts.create_or_update(GROUP, "a3", _alert(server, criteria=unchecked, skip_query_validation=True)).name == "a3"
    server.portal.delete("scheduledQueryRules", "a0")
    with pytest.raises(ResourceNotFoundError):
        alerts.get(GROUP, "a0")


# --- through faults -----------------------------------------------------------------------------------------------------


def _put_rule(client: Any, server: AzureServer, number: int) -> None:
    client.alert_rules.create_or_update(GROUP, "soc", f"r{number}", scheduled())


def _put_function(client: Any, server: AzureServer, number: int) -> None:
    models = _models("loganalytics")
    properties = models.SavedSearchProperties(category="F", display_name="F", query="SigninLogs", function_alias=f"F{number}")
    client.saved_searches.create_or_update(GROUP, "soc", f"f{number}", models.SavedSearch(properties=properties, etag="*"))


def _put_book(client: Any, server: AzureServer, number: int) -> None:
    client.workbooks.create_or_update(GROUP, f"{BOOK[:-2]}{number:02}", _book(f"W{number}"))


def _put_alert(client: Any, server: AzureServer, number: int) -> None:
    client.scheduled_query_rules.create_or_update(GROUP, f"a{number}", _alert(server))


@pytest.mark.parametrize(
    ("module", "put"),
    list(zip(CLIENTS, (_put_rule, _put_function, _put_book, _put_alert), strict=True)),
    ids=[name.rpartition(".")[2] for name in CLIENTS],
)
def test_every_client_gets_through_faults(server: AzureServer, module: str, put: Callable[[Any, AzureServer, int], None]) -> None:
    server.faults.randomly(0.3, 5, [*(fault for fault in TRANSIENT if fault.name != "dropped-after"), CONFLICT_RETRY])
    with _client(module, server) as client:
        for number in range(20):
            put(client, server, number)
    assert len(server.log.written) == 20
    assert set(server.log.written.values()) == {1}
    assert sum(server.log.failed.values()) > 3


# --- with the clients' own policy of sending tokens ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, with its key, of this run only."""
    if which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name, "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run(made, check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def test_with_tls_a_client_needs_no_policy_of_ours(certificate: Path) -> None:
    """Microsoft's bearer policy refuses plain http; over TLS it sends its token, and lists follow links to https."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with AzureServer(Site("soc", Workspace(TABLES)), behaviour=Behaviour(page_size=1), tls=context) as server:
        server.tokens = {"local"}
        usual = {"authentication_policy": None, "connection_verify": f"{certificate}.crt"}
        assert server.url.startswith("https://127.0.0.1:")
        with _client("azure.mgmt.securityinsight", server, **usual) as client:
            for number in range(3):
                client.alert_rules.create_or_update(GROUP, "soc", f"r{number}", scheduled())
            assert [rule.name for rule in client.alert_rules.list(GROUP, "soc")] == ["r0", "r1", "r2"]
            client.alert_rules.delete(GROUP, "soc", "r0")
    assert server.log.methods == {"PUT": 3, "GET": 3, "DELETE": 1}


def test_without_tls_the_clients_policy_refuses(server: AzureServer) -> None:
    with (
        _client("azure.mgmt.securityinsight", server, authentication_policy=None) as client,
        pytest.raises(ServiceRequestError, match="not permitted for non-TLS"),
    ):
        list(client.alert_rules.list(GROUP, "soc"))
    assert len(server.log) == 0


def test_a_stale_header_is_a_modified_resource(server: AzureServer) -> None:
    """If-Match has no parameter in these clients: it goes by `headers`."""
    with _client("azure.mgmt.securityinsight", server) as client:
        client.alert_rules.create_or_update(GROUP, "soc", RULE, scheduled())
        with pytest.raises(HttpResponseError) as refused:
            client.alert_rules.create_or_update(GROUP, "soc", RULE, scheduled(), headers={"If-Match": '"0"'})
    assert refused.value.status_code == 412
