"""What is said about recorded logs: findings with file and line, their collection up to a cap, and the one error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.kql.diagnostics import Severity, ToolkitError

MAX_FINDINGS = 100
"""Findings kept per call; beyond it they are only counted."""

_SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """One thing noticed in a source. `line` counts from 1 (of a file) or is the row number (of rows in memory)."""

    message: str
    source: str
    line: int | None = None
    severity: Severity = "error"

    def render(self) -> str:
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{place}: {self.severity}: {self.message}"


class IngestError(ToolkitError):
    """A source that cannot be read, or records of it that cannot.

    `findings` holds the first of them, `total` counts all.
    """

    def __init__(self, findings: Sequence[Finding], total: int | None = None) -> None:
        self.findings = tuple(findings)
        self.total = len(self.findings) if total is None else total
        lines = [found.render() for found in self.findings[:_SHOWN]]
        if self.total > len(lines):
            lines.append(f"and {self.total - len(lines)} more")
        super().__init__("\n".join(lines))


def unreadable(source: str | Path, message: str, line: int | None = None) -> IngestError:
    """The error for a source of which nothing can be used."""
    return IngestError([Finding(message, str(source), line)])


@dataclass
class Report:
    """Collects findings of one call. Errors and notes have a cap each, so that neither hides the other."""

    errors: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    total_errors: int = 0

    def error(self, message: str, source: str, line: int | None = None) -> None:
        self.total_errors += 1
        if len(self.errors) < MAX_FINDINGS:
            self.errors.append(Finding(message, source, line))

    def note(self, message: str, source: str, severity: Severity = "info", line: int | None = None) -> None:
        found = Finding(message, source, line, severity)
        if len(self.notes) < MAX_FINDINGS and found not in self.notes:
            self.notes.append(found)

    def as_error(self) -> IngestError:
        return IngestError(self.errors, self.total_errors)
