"""`toolkit plan`, `deploy`, `drift`, `rollback` and `destroy` against a local Azure: what they print and how they exit."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.azure_server import FORBIDDEN, SLOW, AzureServer, Site
from tests.cli.conftest import Ran, Toolkit
from tests.deploy.conftest import OTHER_RULE, RULE, TABLES, contents, project_file, rule_text
from toolkit import Workspace as Engine
from toolkit.cli.azure import TOKEN_VARIABLE

RULE_ID = "11111111-1111-1111-1111-000000000001"
SECRET = "s3cr3t-token-of-the-local-server"  # no real secret: the tests look for it in everything that is shown
Write = Callable[..., Path]
HEEDING_CTRL_C = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("toolkit.cli", run_name="__main__")
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AzureServer]:
    monkeypatch.setenv(TOKEN_VARIABLE, SECRET)
    with AzureServer(Site("soc", Engine(TABLES))) as found:
        found.tokens = {SECRET}
        yield found


@pytest.fixture
def project(server: AzureServer, write: Write) -> AzureServer:
    write("toolkit.yaml", project_file(server))
    for name, text in contents().items():
        write(name, text)
    return server


def deploy(toolkit: Toolkit, *arguments: str) -> Ran:
    return toolkit("deploy", "local", "--yes", "--skip-validation", *arguments)


def test_a_plan_shows_what_would_be_done_and_does_nothing(toolkit: Toolkit, project: AzureServer) -> None:
    ran = toolkit("plan", "local")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "local: 7 to create; 0 unchanged."
    assert all(record.method == "GET" for record in project.log)
    plan = json.loads(toolkit("plan", "local", "--format", "json").out)
    assert (plan["summary"]["create"], plan["summary"]["blocked"]) == (7, False)
    assert toolkit("plan", "local", "--format", "markdown").out.startswith("### Plan for `local`\n")


def test_a_deployment_tells_what_became_of_it(toolkit: Toolkit, project: AzureServer, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    ran = deploy(toolkit, "--summary", str(summary))
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "local: 7 done."
    assert "| + | analytics rule Failed sign-ins 1 | detections/a/rules/one.yaml | done |" in summary.read_text()
    again = deploy(toolkit, "--format", "json")
    assert (again.code, json.loads(again.out)["summary"]["unchanged"]) == (0, 7)


def test_a_summary_that_cannot_be_written_is_told_before_anything_is_done(toolkit: Toolkit, project: AzureServer, tmp_path: Path) -> None:
    ran = deploy(toolkit, "--summary", str(tmp_path / "missing" / "summary.md"))
    assert ran.code == 2
    assert "cannot be written" in ran.err
    assert all(record.method == "GET" for record in project.log)


def test_a_summary_is_added_to_what_is_there_whatever_that_is(toolkit: Toolkit, project: AzureServer, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_bytes(b"caf\xe9\n")
    assert deploy(toolkit, "--summary", str(summary)).code == 0
    assert summary.read_bytes().startswith(b"caf\xe9\n### Deployment to `local`")


def test_a_deployment_validates_first_and_asks(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    ran = toolkit("deploy", "local")
    assert ran.code == 2
    assert "--yes goes on without asking" in ran.err
    cases = "cases:\n  - name: it fires\n    now: 2026-01-01T00:00:00Z\n    logs: {SigninLogs: []}\n    expect: {alerts: 1}\n"
    write("detections/a/rules/one.tests.yaml", cases)
    ran = toolkit("deploy", "local", "--yes")
    assert ran.code == 1
    assert "Nothing was deployed" in ran.err
    assert all(record.method == "GET" for record in project.log)


@pytest.mark.parametrize("option", [["--no-prune"], ["--prune"], ["--max-deletes", "0"]])
def test_options_of_a_plan_are_refused_where_a_plan_is_given(
    toolkit: Toolkit, project: AzureServer, write: Write, option: list[str], tmp_path: Path
) -> None:
    assert deploy(toolkit).code == 0
    (tmp_path / OTHER_RULE).unlink()
    assert toolkit("plan", "local", "--out", "plan.json").code == 0
    ran = deploy(toolkit, "--plan", "plan.json", *option)
    assert ran.code == 2
    assert "as it was reviewed" in ran.err
    assert not [record for record in project.log if record.method == "DELETE"]


def test_a_failure_is_told_and_the_next_run_does_the_rest(toolkit: Toolkit, project: AzureServer) -> None:
    project.faults.add(FORBIDDEN, method="PUT", path="/alertRules/")
    ran = deploy(toolkit)
    assert ran.code == 1
    assert "Assign Microsoft Sentinel Contributor" in ran.out
    assert "correlation id:" in ran.out
    assert deploy(toolkit).code == 0
    assert max(project.log.writes.values()) == 1


def test_a_plan_is_applied_as_it_was_reviewed_and_refused_when_it_is_stale(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    assert toolkit("plan", "local", "--out", "plan.json").code == 0
    write(OTHER_RULE, contents()[OTHER_RULE].replace("Medium", "High"))  # after the review
    ran = toolkit("deploy", "local", "--plan", "plan.json", "--yes")
    assert ran.code == 0
    assert {rule["properties"]["severity"] for rule in project.site().rules} == {"Medium"}
    assert toolkit("plan", "local", "--out", "plan.json").out.splitlines()[-1] == "local: 1 to update; 6 unchanged."
    project.edit_rule("11111111-1111-1111-1111-000000000002", who="mallory@contoso.com", severity="Low")
    ran = toolkit("deploy", "local", "--plan", "plan.json", "--yes")
    assert ran.code == 1
    assert "The plan is stale" in ran.err
    assert "mallory@contoso.com" in ran.err
    write("plan.json", "{}")
    assert toolkit("deploy", "local", "--plan", "plan.json", "--yes").code == 1


def test_errors_forbid_plan_and_deployment(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    write(RULE, rule_text(1, query="|\n  SigninLogs\n  | where ResultTyp == '1'"))
    ran = toolkit("plan", "local")
    assert ran.code == 1
    assert "detections/a/rules/one.yaml:13:11:" in ran.out
    assert "Did you mean 'ResultType'?" in ran.out
    assert deploy(toolkit).code == 1
    assert all(record.method == "GET" for record in project.log)


def test_drift(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    deploy(toolkit)
    ran = toolkit("drift", "local")
    assert (ran.code, ran.out) == (0, "local: no drift.\n")
    project.edit_rule(RULE_ID, who="mallory@contoso.com", severity="Low")
    write(OTHER_RULE, contents()[OTHER_RULE].replace("Medium", "High"))
    ran = toolkit("drift", "local")
    assert ran.code == 1
    assert "    severity: Low -> Medium" in ran.out.splitlines()
    assert ran.out.splitlines()[-1] == "local: 1 changed in the workspace, 1 not deployed yet."
    found = json.loads(toolkit("drift", "local", "--format", "json").out)
    assert [step["title"] for step in found["changed"]] == ["Failed sign-ins 1"]
    assert "::warning file=detections/a/rules/one.yaml,title=drift::" in toolkit("drift", "local", "--format", "github").out


def test_a_rule_that_was_never_deployed_is_no_drift_a_deleted_one_is(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    deploy(toolkit)
    write("detections/a/rules/new.yaml", rule_text(7))
    assert toolkit("drift", "local").code == 0
    project.portal.delete("alertRules", RULE_ID)
    ran = toolkit("drift", "local")
    assert (ran.code, ran.out.splitlines()[-1]) == (1, "local: 1 not there, 1 not deployed yet.")


def test_a_rollback_deploys_an_earlier_revision(toolkit: Toolkit, project: AzureServer, write: Write, tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@contoso.com", *arguments], check=True, capture_output=True
        )

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "first")
    deploy(toolkit)
    write(RULE, rule_text(1, severity="High", query="|\n  FailedSignIns\n  | where ResultType == '50126'"))
    write("detections/a/rules/three.yaml", rule_text(5))
    git("add", "-A")
    git("commit", "-qm", "second")
    deploy(toolkit)
    ran = toolkit("rollback", "local", "--to", "HEAD~1", "--yes")
    assert ran.code == 0, ran.out + ran.err
    assert ran.out.startswith("back to ")
    assert ran.out.splitlines()[-1] == "local: 2 done."
    assert {rule["properties"]["severity"] for rule in project.site().rules} == {"Medium"}
    for revision in ("nowhere", "--all", "HEAD:toolkit.yaml"):
        ran = toolkit("rollback", "local", "--to", revision, "--yes")
        assert ran.code == 2
        assert "git does not have" in ran.err


def test_a_project_without_git_has_no_revisions(toolkit: Toolkit, project: AzureServer) -> None:
    ran = toolkit("rollback", "local", "--to", "HEAD", "--yes")
    assert ran.code == 2
    assert "git does not have the revision 'HEAD'" in ran.err


def test_destroy_deletes_what_is_ours_after_the_workspaces_name_was_given(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    deploy(toolkit)
    site = project.site()
    site.saved_searches.put("theirs", {"name": "theirs", "etag": "1", "properties": {"category": "a", "displayName": "b", "query": "c"}})
    for arguments in ((), ("--confirm", "other")):
        ran = toolkit("destroy", "local", *arguments)
        assert ran.code == 2
    ran = toolkit("destroy", "local", "--confirm", "soc")
    assert ran.code == 0, ran.out + ran.err
    assert [saved["name"] for saved in site.saved_searches] == ["theirs"]
    assert not list(site.rules)
    assert not list(site.watchlists)
    assert not list(project.group().workbooks)
    assert not list(project.group().log_alerts)


def test_no_output_holds_a_secret(toolkit: Toolkit, project: AzureServer, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = [
        toolkit("plan", "local", "--out", "plan.json"),
        deploy(toolkit, "--summary", "summary.md"),
        toolkit("drift", "local"),
        toolkit("plan", "local", "--format", "json"),
    ]
    project.faults.add(FORBIDDEN, path="/alertRules", times=None)
    ran += [toolkit("plan", "local"), deploy(toolkit)]
    project.faults.clear()
    project.tokens = {"another"}
    ran += [toolkit("plan", "local"), toolkit("destroy", "local", "--confirm", "soc")]
    monkeypatch.setenv("TOOLKIT_DEBUG", "1")
    ran += [toolkit("plan", "local")]
    files = [path.read_text(errors="replace") for path in Path.cwd().rglob("*") if path.is_file()]
    assert ran[-1].code == 3
    assert not [text for text in (*files, *(each.out + each.err for each in ran)) if SECRET in text]


def test_environments_that_cannot_be_used(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    ran = toolkit("plan", "locl")
    assert ran.code == 3
    assert "Did you mean 'local'?" in ran.out
    write("toolkit.yaml", "name: x\nenvironments:\n  local: {description: nothing}\n")
    ran = toolkit("plan", "local")
    assert ran.code == 3
    assert "has no workspace" in ran.out
    write("toolkit.yaml", project_file(project).replace("name: detections\n", ""))
    ran = toolkit("plan", "local")
    assert ran.code == 3
    assert "A project needs a name to deploy" in ran.out
    write("toolkit.yaml", project_file(project).replace("name: 'soc'", "name: 'nowhere'"))
    ran = toolkit("plan", "local")
    assert ran.code == 3
    assert "nowhere" in ran.err


def test_no_token_of_somebody_signed_in_goes_to_a_local_stand_in(
    toolkit: Toolkit, project: AzureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE)
    project.tokens = {"local"}
    assert toolkit("plan", "local").code == 0


def test_pull_writes_what_is_only_in_the_workspace_and_a_plan_shows_no_change(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    deploy(toolkit)
    for name in contents():
        Path(name).unlink()
    project.site().metadata.pop(f"analyticsrule-{RULE_ID}")
    ran = toolkit("pull", "local", "--dry-run")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "7 new, 0 known, 0 left out.")
    assert not list(Path("detections").rglob("*.yaml"))
    ran = toolkit("pull", "local")
    assert ran.code == 0
    assert "wrote detections/imported/rules/failed-sign-ins-1.yaml" in ran.out.splitlines()
    ran = toolkit("plan", "local")
    assert (ran.code, ran.out) == (0, "local: No changes; 1 to mark as this project's; 6 unchanged.\n")
    assert toolkit("pull", "local").out == "0 new, 7 known, 0 left out.\n"


def test_pull_tells_what_no_file_can_say(toolkit: Toolkit, project: AzureServer) -> None:
    site = project.site()
    site.rules.put("BuiltInFusion", {"name": "BuiltInFusion", "kind": "Fusion", "etag": "1", "properties": {"enabled": True}})
    ran = toolkit("pull", "local")
    assert ran.code == 0
    assert "left out: alertRule 'BuiltInFusion': rules of this kind" in ran.out


def test_drift_is_adopted_into_the_files_and_nothing_else_of_them_changes(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    text = "# reviewed by the team\n" + rule_text(1, query="|\n  SigninLogs  // all of them\n  | where ResultType == '50126'")
    write(RULE, text)
    deploy(toolkit)
    project.edit_rule(RULE_ID, who="ann@contoso.com", severity="Low", query="SigninLogs  // all of them\n| where ResultType == '50053'")
    project.portal.edit("watchlists", "Vips", displayName="Very important people")
    ran = toolkit("drift", "local", "--adopt")
    assert ran.code == 0, ran.out + ran.err
    assert "adopted: detections/a/rules/one.yaml" in ran.err
    assert Path(RULE).read_text() == text.replace("Medium", "Low").replace("50126", "50053")
    assert "displayName: Very important people" in Path("detections/a/watchlists/Vips.yaml").read_text()
    assert toolkit("drift", "local").code == 0
    assert deploy(toolkit).out.splitlines()[-1] == "local: 2 done."
    assert toolkit("plan", "local").out == "local: No changes; 7 unchanged.\n"


def test_what_was_changed_on_both_sides_is_not_adopted(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    deploy(toolkit)
    changed = contents()[RULE].replace("Medium", "High").replace("queryFrequency: 1h", "queryFrequency: 2h")
    write(RULE, changed)
    project.edit_rule(RULE_ID, severity="Low", queryPeriod="P2D")
    ran = toolkit("drift", "local", "--adopt")
    assert ran.code == 1
    assert "'severity' was changed in the workspace and in this file" in ran.out
    assert Path(RULE).read_text() == changed.replace("queryPeriod: 1d", "queryPeriod: 2d")


def test_a_workbook_with_texts_in_files_of_their_own_is_adopted_there(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    item = '{"type": 3, "content": {"query": {"$file": "w/q.kql"}, "size": 1}}'
    write("workbooks/w.json", f'{{"version": "Notebook/1.0", "items": [{item}]}}\n')
    write("workbooks/w/q.kql", "SigninLogs\n| count\n")
    deploy(toolkit)
    (book,) = project.group().workbooks
    serialized = json.loads(book["properties"]["serializedData"])
    assert serialized["items"][0]["content"]["query"] == "SigninLogs\n| count"
    serialized["items"][0]["content"] |= {"query": "SigninLogs\n| take 5", "size": 2}
    project.portal.edit("workbooks", book["name"], serializedData=json.dumps(serialized))
    assert toolkit("drift", "local", "--adopt").code == 0
    assert Path("workbooks/w/q.kql").read_text() == "SigninLogs\n| take 5\n"
    assert '{"$file": "w/q.kql"}, "size": 2' in Path("workbooks/w.json").read_text()
    assert toolkit("drift", "local").code == 0


def test_ctrl_c_lets_running_writes_end_and_the_next_run_does_the_rest(toolkit: Toolkit, project: AzureServer, write: Write) -> None:
    for number in range(20, 40):
        write(f"detections/a/rules/r{number}.yaml", rule_text(number))
    project.faults.add(replace(SLOW, delay=0.3), method="PUT", times=None)
    # a shell that starts something in the background makes it ignore the signal
    command = [sys.executable, "-c", HEEDING_CTRL_C, "deploy", "local", "--yes", "--skip-validation"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not project.log.writes and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert out.splitlines()[-1].endswith("not started. Stopped; run again to do the rest.")
    assert "Traceback" not in err
    project.faults.clear()
    assert deploy(toolkit).code == 0
    assert max(project.log.writes.values()) == 1
