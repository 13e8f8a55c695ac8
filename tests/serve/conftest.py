"""A server over small tables, and raw requests to it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

import pytest

from toolkit import Workspace
from toolkit.serve.app import Access, Limits, Settings
from toolkit.serve.databases import Database, Databases
from toolkit.serve.guard import Guard
from toolkit.serve.server import Server

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
TABLES = {"T": {"TimeGenerated": "datetime", "A": "long", "B": "string"}}
SLOW = "range x from 1 to 3000000000 step 1 | summarize count() by x % 1000003"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Wire:
    """Requests as they are on the wire; every one has a connection of its own."""

    server: Server
    accesses: list[Access]

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        connection = HTTPConnection(self.server.host, self.server.port, timeout=60)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
            found = connection.getresponse()
            return Answer(found.status, {key.lower(): value for key, value in found.getheaders()}, found.read())
        finally:
            connection.close()

    def kusto(self, csl: str, path: str = "/v2/rest/query", db: str = "soc", **options: Any) -> Answer:
        """A query with request properties; those of `parameters` are the query's."""
        parameters = options.pop("parameters", {})
        return self.send("POST", path, {"db": db, "csl": csl, "properties": {"Options": options, "Parameters": parameters}})

    def logs(self, query: str, prefer: str = "", workspace: str = "soc", **body: Any) -> Answer:
        headers = {"Prefer": prefer} if prefer else {}
        return self.send("POST", f"/v1/workspaces/{workspace}/query", {"query": query, **body}, headers)


def until(holds: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


def workspace(rows: int = 10, mark: str = "b") -> Workspace:
    found = Workspace(TABLES)
    found.ingest("T", [{"TimeGenerated": f"2026-03-02T0{hour % 10}:30:00Z", "A": hour, "B": f"{mark}{hour}"} for hour in range(rows)])
    found.define_function("Late", "T | where A > least", "least:long = 7")
    return found


@pytest.fixture(scope="session")
def soc() -> Workspace:
    return workspace()


Serving = Callable[..., Wire]


@pytest.fixture(scope="session")
def serving(soc: Workspace) -> Iterator[Serving]:
    """Starts servers: `serving(Database(...), ..., guard=..., limits=...)`; without databases the one that is called soc."""
    servers: list[Server] = []

    def call(*databases: Database, guard: Guard | None = None, limits: Limits | None = None) -> Wire:
        accesses: list[Access] = []
        found = Databases(databases or [Database("soc", soc)])
        server = Server(Settings(found, lambda: NOW, guard or Guard(), limits or Limits(), accesses.append), grace=0.5)
        servers.append(server.__enter__())
        return Wire(server, accesses)

    yield call
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def wire(serving: Serving) -> Wire:
    return serving()
