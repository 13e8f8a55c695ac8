"""Applying plans to a local Azure: faults, conflicts, interruptions, plans of yesterday."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.azure_server import CONFLICT, DROPPED_AFTER, FORBIDDEN, THROTTLED, UNAVAILABLE, Fault
from tests.deploy.conftest import (
    FUNCTION,
    HUNTING,
    OTHER_RULE,
    ROWS,
    RULE,
    RULE_ID,
    TOKEN,
    WORKBOOK,
    Deployment,
    actions,
    contents,
    only_step,
    rule_text,
)
from toolkit.azure import StaticCredential
from toolkit.catalog.catalog import define_table
from toolkit.deploy.apply import apply
from toolkit.deploy.connection import Connection
from toolkit.deploy.explain import applied_data, applied_markdown, outcome_lines
from toolkit.deploy.freshness import refreshed
from toolkit.deploy.plan import Plan, PlanError
from toolkit.deploy.readback import verified
from toolkit.deploy.remote import address_of


def test_a_failed_item_stops_only_what_needs_it_and_the_next_run_does_the_rest(deployment: Deployment) -> None:
    deployment.write(contents())
    deployment.server.faults.add(FORBIDDEN, method="PUT", path="/savedSearches/", times=1)
    plan = deployment.plan()
    applied = deployment.apply(plan)
    statuses = {outcome.step.title: outcome.status for outcome in applied.outcomes}
    assert statuses == {
        "Important people": "done",
        "Failed sign-ins": "failed",
        "Failed sign-ins 1": "skipped",
        "Failed sign-ins 2": "done",
        "Failed sign-ins 3": "done",
        "Rare users": "done",
        "w": "done",
    }
    lines = list(outcome_lines(applied))
    assert any("Log Analytics Contributor" in line for line in lines)
    assert lines[-1] == "local: 5 done, 1 failed, 1 skipped."
    assert applied_data(applied)["summary"]["failed"] == 1
    assert "| skipped: not tried" in applied_markdown(applied)
    assert actions(deployment.deploy()) == ["create savedSearch Failed sign-ins", "create alertRule Failed sign-ins 1"]
    assert max(deployment.server.log.writes.values()) == 1


@pytest.mark.parametrize("fault", [THROTTLED, UNAVAILABLE, DROPPED_AFTER], ids=lambda fault: fault.name)
def test_faults_that_pass_leave_nothing_undone_and_nothing_written_twice(deployment: Deployment, fault: Fault) -> None:
    deployment.write(contents())
    for path in ("/alertRules/", "/savedSearches/", "/watchlists/", "/workbooks/", "/scheduledQueryRules/", "/metadata/"):
        deployment.server.faults.add(fault, method="PUT", path=path)
    deployment.deploy()
    assert deployment.plan().steps == ()
    assert max(deployment.server.log.writes.values()) == 1


def test_somebody_who_writes_between_plan_and_apply_is_not_overwritten(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text()})
    deployment.deploy()
    deployment.write({RULE: rule_text(severity="High")})
    plan = deployment.plan()
    deployment.server.edit_rule(RULE_ID, severity="Low")
    (outcome,) = deployment.apply(plan).outcomes
    assert outcome.status == "failed"
    assert "somebody" in outcome.message or "etag" in outcome.message
    rule = deployment.site.rules.get(RULE_ID)
    assert rule is not None
    assert rule["properties"]["severity"] == "Low"


def test_a_stale_plan_is_refused_before_anything_is_written(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(), HUNTING: contents()[HUNTING]})
    deployment.deploy()
    deployment.write({RULE: rule_text(severity="High"), OTHER_RULE: rule_text(2)})
    plan = Plan.from_json(deployment.plan().to_json())
    assert refreshed(plan, deployment.connection) == plan
    deployment.server.edit_rule(RULE_ID, who="mallory@contoso.com", description="Mine.")
    start = len(deployment.server.log)
    with pytest.raises(
        PlanError, match=r"(?s)stale.*Failed sign-ins 1: it was changed meanwhile by mallory@contoso.com.*nothing was written"
    ):
        refreshed(plan, deployment.connection)
    assert all(record.method == "GET" for record in list(deployment.server.log)[start:])


def test_a_stale_plan_of_something_deleted_or_made_meanwhile(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text()})
    deployment.deploy()
    deployment.write({RULE: rule_text(severity="High"), HUNTING: contents()[HUNTING]})
    plan = deployment.plan()
    deployment.site.rules.pop(RULE_ID)
    with pytest.raises(PlanError, match="Failed sign-ins 1: it was deleted meanwhile"):
        refreshed(plan, deployment.connection)
    hunting = next(step for step in plan.steps if step.kind == "savedSearch")
    body = {"properties": {**(hunting.body or {})["properties"], "query": "Heartbeat"}}
    deployment.connection.arm.put(address_of(deployment.connection, "savedSearch", hunting.name), body)
    with pytest.raises(PlanError, match="Rare users: it was made meanwhile"):
        refreshed(plan, deployment.connection)


@pytest.mark.parametrize("writes", range(1, 9))
def test_a_run_that_is_stopped_goes_on_where_it_was_from_the_same_plan_or_a_new_one(deployment: Deployment, writes: int) -> None:
    deployment.write(contents())
    plan = deployment.plan()
    stopped = Connection.open(deployment.write({}), "local", StaticCredential(TOKEN), deployment.interrupt_after(writes))
    with stopped:
        applied = apply(plan, stopped, deployment.now(), lambda _: None)
    assert applied.interrupted
    assert not applied.clean
    if writes % 2:
        rest = refreshed(Plan.from_json(plan.to_json()), deployment.connection)
    else:
        rest = deployment.plan()
    assert len(rest.steps) < len(plan.steps) or writes < 3
    assert deployment.apply(rest).clean
    assert deployment.plan().steps == ()
    assert max(deployment.server.log.writes.values()) == 1


def test_a_plan_for_another_workspace_and_one_with_errors_are_refused(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text()})
    plan = deployment.plan()
    with pytest.raises(PlanError, match="for the workspace"):
        refreshed(replace(plan, workspace="/subscriptions/x"), deployment.connection)
    deployment.write({RULE: rule_text(severity="Urgent")})
    with pytest.raises(PlanError, match="has errors"):
        refreshed(deployment.plan(), deployment.connection)


def test_a_write_that_the_service_confirms_and_loses_is_found_when_it_is_read_back(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(), HUNTING: contents()[HUNTING]})
    plan = deployment.plan()
    applied = apply(plan, deployment.connection, deployment.now(), lambda _: None)
    assert applied.clean
    deployment.site.saved_searches.pop(next(iter(deployment.site.saved_searches))["name"])
    deployment.server.edit_rule(RULE_ID, who="mallory@contoso.com", severity="Low")
    messages = {outcome.step.title: outcome.message for outcome in verified(applied, deployment.connection).outcomes}
    assert messages["Rare users"] == "it was written and is not there"
    assert "mallory@contoso.com" in messages["Failed sign-ins 1"]


def test_the_id_of_a_rule_that_was_deleted_in_the_portal_makes_it_wait(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(), OTHER_RULE: rule_text(2)})
    deployment.deploy()
    deployment.connection.arm.delete(address_of(deployment.connection, "alertRule", RULE_ID))
    applied = deployment.apply()
    assert [outcome.status for outcome in applied.outcomes] == ["waiting"]
    assert "recently deleted" in applied.outcomes[0].message
    deployment.server.clock.advance(hours=25)
    assert only_step(deployment.deploy()).action == "create"


def test_a_watchlist_that_fails_half_way_is_completed(deployment: Deployment) -> None:
    deployment.write({name: contents()[name] for name in ("detections/a/watchlists/Vips.yaml", ROWS)})
    deployment.deploy()
    deployment.write({ROWS: "User,Team\nann@contoso.com,green\nbob@contoso.com,green\n"})
    step = only_step(plan := deployment.plan())
    deployment.server.faults.add(CONFLICT, method="PUT", path=f"/watchlistItems/{step.rows[1].name}")
    (outcome,) = deployment.apply(plan).outcomes
    assert (outcome.status, "in progress on this resource" in outcome.message) == ("failed", True)
    assert [row.shown for row in only_step(deployment.deploy()).rows] == ["bob@contoso.com"]
    assert [item["properties"]["itemsKeyValue"]["Team"] for item in deployment.site.items["vips"]] == ["green", "green"]


def test_functions_go_away_after_what_used_them(deployment: Deployment) -> None:
    deployment.write(contents())
    deployment.deploy()
    deployment.write({FUNCTION: None, RULE: rule_text(1), WORKBOOK: None})
    deployment.server.faults.add(CONFLICT, method="PUT", path="/alertRules/")
    assert [outcome.status for outcome in deployment.apply().outcomes] == ["failed", "done", "skipped"]
    plan = deployment.deploy()
    assert actions(plan) == ["update alertRule Failed sign-ins 1", "delete savedSearch Failed sign-ins"]
    writes = [(record.method, record.path) for record in deployment.server.log if record.method in ("PUT", "DELETE")]
    assert [method for method, _ in writes[-3:]] == ["PUT", "PUT", "DELETE"]


def test_a_rule_that_waits_for_its_table_is_disabled_and_enabled_when_the_table_is_there(deployment: Deployment) -> None:
    query = "|\n  AWSCloudTrail\n  | where EventName == 'ConsoleLogin'"
    deployment.write({RULE: rule_text(1, query=query)}, "deploy: {missingTables: disable}")
    deployment.deploy()
    (rule,) = deployment.site.rules
    assert rule["properties"]["enabled"] is False
    assert deployment.plan().steps == ()
    engine = deployment.site.engine
    assert engine is not None
    engine.catalog = engine.catalog.with_table(define_table("AWSCloudTrail", {"TimeGenerated": "datetime", "EventName": "string"}))
    step = only_step(deployment.deploy())
    assert [difference.render() for difference in step.differences] == ["enabled: false -> true"]
    deployment.server.edit_rule(RULE_ID, enabled=False)
    assert deployment.plan().changes == ()


def test_a_workbook_of_another_category_is_found_again(deployment: Deployment) -> None:
    deployment.write({WORKBOOK: contents()[WORKBOOK], "workbooks/w.yaml": "category: workbook\n"})
    deployment.deploy()
    assert deployment.plan().steps == ()


def test_a_watchlist_that_somebody_made_meanwhile_is_not_doubled(deployment: Deployment) -> None:
    deployment.write({name: contents()[name] for name in ("detections/a/watchlists/Vips.yaml", ROWS)})
    plan = deployment.plan()
    assert deployment.apply(plan).clean
    (outcome,) = deployment.apply(plan).outcomes
    assert (outcome.status, "made this watchlist after the plan" in outcome.message) == ("failed", True)
    assert len(list(deployment.site.items["vips"])) == 2
