"""Findings as data: the JSON form that other programs read. Keys are only ever added."""

from __future__ import annotations

from typing import Any

from toolkit.content.findings import Finding


def finding_data(finding: Finding) -> dict[str, Any]:
    """A finding as a JSON object; lines and columns count from 1, the end is exclusive."""
    diagnostic, source = finding.diagnostic, finding.source
    start, end = source.position(diagnostic.start), source.position(diagnostic.end)
    data: dict[str, Any] = {
        "file": source.name,
        "line": start.line,
        "column": start.column,
        "endLine": end.line,
        "endColumn": end.column,
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "hints": list(diagnostic.hints),
    }
    if diagnostic.alias:
        data["alias"] = diagnostic.alias
    if finding.details:
        data["details"] = finding.details.split("\n")
    return data
