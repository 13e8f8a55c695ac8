"""The workflows of .github/ and the set-up of docs/ci.md: safe for a repository that strangers fork, and in step with the code."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from tests.documents import blocks
from toolkit.azure.resources import KINDS
from toolkit.cli.main import cli

_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / ".github" / "workflows"
_GUIDE = "docs/ci.md"
_WORKFLOWS = {path.stem: yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader) for path in sorted(_FOLDER.glob("*.yml"))}
_EACH = pytest.mark.parametrize("name", _WORKFLOWS)

# What each job may do with the repository beyond reading it, and who may sign in to Azure. Whatever is not here may only read.
_RIGHTS = {
    ("plan", "plan"): {"contents": "read", "id-token": "write"},
    ("plan", "comment"): {"pull-requests": "write"},
    ("deploy", "deploy"): {"contents": "read", "id-token": "write"},
    ("drift", "drift"): {"contents": "read", "id-token": "write"},
    ("drift", "issue"): {"issues": "write"},
}


def _jobs(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from _WORKFLOWS[name]["jobs"].items()


def _steps(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((job, step) for job, each in _jobs(name) for step in each["steps"])


# --- safe in a fork ---------------------------------------------------------------------------------------------------


@_EACH
def test_rights_are_as_small_as_can_be(name: str) -> None:
    assert _WORKFLOWS[name]["permissions"] == {"contents": "read"}
    given = {(name, job): each["permissions"] for job, each in _jobs(name) if each.get("permissions")}
    assert given == {key: rights for key, rights in _RIGHTS.items() if key[0] == name}


@_EACH
def test_a_job_that_may_write_runs_nothing_of_the_repository(name: str) -> None:
    for job, each in _jobs(name):
        rights = each.get("permissions", {})
        if any(right == "write" for what, right in rights.items() if what != "id-token"):
            uses = {step.get("uses", "").partition("@")[0] for step in each["steps"]}
            assert uses <= {"", "actions/download-artifact"}, f"{name}: {job}"
            assert "id-token" not in rights, f"{name}: {job}"


@_EACH
def test_no_text_of_others_comes_into_a_shell_or_a_privileged_event(name: str) -> None:
    assert "pull_request_target" not in _WORKFLOWS[name]["on"]
    assert "workflow_run" not in _WORKFLOWS[name]["on"]
    for job, step in _steps(name):
        assert "${{" not in step.get("run", ""), f"{name}: {job}: pass it by env"
        for key, value in {**step.get("with", {}), **step.get("env", {})}.items():
            foreign = re.search(r"github\.(?:head_ref|event\.(?!pull_request\.number\b))", str(value))
            assert not foreign, f"{name}: {job}: {key}"


@_EACH
def test_what_runs_is_pinned_and_ends(name: str) -> None:
    assert "concurrency" in _WORKFLOWS[name]
    for job, each in _jobs(name):
        assert 0 < int(each["timeout-minutes"]) <= 60, f"{name}: {job}"
        assert re.fullmatch(r"ubuntu-\d\d\.\d\d", each["runs-on"]), f"{name}: {job}"
    for job, step in _steps(name):
        action = step.get("uses", "actions/none@v1")
        assert re.fullmatch(r"(?:actions|azure)/[a-z-]+@(?:v\d+|[0-9a-f]{40})", action), f"{name}: {job}: {action}"
        if action.startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false", f"{name}: {job}"


@_EACH
def test_without_azure_a_workflow_does_nothing_and_says_so(name: str) -> None:
    """Every job that signs in has its variable as a condition, and `skipped` has the opposite one and a notice."""
    signing_in = {job for job, step in _steps(name) if step.get("uses", "").startswith("azure/login@")}
    assert signing_in == {job for job, each in _jobs(name) if "id-token" in each.get("permissions", {})}
    for job in signing_in:
        jobs = _WORKFLOWS[name]["jobs"]
        (login,) = (step for step in jobs[job]["steps"] if step.get("uses", "").startswith("azure/login@"))
        (variable,) = re.findall(r"vars\.\w+", login["with"]["client-id"])
        assert not set(login["with"]) & {"creds", "client-secret"}
        assert f"{variable} != ''" in jobs[job]["if"]
        assert f"{variable} == ''" in jobs["skipped"]["if"]
        assert "::notice " in jobs["skipped"]["steps"][0]["run"]
        assert variable.removeprefix("vars.") in (_ROOT / _GUIDE).read_text(encoding="utf-8")


def test_pull_requests_of_strangers_sign_in_to_nothing() -> None:
    jobs = _WORKFLOWS["plan"]["jobs"]
    same = "github.event.pull_request.head.repo.full_name {} github.repository"
    assert same.format("==") in jobs["plan"]["if"]
    assert same.format("!=") in jobs["skipped"]["if"]
    assert "READER" in str(jobs["plan"]["steps"])
    assert jobs["comment"]["needs"] == "plan"


def test_deployments_go_from_main_only_one_by_one() -> None:
    workflow = _WORKFLOWS["deploy"]
    assert workflow["on"] == {"push": {"branches": ["main"]}}
    assert workflow["concurrency"] == {"group": "deploy-prod", "cancel-in-progress": "false"}
    assert workflow["jobs"]["deploy"]["environment"] == "prod"


# --- in step with the code ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """One call of the toolkit in a workflow or in the guide."""

    where: str
    verb: str
    arguments: tuple[str, ...]


_COMMAND = re.compile(r"\.venv/bin/toolkit ([^`|>;&\n]+)|`toolkit ([^`\n]+)`")


def _calls(where: str, text: str) -> Iterator[Call]:
    """The commands that are run, and those that are named in a text: `toolkit ...` in backticks."""
    for match in _COMMAND.finditer(text):
        verb, *arguments = shlex.split(match[1] or match[2])
        yield Call(where, verb, tuple(arguments))


def _all_calls() -> list[Call]:
    found = [call for name in _WORKFLOWS for job, step in _steps(name) for call in _calls(f"{name}: {job}", step.get("run", ""))]
    return [*found, *_calls(_GUIDE, (_ROOT / _GUIDE).read_text(encoding="utf-8"))]


_CALLS = _all_calls()


def test_calls_are_found() -> None:
    assert {call.verb for call in _CALLS} == {"plan", "deploy", "drift"}
    assert Call("deploy: deploy", "deploy", ("prod", "--yes", "--summary", "$GITHUB_STEP_SUMMARY")) in _CALLS
    assert Call("plan: plan", "plan", ("prod", "--format", "markdown", "--out", "plan/plan.json")) in _CALLS


@pytest.mark.parametrize("call", _CALLS, ids=lambda call: f"{call.where}: {call.verb}")
def test_a_call_has_a_verb_and_flags_that_there_are(call: Call) -> None:
    with click.Context(cli) as context:
        command = cli.get_command(context, call.verb)
    if command is None:
        pytest.skip(f"`toolkit {call.verb}` is not there yet")
    values, rest, _ = command.make_parser(click.Context(command)).parse_args(list(call.arguments))
    assert not rest, f"too many arguments: {rest}"
    for parameter in command.params:
        value = values.get(str(parameter.name))
        if isinstance(parameter.type, click.Choice) and value is not None:
            assert value in parameter.type.choices, f"{parameter.name}: {value}"
        assert value is not None or not parameter.required, f"{parameter.name} is missing"


# --- the scripts of the jobs that write -------------------------------------------------------------------------------


def _run(script: str, folder: Path, answers: dict[str, str], **environment: str) -> tuple[int, list[str]]:
    """Runs a step as GitHub does, with a stand-in for `gh` that notes its arguments; `answers` by the words that a call begins with."""
    tools = folder / "tools"
    tools.mkdir()
    cases = "".join(f'case "$*" in "{words}"*) printf "%s" "{answer}";; esac\n' for words, answer in answers.items())
    gh = tools / "gh"
    gh.write_text(f'#!/bin/bash\nprintf "%s\\n" "$*" >> "{folder}/calls"\n{cases}', encoding="utf-8")
    gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
    found = {"PATH": f"{tools}:{os.environ['PATH']}", "GITHUB_REPOSITORY": "contoso/detections", "RUN": "https://run", **environment}
    done = subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=found, check=False)
    calls = folder / "calls"
    return done.returncode, calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []


def _script(name: str, job: str) -> str:
    return str(_WORKFLOWS[name]["jobs"][job]["steps"][-1]["run"])


@pytest.mark.parametrize(("known", "method", "place"), [("", "POST", "issues/7/comments"), ("41\n42\n", "PATCH", "issues/comments/41")])
def test_the_comment_is_written_once(tmp_path: Path, known: str, method: str, place: str) -> None:
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "plan.md").write_text("# Plan\n" + "x" * 100_000, encoding="utf-8")
    code, calls = _run(_script("plan", "comment"), tmp_path, {"api --paginate": known}, NUMBER="7")
    assert code == 0
    assert calls[1].startswith(f"api --silent --method {method} repos/contoso/detections/{place} ")
    comment = (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert comment.startswith("<!-- toolkit plan prod -->\n# Plan\n")
    assert "(https://run)" in comment
    assert len(comment) < 65_536  # GitHub takes no more


@pytest.mark.parametrize(
    ("drift", "number", "expected"),
    [
        ("1", "", ["label create drift", "issue create --title Drift in prod"]),
        ("1", "5", ["issue edit 5 --body-file issue.md"]),
        ("0", "5", ["issue close 5 --comment No drift any more: https://run"]),
        ("0", "", []),
    ],
)
def test_the_issue_of_drift(tmp_path: Path, drift: str, number: str, expected: list[str]) -> None:
    text = "~ rule 'a' differs\n    severity: Low\n`@everyone` ```\n::warning file=a.yaml,title=drift::rule a differs\n"
    (tmp_path / "drift.txt").write_text(text, encoding="utf-8")
    code, calls = _run(_script("drift", "issue"), tmp_path, {"issue list": number}, CODE=drift)
    assert code == 0
    assert len(calls) == 1 + len(expected)
    assert all(call.startswith(start) for call, start in zip(calls[1:], expected, strict=True))
    if drift == "1":
        body = (tmp_path / "issue.md").read_text(encoding="utf-8")
        assert "```text\n~ rule 'a' differs\n    severity: Low\n@everyone \n\n```\n" in body
        assert body.count("```") == 2


# --- the roles of the guide -------------------------------------------------------------------------------------------

_VERBS = {"list": "read", "get": "read", "put": "write", "delete": "delete"}
_QUERIES = {  # what a rule's validation and a plan's look-up of tables need; reads of resources that are no content
    "Microsoft.OperationalInsights/workspaces/read",
    "Microsoft.OperationalInsights/workspaces/*/read",
    "Microsoft.OperationalInsights/workspaces/analytics/query/action",
}


def _needed() -> set[str]:
    """The actions that the clients call, from the table of resources: Microsoft.SecurityInsights/alertRules/actions/write ..."""
    found = set()
    for kind in KINDS.values():
        type_ = re.sub(r"/\{\w+\}", "", kind.collection.rpartition("/providers/")[2])
        found |= {f"{type_}/{_VERBS[verb]}" for verb in kind.verbs}
    return found


def _roles() -> dict[str, dict[str, Any]]:
    page = (_ROOT / _GUIDE).read_text(encoding="utf-8")
    found = [json.loads(block.body) for block in blocks(page) if block.language == "json"]
    return {role["Name"]: role for role in found if "Actions" in role}


def _covers(actions: list[str], needed: str) -> bool:
    return any(fnmatchcase(needed.casefold(), action.casefold()) for action in actions)


def test_the_deployers_role_allows_what_the_clients_call_and_no_more() -> None:
    actions = _roles()["Sentinel content deployer"]["Actions"]
    needed = _needed()
    assert {action for action in needed if not _covers(actions, action)} == set()
    assert {action for action in actions if not any(_covers([action], each) for each in needed)} <= _QUERIES
    assert len(actions) == len(set(actions))


def test_the_readers_role_only_reads() -> None:
    roles = _roles()
    actions = roles["Sentinel content reader"]["Actions"]
    assert {action for action in _needed() if action.endswith("/read") and not _covers(actions, action)} == set()
    assert all(action.endswith("/read") for action in set(actions) - _QUERIES)
    assert set(actions) == {a for a in roles["Sentinel content deployer"]["Actions"] if a.endswith("/read") or a in _QUERIES}


def test_the_guide_names_every_role_that_an_error_names() -> None:
    page = (_ROOT / _GUIDE).read_text(encoding="utf-8")
    assert {role for kind in KINDS.values() for role in kind.roles if role not in page} == set()


def test_the_pipeline_of_azure_devops_is_yaml_with_three_stages() -> None:
    page = (_ROOT / _GUIDE).read_text(encoding="utf-8")
    (pipeline,) = (yaml.safe_load(block.body) for block in blocks(page) if block.language == "yaml")
    assert [stage["stage"] for stage in pipeline["stages"]] == ["plan", "deploy", "drift"]
    scripts = str(pipeline)
    assert "addSpnToEnvironment" not in scripts  # hands out tokens to every script
    assert "persistCredentials': True" not in scripts
