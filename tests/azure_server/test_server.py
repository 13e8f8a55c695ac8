"""What tests rely on beside the contract: the log, faults, the clock, permissions, many clients at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.azure_server import (
    CONFLICT,
    CONFLICT_RETRY,
    DROPPED,
    DROPPED_AFTER,
    FORBIDDEN,
    SERVER_ERROR,
    SLOW,
    THROTTLED,
    THROTTLED_BARE,
    TRANSIENT,
    UNAVAILABLE,
    AzureServer,
    Behaviour,
    Fault,
    FaultPlan,
    Site,
)
from tests.azure_server.messages import Request
from tests.azure_server.wire import Wire
from toolkit import Workspace

_BODIES = yaml.safe_load((Path(__file__).parent / "scenarios" / "bodies.yaml").read_text(encoding="utf-8"))
RULE = _BODIES["scheduled"]


@pytest.fixture
def server() -> Iterator[AzureServer]:
    with AzureServer(Site("soc", None)) as server:
        yield server


@pytest.fixture
def wire(server: AzureServer) -> Iterator[Wire]:
    with Wire(server) as wire:
        yield wire


def _put(wire: Wire, name: str = "r1", **headers: str) -> Any:
    return wire.send("PUT", f"@sentinel/alertRules/{name}", RULE, headers)


def test_every_request_is_logged_and_no_credential(server: AzureServer, wire: Wire) -> None:
    _put(wire, **{"x-ms-correlation-request-id": "c-7", "Authorization": "Bearer SECRET"})
    _put(wire)
    wire.send("GET", "@sentinel/alertRules", version="2025-09-01")
    seen = [(record.method, record.status, record.api_version) for record in server.log]
    assert seen == [("PUT", 201, "2025-07-01-preview"), ("PUT", 200, "2025-07-01-preview"), ("GET", 200, "2025-09-01")]
    first = next(iter(server.log))
    assert (first.correlation_id, first.body, first.number) == ("c-7", RULE, 1)
    assert "SECRET" not in repr(list(server.log))
    place = f"{server.site().sentinel}/alertRules/r1"
    assert server.log.writes == Counter({("create", place): 1, ("update", place): 1})
    assert server.log.count("put", "/ALERTRULES/r1") == 0
    assert server.log.count("PUT", "/ALERTRULES/r1") == 2
    server.log.clear()
    assert len(server.log) == 0


def test_the_keys_of_a_new_rule_come_in_another_order(wire: Wire) -> None:
    first, second = _put(wire).body, _put(wire).body
    assert list(first) != list(second)
    assert list(first["properties"]) != list(second["properties"])
    assert set(first) == set(second)


def test_a_refused_request_writes_nothing(server: AzureServer, wire: Wire) -> None:
    server.deny("microsoft.securityinsights/alertRules/write")
    answer = _put(wire)
    assert (answer.status, answer.body["error"]["code"]) == (403, "AuthorizationFailed")
    assert "perform action 'Microsoft.SecurityInsights/alertRules/write' over scope '/subscriptions/" in answer.body["error"]["message"]
    assert wire.send("GET", "@sentinel/alertRules").status == 200
    assert not server.log.writes


@pytest.mark.parametrize(
    ("fault", "status", "retry_after"),
    [
        (THROTTLED, 429, "0"),
        (THROTTLED_BARE, 429, None),
        (SERVER_ERROR, 500, None),
        (UNAVAILABLE, 503, None),
        (CONFLICT, 409, None),
        (CONFLICT_RETRY, 409, "0"),
        (FORBIDDEN, 403, None),
        (Fault("wait", 429, "TooManyRequests", "later", retry_after=17), 429, "17"),
    ],
)
def test_faults_on_order(server: AzureServer, wire: Wire, fault: Fault, status: int, retry_after: str | None) -> None:
    server.faults.add(fault, method="PUT", path="/alertrules/r1$", times=2)
    assert _put(wire, "r2").status == 201
    assert wire.send("GET", "@sentinel/alertRules/r1").status == 404
    for _ in range(2):
        answer = _put(wire)
        assert (answer.status, answer.headers.get("retry-after"), answer.body["error"]["code"]) == (status, retry_after, fault.code)
    assert _put(wire).status == 201
    assert [record.fault for record in server.log] == ["", "", fault.name, fault.name, ""]


def test_connections_that_break(server: AzureServer, wire: Wire) -> None:
    server.faults.add(DROPPED, path="/r1").add(DROPPED_AFTER, path="/r1")
    for rules in (0, 1):  # the second time the rule was written, and the client does not know
        with pytest.raises((HTTPException, ConnectionError)):
            _put(wire)
        wire.connection.close()
        assert len(server.site().rules) == rules
    assert [record.status for record in server.log] == [None, None]
    assert _put(wire).status == 200


def test_slow_answers_hold_nobody_up(server: AzureServer, wire: Wire) -> None:
    server.faults.add(Fault("slow", delay=0.5), path="/slow")
    with Wire(server) as other, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(_put, other, "slow")
        while not len(server.log):
            pass
        assert _put(wire, "fast").status == 201
        assert [rule["name"] for rule in server.site().rules] == ["fast"]
        assert slow.result().status == 201


def _requests(count: int) -> Iterator[Request]:
    for number in range(count):
        yield Request("PUT", f"/rules/{number}", {}, {}, None, "")


def test_chance_is_seeded_and_does_not_depend_on_the_order() -> None:
    forwards = {request.path: FaultPlan(7, 0.3).next(request) for request in _requests(300)}
    plan = FaultPlan(7, 0.3)
    backwards = {request.path: plan.next(request) for request in reversed(list(_requests(300)))}
    assert forwards == backwards
    kinds = Counter(fault for fault in forwards.values() if fault)
    assert set(kinds) == set(TRANSIENT)
    assert 60 <= sum(kinds.values()) <= 120
    assert forwards != {request.path: FaultPlan(8, 0.3).next(request) for request in _requests(300)}


def test_chance_lets_a_stubborn_client_through() -> None:
    plan = FaultPlan(rate=1.0, most=2, kinds=[SLOW])
    (request,) = _requests(1)
    assert [bool(plan.next(request)) for _ in range(6)] == [True, True, False, True, True, False]
    plan.clear()
    assert plan.next(request) is None


def test_faults_at_random(server: AzureServer, wire: Wire) -> None:
    """A client that sends a failed request again ends with every rule written once, unless an answer got lost."""
    assert server.faults.randomly(0.3, 11, [SERVER_ERROR, THROTTLED]) is server.faults
    for number in range(40):
        while _put(wire, f"r{number}").status >= 400:
            pass
    log = server.log
    assert set(log.failed) == {"server-error", "throttled"}
    assert log.methods == {"PUT": 40 + sum(log.failed.values())}
    assert (len(log.written), set(log.written.values())) == (40, {1})
    server.faults.randomly(0.3, kinds=[DROPPED_AFTER])
    assert server.faults.seed == 11
    server.faults.randomly(1.0)
    with pytest.raises((HTTPException, ConnectionError)):
        _put(wire, "r0")
    assert log.written[f"{server.site().sentinel}/alertRules/r0"] == 2
    server.faults.randomly(0)
    wire.connection.close()
    wire.send("DELETE", "@sentinel/alertRules/r1")
    assert log.written[f"{server.site().sentinel}/alertRules/r1"] == 1  # a deletion is none
    assert log.writes["delete", f"{server.site().sentinel}/alertRules/r1"] == 1


def test_tokens(server: AzureServer, wire: Wire) -> None:
    server.tokens = {"good"}
    assert wire.send("GET", "@sentinel/alertRules").status == 401
    assert wire.send("GET", "@sentinel/alertRules", None, {"Authorization": "Bearer good"}).status == 200


def test_token_buckets(wire: Wire) -> None:
    left = {wire.send("GET", "@sentinel/alertRules").headers["x-ms-ratelimit-remaining-subscription-reads"] for _ in range(3)}
    assert left == {"249"}  # nothing is counted until it matters
    wire.server.behaviour.enforce_rate = True
    statuses = Counter(wire.send("DELETE", "@sentinel/alertRules/none").status for _ in range(205))
    assert statuses == {204: 200, 429: 5}
    answer = wire.send("DELETE", "@sentinel/alertRules/none")
    assert (answer.headers["retry-after"], answer.body["error"]["code"]) == ("1", "SubscriptionRequestsThrottled")
    wire.server.clock.advance(1)
    assert Counter(wire.send("DELETE", "@sentinel/alertRules/none").status for _ in range(12)) == {204: 10, 429: 2}
    assert wire.send("GET", "@sentinel/alertRules").status == 200


def test_many_clients_at_once(server: AzureServer) -> None:
    def work(client: int) -> list[int]:
        with Wire(server) as wire:
            return [_put(wire, f"r{client}-{number}").status for number in range(10)] + [_put(wire, "shared").status]

    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(status for done in pool.map(work, range(8)) for status in done)
    assert statuses == {201: 81, 200: 7}
    etags = [rule["etag"] for rule in server.site().rules]
    assert len(etags) == len(set(etags)) == 81
    assert len(server.log) == 88


def test_every_page_has_every_rule_once(server: AzureServer, wire: Wire) -> None:
    server.behaviour.page_size = 7
    for number in range(20):
        _put(wire, f"r{number}")
    names, link = [], "@sentinel/alertRules"
    while link:
        body = wire.send("GET", link).body
        names += [rule["name"] for rule in body["value"]]
        link = body.get("nextLink", "")
        assert not link or "api-version=2025-07-01-preview" in link
    assert names == [f"r{number}" for number in range(20)]


def test_workspaces_are_apart() -> None:
    sites = Site("a", None), Site("b", None, group="rg-b"), Site("c", None, subscription="00000000-0000-0000-0000-000000000002")
    with AzureServer(*sites) as server, Wire(server) as wire:
        for site in sites[:2]:
            assert wire.send("PUT", f"{site.sentinel}/alertRules/r1", RULE).status == 201
        assert [len(site.rules) for site in sites] == [1, 1, 0]
        book = _BODIES["workbook"]
        for number, site in enumerate(sites):  # display names are unique in a subscription, not beyond
            place = f"{server.group(site).id}/providers/Microsoft.Insights/workbooks/aaaaaaaa-0000-0000-0000-00000000000{number}"
            assert wire.send("PUT", place, book).status == (201, 409, 201)[number]
        wire.send("PUT", f"{server.group(sites[1]).id}/providers/Microsoft.Insights/scheduledQueryRules/a", _BODIES["alert"])
        place = "/subscriptions/00000000-0000-0000-0000-00000000000{}/providers/Microsoft.Insights/scheduledQueryRules"
        assert [len(wire.send("GET", place.format(number)).body["value"]) for number in (1, 2)] == [1, 0]


def test_a_rule_that_reads_a_watchlist_needs_it() -> None:
    tables = {"T": {"TimeGenerated": "datetime", "User": "string"}}
    rule = json.loads(json.dumps(RULE))
    rule["properties"]["query"] = "T | where User in ((_GetWatchlist('admins') | project User))"
    with AzureServer(Site("soc", Workspace(tables)), behaviour=Behaviour(operation_polls=0)) as server, Wire(server) as wire:
        refused = wire.send("PUT", "@sentinel/alertRules/r1", rule)
        assert "Watchlist 'admins' does not exist" in refused.body["error"]["message"]
        assert wire.send("PUT", "@sentinel/watchlists/admins", _BODIES["watchlist"]).status == 201
        assert wire.send("PUT", "@sentinel/alertRules/r1", rule).status == 201
        server.behaviour.missing_watchlist_rejected = False
        assert wire.send("DELETE", "@sentinel/watchlists/admins").status == 202
        assert wire.send("PUT", "@sentinel/alertRules/r1", rule).status == 200


def test_a_defect_of_the_server_fails_the_test() -> None:
    server = AzureServer(Site("soc", None)).start()
    with Wire(server) as wire:
        server.site().rules = None  # type: ignore[assignment]  # a defect
        answer = _put(wire)
    assert (answer.status, answer.body["error"]["code"]) == (500, "LocalServerBug")
    with pytest.raises(AssertionError, match="AttributeError"):
        server.__exit__(None, None, None)
