"""Azure's control-plane log (AzureActivity) for the services beside AKS: event hubs, API Management, PostgreSQL, Cloud Shell, diagnostics.

One operation writes a row when it starts, with what was requested, and one when it ends, with the outcome; both have its CorrelationId.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from scripts.recorded_logs.azure_activity import ID_SPACE, common
from scripts.recorded_logs.kube import Json, at
from scripts.recorded_logs.shapes import CLUSTER, SUBSCRIPTION, Row, compact

ALICE = ("alice@contoso.com", "198.51.100.7")
MALLORY = ("mallory@contoso.com", "203.0.113.40")
PIPELINE = ("00000000-0000-0000-0000-0000000000c7", "10.240.8.11")
_HUBS = "rg-logs/providers/microsoft.eventhub/namespaces/evhns-logs"
_APIM = "rg-api/providers/microsoft.apimanagement/service/apim-contoso"
_PG = "rg-data/providers/microsoft.dbforpostgresql/flexibleservers/pg-orders"
_SHELL = "cloud-shell-storage-westeurope/providers/microsoft.storage/storageaccounts/csa1"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation. `action` is "Provider/type/verb", `resource` what follows /subscriptions/ID/resourcegroups/, or a whole id."""

    at: datetime
    who: tuple[str, str]
    action: str
    resource: str
    body: Json = None
    outcome: str = "Success"
    lasts: float = 2.0


def rows(operation: Operation) -> list[Row]:
    """The row of the start and the row of the outcome; no outcome, no second row."""
    resource = operation.resource
    if not resource.startswith("/"):
        resource = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{resource}"
    key = str(uuid.uuid5(ID_SPACE, f"{operation.at}|{operation.action}|{resource}"))
    wanted: dict[str, Json] = {"eventCategory": "Administrative", "entity": resource}
    if operation.body is not None:
        wanted["requestbody"] = compact(operation.body)
    made = [(operation.at, "Start", wanted)]
    if operation.outcome:
        ended: dict[str, Json] = {"statusCode": "OK" if operation.outcome == "Success" else "Forbidden", "entity": resource}
        made.append((operation.at + timedelta(seconds=operation.lasts), operation.outcome, ended))
    group = resource.split("/")[4].upper() if "/resourcegroups/" in resource else ""
    return [
        {
            **common(moment, operation.action, status, operation.who, resource),
            "ResourceGroup": group,
            "CorrelationId": key,
            "Authorization": compact({"action": operation.action, "scope": resource}),
            "Properties": compact(properties),
        }
        for moment, status, properties in made
    ]


def _all(*operations: Operation) -> list[Row]:
    return sorted((row for operation in operations for row in rows(operation)), key=lambda row: str(row["TimeGenerated"]))


def diagnostics_removed() -> list[Row]:
    """Diagnostic settings removed: the cluster's for good, another's for a new one minutes later; one removal is refused."""
    delete, write = "microsoft.insights/diagnosticSettings/delete", "microsoft.insights/diagnosticSettings/write"
    setting = "/providers/microsoft.insights/diagnosticsettings/to-sentinel"
    hub = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{_HUBS}"
    return _all(
        Operation(at=at("08:00:00"), who=MALLORY, action=delete, resource=f"{CLUSTER}{setting}"),
        Operation(at=at("08:01:00"), who=PIPELINE, action=delete, resource=f"{hub}{setting}"),
        Operation(at=at("08:04:00"), who=PIPELINE, action=write, resource=f"{hub}{setting}"),
        Operation(at=at("08:05:00"), who=MALLORY, action=delete, resource=f"{hub}{setting}", outcome="Failure"),
    )


def hub_changes() -> list[Row]:
    """A hub deleted, a key read, a rule of access and a group of consumers made; what a pipeline does, and a refusal."""
    space = "Microsoft.EventHub/namespaces"
    hub = f"{_HUBS}/eventhubs/insights-logs-kube-audit"
    return _all(
        Operation(at=at("09:00:00"), who=MALLORY, action=f"{space}/eventhubs/delete", resource=hub),
        Operation(
            at=at("09:01:00"),
            who=MALLORY,
            action=f"{space}/authorizationRules/listkeys/action",
            resource=f"{_HUBS}/authorizationrules/rootmanagesharedaccesskey",
        ),
        Operation(
            at=at("09:02:00"),
            who=MALLORY,
            action=f"{space}/authorizationRules/write",
            resource=f"{_HUBS}/authorizationrules/reader2",
            body={"properties": {"rights": ["Listen", "Manage", "Send"]}},
        ),
        Operation(at=at("09:03:00"), who=MALLORY, action=f"{space}/eventhubs/consumergroups/write", resource=f"{hub}/consumergroups/tmp"),
        Operation(at=at("09:04:00"), who=PIPELINE, action=f"{space}/eventhubs/write", resource=f"{_HUBS}/eventhubs/orders"),
        Operation(at=at("09:05:00"), who=MALLORY, action=f"{space}/delete", resource=_HUBS, outcome="Failure"),
    )


def gateway_changes() -> list[Row]:
    """Policies of an API gateway changed, its keys read, a named value written; a pipeline at work, and a refusal."""
    service = "Microsoft.ApiManagement/service"
    policy = {"properties": {"format": "rawxml", "value": "<policies><inbound><base /></inbound></policies>"}}
    checked = {
        "properties": {"format": "rawxml", "value": '<policies><inbound><validate-jwt header-name="Authorization" /></inbound></policies>'}
    }
    return _all(
        Operation(
            at=at("10:00:00"),
            who=MALLORY,
            action=f"{service}/apis/policies/write",
            resource=f"{_APIM}/apis/orders-api/policies/policy",
            body=policy,
        ),
        Operation(
            at=at("10:01:00"), who=MALLORY, action=f"{service}/subscriptions/listSecrets/action", resource=f"{_APIM}/subscriptions/master"
        ),
        Operation(at=at("10:02:00"), who=MALLORY, action=f"{service}/namedValues/write", resource=f"{_APIM}/namedvalues/backend-host"),
        Operation(
            at=at("10:03:00"),
            who=PIPELINE,
            action=f"{service}/apis/policies/write",
            resource=f"{_APIM}/apis/echo-api/policies/policy",
            body=checked,
        ),
        Operation(
            at=at("10:04:00"),
            who=MALLORY,
            action=f"{service}/policies/write",
            resource=f"{_APIM}/policies/policy",
            body=policy,
            outcome="Failure",
        ),
    )


def server_changes() -> list[Row]:
    """PostgreSQL servers: one made without a key of one's own, one with it; doors opened, logs switched off, a key of a server removed."""
    kind = "Microsoft.DBforPostgreSQL/flexibleServers"
    single = "rg-data/providers/microsoft.dbforpostgresql/servers/pg-old"
    encrypted = {"properties": {"dataEncryption": {"type": "AzureKeyVault", "primaryKeyURI": "https://kv-pg.vault.example.net/keys/pg/1"}}}
    door = "firewallrules"
    return _all(
        Operation(
            at=at("11:00:00"),
            who=MALLORY,
            action=f"{kind}/write",
            resource=_PG,
            body={"properties": {"version": "16", "createMode": "Create"}},
        ),
        Operation(at=at("11:01:00"), who=PIPELINE, action=f"{kind}/write", resource=_PG.replace("orders", "bills"), body=encrypted),
        Operation(at=at("11:02:00"), who=ALICE, action=f"{kind}/write", resource=_PG, body={"tags": {"team": "orders"}}),
        Operation(
            at=at("11:03:00"),
            who=MALLORY,
            action=f"{kind}/write",
            resource=_PG.replace("orders", "never"),
            body={"properties": {"createMode": "Create"}},
            outcome="Failure",
        ),
        Operation(
            at=at("11:10:00"),
            who=MALLORY,
            action=f"{kind}/firewallRules/write",
            resource=f"{_PG}/{door}/allow-all",
            body={"properties": {"startIpAddress": "0.0.0.0", "endIpAddress": "255.255.255.255"}},
        ),
        Operation(
            at=at("11:11:00"),
            who=ALICE,
            action=f"{kind}/firewallRules/write",
            resource=f"{_PG}/{door}/allowallwindowsazureips",
            body={"properties": {"startIpAddress": "0.0.0.0", "endIpAddress": "0.0.0.0"}},
        ),
        Operation(
            at=at("11:12:00"),
            who=ALICE,
            action=f"{kind}/firewallRules/write",
            resource=f"{_PG}/{door}/office",
            body={"properties": {"startIpAddress": "198.51.100.0", "endIpAddress": "198.51.100.255"}},
        ),
        Operation(
            at=at("11:13:00"),
            who=MALLORY,
            action=f"{kind}/configurations/write",
            resource=f"{_PG}/configurations/log_connections",
            body={"properties": {"value": "off"}},
        ),
        Operation(
            at=at("11:14:00"),
            who=ALICE,
            action=f"{kind}/configurations/write",
            resource=f"{_PG}/configurations/work_mem",
            body={"properties": {"value": "8192"}},
        ),
        Operation(
            at=at("11:15:00"),
            who=MALLORY,
            action="Microsoft.DBforPostgreSQL/servers/securityAlertPolicies/write",
            resource=f"{single}/securityalertpolicies/default",
            body={"properties": {"state": "Disabled"}},
        ),
        Operation(
            at=at("11:20:00"), who=MALLORY, action="Microsoft.DBforPostgreSQL/servers/keys/delete", resource=f"{single}/keys/kv_pg_1"
        ),
        Operation(
            at=at("11:21:00"), who=PIPELINE, action="Microsoft.DBforPostgreSQL/servers/keys/write", resource=f"{single}/keys/kv_pg_2"
        ),
    )


def cloud_shell() -> list[Row]:
    """Cloud Shell: Alice who has used it for days, Mallory for the first time, a store of another group, a foreign hand on a store."""
    write, keys = "Microsoft.Storage/storageAccounts/write", "Microsoft.Storage/storageAccounts/listKeys/action"
    mine = _SHELL.replace("csa1", "csm1")
    return _all(
        Operation(at=at("09:00:00", "2026-02-25"), who=ALICE, action=write, resource=_SHELL),
        Operation(at=at("09:00:05", "2026-02-25"), who=ALICE, action=keys, resource=_SHELL),
        Operation(at=at("12:00:00"), who=ALICE, action=keys, resource=_SHELL),
        Operation(at=at("12:10:00"), who=MALLORY, action=write, resource=mine),
        Operation(at=at("12:10:05"), who=MALLORY, action=keys, resource=mine),
        Operation(at=at("12:20:00"), who=MALLORY, action=keys, resource=_SHELL),
        Operation(at=at("12:25:00"), who=ALICE, action=write, resource="rg-data/providers/microsoft.storage/storageaccounts/stdata"),
        Operation(at=at("12:26:00"), who=MALLORY, action=keys, resource=_SHELL, outcome="Failure"),
    )


def cloud_shell_network() -> list[Row]:
    """Cloud Shell put into the cluster's network by Mallory: relay, profile, container; a pipeline's elsewhere; half of one."""
    group = "rg-aks"

    def parts(start: str, who: tuple[str, str], place: str, count: int = 3) -> list[Operation]:
        kinds = (
            ("Microsoft.Relay/namespaces/write", "microsoft.relay/namespaces/cs"),
            ("Microsoft.Network/networkProfiles/write", "microsoft.network/networkprofiles/cs"),
            ("Microsoft.ContainerInstance/containerGroups/write", "microsoft.containerinstance/containergroups/cs"),
        )
        first = at(start)
        return [
            Operation(at=first + timedelta(minutes=4 * step), who=who, action=action, resource=f"{place}/providers/{resource}")
            for step, (action, resource) in enumerate(kinds[:count])
        ]

    return _all(*parts("13:00:00", MALLORY, group), *parts("13:01:00", PIPELINE, "rg-shell"), *parts("13:02:00", ALICE, "rg-build", 2))


def run_command() -> list[Row]:
    """A command run in a cluster through Azure (`az aks command invoke`), without a way to its API server; and one that is refused."""
    action = "Microsoft.ContainerService/managedClusters/runCommand/action"
    return _all(
        Operation(
            at=at("15:50:00"), who=MALLORY, action=action, resource=CLUSTER, body={"command": "kubectl get secrets -A", "context": ""}
        ),
        Operation(at=at("15:51:00"), who=MALLORY, action=action, resource=CLUSTER, outcome="Failure"),
    )
