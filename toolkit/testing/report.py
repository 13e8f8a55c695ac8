"""What a validation found: per content file its findings and cases, and what belongs to no single file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, Protocol

from toolkit.content.findings import Finding
from toolkit.content.items import Item
from toolkit.testing.runner import CaseResult

Status = Literal["passed", "failed"]


@dataclass
class ItemResult:
    """One content file: everything found in it and in its tests file, and the cases that were run. `skipped` counts the others."""

    item: Item
    findings: list[Finding] = field(default_factory=list)
    cases: list[CaseResult] = field(default_factory=list)
    skipped: int = 0

    @property
    def status(self) -> Status:
        return "failed" if any(finding.severity == "error" for finding in self.findings) else "passed"

    def count(self, status: str) -> int:
        return sum(case.status == status for case in self.cases)


@dataclass
class ValidationReport:
    """`project` holds findings that belong to no single file."""

    results: list[ItemResult] = field(default_factory=list)
    project: list[Finding] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        return [*self.project, *(finding for result in self.results for finding in result.findings)]

    @property
    def severities(self) -> Counter[str]:
        return Counter(finding.severity for finding in self.findings)

    @property
    def kinds(self) -> Counter[str]:
        return Counter(result.item.kind for result in self.results)

    @property
    def cases(self) -> Counter[str]:
        """Numbers of cases by status: passed, failed, error, skipped."""
        counts: Counter[str] = Counter(case.status for result in self.results for case in result.cases)
        counts["skipped"] = sum(result.skipped for result in self.results)
        return counts

    @property
    def clean(self) -> bool:
        return not self.severities["error"]

    def strict(self) -> ValidationReport:
        """The same report with every warning an error."""
        self.project = [_raised(finding) for finding in self.project]
        for result in self.results:
            result.findings = [_raised(finding) for finding in result.findings]
        return self


def _raised(finding: Finding) -> Finding:
    return finding.with_severity("error") if finding.severity == "warning" else finding


class Observer(Protocol):
    """Told about progress; `step` comes before each step."""

    def total(self, steps: int) -> None: ...

    def step(self, name: str) -> None: ...
