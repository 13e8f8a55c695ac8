"""Validation of content: schema, templates, KQL, metadata against output columns, cases. What `toolkit validate` does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.checks.duplicates import check_duplicates
from toolkit.checks.output_columns import check_output_columns
from toolkit.checks.single_result import several_results
from toolkit.checks.unknown_rules import unknown_rules
from toolkit.content.findings import Finding, file_finding
from toolkit.content.items import Item, Kind, load_item
from toolkit.content.models.function import FunctionFile
from toolkit.content.models.rule import Described, Rule
from toolkit.content.project import KINDS, Project
from toolkit.content.template.render import Query
from toolkit.content.values import ItemQuery
from toolkit.testing.bench import Bench
from toolkit.testing.cases import Case
from toolkit.testing.findcases import CasesOf, orphans, resolve_tests_path
from toolkit.testing.functions import analyze_function
from toolkit.testing.pool import CasePool
from toolkit.testing.report import ItemResult, Observer, ValidationReport
from toolkit.testing.runner import CaseResult, Settings, kql_findings
from toolkit.workbooks.validate import check_workbook

_LONGEST_QUERY = 200_000


@dataclass(frozen=True)
class Options:
    """`match` keeps content and cases whose path, name or case name contains it. `strict`: warnings count as errors."""

    settings: Settings = field(default_factory=Settings)
    match: str = ""
    strict: bool = False


@dataclass
class _Work:
    item: Item
    tests: CasesOf
    cases: list[Case]


class Validation:
    """One run over some content of a project."""

    def __init__(self, project: Project, options: Options, observer: Observer | None = None) -> None:
        self.project = project
        self.options = options
        self.observer = observer
        self.report = ValidationReport()
        self._neighbours: list[Item] = []

    def run(self, paths: Sequence[Path] = ()) -> ValidationReport:
        """Validate the named files and folders, or the whole project. Raises ContentError for a path or project that is unusable."""
        self.project.environment(self.options.settings.environment)
        items = self._items(paths)
        bench = self._bench(items)
        chosen = {id(item) for item in items}
        self.report.project += [finding for item in self._neighbours if id(item) not in chosen for finding in item.findings]
        work = [self._work(item) for item in items]
        if self.options.match:
            work = [piece for piece in work if piece.cases or self._matches(piece.item)]
        if self.observer:
            self.observer.total(sum(1 + len(piece.cases) for piece in work))
        try:
            with CasePool(bench, self.options.settings) as pool:
                begun = [self._begin(bench, pool, piece) for piece in work]
                self.report.results += [self._finish(result, outcomes) for result, outcomes in begun]
        finally:
            bench.close()
        self._across_files(items, paths)
        return self.report.strict() if self.options.strict else self.report

    def _items(self, paths: Sequence[Path]) -> list[Item]:
        if paths:
            return self.project.select([resolve_tests_path(path) for path in paths])
        return [item for kind in (*KINDS, "workbook") for item in self.project.items(kind)]

    def _bench(self, items: Sequence[Item]) -> Bench:
        """Functions and watchlists of the whole project, also when only one rule is validated."""
        functions, watchlists = self._all("function", items), self._all("watchlist", items)
        self._neighbours = [*functions, *watchlists]
        return Bench(self.project, functions, watchlists, self.options.settings.environment)

    def _all(self, kind: Kind, items: Sequence[Item]) -> list[Item]:
        chosen = {item.path.resolve(): item for item in items if item.kind == kind}
        for path in self.project.files(kind):
            if path.resolve() not in chosen and (item := load_item(path, self.project.show(path), kind)):
                chosen[path.resolve()] = item
        return list(chosen.values())

    def _work(self, item: Item) -> _Work:
        tests = CasesOf.item(item, self.project)
        whole = not self.options.match or self._matches(item)
        return _Work(item, tests, [case for case in tests.cases if whole or self._contains(case.name)])

    def _matches(self, item: Item) -> bool:
        return self._contains(item.shown) or self._contains(item.title)

    def _contains(self, text: str) -> bool:
        return self.options.match.lower() in text.lower()

    def _begin(self, bench: Bench, pool: CasePool, work: _Work) -> tuple[ItemResult, list[Future[CaseResult]]]:
        """Check one content file and start its cases."""
        item = work.item
        self._step(item.shown)
        query = self._analyze(bench, item)
        result = ItemResult(item, [*item.findings, *work.tests.findings])
        if isinstance(item.model, Rule):
            result.findings += work.tests.coverage(item)
        if query is None or not _has_window(item):
            result.skipped = len(work.cases)
            return result, []
        return result, [pool.submit(item, case) for case in work.cases]

    def _finish(self, result: ItemResult, outcomes: Sequence[Future[CaseResult]]) -> ItemResult:
        for outcome in outcomes:
            done = outcome.result()
            self._step(f"{result.item.shown}: {done.case.name}")
            result.cases.append(done)
            result.findings += done.findings
        return result

    def _step(self, name: str) -> None:
        if self.observer:
            self.observer.step(name)

    def _analyze(self, bench: Bench, item: Item) -> Query | None:
        """Render the query and bind it; None when there is nothing that could run."""
        model, document = item.model, item.document
        if item.workbook is not None:
            item.findings.extend(check_workbook(item.workbook, bench.base.analyze))
        if document is None or item.query is None or not isinstance(model, Described | FunctionFile):
            return None
        findings = item.collect()
        before = len(item.findings)
        query = ItemQuery(item, self.project, self.options.settings.environment).render(findings)
        if query is None or len(query.text) > _LONGEST_QUERY or len(item.findings) > before:
            return None
        if isinstance(model, FunctionFile):
            item.findings.extend(analyze_function(bench.base, model, query))
            return None if _have_errors(item.findings[before:]) else query
        analysis = bench.base.analyze(query.text)
        item.findings.extend(kql_findings((*analysis.diagnostics, *several_results(analysis.plan)), query.text, query))
        if _have_errors(item.findings[before:]):
            return None
        check_output_columns(model, document, [(name, str(kind)) for name, kind in analysis.columns], findings)
        return query

    def _across_files(self, items: Sequence[Item], paths: Sequence[Path]) -> None:
        results = {id(result.item): result for result in self.report.results}
        for item, finding in check_duplicates(items):
            if result := results.get(id(item)):
                result.findings.append(finding)
        if not paths and not self.options.match:
            self.report.project += [*orphans(self.project), *unknown_rules(self.project, items), *self._nothing(items)]

    def _nothing(self, items: Sequence[Item]) -> Iterable[Finding]:
        if not items:
            hints = ["`toolkit init` makes a project; `content:` in toolkit.yaml says where content lies."]
            yield file_finding(self.project.show(self.project.root), "no-content", "There is no content here.", hints=hints)


def _have_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _has_window(item: Item) -> bool:
    """Whether it is known which part of the logs a run sees."""
    model = item.model
    return not isinstance(model, Rule) or model.is_nrt or model.query_period is not None
