"""`toolkit validate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.console import echo, echo_finding, progress
from toolkit.cli.main import CLEAN, ENVIRONMENT, FINDINGS

if TYPE_CHECKING:
    from toolkit.content.findings import ContentError
    from toolkit.testing.report import ItemResult, ValidationReport
    from toolkit.testing.runner import CaseResult

_NO_CASES, _FEW = "no-cases", 3
"""More warnings of this kind than a few are one line: a repository that begins has one for every rule."""

_KINDS = {
    "rule": ("rule", "rules"),
    "hunting": ("hunting query", "hunting queries"),
    "function": ("function", "functions"),
    "watchlist": ("watchlist", "watchlists"),
    "workbook": ("workbook", "workbooks"),
}


@click.command("validate", short_help="Check detection content and prove it on its recorded logs.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--env", "environment", metavar="NAME", help="Environment of toolkit.yaml whose parameter values are used.")
@click.option("-k", "match", default="", metavar="TEXT", help="Only content and cases whose path or name contains TEXT.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--time-limit", type=click.FloatRange(min=0.01), default=60.0, show_default=True, metavar="S", help="Seconds per case.")
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True, help="Report.")
def command(paths: tuple[Path, ...], environment: str | None, match: str, strict: bool, time_limit: float, form: str) -> int:
    """Check rules, hunting queries, functions, watchlists and workbooks, and run their cases on the recorded logs.

    PATHS are files or folders; without any the whole project is validated. The exit code is 0 when nothing is wrong, 1 when
    there are findings, 3 when toolkit.yaml or the environment is not usable.
    """
    from toolkit.content.findings import ContentError
    from toolkit.content.project import Project
    from toolkit.testing.runner import Settings
    from toolkit.testing.validate import Options, Validation

    base = Path.cwd()
    options = Options(Settings(environment, time_limit), match, strict)
    try:
        project = Project.find(paths[0] if paths else base, base)
        with progress(wanted=form == "text") as observer:
            report = Validation(project, options, observer).run(paths)
    except ContentError as error:
        _show_unusable(error, form)
        return ENVIRONMENT
    {"text": show_report, "json": _json, "github": _github}[form](report)
    return CLEAN if report.clean else FINDINGS


def _show_unusable(error: ContentError, form: str) -> None:
    from toolkit.report.data import finding_data
    from toolkit.report.github import annotation

    if form == "json":
        echo(json.dumps({"version": 1, "findings": [finding_data(finding) for finding in error.findings], "content": []}, indent=2))
        return
    for finding in error.findings:
        if form == "github":
            echo(annotation(finding))
        else:
            echo_finding(finding)


def show_report(report: ValidationReport) -> None:
    """The report for people."""
    from toolkit.report.text import in_order

    findings = in_order(report.findings)
    unproven = sum(finding.code == _NO_CASES for finding in findings)
    for finding in findings:
        if finding.code != _NO_CASES or unproven <= _FEW:
            echo_finding(finding)
            echo()
    _table(report)
    if unproven > _FEW:
        echo(f"{unproven} rules have no cases: nothing shows that they work. `toolkit new rule` shows the format.", fg="yellow")
    echo(_summary(report), fg="green" if report.clean else "red", bold=True)


def _table(report: ValidationReport) -> None:
    """One line per content file: what became of its cases and findings."""
    rows = [(_mark(result), result.item.shown, _cases(result), _found(result)) for result in report.results]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for mark, *cells in rows:
        line = f"{mark:<{widths[0]}} {cells[0]:<{widths[1]}}  {cells[1]:<{widths[2]}}  {cells[2]}".rstrip()
        echo(line, fg={"ok": "green", "fail": "red", "warn": "yellow"}[mark])
    if rows:
        echo()


def _mark(result: ItemResult) -> str:
    if result.status == "failed":
        return "fail"
    return "warn" if any(finding.severity == "warning" for finding in result.findings) else "ok"


def _cases(result: ItemResult) -> str:
    total = len(result.cases) + result.skipped
    if not total:
        return "no cases" if result.item.kind in ("rule", "function") else ""
    parts = [f"{result.count(status)} {word}" for status, word in (("failed", "failed"), ("error", "not run")) if result.count(status)]
    if result.skipped:
        parts.append(f"{result.skipped} not run")
    return f"{total} case{'s' if total > 1 else ''}" + (f": {', '.join(parts)}" if parts else "")


def _found(result: ItemResult) -> str:
    counts = {severity: sum(finding.severity == severity for finding in result.findings) for severity in ("error", "warning")}
    return ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for name, count in counts.items() if count)


def _summary(report: ValidationReport) -> str:
    kinds = [f"{count} {_KINDS[kind][count != 1]}" for kind, count in report.kinds.items()]
    cases, severities = report.cases, report.severities
    done = [f"{cases[status]} {status}" for status in ("passed", "failed") if cases[status] or status == "passed"]
    if missing := cases["error"] + cases["skipped"]:
        done.append(f"{missing} not run")
    wrong = [f"{severities[name]} {name}{'s' if severities[name] > 1 else ''}" for name in ("error", "warning") if severities[name]]
    return f"{', '.join(kinds) or 'Nothing'}; cases: {', '.join(done)}; {', '.join(wrong) or 'no findings'}."


def _case_data(result: CaseResult) -> dict[str, object]:
    source = result.case.document.source
    line = source.position(result.case.span("name").start).line
    return {"name": result.case.name, "status": result.status, "file": source.name, "line": line}


def _json(report: ValidationReport) -> None:
    from toolkit.report.data import finding_data
    from toolkit.report.text import in_order

    content = [
        {
            "file": result.item.shown,
            "kind": result.item.kind,
            "name": result.item.title,
            "status": result.status,
            "cases": [_case_data(case) for case in result.cases],
            "casesNotRun": result.skipped,
        }
        for result in report.results
    ]
    summary = {"clean": report.clean, "content": dict(report.kinds), "cases": dict(report.cases), "findings": dict(report.severities)}
    findings = [finding_data(finding) for finding in in_order(report.findings)]
    echo(json.dumps({"version": 1, "summary": summary, "content": content, "findings": findings}, indent=2, ensure_ascii=False))


def _github(report: ValidationReport) -> None:
    from toolkit.report.github import annotation
    from toolkit.report.text import in_order

    for finding in in_order(report.findings):
        echo(annotation(finding))
    echo(_summary(report))
