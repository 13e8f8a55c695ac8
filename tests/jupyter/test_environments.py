"""`--env`: the same cell on a workspace, through the project's own client, against the local Azure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.azure_server import AzureServer
from tests.deploy.conftest import project_file, server
from tests.jupyter.conftest import Notebook

__all__ = ["server"]

ROWS = [
    {"TimeGenerated": "2026-03-02T10:00:00Z", "UserPrincipalName": "alice@contoso.com", "ResultType": "0"},
    {"TimeGenerated": "2026-03-02T11:00:00Z", "UserPrincipalName": "bob@contoso.com", "ResultType": "50126"},
]


@pytest.fixture
def remote(notebook: Notebook, server: AzureServer, folder: Path) -> Notebook:
    (folder / "toolkit.yaml").write_text(project_file(server))
    engine = server.site().engine
    assert engine is not None
    engine.ingest("SigninLogs", ROWS)
    return notebook


def test_the_same_cell_gives_the_same_output(remote: Notebook, folder: Path) -> None:
    (folder / "logs" / "SigninLogs.jsonl").write_text("\n".join(str(row).replace("'", '"') for row in ROWS))
    cell = (
        "%%kql {}\nSigninLogs | summarize n = count(), latest = max(TimeGenerated) by UserPrincipalName | sort by n, UserPrincipalName asc"
    )
    there, here = remote.run(cell.format("--env local")), remote.run(cell.format("--data logs"))
    assert (there.ok, here.ok) == (True, True), there.error
    assert there.result.rows() == here.result.rows()
    assert there.result.columns == here.result.columns
    assert there.result._repr_html_() == here.result._repr_html_()


def test_a_notebook_is_switched_by_one_cell(remote: Notebook) -> None:
    assert "environment local" in " ".join(remote.run("ENV = 'local'\n%kql --env {ENV} --data logs --now 2026-03-03").html)
    remote.run("%kql --env local")
    assert remote.run("%kql SigninLogs | count").result.rows() == [(2,)]
    remote.run("%kql --env None --data logs")
    assert remote.run("%kql SigninLogs | count").result.rows() == [(3,)]


def test_render_reaches_the_chart(remote: Notebook) -> None:
    cell = remote.run(
        "%%kql --env local\nSigninLogs | summarize n = count() by bin(TimeGenerated, 1h) | render timechart with (title='Sign-ins')"
    )
    html = cell.result._repr_html_()
    assert "<svg" in html
    assert "Sign-ins" in html


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--env local\nSigninLogs | where Nosuch == 1", "Nosuch"),
        ("--env local --now 2026-03-03\nprint 1", "--now works on recorded logs"),
        ("--env other\nprint 1", "There is no environment 'other'"),
    ],
)
def test_errors_of_the_service_are_errors_of_the_cell(remote: Notebook, line: str, said: str) -> None:
    done = remote.run(f"%%kql {line}")
    assert re.search(said, str(done.error)), str(done.error)


def test_times_are_those_of_the_service(remote: Notebook) -> None:
    cell = remote.run("%kql --env local --start 2026-03-02T10:30:00Z --end 2026-03-02T12:00:00Z SigninLogs | project UserPrincipalName")
    assert cell.result.rows() == [("bob@contoso.com",)]
