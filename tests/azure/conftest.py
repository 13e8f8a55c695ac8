"""A local Azure with one workspace, and clients whose time passes only when they wait."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Lock
from typing import Any

import pytest

from tests.azure_server import AzureServer, Site
from toolkit import Workspace as Engine
from toolkit.azure import PUBLIC, Address, ArmClient, Kind, LogsClient, Options, RequestRecord, StaticCredential, Workspace

TOKEN = "tok-3c1d9f7a-not-for-any-text"  # no real secret: the tests look for it
TABLES = {
    "SigninLogs": {"TimeGenerated": "datetime", "UserPrincipalName": "string", "IPAddress": "string", "ResultType": "string"},
    "Heartbeat": {"TimeGenerated": "datetime", "Computer": "string"},
}


class ManualClock:
    """A clock that only waiting moves. `waits` are the pauses asked for."""

    def __init__(self) -> None:
        self.time, self.waits = 1000.0, list[float]()
        self._lock = Lock()

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float, cancel: Event) -> None:
        with self._lock:
            self.waits.append(seconds)
            self.time += seconds


class Local:
    """What a test works with: the server, a client on it, and what the client reported."""

    def __init__(self, server: AzureServer) -> None:
        self.server, self.clock, self.cancel = server, ManualClock(), Event()
        self.records: list[RequestRecord] = []
        site = server.site()
        self.site, self.workspace = site, Workspace(site.subscription, site.group, site.name)
        self.options = Options(clock=self.clock, cancel=self.cancel, on_request=self.records.append, read_timeout=5.0)
        cloud = PUBLIC.at(resource_manager=server.url, logs=server.url)
        self.arm, self.logs = (
            ArmClient(cloud, StaticCredential(TOKEN), self.options),
            LogsClient(cloud, StaticCredential(TOKEN), self.options),
        )

    def at(self, kind: Kind, name: str, parent: str = "") -> Address:
        return Address(kind, self.workspace, name, parent)

    def methods(self) -> list[str]:
        """The requests that reached the server, in their order."""
        return [record.method for record in self.server.log]


@pytest.fixture
def local() -> Iterator[Local]:
    engine = Engine(TABLES)
    engine.ingest("Heartbeat", [{"TimeGenerated": f"2026-03-02T0{hour}:00:00.1234567Z", "Computer": f"h{hour}"} for hour in range(5)])
    with AzureServer(Site("soc", engine)) as server:
        found = Local(server)
        with found.arm, found.logs:
            yield found


def rule(name: str = "Sign-ins from many addresses", **changes: Any) -> dict[str, Any]:
    properties = {
        "displayName": name,
        "enabled": True,
        "severity": "Medium",
        "query": 'SigninLogs | where ResultType == "50126"',
        "queryFrequency": "PT60M",
        "queryPeriod": "PT24H",
        "triggerOperator": "GreaterThan",
        "triggerThreshold": 0,
        "suppressionEnabled": False,
        "suppressionDuration": "PT5H",
        "tactics": ["CredentialAccess"],
        "techniques": ["T1110"],
        "eventGroupingSettings": None,
    }
    return {"kind": "Scheduled", "properties": {**properties, **changes}}


def rule_id(number: int = 1) -> str:
    return f"11111111-1111-1111-1111-{number:012}"
