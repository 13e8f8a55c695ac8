"""`toolkit plan`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.azure import connect, environment_argument, project_here, status
from toolkit.cli.console import echo
from toolkit.cli.main import CLEAN, ENVIRONMENT, FINDINGS

if TYPE_CHECKING:
    from toolkit.deploy.plan import Plan

prune_option = click.option("--prune/--no-prune", default=None, help="Delete what this project deployed and no longer has.")
_COLOURS = (("-/+", "yellow"), ("+", "green"), ("-", "red"), ("~", "yellow"), ("!", "yellow"))
deletes_option = click.option("--max-deletes", type=click.IntRange(min=0), metavar="N", help="Most deletions in one deployment.")


@click.command("plan", short_help="Show what a deployment would change in a workspace.")
@environment_argument
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the plan, for `toolkit deploy --plan`.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True, help="Output.")
@prune_option
@deletes_option
def command(environment: str, out: Path | None, form: str, prune: bool | None, max_deletes: int | None) -> int:
    """Compare the project's content with what the workspace of ENV has, and show every difference in meaning.

    Nothing is written to the workspace. The exit code is 0 when the plan can be applied (also when nothing changes), 1 when errors
    forbid it, 3 when the environment or the workspace cannot be used.
    """
    from toolkit.content.findings import ContentError

    try:
        plan = planned(environment, prune, max_deletes)
    except ContentError as error:
        return show_unusable(error)
    if out is not None:
        write_file(out, plan.to_json())
    show_plan(plan, form)
    return FINDINGS if plan.blocked else CLEAN


def planned(environment: str, prune: bool | None, max_deletes: int | None) -> Plan:
    """The plan for an environment of the project here. Raises ContentError and AzureApiError."""
    from toolkit.deploy.service import PlanOptions, plan_environment

    project = project_here()
    with connect(project, environment) as connection, status() as report:
        return plan_environment(project, environment, connection, PlanOptions(datetime.now(UTC), prune, max_deletes), report)


def show_plan(plan: Plan, form: str) -> None:
    from toolkit.deploy.explain import plan_lines, plan_markdown

    if form == "json":
        click.echo(plan.to_json(), nl=False)
    elif form == "markdown":
        click.echo(plan_markdown(plan), nl=False)
    else:
        for problem in plan.problems:
            echo(problem.text, fg={"error": "red", "warning": "yellow", "info": "blue"}[problem.severity])
            echo()
        for line in plan_lines(plan):
            echo(line, **line_style(line))


def line_style(line: str) -> dict[str, object]:
    """Colours of a diff: what comes is green, what goes red, what changes yellow."""
    bare = line.strip()
    if bare.startswith(("--- ", "+++ ", "@@")):
        return {"dim": True}
    colour = next((colour for mark, colour in _COLOURS if bare.startswith(mark)), "")
    if not colour:
        return {}
    return {"fg": colour, "bold": True} if bare == line else {"fg": colour}


def show_unusable(error: Exception) -> int:
    """An environment, a project or a workspace that cannot be used."""
    from toolkit.cli.console import echo_finding
    from toolkit.content.findings import ContentError

    if isinstance(error, ContentError):
        for finding in error.findings:
            echo_finding(finding)
    else:
        click.echo(str(error), err=True)
    return ENVIRONMENT


def write_file(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}.") from error
