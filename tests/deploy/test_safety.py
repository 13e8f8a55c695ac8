"""What a deployment must not touch, and what it must not forget: content of others, protected content, what queries need."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

import pytest

from tests.azure_server import AzureServer, Site
from tests.deploy.conftest import (
    FUNCTION,
    HUNTING,
    LOG_ALERT,
    ROWS,
    RULE,
    RULE_ID,
    TABLES,
    TOKEN,
    WATCHLIST,
    WORKBOOK,
    Deployment,
    ManualClock,
    actions,
    contents,
    only_step,
    rule_text,
)
from toolkit import Workspace as Engine
from toolkit.azure import Options, StaticCredential
from toolkit.content.project import Project
from toolkit.deploy.apply import apply
from toolkit.deploy.connection import Connection
from toolkit.deploy.desired import names_in
from toolkit.deploy.fingerprint import digest
from toolkit.deploy.freshness import refreshed
from toolkit.deploy.plan import Plan, PlanError
from toolkit.deploy.readback import verified
from toolkit.deploy.service import PlanOptions, plan_environment

NRT = {"kind": "NRT", "queryFrequency": "", "queryPeriod": "", "triggerOperator": "", "triggerThreshold": ""}


def codes(plan: Plan) -> list[tuple[str, str]]:
    return [(problem.severity, problem.code) for problem in plan.problems]


@pytest.mark.parametrize("alias", ["HighValueAssets", "Branch", "Vips", "hosts_h"])
@pytest.mark.parametrize("quoted", ["'{}'", '"{}"', "@'{}'", "h'{}'"])
def test_a_watchlist_is_found_in_a_query_whatever_its_name_begins_and_ends_with(alias: str, quoted: str) -> None:
    assert names_in(f"_GetWatchlist({quoted.format(alias)})") == ({"_GetWatchlist"}, {alias.lower()})


def test_a_string_that_is_none_names_nothing() -> None:
    assert names_in(r"T | where a == '\q' or b == 'x'") == ({"T", "a", "b"}, {"x"})


def test_a_rule_waits_for_its_watchlist(deployment: Deployment) -> None:
    query = "|\n  SigninLogs\n  | where UserPrincipalName in ((_GetWatchlist('HighValueAssets') | project SearchKey))"
    folder = "detections/a/watchlists/HighValueAssets"
    about = "alias: HighValueAssets\ndisplayName: Assets\nitemsSearchKey: Asset\n"
    deployment.write({f"{folder}.yaml": about, f"{folder}.csv": "Asset\nsrv1\n", RULE: rule_text(1, query=query)})
    watchlist, rule = deployment.plan().steps
    assert rule.needs == (watchlist.id,)


def test_an_empty_string_is_no_use_of_a_hunting_query(deployment: Deployment) -> None:
    deployment.write({HUNTING: contents()[HUNTING]})
    deployment.deploy()
    body = {"properties": {"category": "General", "displayName": "Mine", "query": "SigninLogs | where IPAddress != ''"}}
    deployment.server.portal.create("savedSearches", "mine", body)
    deployment.write({HUNTING: None})
    assert (actions(deployment.plan()), codes(deployment.plan())) == (["delete savedSearch Rare users"], [])


@pytest.mark.parametrize("way", ["deleted", "excluded"])
def test_a_function_that_goes_away_is_missing_where_the_project_calls_it(deployment: Deployment, way: str) -> None:
    deployment.write(contents())
    deployment.deploy()
    deployment.write({FUNCTION: None} if way == "deleted" else {}, more="" if way == "deleted" else "exclude: [f]")
    plan = deployment.plan()
    assert plan.blocked
    assert [(problem.code, problem.file, problem.line) for problem in plan.problems] == [("unknown-table", RULE, 12)]
    assert not deployment.plan(prune=False).blocked


def test_a_watchlist_that_goes_away_is_told_where_the_project_reads_it(deployment: Deployment) -> None:
    deployment.write(contents())
    deployment.deploy()
    deployment.write({WATCHLIST: None, ROWS: None})
    plan = deployment.plan()
    assert [problem.text for problem in plan.problems] == [
        f"{FUNCTION}: warning: watchlist Important people is deleted, and 'Failed sign-ins' still uses it. [still-used]"
    ]


def test_a_protected_rule_keeps_its_protection_under_its_new_id(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(1)})
    deployment.deploy()
    deployment.write({RULE: rule_text(1, **NRT)})
    deployment.deploy()
    deployment.write({RULE: None}, more=f"deploy:\n  protect: [{RULE_ID}]")
    plan = deployment.plan()
    assert "delete" not in [step.action for step in plan.steps]
    assert plan.protected == ("alertRule Failed sign-ins 1",)


def test_the_shown_name_in_the_workspace_protects_as_well(deployment: Deployment) -> None:
    deployment.write({RULE: rule_text(1)})
    deployment.deploy()
    deployment.write({RULE: rule_text(1, name="Renamed")}, more="deploy:\n  protect: [Failed sign-ins 1]")
    assert deployment.plan().steps == ()


@pytest.mark.parametrize(("owner", "change"), [("other", "delete"), ("", "delete"), ("other", "update")])
def test_a_plan_does_not_touch_what_another_project_has_meanwhile(deployment: Deployment, owner: str, change: str) -> None:
    text = contents()[HUNTING]
    deployment.write({HUNTING: text})
    deployment.deploy()
    deployment.write({HUNTING: None if change == "delete" else text.replace("Few.", "Many.")})
    plan = deployment.plan()
    step = only_step(plan)
    assert step.action == change
    known = deployment.server.portal.find("savedSearches", step.name)["properties"]["tags"]
    others = [tag for tag in known if tag["name"] != "toolkit-owner"]
    tags = [*others, {"name": "toolkit-owner", "value": owner}] if owner else others
    deployment.server.portal.edit("savedSearches", step.name, tags=tags)
    with pytest.raises(PlanError, match="no longer carries this project's mark"):
        refreshed(plan, deployment.connection)


def test_workspaces_of_one_resource_group_do_not_take_each_others_content(tmp_path: Path) -> None:
    with AzureServer(Site("soc", Engine(TABLES)), Site("lab", Engine(TABLES))) as server:
        files = {
            "toolkit.yaml": "name: d\nenvironments:\n" + "".join(_environment(server, name) for name in ("soc", "lab")),
            WORKBOOK: contents()[WORKBOOK],
            WORKBOOK.replace(".json", ".yaml"): "id: 33333333-3333-3333-3333-333333333333\ndisplayName: W\n",
            LOG_ALERT: contents()[LOG_ALERT],
        }
        project = _written(tmp_path, files)
        assert _deployed(project, "soc", server) == ([], 2)
        assert _deployed(project, "lab", server) == (["other-workspace"] * 2, 0)
        assert _deployed(project, "soc", server) == ([], 0)


def test_a_workbook_that_belongs_to_something_else_by_its_own_file_is_written_once(deployment: Deployment) -> None:
    about = "displayName: W\nsourceId: azure monitor\n"
    deployment.write({WORKBOOK: contents()[WORKBOOK], WORKBOOK.replace(".json", ".yaml"): about})
    assert actions(deployment.deploy()) == ["create workbook W"]
    assert deployment.plan().steps == ()


@pytest.mark.parametrize("values", [{"steps": [{}], "problems": []}, {"steps": [], "problems": 5}, {"steps": 5}, {"steps": ["\ud800"]}])
def test_a_file_that_only_looks_like_a_plan_is_refused(values: dict[str, object]) -> None:
    data = {"version": 1, **values}
    with pytest.raises(PlanError, match=r"plan\.json: the plan does not have the form of one"):
        Plan.from_json(json.dumps({**data, "digest": digest(data)}), "plan.json")


def _environment(server: AzureServer, name: str) -> str:
    site = server.site(name)
    workspace = f"subscription: '{site.subscription}', resourceGroup: '{site.group}', name: {name}, id: '{site.customer_id}'"
    cloud = f"{{name: public, resourceManager: '{server.url}', logs: '{server.url}'}}"
    return f"  {name}:\n    cloud: {cloud}\n    workspace: {{{workspace}, location: westeurope}}\n"


def _written(folder: Path, files: dict[str, str]) -> Project:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return Project.load(folder, folder)


def _deployed(project: Project, name: str, server: AzureServer) -> tuple[list[str], int]:
    """The codes of the plan's problems, and how many steps were done."""
    now = server.clock.now().astimezone(UTC)
    with Connection.open(project, name, StaticCredential(TOKEN), Options(clock=ManualClock())) as connection:
        plan = plan_environment(project, name, connection, PlanOptions(now), lambda _: None)
        done = 0 if plan.blocked else len(verified(apply(plan, connection, now, lambda _: None), connection).of("done"))
        return [problem.code for problem in plan.problems], done
