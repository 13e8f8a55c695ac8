"""Running one case: render, query the recorded logs in the run's window, raise alerts, judge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from toolkit.checks.single_result import several_results
from toolkit.content.findings import Finding, Findings
from toolkit.content.items import Item
from toolkit.content.models.function import FunctionFile
from toolkit.content.models.rule import Rule
from toolkit.content.template.render import Query
from toolkit.content.values import Given, ItemQuery
from toolkit.content.yaml.nodes import Scalar
from toolkit.engine.errors import QueryCancelled, QueryTimeout
from toolkit.kql.diagnostics import Diagnostic, KqlError, ToolkitError
from toolkit.simulate.alerts import Window, raise_alerts, window_of
from toolkit.testing.bench import Bench
from toolkit.testing.cases import Case
from toolkit.testing.explain import trace_lines
from toolkit.testing.verdict import Failure, Outcome, judge

if TYPE_CHECKING:
    from toolkit import Workspace

Status = Literal["passed", "failed", "error"]
TIME_LIMIT = 60.0
"""Seconds that the query of one case may run."""


@dataclass(frozen=True)
class CaseResult:
    """`failed`: something else came out than expected. `error`: the case could not be run."""

    case: Case
    status: Status
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Settings:
    """`environment` renders the templates of cases that name none; `time_limit` is in seconds per case."""

    environment: str | None = None
    time_limit: float = TIME_LIMIT


@dataclass
class _Run:
    """One query on one workspace."""

    item: Item
    case: Case
    query: Query
    workspace: Workspace
    now: datetime

    @property
    def rule(self) -> Rule | None:
        return self.item.model if isinstance(self.item.model, Rule) else None

    @property
    def window(self) -> Window | None:
        return window_of(self.rule, self.now) if self.rule else None


def run_case(bench: Bench, item: Item, case: Case, settings: Settings) -> CaseResult:
    """Run one case. Never raises for what content, logs or queries hold."""
    findings = Findings(case.document.source)
    query = _query(bench, item, case, settings, findings)
    prepared = bench.workspace(case, findings) if query is not None else None
    if query is None or prepared is None:
        return CaseResult(case, "error", tuple(findings.found))
    run = _Run(item, case, query, *prepared)
    try:
        outcome = _outcome(run, settings)
    except KqlError as error:
        refused = [finding.with_severity("error") for finding in kql_findings(error.diagnostics, error.source.text, query)]
        return CaseResult(case, "error", tuple(refused))
    except QueryCancelled as error:
        raise KeyboardInterrupt from error
    except QueryTimeout:
        message = f"The query of the case ran longer than {settings.time_limit:g} s and was stopped."
        findings.add("case-timeout", message, case.span("name"), hints=["`--time-limit` sets the limit."])
        return CaseResult(case, "error", tuple(findings.found))
    except ToolkitError as error:
        findings.add("case-error", f"The query of the case does not run: {error}", case.span("name"))
        return CaseResult(case, "error", tuple(findings.found))
    except Exception as error:  # noqa: BLE001  (a defect of the engine in one case must not hide what the others show)
        message = f"The query of the case makes the engine fail: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        findings.add("internal-error", message, case.span("name"), hints=["This is a defect of the toolkit; please report it."])
        return CaseResult(case, "error", tuple(findings.found))
    failures = judge(case.model.expect, outcome)
    return CaseResult(case, "failed" if failures else "passed", tuple(_failure_findings(failures, run)))


def _query(bench: Bench, item: Item, case: Case, settings: Settings, findings: Findings) -> Query | None:
    if isinstance(item.model, FunctionFile):
        node = case.document.node((*case.path, "query"))
        if isinstance(node, Scalar):
            return Query(node.text, case.document, node, templated=False)
        call = f"{item.model.name}()" if item.model.signature else item.model.name
        return Query(call, case.document, Scalar(call, "str", "", case.span("name")), templated=True)
    given = Given(case.model.parameters, case.document, (*case.path, "parameters"), strict=True)
    environment = case.model.env or settings.environment
    if environment is not None and environment not in bench.project.config.environments:
        findings.add("unknown-environment", f"There is no environment {environment!r} in toolkit.yaml.", case.span("env"))
        return None
    before = len(findings.found)
    rule_findings = Findings(item.source, findings.found)
    query = ItemQuery(item, bench.project, environment, (given,)).render(rule_findings)
    return query if len(findings.found) == before else None


def _outcome(run: _Run, settings: Settings) -> Outcome:
    window = run.window
    start, end = (window.start, window.end) if window else (None, None)
    analysis = run.workspace.analyze(run.query.text)
    several = several_results(analysis.plan)
    if several:
        raise KqlError(several, analysis.source)
    result = run.workspace.query(run.query.text, now=run.now, start=start, end=end, timeout=settings.time_limit)
    names = [name for name, _ in result.columns]
    rows = [dict(zip(names, row, strict=True)) for row in result.rows()]
    columns = [(name, str(kind)) for name, kind in result.columns]
    alerts = raise_alerts(run.rule, rows, window) if run.rule and window else None
    return Outcome(columns, rows, alerts, run.rule)


def _failure_findings(failures: Iterable[Failure], run: _Run) -> Iterable[Finding]:
    explained = False
    for failure in failures:
        details = list(failure.details)
        if failure.lost and not explained:
            details += trace_lines(run.workspace, run.query, run.now, run.window)
            explained = True
        span = run.case.document.span((*run.case.path, "expect", *failure.path))
        message = f"{run.case.name}: {failure.message}"
        diagnostic = Diagnostic("case-failed", "error", "check", message, span.start, span.end, failure.hints)
        yield Finding(run.case.document.source, diagnostic, "\n".join(details))


def _with_hint(diagnostic: Diagnostic) -> Diagnostic:
    """What to do in a project about a table that nobody knows."""
    if diagnostic.code != "unknown-table" or diagnostic.hints:
        return diagnostic
    return replace(diagnostic, hints=("A custom table is declared under `catalog:` in toolkit.yaml; a function lies in functions/*.yaml.",))


def kql_findings(diagnostics: Iterable[Diagnostic], text: str, query: Query) -> Iterable[Finding]:
    """Diagnostics of a query at their place in the YAML file; of a rendered template, with the rendered line below."""
    for diagnostic in map(_with_hint, diagnostics):
        if text != query.text:  # about the body of a function: its own place is all there is to show
            span = query.file_span(0, 0)
            yield Finding(query.document.source, replace(diagnostic, start=span.start, end=span.end))
        elif query.written(diagnostic.start) is None:
            span = query.file_span(diagnostic.start, diagnostic.end)
            shown = replace(diagnostic, hints=()).render(query.source)
            details = "\n".join(f"  {line}" for line in shown.split("\n"))
            yield Finding(query.document.source, replace(diagnostic, start=span.start, end=span.end), details)
        else:
            span = query.file_span(diagnostic.start, diagnostic.end)
            yield Finding(query.document.source, replace(diagnostic, start=span.start, end=span.end))
