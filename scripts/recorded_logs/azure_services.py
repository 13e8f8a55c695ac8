"""Logs that Azure services write themselves: event hubs and Logic Apps, API Management, PostgreSQL and the key vault behind it.

Columns: Azure Monitor reference, one table each; Logic Apps (Consumption) and older settings write to AzureDiagnostics.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from scripts.recorded_logs.kube import Json, at
from scripts.recorded_logs.shapes import SUBSCRIPTION, WORKSPACE, Row, ticks

_ID_SPACE = uuid.UUID("00000000-0000-0000-0000-0000000a2e57")
_GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourcegroups"
HUBS = f"{_GROUPS}/rg-logs/providers/microsoft.eventhub/namespaces/evhns-logs"
_POLLER = f"{_GROUPS}/rg-logs/providers/microsoft.logic/workflows/la-eventhub-p0"
_GATEWAY = f"{_GROUPS}/rg-api/providers/microsoft.apimanagement/service/apim-contoso"
_SERVER = f"{_GROUPS}/rg-data/providers/microsoft.dbforpostgresql/flexibleservers/pg-orders"
_VAULT = f"{_GROUPS}/rg-data/providers/microsoft.keyvault/vaults/kv-pg"


def _row(table: str, moment: datetime, resource: str, **columns: Json) -> Row:
    envelope: Row = {"TenantId": WORKSPACE, "TimeGenerated": ticks(moment), **columns}
    return {**envelope, "SourceSystem": "Azure", "_ResourceId": resource, "Type": table}


def _diagnostics(moment: datetime, resource: str, provider: str, category: str, **columns: Json) -> Row:
    common = {"ResourceId": resource.upper(), "ResourceProvider": provider, "Category": category, "SubscriptionId": SUBSCRIPTION}
    return _row("AzureDiagnostics", moment, resource, **common, **columns)


def _metric(moment: datetime, name: str, total: float) -> Row:
    provider = {"ResourceProvider": "MICROSOFT.EVENTHUB", "Resource": "EVHNS-LOGS", "ResourceId": HUBS.upper()}
    return _row("AzureMetrics", moment, HUBS, **provider, MetricName=name, Total=total, Count=1.0, TimeGrain="PT1M", UnitName="Count")


def hub_metrics() -> list[Row]:
    """A namespace over an afternoon: throttled once, then for twenty minutes; later nobody reads any more."""
    rows = [_metric(at("13:02:00"), "ThrottledRequests", 120.0)]
    rows += [_metric(at("14:00:00") + timedelta(minutes=step), "ThrottledRequests", 400.0) for step in range(0, 20, 2)]
    for step in range(0, 120, 5):
        moment = at("14:00:00") + timedelta(minutes=step)
        rows.append(_metric(moment, "IncomingMessages", 9000.0))
        rows.append(_metric(moment, "OutgoingMessages", 8900.0 if step < 60 else 0.0))
    return sorted(rows, key=lambda row: str(row["TimeGenerated"]))


def hub_errors() -> list[Row]:
    """A hub that answers "server busy" for a quarter of an hour, and errors that its clients make."""
    common = {"Provider": "EVENTHUB", "NamespaceName": "evhns-logs", "EntityName": "insights-logs-kube-audit", "EntityType": "eventhub"}
    busy = [
        _row(
            "AZMSDiagnosticErrorLogs",
            at("16:00:30") + timedelta(minutes=5 * step),
            HUBS,
            **common,
            OperationResult="serverbusy",
            ErrorCount=40,
        )
        for step in range(3)
    ]
    client = [
        _row(
            "AZMSDiagnosticErrorLogs",
            at("16:01:30") + timedelta(minutes=5 * step),
            HUBS,
            **common,
            OperationResult="clienterror",
            ErrorCount=9,
        )
        for step in range(6)
    ]
    return sorted(busy + client, key=lambda row: str(row["TimeGenerated"]))


def hub_readers() -> list[Row]:
    """Who connects to a hub: the poller as for weeks, and a new address with another key."""

    def used(moment: datetime, address: str, key: str, status: str = "Success") -> Row:
        columns = {"ActivityName": "ReceiveMessages", "AuthType": "SAS", "AuthKey": key, "ClientIp": address, "Protocol": "AMQP"}
        return _row("AZMSRunTimeAuditLogs", moment, HUBS, **columns, NetworkType="Public", Provider="EVENTHUB", Status=status, Count=1)

    return [
        used(at("10:00:00", "2026-02-24"), "10.240.8.20", "poller"),
        used(at("16:20:00"), "10.240.8.20", "poller"),
        used(at("16:21:00"), "203.0.113.40", "RootManageSharedAccessKey"),
        used(at("16:24:00"), "203.0.113.40", "RootManageSharedAccessKey"),
        used(at("16:25:00"), "203.0.113.41", "RootManageSharedAccessKey", "Failure"),
    ]


def _logic(moment: datetime, event: str, status: str, code: str, **more: Json) -> Row:
    columns = {
        "OperationName": f"Microsoft.Logic/workflows/{event}",
        "resource_workflowName_s": "la-eventhub-p0",
        "resource_triggerName_s": "When_events_are_available_in_Event_Hub",
        "status_s": status,
        "code_s": code,
        "startTime_t": ticks(moment - timedelta(seconds=2)),
        "endTime_t": ticks(moment),
    }
    return _diagnostics(moment, _POLLER, "MICROSOFT.LOGIC", "WorkflowRuntime", **columns, **more)


def polls() -> list[Row]:
    """A Logic App that polls every three minutes, and from noon every ten: most polls find nothing, which is no failure."""
    moments = [at("11:00:00") + timedelta(minutes=3 * step) for step in range(20)]
    moments += [at("12:00:00") + timedelta(minutes=10 * step) for step in range(12)]
    return [
        _logic(moment, "workflowTriggerCompleted", "Succeeded" if step % 4 == 0 else "Skipped", "Accepted", fired_b=step % 4 == 0)
        for step, moment in enumerate(moments)
    ]


def runs_failed() -> list[Row]:
    """Runs of a Logic App that fail for want of rights, one that fails for another reason, runs that succeed and polls that skip."""
    failed = [
        _logic(at("17:00:00") + timedelta(minutes=3 * step), "workflowRunCompleted", "Failed", "Unauthorized", error_message_s="no access")
        for step in range(5)
    ]
    other = [
        _logic(at("17:01:00"), "workflowRunCompleted", "Failed", "ActionTimedOut"),
        _logic(at("17:02:00"), "workflowRunCompleted", "Succeeded", "Succeeded"),
        _logic(at("17:04:00"), "workflowTriggerCompleted", "Skipped", "Accepted", fired_b=False),
    ]
    return sorted(failed + other, key=lambda row: str(row["TimeGenerated"]))


def standard_runs_failed() -> list[Row]:
    """The same of a Standard Logic App, in its own table."""
    site = f"{_GROUPS}/rg-logs/providers/microsoft.web/sites/las-contoso"
    columns = {"OperationName": "WorkflowRunCompleted", "WorkflowName": "ship-logs", "Status": "Failed", "Code": "Unauthorized"}
    return [_row("LogicAppWorkflowRuntime", at("17:00:00") + timedelta(minutes=3 * step), site, **columns) for step in range(4)]


def _request(moment: datetime, address: str, method: str, path: str, code: int, **more: Json) -> Row:
    columns: dict[str, Json] = {
        "Method": method,
        "Url": f"https://contoso.azure-api.net{path}",
        "ResponseCode": code,
        "BackendResponseCode": code if not more else 0,
        "IsRequestSuccess": code < 400,
        "ApiId": "orders-api",
        "CallerIpAddress": address,
        "ClientTlsVersion": "1.2",
        "CorrelationId": str(uuid.uuid5(_ID_SPACE, f"{moment}|{address}|{path}")),
        "Category": "GatewayLogs",
        "Region": "West Europe",
    }
    return _row("ApiManagementGatewayLogs", moment, _GATEWAY, **{**columns, **more})


_UNMATCHED = {"LastErrorSource": "configuration", "LastErrorReason": "OperationNotFound", "LastErrorSection": "backend", "OperationId": ""}


def gateway_probed() -> list[Row]:
    """A scanner tries thirty paths and methods in five minutes; the gateway's policy answers 405 to half of them."""
    tried = [
        (method, f"/orders/{name}")
        for name in ("admin", ".env", "backup", "config", "v1", "v2", "debug", "users", "login", "api")
        for method in ("GET", "PUT", "DELETE")
    ]
    return [
        _request(
            at("10:57:00") + timedelta(seconds=10 * step),
            "203.0.113.77",
            method,
            f"{path}?x={step}",
            405 if step % 2 else 404,
            **_UNMATCHED,
        )
        for step, (method, path) in enumerate(tried)
    ]


def gateway_ordinary() -> list[Row]:
    """Requests of an ordinary hour: successes, one client that calls one missing operation again and again, errors of the backend."""
    good = [_request(at("10:30:00") + timedelta(seconds=40 * step), "198.51.100.40", "GET", f"/orders/{step}", 200) for step in range(60)]
    broken = [
        _request(at("10:55:00") + timedelta(seconds=15 * step), "198.51.100.41", "PATCH", "/orders/1", 404, **_UNMATCHED)
        for step in range(5)
    ]
    backend = [
        _request(at("10:56:00") + timedelta(seconds=9 * step), "198.51.100.42", "GET", f"/orders/x{step}", 404) for step in range(25)
    ]
    old = [_request(at("10:58:00"), "198.51.100.43", "GET", "/orders/1", 200, ClientTlsVersion="1.0")]
    return sorted(good + broken + backend + old, key=lambda row: str(row["TimeGenerated"]))


def gateway_released() -> list[Row]:
    """A release takes an operation away: before it hardly a request is without one, in the hour after it two of five."""
    rows = []
    for step in range(120):
        moment = at("06:00:00") + timedelta(minutes=step)
        address = f"198.51.100.{10 + step % 40}"
        missing = step == 5 or (step >= 60 and step % 5 < 2)
        more = _UNMATCHED if missing else {}
        rows.append(_request(moment, address, "GET", "/orders/export" if missing else "/orders/1", 405 if missing else 200, **more))
    return rows


def gateway_keys() -> list[Row]:
    """Keys are guessed until one fits; a client whose key has expired tries a few times; a backend refuses for reasons of its own."""
    wrong = {"LastErrorSource": "authorization", "LastErrorReason": "SubscriptionKeyInvalid", "LastErrorSection": "inbound"}
    expired = {**wrong, "LastErrorReason": "SubscriptionKeyNotFound"}
    guessed = [
        _request(at("12:00:00") + timedelta(seconds=5 * step), "203.0.113.77", "GET", "/orders/1", 401, **wrong) for step in range(60)
    ]
    client = [
        _request(at("12:00:30") + timedelta(seconds=30 * step), "198.51.100.41", "GET", "/orders/1", 401, **expired) for step in range(8)
    ]
    backend = [_request(at("12:01:00") + timedelta(seconds=3 * step), "198.51.100.42", "GET", "/orders/1", 403) for step in range(60)]
    fits = _request(at("12:06:00"), "203.0.113.77", "GET", "/orders/1", 200)
    return sorted([*guessed, *client, *backend, fits], key=lambda row: str(row["TimeGenerated"]))


def gateway_legacy() -> list[Row]:
    """The first requests of the scanner as AzureDiagnostics has them."""
    return [
        _diagnostics(
            at("10:57:00") + timedelta(seconds=10 * step),
            _GATEWAY,
            "MICROSOFT.APIMANAGEMENT",
            "GatewayLogs",
            OperationName="Microsoft.ApiManagement/GatewayLogs",
            CallerIPAddress="203.0.113.77",
            method_s="GET",
            url_s=f"https://contoso.azure-api.net/orders/{step}",
            responseCode_d=404.0,
            apiId_s="orders-api",
            lastError_source_s="configuration",
            lastError_reason_s="OperationNotFound",
        )
        for step in range(22)
    ]


def _line(moment: datetime, process: int, message: str, level: str = "LOG", state: str = "00000") -> Row:
    columns = {"LogicalServerName": "pg-orders", "ProcessId": process, "ErrorLevel": level, "SqlErrorCode": state, "Message": message}
    return _row("PGSQLServerLogs", moment, _SERVER, **columns)


def _attempt(moment: datetime, process: int, host: str, user: str, *, good: bool = False) -> list[Row]:
    received = _line(moment, process, f"connection received: host={host} port={40000 + process}")
    if good:
        return [received, _line(moment + timedelta(seconds=1), process, f"connection authorized: user={user} database=orders SSL enabled")]
    refused = f'password authentication failed for user "{user}"'
    return [received, _line(moment + timedelta(seconds=1), process, refused, "FATAL", "28P01")]


def server_guessed() -> list[Row]:
    """The superuser's secret is guessed from one address and found; an application keeps trying an old one; everybody else signs in."""
    rows = []
    for step in range(30):
        rows += _attempt(at("18:00:00") + timedelta(seconds=6 * step), 100 + step, "203.0.113.77", "postgres")
    rows += _attempt(at("18:04:00"), 200, "203.0.113.77", "postgres", good=True)
    for step in range(6):
        rows += _attempt(at("18:00:00") + timedelta(seconds=60 * step), 300 + step, "10.240.9.5", "app")
    for step in range(4):
        rows += _attempt(at("18:00:10") + timedelta(seconds=60 * step), 400 + step, "10.240.9.6", "report", good=True)
    return sorted(rows, key=lambda row: str(row["TimeGenerated"]))


def server_guessed_legacy() -> list[Row]:
    """The first guesses as AzureDiagnostics has them."""
    return [
        _diagnostics(
            at("18:00:00") + timedelta(seconds=6 * step),
            _SERVER,
            "MICROSOFT.DBFORPOSTGRESQL",
            "PostgreSQLLogs",
            OperationName="LogEvent",
            errorLevel_s="FATAL",
            sqlerrcode_s="28P01",
            processId_d=float(100 + step),
            LogicalServerName_s="pg-orders",
            Message='password authentication failed for user "postgres"',
        )
        for step in range(25)
    ]


def _vault(moment: datetime, operation: str, who: str, status: int = 200, **more: Json) -> Row:
    identity = (
        {"claim": {"upn": who, "oid": "00000000-0000-0000-0000-0000000000e7"}} if "@" in who else {"claim": {"appid": who, "oid": who}}
    )
    columns: dict[str, Json] = {
        "OperationName": operation,
        "ResultType": "Success" if status < 400 else "Failed",
        "ResultSignature": "OK" if status < 400 else "Forbidden",
        "HttpStatusCode": status,
        "CallerIpAddress": "203.0.113.40" if "mallory" in who else "10.240.9.1",
        "Identity": identity,
        "Id": "https://kv-pg.vault.example.net/keys/pg-key/1",
        "RequestUri": "https://kv-pg.vault.example.net/keys/pg-key/1?api-version=7.4",
    }
    return _row("AZKVAuditLogs", moment, _VAULT, **{**columns, **more})


_SERVER_IDENTITY = "00000000-0000-0000-0000-0000000000e9"


def key_lost() -> list[Row]:
    """The key of a server disabled and deleted, the vault's rights changed; reading the key and its rotation are ordinary; a refusal."""
    mallory, enabled = "mallory@contoso.com", {"attributes": {"enabled": True}}
    return [
        _vault(at("19:00:00"), "KeyGet", mallory),
        _vault(at("19:01:00"), "KeyUpdate", mallory, KeyProperties={"attributes": {"enabled": False}}),
        _vault(at("19:02:00"), "KeyDelete", mallory),
        _vault(at("19:03:00"), "VaultPatch", mallory, RequestUri="https://management.example.net/vaults/kv-pg"),
        _vault(at("19:04:00"), "KeyUpdate", "alice@contoso.com", KeyProperties=enabled),
        _vault(at("19:04:10"), "KeyRotate", "alice@contoso.com"),
        _vault(at("19:05:00"), "KeyPurge", mallory, 403),
    ]


def key_refused() -> list[Row]:
    """The server is refused the use of its key, every minute; before, it used it as always, with one refusal while a role spread."""
    before = [
        _vault(at("19:00:00") + timedelta(minutes=5 * step), "KeyUnwrap", _SERVER_IDENTITY, 403 if step == 1 else 200) for step in range(4)
    ]
    return before + [_vault(at("19:30:00") + timedelta(minutes=step), "KeyUnwrap", _SERVER_IDENTITY, 403) for step in range(6)]


def key_lost_legacy() -> list[Row]:
    """The deletion of the key as AzureDiagnostics has it."""
    return [
        _diagnostics(
            at("19:02:00"),
            _VAULT,
            "MICROSOFT.KEYVAULT",
            "AuditEvent",
            OperationName="KeyDelete",
            ResultType="Success",
            httpStatusCode_d=200.0,
            CallerIPAddress="203.0.113.40",
            id_s="https://kv-pg.vault.example.net/keys/pg-key/1",
            requestUri_s="https://kv-pg.vault.example.net/keys/pg-key?api-version=7.4",
            identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s="mallory@contoso.com",
        )
    ]
