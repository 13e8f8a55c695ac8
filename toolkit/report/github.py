"""Findings as GitHub workflow commands, which become annotations on the changed lines of a pull request."""

from __future__ import annotations

from toolkit.content.findings import Finding

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def annotation(finding: Finding) -> str:
    """One `::error file=...::message` line."""
    diagnostic, source = finding.diagnostic, finding.source
    start, end = source.position(diagnostic.start), source.position(diagnostic.end)
    fields = {"file": source.name, "line": start.line, "col": start.column, "title": diagnostic.code}
    if end.line == start.line:
        fields["endColumn"] = end.column
    shown = ",".join(f"{name}={_property(str(value))}" for name, value in fields.items())
    message = "\n".join([diagnostic.message, *diagnostic.hints, *([finding.details] if finding.details else [])])
    return f"::{_LEVELS[diagnostic.severity]} {shown}::{_data(message)}"


def annotated_file(level: str, file: str, title: str, message: str) -> str:
    """An annotation on a whole file."""
    return f"::{level} file={_property(file)},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
