"""Content that somebody makes, changes and deletes in the portal: every kind, with its authors, past the log and the faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.azure_server import ANALYST, DEPLOYER, FORBIDDEN, AzureServer, Behaviour, Site
from tests.azure_server.authors import object_id
from tests.azure_server.messages import ServiceError
from tests.azure_server.wire import Wire
from toolkit import Workspace

_BODIES = yaml.safe_load((Path(__file__).parent / "scenarios" / "bodies.yaml").read_text(encoding="utf-8"))
_TABLES = {
    "SigninLogs": {"TimeGenerated": "datetime", "UserPrincipalName": "string", "IPAddress": "string", "ResultType": "string"},
    "Heartbeat": {"TimeGenerated": "datetime", "Computer": "string"},
}
_BOOK = "aaaaaaaa-0000-0000-0000-000000000001"
_INSIGHTS = "@group/providers/Microsoft.Insights"
_BEGAN, _LATER = "2026-03-02T10:00:00.0000000Z", "2026-03-02T11:00:00.0000000Z"


@dataclass(frozen=True)
class Case:
    """A resource, the path and body that it is made with, a change, and what its properties say about its authors afterwards."""

    kind: str
    name: str
    path: str
    body: str
    change: dict[str, Any]
    authors: dict[str, str] = field(default_factory=dict)
    parent: str = ""


_SIGNED = {"created": _BEGAN, "createdBy.email": DEPLOYER, "updated": _LATER, "updatedBy.objectId": object_id(ANALYST)}
CASES = [
    Case("alertRules", "r1", "@sentinel/alertRules/r1", "scheduled", {"severity": "Low"}, {"lastModifiedUtc": _LATER}),
    Case("alertRules", "f", "@sentinel/alertRules/f", "fusion", {"enabled": False}, {"lastModifiedUtc": _LATER}),
    Case("alertRules", "n", "@sentinel/alertRules/n", "nrt", {"enabled": False}, {"lastModifiedUtc": _LATER}),
    Case("actions", "a1", "@sentinel/alertRules/r1/actions/a1", "action", {"logicAppResourceId": "/x"}, parent="r1"),
    Case("metadata", "m", "@sentinel/metadata/m", "metadata", {"kind": "Parser"}),
    Case("savedSearches", "h", "@workspace/savedSearches/h", "saved", {"query": "SigninLogs"}),
    Case("savedSearches", "f", "@workspace/savedSearches/f", "function", {"functionAlias": "G"}),
    Case("watchlists", "w", "@sentinel/watchlists/w", "watchlist", {"description": "d"}, _SIGNED),
    Case("watchlistItems", "i1", "@sentinel/watchlists/w/watchlistItems/i1", "item", {"Team": "red"}, _SIGNED, parent="w"),
    Case(
        "workbooks",
        _BOOK,
        f"{_INSIGHTS}/workbooks/{_BOOK}",
        "workbook",
        {"serializedData": "{}", "tags": {"a": "b"}},
        {"timeModified": _LATER, "userId": ANALYST},
    ),
    Case("scheduledQueryRules", "q", f"{_INSIGHTS}/scheduledQueryRules/q", "alert", {"severity": 4, "tags": {"a": "b"}}),
]
_EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.name}")
_UNSIGNED = ("savedSearches", "actions")  # they say nothing about their authors


@pytest.fixture
def server() -> Iterator[AzureServer]:
    with AzureServer(Site("soc", Workspace(_TABLES)), behaviour=Behaviour(operation_polls=0, tombstone_status=409)) as server:
        yield server


@pytest.fixture
def wire(server: AzureServer) -> Iterator[Wire]:
    with Wire(server) as wire:
        wire.send("PUT", "@sentinel/alertRules/r1", _BODIES["scheduled"])
        wire.send("PUT", "@sentinel/watchlists/w", _BODIES["watchlist"])
        server.log.clear()
        yield wire


def _at(body: dict[str, Any], path: str) -> Any:
    for part in path.split("."):
        body = body[part]
    return body


@_EACH
def test_an_edit(server: AzureServer, wire: Wire, case: Case) -> None:
    if wire.send("GET", case.path).status != 200:
        wire.send("PUT", case.path, _BODIES[case.body])
    before = wire.send("GET", case.path).body
    server.log.clear()
    server.clock.advance(hours=1)
    server.faults.add(FORBIDDEN, times=None)
    server.deny("Microsoft.SecurityInsights/alertRules/write")
    changed = server.portal.edit(case.kind, case.name, parent=case.parent, **case.change)
    server.faults.clear()
    after = wire.send("GET", case.path).body
    assert [record.method for record in server.log] == ["GET"]
    assert after["etag"] == changed["etag"] != before["etag"]
    shown = {**changed["properties"], **changed["properties"].get("itemsKeyValue", {}), "tags": changed.get("tags")}
    assert {key: shown[key] for key in case.change} == case.change
    moved = {*_MOVED, *case.change}
    assert _without(after["properties"], moved) == _without(before["properties"], moved)
    assert {where: _at(after["properties"], where) for where in case.authors} == case.authors
    assert ("systemData" in after) is (case.kind not in _UNSIGNED)
    if "systemData" in after:
        signed = after["systemData"]
        assert (signed["createdBy"], signed["createdAt"]) == (DEPLOYER, _BEGAN)
        assert (signed["lastModifiedBy"], signed["lastModifiedAt"]) == (ANALYST, _LATER)


_MOVED = "lastModifiedUtc updated updatedBy timeModified userId revision itemsKeyValue workflowId".split()


def _without(properties: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key not in names}


@_EACH
def test_made_and_deleted(server: AzureServer, wire: Wire, case: Case) -> None:
    if wire.send("GET", case.path).status == 200:
        server.portal.delete(case.kind, case.name)
        server.clock.advance(days=2)
    made = server.portal.create(case.kind, case.name, _BODIES[case.body], parent=case.parent, who="intern@example.com")
    assert wire.send("GET", case.path).body["name"] == made["name"] == case.name
    assert case.kind in _UNSIGNED or made["systemData"]["createdBy"] == "intern@example.com"
    server.portal.delete(case.kind, case.name, parent=case.parent)
    assert wire.send("GET", case.path).status == 404
    with pytest.raises(ServiceError):
        server.portal.delete(case.kind, case.name, parent=case.parent)
    assert not server.log.writes


def test_what_the_portal_does_has_the_same_effects(server: AzureServer, wire: Wire) -> None:
    server.portal.delete("alertRules", "r1")
    assert wire.send("PUT", "@sentinel/alertRules/r1", _BODIES["scheduled"]).status == 409  # the tombstone
    server.portal.create("savedSearches", "f", _BODIES["function"])
    query = {"query": "Failures | union (_GetWatchlist('w')) | count"}
    assert wire.send("POST", "/v1/workspaces/@customer/query", query).body["tables"][0]["rows"] == [[2]]
    server.portal.delete("watchlistItems", next(iter(server.site().items["w"]))["name"], parent="w")
    assert wire.send("POST", "/v1/workspaces/@customer/query", query).body["tables"][0]["rows"] == [[1]]
    server.portal.edit("savedSearches", "f", functionAlias="Other")
    assert wire.send("POST", "/v1/workspaces/@customer/query", query).status == 400
    server.portal.create("workbooks", _BOOK, _BODIES["workbook"])
    server.portal.edit("workbooks", _BOOK, displayName="New")
    assert len(wire.send("GET", f"{_INSIGHTS}/workbooks/{_BOOK}/revisions").body["value"]) == 2


def test_the_portal_refuses_what_the_service_refuses(server: AzureServer, wire: Wire) -> None:
    with pytest.raises(ServiceError, match="One of the tables does not exist"):
        server.portal.edit("alertRules", "r1", query="Gone_CL")
    with pytest.raises(ServiceError, match="was not found"):
        server.portal.edit("alertRules", "none", enabled=False)
    assert wire.send("GET", "@sentinel/alertRules/r1").body["properties"]["query"].startswith("SigninLogs")


def test_an_edit_leaves_the_uploads_of_others_alone(server: AzureServer, wire: Wire) -> None:
    server.behaviour.operation_polls = 2
    wire.send("PUT", "@sentinel/watchlists/slow", _BODIES["watchlist"])
    server.portal.edit("watchlists", "w", description="d")
    assert wire.send("GET", "@sentinel/watchlists/slow").body["properties"]["uploadStatus"] == "InProgress"


def test_versions_that_name_no_authors(server: AzureServer, wire: Wire) -> None:
    server.behaviour.system_data = False
    assert "systemData" not in wire.send("GET", "@sentinel/alertRules/r1").body
    (listed,) = wire.send("GET", "@sentinel/alertRules").body["value"]
    assert "systemData" not in listed
    assert "lastModifiedUtc" in listed["properties"]
    server.behaviour.system_data = True
    assert wire.send("GET", "@sentinel/alertRules/r1").body["systemData"]["createdBy"] == DEPLOYER
