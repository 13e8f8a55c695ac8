"""A local Azure with one workspace, and projects whose environment `local` is that workspace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest

from tests.azure_server import AzureServer, Site
from toolkit import Workspace as Engine
from toolkit.azure import Options, StaticCredential
from toolkit.content.project import Project
from toolkit.deploy.apply import Applied, apply
from toolkit.deploy.connection import Connection
from toolkit.deploy.plan import Plan, Step
from toolkit.deploy.readback import verified
from toolkit.deploy.service import PlanOptions, plan_environment

TABLES = {
    "SigninLogs": {"TimeGenerated": "datetime", "UserPrincipalName": "string", "IPAddress": "string", "ResultType": "string"},
    "Heartbeat": {"TimeGenerated": "datetime", "Computer": "string"},
}


@pytest.fixture
def server() -> Iterator[AzureServer]:
    with AzureServer(Site("soc", Engine(TABLES))) as found:
        yield found


def project_file(server: AzureServer, more: str = "", name: str = "detections") -> str:
    """A toolkit.yaml whose environment `local` is the server's first workspace; `more` are further lines of that environment."""
    site = server.site()
    lines = "".join(f"    {line}\n" for line in more.splitlines())
    return f"""name: {name}
environments:
  local:
    cloud: {{name: public, resourceManager: '{server.url}', logs: '{server.url}'}}
    workspace:
      subscription: '{site.subscription}'
      resourceGroup: '{site.group}'
      name: '{site.name}'
      id: '{site.customer_id}'
      location: westeurope
{lines}"""


def write_project(folder: Path, server: AzureServer, files: Mapping[str, str], more: str = "") -> Project:
    """A project folder with these files and a toolkit.yaml for the server, loaded."""
    for name, text in {"toolkit.yaml": project_file(server, more), **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Project.load(folder, folder)


RULE_ID = "11111111-1111-1111-1111-000000000001"  # of rule_text(1)


def rule_text(number: int = 1, /, **changes: str) -> str:
    """A small rule file; `changes` are further or other keys."""
    keys = {
        "id": f"11111111-1111-1111-1111-{number:012}",
        "name": f"Failed sign-ins {number}",
        "description": "Sign-ins with a wrong password.",
        "severity": "Medium",
        "queryFrequency": "1h",
        "queryPeriod": "1d",
        "triggerOperator": "gt",
        "triggerThreshold": "0",
        "tactics": "[CredentialAccess]",
        "relevantTechniques": "[T1110]",
        "query": "|\n  SigninLogs\n  | where ResultType == '50126'",
        "kind": "Scheduled",
        **changes,
    }
    return "".join(f"{key}: {value}\n" for key, value in keys.items())


class ManualClock:
    """A clock that only waiting moves: pauses cost a test nothing."""

    def __init__(self) -> None:
        self.time = 1000.0
        self._lock = Lock()

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float, cancel: Event) -> None:
        with self._lock:
            self.time += seconds


TOKEN = "tok-5e0b2f-not-for-any-text"  # no real secret: tests look for it in everything that is shown


class Deployment:
    """A project in a folder, its environment `local`, and the verbs without their command line."""

    def __init__(self, folder: Path, server: AzureServer) -> None:
        self.folder, self.server, self.site, self.more = folder, server, server.site(), ""
        self.options = Options(clock=ManualClock(), read_timeout=10.0)
        self.connection = Connection.open(self.write({}), "local", StaticCredential(TOKEN), self.options)

    def write(self, files: Mapping[str, str | None], more: str | None = None) -> Project:
        """Writes files (None: removes one); `more` are lines of the environment, kept from then on."""
        self.more = self.more if more is None else more
        for name, text in files.items():
            if text is None:
                (self.folder / name).unlink()
        return write_project(self.folder, self.server, {name: text for name, text in files.items() if text is not None}, self.more)

    def now(self) -> datetime:
        """The server's time: tombstones end by it."""
        return self.server.clock.now().astimezone(UTC)

    def plan(self, **options: Any) -> Plan:
        return plan_environment(self.write({}), "local", self.connection, PlanOptions(self.now(), **options), lambda _: None)

    def apply(self, plan: Plan | None = None) -> Applied:
        return verified(apply(plan or self.plan(), self.connection, self.now(), lambda _: None), self.connection)

    def deploy(self) -> Plan:
        """Plans, applies, and expects that everything was done."""
        plan = self.plan()
        assert not plan.blocked, [problem.text for problem in plan.problems]
        applied = self.apply(plan)
        assert applied.clean, [(outcome.step.title, outcome.status, outcome.message) for outcome in applied.outcomes]
        return plan

    def interrupt_after(self, writes: int) -> Options:
        """Options with which a run is stopped after so many requests that write."""
        cancel, count = Event(), [0]

        def seen(record: Any) -> None:
            count[0] += record.method != "GET"
            if count[0] >= writes:
                cancel.set()

        return replace(self.options, cancel=cancel, on_request=seen, parallelism=1)


def actions(plan: Plan) -> list[str]:
    """`create alertRule Failed sign-ins 1`, in the plan's order."""
    return [f"{step.action} {step.kind} {step.title}" for step in plan.steps]


def only_step(plan: Plan) -> Step:
    (step,) = plan.steps
    return step


@pytest.fixture
def deployment(tmp_path: Path, server: AzureServer) -> Iterator[Deployment]:
    found = Deployment(tmp_path, server)
    with found.connection:
        yield found


RULE, OTHER_RULE = "detections/a/rules/one.yaml", "detections/a/rules/two.yaml"
FUNCTION, WATCHLIST, ROWS = "detections/a/functions/f.yaml", "detections/a/watchlists/Vips.yaml", "detections/a/watchlists/Vips.csv"
HUNTING, WORKBOOK, LOG_ALERT = "detections/a/hunting/h.yaml", "workbooks/w.json", "detections/a/rules/alert.yaml"


def contents() -> dict[str, str]:
    """One of everything; the rule calls the function, the function reads the watchlist."""
    return {
        RULE: rule_text(1, query="|\n  FailedSignIns\n  | where ResultType == '50126'"),
        OTHER_RULE: rule_text(2, kind="NRT", queryFrequency="", queryPeriod="", triggerOperator="", triggerThreshold=""),
        LOG_ALERT: rule_text(3, target="{type: LogAlert}"),
        FUNCTION: "displayName: Failed sign-ins\nfunctionAlias: FailedSignIns\ncategory: Function\nquery: |\n"
        "  SigninLogs\n  | where UserPrincipalName in ((_GetWatchlist('Vips') | project SearchKey))\n",
        WATCHLIST: "alias: Vips\ndisplayName: Important people\nitemsSearchKey: User\n",
        ROWS: "User,Team\nann@contoso.com,blue\nbob@contoso.com,red\n",
        HUNTING: "id: 22222222-2222-2222-2222-222222222222\nname: Rare users\ndescription: Few.\ntactics: [Discovery]\n"
        "query: |\n  SigninLogs\n  | summarize count() by UserPrincipalName\n",
        WORKBOOK: '{"version": "Notebook/1.0", "items": []}\n',
    }
