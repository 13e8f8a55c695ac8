"""Marks stay with the resource that they were written for, and what a plan deletes or cannot compare is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.conftest import (
    HUNTING,
    LOG_ALERT,
    OTHER_RULE,
    ROWS,
    RULE,
    RULE_ID,
    WATCHLIST,
    WORKBOOK,
    Deployment,
    actions,
    contents,
    only_step,
    rule_text,
)
from toolkit.deploy.drift import drift_data, drift_of, drift_summary

COPY_ID = "99999999-9999-4999-9999-999999999999"
COPIED = {  # the files of one resource, where the service keeps it, what the copy is called, what only the service writes
    "savedSearches": ((HUNTING,), "my-own-copy"),
    "workbooks": ((WORKBOOK,), COPY_ID),
    "scheduledQueryRules": ((LOG_ALERT,), "my-own-copy"),
    "watchlists": ((WATCHLIST, ROWS), "MyOwnCopy"),
}
_OF_THE_SERVICE = {"etag", "createdWithApiVersion", "isLegacyLogAnalyticsRule", "timeModified", "userId", "revision", "watchlistId"}


def copied(deployment: Deployment, kind: str, name: str) -> None:
    """What somebody does who opens a resource in the portal and saves it under another name: its tags and labels are copied with it."""
    step = next(step for step in deployment.deploy().steps if step.kind != "alertRule")
    found = deployment.server.portal.find(kind, step.name)
    properties: dict[str, Any] = {key: value for key, value in found["properties"].items() if key not in _OF_THE_SERVICE}
    changed = {**properties, "displayName": "My own copy", **({"watchlistAlias": name} if kind == "watchlists" else {})}
    body: dict[str, Any] = {key: found[key] for key in ("kind", "location", "tags") if key in found}
    deployment.server.portal.create(kind, name, {**body, "properties": changed})


@pytest.mark.parametrize("kind", COPIED)
def test_a_copy_that_somebody_made_is_not_this_projects(deployment: Deployment, kind: str) -> None:
    files, name = COPIED[kind]
    deployment.write({file: contents()[file] for file in files})
    copied(deployment, kind, name)
    plan = deployment.plan()
    assert actions(plan) == []
    assert plan.unmanaged == 1
    deployment.write(dict.fromkeys(files))
    assert only_step(deployment.plan()).name.lower() != name.lower()


def test_what_was_changed_in_the_workspace_is_told_before_it_is_deleted(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(1), OTHER_RULE: rule_text(2)})
    deployment.deploy()
    deployment.server.portal.edit("alertRules", RULE_ID, severity="High")
    deployment.write({RULE: None, OTHER_RULE: None})
    notes = {step.name: step.notes for step in deployment.plan().steps}
    (note,) = notes[RULE_ID]
    assert note.startswith("changed in the workspace since the last deployment (last written by analyst@example.com at ")
    assert note.endswith("): severity")
    assert notes["11111111-1111-1111-1111-000000000002"] == ()


def test_deleting_what_nobody_changed_says_nothing(deployment: Deployment) -> None:
    deployment.write(contents())
    deployment.deploy()
    deployment.write(dict.fromkeys(contents()))
    plan = deployment.plan()
    assert {step.action for step in plan.steps} == {"delete"}
    assert [step.notes for step in plan.steps] == [()] * 7


def test_a_record_whose_time_has_no_zone_is_read_as_utc(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(1), OTHER_RULE: rule_text(2)})
    deployment.deploy()
    deployment.write({RULE: None})
    deployment.deploy()
    deployment.server.portal.edit("metadata", f"analyticsrule-{RULE_ID}", customVersion="deleted:2026-01-01T00:00:00")
    assert actions(deployment.plan()) == [f"forget alertRule record of the deleted rule {RULE_ID}"]


def test_functions_that_call_each_other_through_very_many_others_are_put_in_order(deployment: Deployment) -> None:
    def function(number: int, query: str) -> str:
        return f"displayName: F{number:04}\nfunctionAlias: F{number:04}\ncategory: Function\nquery: {query}\n"

    queries = [f"F{number + 1:04}" for number in range(1099)] + ["SigninLogs"]
    deployment.write({f"detections/a/functions/f{at:04}.yaml": function(at, query) for at, query in enumerate(queries)})
    plan = deployment.plan()
    assert {problem.code for problem in plan.problems} >= {"too-deep"}  # what queries may not do, and no end of the toolkit
    titles = [step.title for step in plan.steps]
    assert titles == sorted(titles, reverse=True)


def test_drift_says_what_was_not_compared(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(1)})
    deployment.deploy()
    deployment.server.portal.edit("alertRules", RULE_ID, severity="High")
    deployment.write({RULE: rule_text(1, query="NoSuchTable")})
    drift = drift_of(deployment.plan())
    assert not drift.clean
    assert drift_summary(drift) == "local: no drift in what was compared; 1 error, so not everything was compared."
    (error,) = drift_data(drift)["errors"]
    assert (error["code"], error["file"]) == ("unknown-table", RULE)
