"""Small workbooks for tests: written from their items, read, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from toolkit import Workspace
from toolkit.content.findings import Finding
from toolkit.content.workbooks import WorkbookDocument, read_workbook
from toolkit.workbooks.validate import check_workbook

Items = list[dict[str, Any]]

TABLES = {"Logs": {"TimeGenerated": "datetime", "Caller": "string", "Level": "int", "Data": "dynamic"}}


@cache
def workspace() -> Workspace:
    found = Workspace(TABLES)
    found.define_function("Everything", "Logs | extend Twice = Level * 2")
    return found


def text(json_text: str, **more: Any) -> dict[str, Any]:
    return {"type": 1, "content": {"json": json_text}, "name": "text", **more}


def query(kql: str, name: str = "query", step: Mapping[str, Any] | None = None, **content: Any) -> dict[str, Any]:
    return {"type": 3, "content": {"version": "KqlItem/1.0", "query": kql, "queryType": 0, **content}, "name": name, **(step or {})}


def parameters(*found: dict[str, Any]) -> dict[str, Any]:
    return {"type": 9, "content": {"version": "KqlParameterItem/1.0", "parameters": list(found)}, "name": "parameters"}


def parameter(name: str, kind: int = 1, **more: Any) -> dict[str, Any]:
    return {"version": "KqlParameterItem/1.0", "name": name, "type": kind, **more}


def time_range(name: str = "TimeRange", hours: int = 24) -> dict[str, Any]:
    return parameter(name, 4, value={"durationMs": hours * 3_600_000})


def group(*items: dict[str, Any], name: str = "group", **content: Any) -> dict[str, Any]:
    return {"type": 12, "content": {"version": "NotebookGroup/1.0", "items": list(items), **content}, "name": name}


def tabs(*values: str, parameter: str = "Tab") -> dict[str, Any]:
    links = [{"cellValue": parameter, "linkTarget": "parameter", "linkLabel": value, "subTarget": value} for value in values]
    return {"type": 11, "content": {"version": "LinkItem/1.0", "style": "tabs", "links": links}, "name": "tabs"}


def when(name: str, value: str) -> dict[str, Any]:
    return {"conditionalVisibility": {"parameterName": name, "comparison": "isEqualTo", "value": value}}


def write(folder: Path, items: Items, **root: Any) -> Path:
    path = folder / "book.json"
    path.write_text(json.dumps({"version": "Notebook/1.0", "items": items, **root}, indent=2, ensure_ascii=False), encoding="utf-8")
    return path


def read(path: Path) -> tuple[WorkbookDocument, list[Finding]]:
    return read_workbook(path, path.name)


def check(folder: Path, items: Items, **root: Any) -> list[Finding]:
    files, findings = read(write(folder, items, **root))
    return [*findings, *check_workbook(files, workspace().analyze)]


def underlined(finding: Finding) -> str:
    """The text that a finding points at."""
    return finding.source.text[finding.diagnostic.start : finding.diagnostic.end]
