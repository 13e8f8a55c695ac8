"""Findings in files: a diagnostic together with the file it points into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from toolkit.kql.diagnostics import Diagnostic, Severity, Stage, ToolkitError
from toolkit.kql.source import Position, Source, Span


@dataclass(frozen=True)
class Finding:
    """One diagnostic and the text its offsets count in.

    `details` is a block of further lines for people: a diff of rows, the frame of a rendered query, row counts.
    """

    source: Source
    diagnostic: Diagnostic
    details: str = ""

    @property
    def severity(self) -> Severity:
        return self.diagnostic.severity

    @property
    def code(self) -> str:
        return self.diagnostic.code

    @property
    def position(self) -> Position:
        return self.source.position(self.diagnostic.start)

    def render(self) -> str:
        """The finding as text with its code frame and details."""
        text = self.diagnostic.render(self.source)
        return f"{text}\n{self.details}" if self.details else text

    def with_severity(self, severity: Severity) -> Finding:
        return replace(self, diagnostic=replace(self.diagnostic, severity=severity))


@dataclass
class Findings:
    """Collects findings about one file; every stage that reads the file adds to the same list."""

    source: Source
    found: list[Finding] = field(default_factory=list)

    def add(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        hints: Sequence[str] = (),
        severity: Severity = "error",
        stage: Stage = "check",
    ) -> None:
        diagnostic = Diagnostic(code, severity, stage, message, span.start, span.end, tuple(hints))
        self.found.append(Finding(self.source, diagnostic))

    @property
    def errors(self) -> bool:
        return any(finding.severity == "error" for finding in self.found)


class ContentError(ToolkitError):
    """A file that cannot be used at all; its text is the rendered findings."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(finding.render() for finding in findings))


def file_finding(path: Path | str, code: str, message: str, *, hints: Sequence[str] = ()) -> Finding:
    """A finding about a whole file whose text cannot be shown (missing, binary, too large)."""
    return Finding(Source("", str(path)), Diagnostic(code, "error", "check", message, 0, 0, tuple(hints)))
