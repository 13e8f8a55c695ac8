"""Which tests file belongs to which content file, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.content.findings import Finding, Findings, file_finding
from toolkit.content.items import Item, is_tests_file, tests_file_of
from toolkit.content.project import KINDS, Project, tested_file
from toolkit.kql.source import NOWHERE
from toolkit.testing.cases import Case, CasesFile, load_cases


@dataclass
class CasesOf:
    """The tests files of one content file."""

    files: list[CasesFile] = field(default_factory=list)

    @classmethod
    def item(cls, item: Item, project: Project) -> CasesOf:
        """`x.tests.yaml` beside `x.yaml`, and tests files of the folder that name it with `rule:`."""
        if item.kind == "watchlist" or not item.path.parent.is_dir():
            return cls()
        found: list[CasesFile] = []
        own = tests_file_of(item.path)
        for path in sorted(item.path.parent.glob(f"*.tests{item.path.suffix}")):
            if path != own and tested_file(path).exists():
                continue
            cases = load_cases(path, project.show(path))
            if path == own:
                _check_name(cases, item)
                found.append(cases)
            elif cases.rule == item.path.name:
                found.append(cases)
        return cls(found)

    @property
    def cases(self) -> list[Case]:
        return [case for file in self.files for case in file.cases]

    @property
    def findings(self) -> list[Finding]:
        return [finding for file in self.files for finding in file.findings]

    def coverage(self, item: Item) -> Iterator[Finding]:
        """A rule without a case that it has to match and one that it must not match is not proven."""
        if not self.files:
            findings = Findings(item.source)
            span = item.document.span(("name",)) if item.document else NOWHERE
            hint = f"Describe them in {tests_file_of(item.path).name}; `toolkit new rule` shows the format."
            findings.add("no-cases", "The rule has no cases: nothing shows that it works.", span, hints=[hint], severity="warning")
            yield from findings.found
            return
        expectations = [case.model.expect.positive for case in self.cases]
        broken = any(finding.severity == "error" for finding in self.findings)
        for wanted, what in ((True, "has to match"), (False, "must not match")):
            if wanted not in expectations and not broken:
                file = self.files[0]
                code = "no-positive-case" if wanted else "no-negative-case"
                yield _warning(file, code, f"There is no case that the rule {what}.")


def _warning(file: CasesFile, code: str, message: str) -> Finding:
    document = file.cases[0].document if file.cases else None
    if document is None:
        return file_finding(file.shown, code, message).with_severity("warning")
    findings = Findings(document.source)
    findings.add(code, message, document.span(("cases",), key=True), severity="warning")
    return findings.found[0]


def _check_name(cases: CasesFile, item: Item) -> None:
    if cases.rule not in (None, item.path.name):
        message = f"The tests name the rule {cases.rule!r} but stand beside {item.path.name}."
        cases.findings.append(file_finding(cases.shown, "other-rule", message, hints=["Leave `rule:` out, or rename the tests file."]))


def resolve_tests_path(path: Path) -> Path:
    """The content file that a tests file is about; any other path as it is."""
    if is_tests_file(path) and path.is_file() and not tested_file(path).exists():
        rule = load_cases(path, str(path)).rule
        return path.parent / rule if rule else path
    return path


def orphans(project: Project) -> Iterable[Finding]:
    """Tests files of the project that belong to no content file."""
    folders = {path.parent for kind in KINDS for path in project.files(kind)}
    for folder in sorted(folders):
        for path in sorted(filter(is_tests_file, folder.iterdir())):
            if not resolve_tests_path(path).exists() or (not tested_file(path).exists() and is_tests_file(resolve_tests_path(path))):
                message = f"There is no {tested_file(path).name} that these tests are about."
                hints = ["Rename the file, or name its rule with `rule:`."]
                yield file_finding(project.show(path), "tests-without-rule", message, hints=hints)
