"""The logs of devices have two ways in, files that the toolkit types and lines of an agent that functions take apart, with one result.

What a rule or notebook says about a recorded file holds in a workspace only as long as the two agree in names, types and values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.test_text_logs import HEAD, NETSKOPE
from toolkit import Workspace
from toolkit.content.project import Project
from toolkit.engine.ingest import netskope_client, zscaler_bridge
from toolkit.engine.ingest.text_logs import TextLog
from toolkit.testing.bench import Bench

ROOT = Path(__file__).resolve().parents[2]
ENVELOPE = {"TimeGenerated", "Computer", "RawData"}
"""What an agent delivers; the functions pass it on."""
ONLY_BY_FUNCTION = {"NetskopeClientDebug": {"ClientTime"}}
"""A file's time is TimeGenerated, in UTC; a line of an agent has the time of its collection there, and the client's own beside it."""
UPLOADS = {"InitiateResponse": "InitiateResponse", "UploadResponse": "UploadResponse", "FinalizeResponse": "FinalizeResponse"}


@cache
def project() -> Project:
    return Project.load(ROOT, ROOT)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    base = Bench(project(), list(project().items("function")), [], None).base
    with closing(base.fork()) as opened:
        yield opened


def rows(workspace: Workspace, query: str) -> list[dict[str, Any]]:
    result = workspace.query(query)
    names = [name for name, _ in result.columns]
    return [dict(zip(names, row, strict=True)) for row in result.rows()]


def samples(system: str, log: str) -> list[Path]:
    return sorted((ROOT / "detections" / system / "samples").glob(f"{log}.*.log"))


def typed(log: TextLog) -> dict[str, str]:
    return {name: kind.value for name, kind in log.columns.items()}


def test_columns_of_the_client_log(workspace: Workspace) -> None:
    columns = dict(workspace.analyze("NetskopeClientDebug").columns)
    own = {name: kind for name, kind in columns.items() if name not in ENVELOPE | ONLY_BY_FUNCTION["NetskopeClientDebug"]}
    assert own
    assert own == {name: kind for name, kind in typed(netskope_client.LOG).items() if name in own}


@pytest.mark.parametrize("rest", [rest for rest, _ in NETSKOPE])
def test_values_of_every_form_of_the_client_log(workspace: Workspace, rest: str) -> None:
    workspace.ingest("NetskopeClientDebug_CL", [{"TimeGenerated": "2026-03-02T09:14:07Z", "Computer": "ws-014", "RawData": HEAD + rest}])
    [row] = rows(workspace, "NetskopeClientDebug")
    values, failure = netskope_client.read(HEAD + rest)
    assert failure is None
    shared = [name for name in netskope_client.LOG.columns if name in row]
    assert {name: row[name] or None for name in shared} == {name: values.get(name) or None for name in shared}


@pytest.mark.parametrize("path", samples("netskope", "nsdebuglog"), ids=lambda path: path.name)
def test_values_of_recorded_client_logs(workspace: Workspace, path: Path) -> None:
    workspace.ingest("NetskopeClientDebug_CL", path)
    [columns] = rows(workspace, "NetskopeClientDebug | getschema | summarize Names = make_set(ColumnName)")
    shared = [name for name in netskope_client.LOG.columns if name in columns["Names"] and name != "Message"]
    keep = f"project TimeGenerated, RawData, {', '.join(shared)}"
    # A line that breaks off is a record with a ParseError in a file; the function says of it what it can.
    whole = rows(workspace, f"NetskopeClientDebug_CL | where isempty(ParseError) | {keep}")
    by_function = rows(workspace, f"NetskopeClientDebug | {keep}")
    assert whole
    assert [row for row in by_function if row["RawData"] in {row["RawData"] for row in whole}] == [
        {name: value if value is not None or name == "DestPort" else "" for name, value in row.items()} for row in whole
    ]


@pytest.mark.parametrize("path", samples("zscaler", "zbridge"), ids=lambda path: path.name)
def test_uploads_of_the_bridge_log(workspace: Workspace, path: Path) -> None:
    workspace.ingest("ZscalerNssBridge_CL", path)
    lines = rows(workspace, "ZscalerNssBridge_CL | where isempty(ParseError)")
    uploads = [row for row in rows(workspace, "ZscalerNssUploads") if row["Outcome"] != "Started"]
    columns = dict(workspace.analyze("ZscalerNssUploads").columns)
    for name, kind in typed(zscaler_bridge.LOG).items():
        assert columns.get(name, kind) == kind
    for name in ("QueueSize", "PayloadSize"):
        assert name in columns
        event = "CheckAndUpload" if name == "QueueSize" else "PerformUpload"
        assert Counter(row[name] for row in uploads if row[name] is not None) == Counter(
            row[name] for row in lines if row["EventName"] == event
        )
    for column, event in UPLOADS.items():
        answers = Counter(row["Response"] for row in lines if row["EventName"] == event)
        assert Counter(row[column] for row in uploads if row[column]) == answers
