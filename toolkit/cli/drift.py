"""`toolkit drift`."""

from __future__ import annotations

import json

import click

from toolkit.cli.azure import environment_argument
from toolkit.cli.console import echo
from toolkit.cli.main import CLEAN, FINDINGS
from toolkit.cli.plan import line_style, planned, show_unusable


@click.command("drift", short_help="Find what was changed in a workspace since it was deployed.")
@environment_argument
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True, help="Report.")
def command(environment: str, form: str) -> int:
    """Compare the workspace of ENV with the project's content: what was changed or deleted there, by whom and when.

    The exit code is 1 when the workspace differs, 0 when it does not; what was only changed in the files is listed and is no drift.
    """
    from toolkit.content.findings import ContentError
    from toolkit.deploy.drift import Drift, drift_data, drift_lines, drift_of

    try:
        plan = planned(environment, prune=None, max_deletes=None)
    except ContentError as error:
        return show_unusable(error)
    drift: Drift = drift_of(plan)
    if form == "json":
        click.echo(json.dumps(drift_data(drift), indent=2, ensure_ascii=False))
    else:
        for line in drift_lines(drift):
            echo(line, **line_style(line))
    if form == "github":
        for step in (*drift.changed, *drift.missing):
            what = "differs in the workspace" if step in drift.changed else "is not in the workspace"
            click.echo(f"::warning file={step.file},title=drift::{step.title} {what}")
    errors = [problem for problem in plan.problems if problem.severity == "error"]
    for problem in errors if form != "json" else ():
        echo(problem.text, fg="red")
    return CLEAN if drift.clean and not errors else FINDINGS
