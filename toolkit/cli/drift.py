"""`toolkit drift`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from toolkit.cli.azure import connect, environment_argument, project_here, status
from toolkit.cli.console import echo, echo_finding
from toolkit.cli.main import CLEAN, FINDINGS
from toolkit.cli.plan import line_style, show_unusable

if TYPE_CHECKING:
    from toolkit.content.project import Project
    from toolkit.deploy.drift import Drift
    from toolkit.deploy.service import Situation


@click.command("drift", short_help="Find what was changed in a workspace since it was deployed.")
@environment_argument
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True, help="Report.")
@click.option("--adopt", is_flag=True, help="Write the workspace's changes into the files, to review and commit.")
def command(environment: str, form: str, adopt: bool) -> int:
    """Compare the workspace of ENV with the project's content: what was changed or deleted there, by whom and when.

    The exit code is 1 when the workspace differs, 0 when it does not; what was only changed in the files is listed and is no drift.
    With --adopt the files take over what was changed in the workspace, and nothing else of them changes; the exit code is 1 when
    something could not be taken.
    """
    from toolkit.content.findings import ContentError
    from toolkit.deploy.drift import drift_of
    from toolkit.deploy.service import PlanOptions, situation

    try:
        project = project_here()
        with connect(project, environment) as connection, status() as report:
            found = situation(project, environment, connection, PlanOptions(datetime.now(UTC)), report)
        plan = found.plan()
        drift = drift_of(plan)
        _show(drift, form)
        for problem in drift.errors if form != "json" else ():
            echo(problem.text, fg="red")
        if adopt:
            return _adopt(project, found, drift)
    except ContentError as error:
        return show_unusable(error)
    return CLEAN if drift.clean else FINDINGS


def _show(drift: Drift, form: str) -> None:
    from toolkit.deploy.drift import drift_data, drift_lines
    from toolkit.report.github import annotated_file

    if form == "json":
        click.echo(json.dumps(drift_data(drift), indent=2, ensure_ascii=False))
        return
    for line in drift_lines(drift):
        echo(line, **line_style(line))
    for step in (*drift.changed, *drift.missing) if form == "github" else ():
        what = "differs in the workspace" if step in drift.changed else "is not in the workspace"
        click.echo(annotated_file("warning", step.file, "drift", f"{step.title} {what}"))


def _adopt(project: Project, found: Situation, drift: Drift) -> int:
    """Write the changes; tell on standard error, so that a report stays a report."""
    from toolkit.deploy.adopt import write_changed, write_new
    from toolkit.deploy.adoption import adoptions

    result = adoptions(project, found, drift.changed)
    for change in result.changes:
        if change.old:
            write_changed(change.path, change.old, change.new)
        else:
            write_new({change.path: change.new})
        click.echo(f"adopted: {project.show(change.path)}", err=True)
    for finding in result.refused:
        echo_finding(finding)
    if drift.missing:
        count = len(drift.missing)
        click.echo(f"{count} not there: delete the file{'s' if count > 1 else ''} to adopt that, or deploy again.", err=True)
    if result.changes:
        click.echo("Review the change and commit it; then `toolkit drift` is clean.", err=True)
    return FINDINGS if result.refused or drift.missing or drift.errors else CLEAN
