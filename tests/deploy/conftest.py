"""A local Azure with one workspace, and projects whose environment `local` is that workspace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.azure_server import AzureServer, Site
from toolkit import Workspace as Engine
from toolkit.content.project import Project

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


def rule_text(number: int = 1, **changes: str) -> str:
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
