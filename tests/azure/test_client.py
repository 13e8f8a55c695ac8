"""The client against the local Azure: what it sends, what it gives back, and how few requests it needs when things go wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.azure.conftest import TOKEN, Local, rule, rule_id
from tests.azure_server import (
    CONFLICT,
    CONFLICT_RETRY,
    DROPPED,
    DROPPED_AFTER,
    FORBIDDEN,
    NOT_YET,
    SERVER_ERROR,
    SLOW,
    THROTTLED,
    THROTTLED_BARE,
    UNAVAILABLE,
    Fault,
)
from toolkit.azure import errors
from toolkit.azure.errors import AzureApiError
from toolkit.azure.resources import (
    ALERT_RULE,
    LOG_ALERT,
    METADATA,
    RULE_ACTION,
    RULE_TEMPLATE,
    SAVED_SEARCH,
    WATCHLIST,
    WATCHLIST_ITEM,
    WORKBOOK,
    AddressError,
)

SAVED: dict[str, Any] = {"properties": {"category": "Hunting Queries", "displayName": "Rare", "query": "SigninLogs | count"}}
LIST: dict[str, Any] = {
    "properties": {
        "displayName": "Admins",
        "provider": "Microsoft",
        "source": "a.csv",
        "itemsSearchKey": "User",
        "contentType": "text/csv",
        "rawContent": "User,Team\r\nann@example.com,blue\r\n",
    }
}

# fault, requests of a PUT that creates, requests of a GET, requests of a DELETE; all end well
FAULTS = [
    (THROTTLED, "PUT PUT", "GET GET", "DELETE DELETE"),
    (THROTTLED_BARE, "PUT PUT", "GET GET", "DELETE DELETE"),
    (UNAVAILABLE, "PUT PUT", "GET GET", "DELETE DELETE"),
    (CONFLICT_RETRY, "PUT PUT", "GET GET", "DELETE DELETE"),
    (SERVER_ERROR, "PUT GET PUT", "GET GET", "DELETE DELETE"),
    (DROPPED, "PUT GET PUT", "GET GET", "DELETE DELETE"),
    (DROPPED_AFTER, "PUT GET", "GET GET", "DELETE DELETE"),
    (SLOW, "PUT", "GET", "DELETE"),
]


@pytest.mark.parametrize(("fault", "put", "get", "delete"), FAULTS, ids=lambda value: getattr(value, "name", value))
def test_a_fault_costs_as_few_requests_as_possible(local: Local, fault: Fault, put: str, get: str, delete: str) -> None:
    address, log = local.at(ALERT_RULE, rule_id()), local.server.log
    for method, expected in (("PUT", put), ("GET", get), ("DELETE", delete)):
        start = len(log)
        local.server.faults.add(fault, method=method)
        if method == "PUT":
            assert local.arm.put(address, rule()).body["name"] == rule_id()
        elif method == "GET":
            assert local.arm.get(address)["name"] == rule_id()
        else:
            local.arm.delete(address)
        assert " ".join(local.methods()[start:]) == expected
    assert max(log.writes.values()) == 1
    assert len(local.records) == len(log)


@pytest.mark.parametrize(
    ("fault", "expected", "tries"),
    [
        (THROTTLED, errors.ThrottledError, 6),
        (UNAVAILABLE, errors.UnavailableError, 6),
        (CONFLICT, errors.ConflictError, 1),
        (FORBIDDEN, errors.AuthorizationError, 1),
    ],
    ids=lambda value: getattr(value, "name", getattr(value, "__name__", value)),
)
def test_a_fault_that_stays_is_an_error_after_a_bounded_number_of_tries(
    local: Local, fault: Fault, expected: type[AzureApiError], tries: int
) -> None:
    local.server.faults.add(fault, times=None)
    with pytest.raises(expected) as caught:
        local.arm.put(local.at(ALERT_RULE, rule_id()), rule())
    assert local.methods() == ["PUT"] * tries
    assert caught.value.correlation_id == next(iter(local.server.log)).correlation_id
    assert caught.value.resource == local.at(ALERT_RULE, rule_id()).id


def test_retry_after_sets_the_pause(local: Local) -> None:
    local.server.faults.add(replace(THROTTLED, retry_after=17))
    local.arm.list(ALERT_RULE, local.workspace)
    assert sum(local.clock.waits) == 17
    local.server.faults.add(replace(THROTTLED, retry_after=3600))
    with pytest.raises(errors.ThrottledError, match="in 3600 s"):
        local.arm.list(ALERT_RULE, local.workspace)


def test_an_etag_protects_what_somebody_else_wrote(local: Local) -> None:
    address = local.at(ALERT_RULE, rule_id())
    first = local.arm.put(address, rule())
    assert first.created
    local.server.edit_rule(rule_id(), severity="Low")
    for write in (
        lambda: local.arm.put(address, rule(), etag=first.body["etag"]),
        lambda: local.arm.delete(address, etag=first.body["etag"]),
    ):
        with pytest.raises(errors.EtagConflictError, match="etag sent"):
            write()
    current = local.arm.get(address)
    assert current["properties"]["severity"] == "Low"
    assert not local.arm.put(address, rule(), etag=current["etag"]).created


def test_a_lost_answer_to_an_update_is_not_written_again(local: Local) -> None:
    address = local.at(ALERT_RULE, rule_id())
    etag = local.arm.put(address, rule()).body["etag"]
    local.server.faults.add(DROPPED_AFTER, method="PUT")
    written = local.arm.put(address, rule(severity="High"), etag=etag)
    assert (written.resumed, written.body["properties"]["severity"]) == (True, "High")
    assert local.methods() == ["PUT", "PUT", "GET"]


def test_a_saved_search_is_replaced_only_with_its_etag(local: Local) -> None:
    address = local.at(SAVED_SEARCH, "rare")
    local.arm.put(address, SAVED)
    with pytest.raises(errors.EtagConflictError):
        local.arm.put(address, SAVED)
    local.arm.put(address, SAVED, etag="*")
    assert local.arm.delete(address)
    assert not local.arm.delete(address)
    assert local.arm.find(address) is None


def test_a_watchlist_is_awaited_and_its_items_come_in_pages(local: Local) -> None:
    local.server.behaviour.page_size = 1
    written = local.arm.put(local.at(WATCHLIST, "Admins"), LIST, new=True)
    assert written.body["properties"]["provisioningState"] == "Succeeded"
    item = {"properties": {"itemsKeyValue": {"User": "eve@example.com", "Team": "red"}}}
    local.arm.put(local.at(WATCHLIST_ITEM, rule_id(7), "Admins"), item)
    users = [each["properties"]["itemsKeyValue"]["User"] for each in local.arm.list(WATCHLIST_ITEM, local.workspace, "Admins")]
    assert sorted(users) == ["ann@example.com", "eve@example.com"]
    assert local.arm.delete(local.at(WATCHLIST, "Admins"))
    assert local.arm.list(WATCHLIST, local.workspace) == []


def test_items_are_never_added_twice(local: Local) -> None:
    address = local.at(WATCHLIST, "Admins")
    local.server.faults.add(DROPPED_AFTER, method="PUT")
    assert local.arm.put(address, LIST, new=True).resumed
    local.server.faults.add(DROPPED_AFTER, method="PUT")
    with pytest.raises(errors.TransportError) as caught:
        local.arm.put(address, LIST)
    assert caught.value.unclear
    assert "may have taken place" in str(caught.value)
    assert local.server.log.count("PUT") == 2


def test_every_other_kind_is_written_read_listed_and_deleted(local: Local) -> None:
    rules = local.at(ALERT_RULE, rule_id())
    local.arm.put(rules, rule())
    properties = {"displayName": "W", "serializedData": "{}", "category": "sentinel", "sourceId": local.workspace.id.lower()}
    alert = {
        "location": "westeurope",
        "properties": {
            "displayName": "A",
            "severity": 3,
            "enabled": True,
            "scopes": [local.workspace.id],
            "evaluationFrequency": "PT5M",
            "windowSize": "PT5M",
            "criteria": {"allOf": [{"query": "Heartbeat", "timeAggregation": "Count", "operator": "GreaterThan", "threshold": 0}]},
        },
    }
    source = {"kind": "SourceRepository", "name": "r", "sourceId": "1"}
    meta = {"properties": {"parentId": rules.id, "kind": "AnalyticsRule", "contentId": "c", "source": source}}
    flow = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Logic/workflows/w"
    action = {"properties": {"logicAppResourceId": flow, "triggerUri": "https://example.com/t?sig=x"}}
    for address, body in (
        (local.at(WORKBOOK, rule_id(2)), {"location": "westeurope", "properties": properties}),
        (local.at(LOG_ALERT, "many heartbeats"), alert),
        (local.at(METADATA, "analyticsrule-1"), meta),
        (local.at(RULE_ACTION, rule_id(3), rule_id()), action),
    ):
        local.arm.put(address, body)
        found = local.arm.get(address)
        assert found["name"] == address.name
        listed = local.arm.list(address.kind, local.workspace, address.parent)
        assert [each["name"] for each in listed] == [address.name]
        assert local.arm.delete(address)
    sent = {record.path.rsplit("/", 2)[-2].lower(): record for record in local.server.log if record.method == "PUT"}
    assert sent["scheduledqueryrules"].body["kind"] == "LogAlert"
    assert sent["workbooks"].body["kind"] == "shared"
    assert sent["alertrules"].api_version.endswith("-preview")


def test_a_list_is_complete_or_an_error(local: Local) -> None:
    local.server.behaviour.page_size = 2
    for number in range(5):
        local.arm.put(local.at(ALERT_RULE, rule_id(number)), rule(f"rule {number}"))
    local.server.log.clear()
    assert len(local.arm.list(ALERT_RULE, local.workspace)) == 5
    assert local.methods() == ["GET"] * 3
    local.server.faults.add(SLOW, method="GET").add(FORBIDDEN, method="GET")
    with pytest.raises(errors.AuthorizationError):
        local.arm.list(ALERT_RULE, local.workspace)


def test_a_missing_workspace_is_not_a_missing_rule(local: Local) -> None:
    elsewhere = replace(local.workspace, name="elsewhere")
    with pytest.raises(errors.ScopeNotFoundError):
        local.arm.find(replace(local.at(ALERT_RULE, rule_id()), workspace=elsewhere))


def test_a_copy_that_lags_behind_is_read_again(local: Local) -> None:
    local.server.faults.add(NOT_YET, method="GET", path="/watchlists/Admins$", times=2)
    assert local.arm.put(local.at(WATCHLIST, "Admins"), LIST, new=True).created


def test_many_writes_under_faults_end_as_wished(local: Local) -> None:
    local.server.faults.rate, local.server.faults.seed = 0.1, 7
    addresses = [local.at(ALERT_RULE, rule_id(number)) for number in range(80)]
    tasks = [lambda address=each: local.arm.put(address, rule(f"rule {address.name}"), new=True) for each in addresses]
    outcomes = local.arm.run_many(tasks)
    assert [each.error for each in outcomes] == [None] * 80
    found = local.arm.find_many(addresses)
    assert [each.get()["name"] for each in found if each.value] == [each.name for each in addresses]  # type: ignore[index] # not None
    assert set(local.server.log.writes.values()) == {1}
    assert len(local.server.log) <= 1.2 * 160


def test_stopping_lets_no_new_request_out(local: Local) -> None:
    address = local.at(ALERT_RULE, rule_id())

    def stop() -> None:
        local.arm.put(address, rule())
        local.cancel.set()

    serial = [stop, lambda: local.arm.get(address), lambda: local.arm.list(ALERT_RULE, local.workspace)]
    outcomes = [type(each.error).__name__ for each in _one_by_one(local, serial)]
    assert outcomes == ["NoneType", "CancelledError", "CancelledError"]
    with pytest.raises(errors.CancelledError):
        local.arm.get(address)
    assert local.methods() == ["PUT"]


def _one_by_one(local: Local, tasks: list[Any]) -> Any:
    from toolkit.azure.parallel import run_many

    return run_many(tasks, 1, local.cancel)


def test_ctrl_c_while_it_waits_stops_the_retries(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local.clock, "sleep", lambda _seconds, cancel: cancel.set())
    local.server.faults.add(replace(THROTTLED, retry_after=5), times=None)
    with pytest.raises(errors.CancelledError):
        local.arm.put(local.at(ALERT_RULE, rule_id()), rule())
    assert local.methods() == ["PUT"]


@pytest.mark.parametrize("name", ["", "..", "a/b", "a?b", "a#b", "a\nb", "a%2fb"])
def test_a_name_cannot_leave_its_place(local: Local, name: str) -> None:
    with pytest.raises(AddressError):
        local.at(ALERT_RULE, name)
    with pytest.raises(AddressError):
        local.at(RULE_ACTION, "x", name).path()


def test_what_a_kind_cannot_do_is_refused(local: Local) -> None:
    with pytest.raises(AddressError, match="found put"):
        local.arm.put(local.at(RULE_TEMPLATE, "t"), {})
    assert local.methods() == []


def test_no_secret_is_in_anything_that_comes_out(
    local: Local, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    uri = "https://example.com/run/planted-5512"
    texts: list[str] = [repr(local.arm), repr(local.logs), repr(local.options)]
    echo = Fault("echo", 400, "BadRequest", f"the token {TOKEN} may not call {uri}")
    action = {"properties": {"logicAppResourceId": "/x", "triggerUri": uri}}
    for fault in (echo, replace(echo, status=403), replace(echo, status=409), DROPPED, replace(echo, status=500)):
        local.server.faults.add(fault, times=None)
        with pytest.raises(AzureApiError) as caught:
            local.arm.put(local.at(RULE_ACTION, rule_id(), rule_id(1)), action)
        texts += [str(caught.value), repr(caught.value), repr(caught.value.facts), str(caught.getrepr(style="short", chain=True))]
        local.server.faults._orders.clear()
    texts += [repr(local.records), caplog.text, *capsys.readouterr()]
    for secret in (TOKEN, "planted-5512"):
        assert not [text for text in texts if secret in text]
