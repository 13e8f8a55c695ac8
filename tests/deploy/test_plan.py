"""Plans against a local Azure: what changes, who changed it, what is left alone, and what forbids a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.deploy.conftest import (
    FUNCTION,
    HUNTING,
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
from toolkit.azure.resources import ALERT_RULE, SAVED_SEARCH, Address
from toolkit.content.findings import ContentError
from toolkit.content.project import Project
from toolkit.deploy import capacity
from toolkit.deploy.explain import plan_lines, plan_markdown
from toolkit.deploy.plan import Plan, PlanError
from toolkit.deploy.service import PlanOptions, plan_environment


def test_everything_is_created_in_the_order_of_what_needs_what_and_then_nothing_changes(deployment: Deployment) -> None:
    deployment.write(contents())
    plan = deployment.deploy()
    assert actions(plan) == [
        "create watchlist Important people",
        "create savedSearch Failed sign-ins",
        "create logAlert Failed sign-ins 3",
        "create alertRule Failed sign-ins 1",
        "create alertRule Failed sign-ins 2",
        "create savedSearch Rare users",
        "create workbook w",
    ]
    again = deployment.plan()
    assert (again.steps, again.unchanged, again.unmanaged) == ((), 7, 0)
    assert max(deployment.server.log.writes.values()) == 1


def test_a_plan_reads_each_list_once(deployment: Deployment) -> None:
    deployment.write(contents())
    deployment.deploy()
    start = len(deployment.server.log)
    deployment.plan()
    # five kinds, the rules' marks, the watchlist's rows, the workspace's metadata
    assert [record.method for record in list(deployment.server.log)[start:]] == ["GET"] * 8


def test_a_change_in_the_portal_is_told_with_who_and_when_and_apart_from_one_in_the_file(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text()})
    deployment.deploy()
    deployment.server.edit_rule(RULE_ID, who="mallory@contoso.com", severity="Low")
    step = only_step(deployment.plan())
    assert (step.action, step.origin) == ("update", "workspace")
    assert [difference.render() for difference in step.differences] == ["severity: Low -> Medium"]
    assert "mallory@contoso.com" in step.notes[0]
    assert step.notes[0].endswith(": severity")
    deployment.write({RULE: rule_text(severity="High")})
    assert only_step(deployment.plan()).origin == "both"
    deployment.deploy()
    deployment.write({RULE: rule_text(severity="Informational")})
    step = only_step(deployment.plan())
    assert (step.origin, step.notes) == ("file", ())


@pytest.mark.parametrize(
    ("policy", "file", "portal", "changes"),
    [
        ("", {}, {"enabled": False}, False),
        ("deploy: {enabledState: file}", {}, {"enabled": False}, True),
        ("", {"enabled": "true"}, {"enabled": False}, True),
        ("", {}, {"severity": "Low"}, True),
        ("deploy: {keep: [severity]}", {}, {"severity": "Low"}, False),
        ("deploy: {keep: [incidentConfiguration.createIncident]}", {}, {"incidentConfiguration": {"createIncident": False}}, False),
    ],
)
def test_choices_of_operators_are_kept_by_policy(
    deployment: Deployment, policy: str, file: dict[str, str], portal: dict[str, Any], changes: bool
) -> None:
    deployment.write({RULE: rule_text(**file)}, policy)
    deployment.deploy()
    deployment.server.edit_rule(RULE_ID, **portal)
    plan = deployment.plan()
    assert bool(plan.changes) is changes
    # what is kept survives a change of something else
    deployment.write({RULE: rule_text(description="Changed.", **file)})
    deployment.deploy()
    rule = deployment.site.rules.get(RULE_ID)
    assert rule is not None
    now = {name: rule["properties"][name] for name in portal}
    expected = {name: {**now[name], **value} if isinstance(value, dict) else value for name, value in portal.items()}
    assert (now == expected) is not changes


def test_new_rules_are_created_disabled_where_the_policy_says_so(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(), OTHER_RULE: rule_text(2, enabled="true")}, "deploy: {newRules: disabled}")
    deployment.deploy()
    assert {rule["properties"]["displayName"][-1]: rule["properties"]["enabled"] for rule in deployment.site.rules} == {
        "1": False,
        "2": True,
    }
    assert deployment.plan().steps == ()


def test_what_others_made_is_left_alone_unless_a_file_has_its_id(deployment: Deployment) -> None:
    for number in (1, 2):
        body = {"kind": "Scheduled", "properties": {**_properties(), "displayName": f"By hand {number}"}}
        deployment.connection.arm.put(Address(ALERT_RULE, deployment.connection.workspace, f"11111111-1111-1111-1111-{number:012}"), body)
    deployment.write({RULE: rule_text()})
    step = only_step(plan := deployment.plan())
    assert (step.action, plan.unmanaged) == ("update", 1)
    assert step.notes[0].startswith("taken over: not deployed by this project so far")
    deployment.deploy()
    assert {rule["name"][-1]: rule["properties"]["displayName"] for rule in deployment.site.rules} == {
        "1": "Failed sign-ins 1",
        "2": "By hand 2",
    }


def test_equal_content_that_others_made_is_no_change_and_is_marked(deployment: Deployment) -> None:
    deployment.write(contents())
    deployment.deploy()
    for item in list(deployment.site.metadata):
        deployment.site.metadata.pop(item["name"])
    plan = deployment.plan()
    assert (plan.changes, [step.action for step in plan.steps]) == ((), ["mark", "mark"])
    assert "No changes" in list(plan_lines(plan))[-1]
    deployment.apply(plan)
    assert deployment.plan().steps == ()


def test_two_projects_do_not_fight_over_one_resource(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(), HUNTING: contents()[HUNTING]})
    deployment.deploy()
    text = (deployment.folder / "toolkit.yaml").read_text().replace("name: detections", "name: others")
    (deployment.folder / "toolkit.yaml").write_text(text)
    project = Project.load(deployment.folder, deployment.folder)
    plan = plan_environment(project, "local", deployment.connection, PlanOptions(deployment.now()), lambda _: None)
    assert [problem.code for problem in plan.problems] == ["other-owner", "other-owner"]
    assert plan.blocked
    assert plan.steps == ()


def test_what_is_no_longer_in_the_project_is_deleted_and_its_id_stays_blocked_for_a_day(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(), HUNTING: contents()[HUNTING]})
    deployment.deploy()
    deployment.write({RULE: None, HUNTING: None})
    assert deployment.plan(prune=False).orphans == ("alertRule Failed sign-ins 1", "savedSearch Rare users")
    plan = deployment.deploy()
    assert [step.action for step in plan.steps] == ["delete", "delete"]
    assert not list(deployment.site.rules)
    assert deployment.plan().steps == ()
    deployment.write({RULE: rule_text()})
    step = only_step(deployment.plan())
    assert step.action == "wait"
    assert "newId" in step.notes[0]
    assert deployment.apply().outcomes[0].status == "waiting"
    deployment.server.clock.advance(hours=25)
    assert only_step(deployment.deploy()).action == "create"
    deployment.write({RULE: None})
    deployment.deploy()
    deployment.server.clock.advance(hours=25)
    assert only_step(deployment.deploy()).action == "forget"
    assert not list(deployment.site.metadata)


def test_a_blocked_id_is_replaced_by_another_one_where_the_policy_says_so(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text()}, "deploy: {tombstones: newId}")
    deployment.deploy()
    deployment.write({RULE: None})
    deployment.deploy()
    deployment.write({RULE: rule_text()})
    step = only_step(deployment.deploy())
    assert step.name != RULE_ID
    deployment.write({RULE: rule_text(severity="High")})
    step = only_step(deployment.deploy())
    assert (step.action, step.differences[0].render()) == ("update", "severity: Medium -> High")
    (rule,) = deployment.site.rules
    assert rule["name"] == step.name


def test_more_deletions_than_allowed_forbid_the_plan(deployment: Deployment) -> None:
    files = {f"detections/a/rules/r{number}.yaml": rule_text(number) for number in range(1, 4)}
    deployment.write(files, "deploy: {maxDeletes: 2}")
    deployment.deploy()
    deployment.write(dict.fromkeys(files))
    assert [problem.code for problem in deployment.plan().problems] == ["too-many-deletes"]
    assert not deployment.plan(max_deletes=3).blocked


def test_protected_content_is_neither_written_nor_deleted(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(), OTHER_RULE: rule_text(2)})
    deployment.deploy()
    deployment.write({RULE: rule_text(severity="High"), OTHER_RULE: None}, f"deploy: {{protect: [{RULE_ID}, Failed sign-ins 2]}}")
    plan = deployment.plan()
    assert plan.steps == ()
    assert plan.protected == ("alertRule Failed sign-ins 1", "alertRule Failed sign-ins 2")


def test_a_rule_that_changes_its_kind_is_replaced_under_a_new_id(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text()})
    deployment.deploy()
    nrt = dict.fromkeys(("queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold"), "")
    deployment.write({RULE: rule_text(kind="NRT", **nrt)})
    step = only_step(deployment.deploy())
    assert (step.action, step.replaces) == ("replace", RULE_ID)
    (rule,) = deployment.site.rules
    assert (rule["name"], rule["kind"]) == (step.name, "NRT")
    assert deployment.plan().steps == ()


@pytest.mark.parametrize(
    ("policy", "actions_", "codes", "enabled"),
    [
        ("fail", ["create"], ["unknown-table"], None),
        ("skip", ["create"], ["missing-table"], None),
        ("disable", ["create", "create"], [], False),
    ],
)
def test_queries_over_tables_that_the_workspace_lacks(
    deployment: Deployment, policy: str, actions_: list[str], codes: list[str], enabled: bool | None
) -> None:
    missing = rule_text(2, query="|\n  AWSCloudTrail\n  | where EventName == 'ConsoleLogin'")
    deployment.write({RULE: rule_text(), OTHER_RULE: missing}, f"deploy: {{missingTables: {policy}}}")
    plan = deployment.plan()
    assert [step.action for step in plan.steps] == actions_
    assert [problem.code for problem in plan.problems] == codes
    assert plan.blocked is (policy == "fail")
    assert [step.body["properties"]["enabled"] for step in plan.steps[1:] if step.body] == [enabled] * len(plan.steps[1:])


def test_an_unknown_column_is_shown_at_its_line_of_the_file(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(query="|\n  SigninLogs\n  | where ResultTyp == '50126'   ")})
    (problem,) = deployment.plan().problems
    line = (deployment.folder / RULE).read_text().split("\n").index("  | where ResultTyp == '50126'   ") + 1
    assert (problem.severity, problem.file, problem.line) == ("error", RULE, line)
    assert "ResultType" in problem.text


def test_functions_of_the_workspace_and_of_the_project_are_known(deployment: Deployment) -> None:
    body = {
        "properties": {
            "category": "F",
            "displayName": "Theirs",
            "functionAlias": "Theirs",
            "query": "Heartbeat | project Machine = Computer",
        }
    }
    deployment.connection.arm.put(Address(SAVED_SEARCH, deployment.connection.workspace, "theirs"), body)
    deployment.write({RULE: rule_text(query="|\n  Theirs\n  | where Machine == 'a'")})
    assert not deployment.plan().problems
    deployment.write({RULE: rule_text(query="|\n  Theirs\n  | where Computer == 'a'")})
    assert [problem.code for problem in deployment.plan().problems] == ["unknown-name"]


def test_names_that_collide(deployment: Deployment) -> None:
    deployment.write(contents())
    deployment.deploy()
    text = (deployment.folder / "toolkit.yaml").read_text()
    for folder in ("detections/a/functions/f.yaml", "workbooks/w.json", "detections/a/rules/one.yaml"):
        (deployment.folder / folder).unlink()
    deployment.site.metadata.pop(f"analyticsrule-{RULE_ID}")
    for saved in deployment.site.saved_searches:
        saved["properties"]["tags"] = []
    for book in deployment.server.group().workbooks:
        book["tags"] = {}
    (deployment.folder / "toolkit.yaml").write_text(text)
    deployment.write(
        {
            RULE: rule_text(9, name="Failed sign-ins 1"),
            FUNCTION: contents()[FUNCTION].replace("functionAlias", "id: 77777777-7777-7777-7777-777777777777\nfunctionAlias"),
            WORKBOOK: contents()[WORKBOOK],
            "workbooks/w.yaml": "id: 88888888-8888-8888-8888-888888888888\n",
        }
    )
    found = {(problem.severity, problem.code, problem.file) for problem in deployment.plan().problems}
    assert found == {
        ("warning", "name-conflict", RULE),
        ("error", "name-conflict", FUNCTION),
        ("error", "name-conflict", "workbooks/w.yaml"),
    }


def test_rows_of_a_watchlist_are_changed_one_by_one(deployment: Deployment) -> None:
    deployment.write({WATCHLIST: contents()[WATCHLIST], ROWS: contents()[ROWS]})
    deployment.deploy()
    deployment.write({ROWS: "User,Team\nann@contoso.com,blue\nbob@contoso.com,green\neve@contoso.com,red\n"})
    step = only_step(deployment.deploy())
    assert [(row.shown, row.values is None) for row in step.rows] == [("bob@contoso.com", False), ("eve@contoso.com", False)]
    deployment.write({ROWS: "User,Team\neve@contoso.com,red\n"})
    step = only_step(deployment.deploy())
    assert sorted((row.shown, row.values is None) for row in step.rows) == [("ann@contoso.com", True), ("bob@contoso.com", True)]
    assert [item["properties"]["itemsKeyValue"] for item in deployment.site.items["vips"]] == [{"User": "eve@contoso.com", "Team": "red"}]
    assert deployment.plan().steps == ()


def test_environments_have_prefixes_and_excludes(deployment: Deployment) -> None:
    deployment.write(contents(), "prefix: '[LAB] '\nexclude: ['detections/a/hunting/*', two, w]")
    plan = deployment.deploy()
    assert plan.excluded == 3
    assert {step.title for step in plan.steps} == {
        f"[LAB] {name}" for name in ("Important people", "Failed sign-ins", "Failed sign-ins 1", "Failed sign-ins 3")
    }
    assert deployment.plan().steps == ()


def test_nothing_is_deleted_where_the_list_could_not_be_read(deployment: Deployment) -> None:
    deployment.write({WORKBOOK: contents()[WORKBOOK], RULE: rule_text()})
    deployment.deploy()
    (deployment.folder / WORKBOOK).unlink()
    deployment.server.deny("Microsoft.Insights/workbooks/read")
    plan = deployment.plan()
    assert plan.steps == ()
    assert plan.notes[0].startswith("workbook: could not be read")


def test_errors_of_files_forbid_a_plan_and_stand_at_their_place(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text()})
    deployment.deploy()
    deployment.write({RULE: rule_text(severity="Urgent"), OTHER_RULE: rule_text(2)})
    plan = deployment.plan()
    assert plan.blocked
    assert (plan.problems[0].file, plan.problems[0].code) == (RULE, "bad-value")
    assert list(plan_lines(plan))[-1] == "local: 1 to create; 0 unchanged; 1 error forbids it."
    assert actions(plan) == ["create alertRule Failed sign-ins 2"]


def test_a_plan_survives_its_file_and_edits_do_not(deployment: Deployment) -> None:
    deployment.write(contents())
    deployment.deploy()
    deployment.server.edit_rule(RULE_ID, severity="Low")
    deployment.write({ROWS: "User,Team\neve@contoso.com,red\n"})
    plan = deployment.plan()
    text = plan.to_json()
    assert Plan.from_json(text) == plan
    with pytest.raises(PlanError, match="changed after it was made"):
        Plan.from_json(text.replace('"Medium"', '"High"'))
    for wrong in ("", "[]", "{}", "null", text[:-20]):
        with pytest.raises(PlanError):
            Plan.from_json(wrong)


def test_what_a_plan_shows(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text()})
    deployment.deploy()
    deployment.write(
        {RULE: rule_text(query="|\n  SigninLogs\n  | where ResultType in ('50126', '50053')", severity="High"), OTHER_RULE: rule_text(2)}
    )
    plan = deployment.plan()
    assert list(plan_lines(plan)) == [
        "~ analytics rule 'Failed sign-ins 1'  (detections/a/rules/one.yaml)",
        "    query:",
        "      --- workspace",
        "      +++ file",
        "      @@ -1,2 +1,2 @@",
        "       SigninLogs",
        "      -| where ResultType == '50126'",
        "      +| where ResultType in ('50126', '50053')",
        "    severity: Medium -> High",
        "+ analytics rule 'Failed sign-ins 2'  (detections/a/rules/two.yaml)",
        "local: 1 to create, 1 to update; 0 unchanged.",
    ]
    markdown = plan_markdown(plan)
    assert "<details><summary><code>~</code> analytics rule 'Failed sign-ins 1'" in markdown
    assert "\n-| where ResultType == '50126'\n" in markdown
    assert "```diff" in markdown


def test_markdown_of_a_plan_mentions_nobody_and_is_never_too_long(deployment: Deployment) -> None:
    names = {
        f"detections/a/rules/r{number}.yaml": rule_text(number, name=f"'@team <img> [x](y) {'a' * 200} {number}'") for number in range(300)
    }
    deployment.write(names)
    markdown = plan_markdown(deployment.plan())
    assert len(markdown) < 65_536
    assert "The plan goes on" in markdown
    assert not [mark for mark in ("@team", "<img>", "[x]") if mark in markdown]


def test_a_workspace_without_sentinel_takes_what_it_can(deployment: Deployment) -> None:
    deployment.server.deny("Microsoft.SecurityInsights/alertRules/read")
    deployment.write({HUNTING: contents()[HUNTING]})
    assert actions(deployment.plan()) == ["create savedSearch Rare users"]


def _properties() -> dict[str, object]:
    return {
        "enabled": True,
        "severity": "Low",
        "query": "SigninLogs",
        "queryFrequency": "PT1H",
        "queryPeriod": "PT1H",
        "triggerOperator": "GreaterThan",
        "triggerThreshold": 0,
        "suppressionEnabled": False,
        "suppressionDuration": "PT5H",
    }


def test_a_full_workspace_takes_new_rules_only_in_the_place_of_others(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(capacity.MOST, "Scheduled", 3)
    deployment.server.behaviour = replace(deployment.server.behaviour, max_scheduled=3)
    deployment.server.account.behaviour = deployment.server.behaviour
    files = {f"detections/a/rules/r{number}.yaml": rule_text(number) for number in range(1, 4)}
    deployment.write(files)
    deployment.deploy()
    deployment.write({"detections/a/rules/r4.yaml": rule_text(4)})
    assert [problem.code for problem in deployment.plan().problems] == ["too-many-rules"]
    deployment.write({"detections/a/rules/r1.yaml": None})
    assert [step.early for step in deployment.deploy().steps] == [False, True]
    deployment.write({"detections/a/rules/r5.yaml": rule_text(5, enabled="false")})
    assert actions(deployment.deploy()) == ["create alertRule Failed sign-ins 5"]


def test_a_rule_that_the_service_disabled_is_written_anew(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text()})
    deployment.deploy()
    deployment.server.edit_rule(RULE_ID, who="Microsoft Sentinel", displayName="AUTO DISABLED Failed sign-ins 1", enabled=False)
    step = only_step(deployment.deploy())
    assert step.notes[0].startswith("the service disabled it")
    (rule,) = deployment.site.rules
    assert (rule["properties"]["displayName"], rule["properties"]["enabled"]) == ("Failed sign-ins 1", True)


@pytest.mark.parametrize(
    ("source", "codes", "unchanged"),
    [
        ({"kind": "SourceRepository", "name": "soc-content", "sourceId": "1"}, ["other-owner"], 0),
        ({"kind": "Solution", "name": "AWS", "sourceId": "1"}, [], 1),
    ],
)
def test_records_of_other_tools_are_not_overwritten(
    deployment: Deployment, source: dict[str, str], codes: list[str], unchanged: int
) -> None:
    deployment.write({RULE: rule_text()})
    deployment.deploy()
    record = deployment.site.metadata.get(f"analyticsrule-{RULE_ID}")
    assert record is not None
    record["properties"]["source"] = source
    plan = deployment.plan()
    assert ([problem.code for problem in plan.problems], plan.steps, plan.unchanged) == (codes, (), unchanged)
    deployment.write({RULE: rule_text(severity="High")})
    notes = [note for step in deployment.plan().steps for note in step.notes]
    assert any("its metadata names Solution AWS" in note for note in notes) is not bool(codes)


def test_two_environments_on_one_workspace_are_refused(deployment: Deployment) -> None:
    text = (deployment.folder / "toolkit.yaml").read_text()
    _, _, local = text.partition("  local:\n")
    (deployment.folder / "toolkit.yaml").write_text(text + "  other:\n" + local)
    project = Project.load(deployment.folder, deployment.folder)
    with pytest.raises(ContentError, match="'local' and 'other' are the same workspace"):
        plan_environment(project, "local", deployment.connection, PlanOptions(deployment.now()), lambda _: None)
