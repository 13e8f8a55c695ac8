"""`toolkit destroy`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from toolkit.cli.azure import connect, environment_argument, project_here, status
from toolkit.cli.deploy import Way, carry_out, report_option, summary_option
from toolkit.cli.plan import show_unusable


@click.command("destroy", short_help="Delete everything from a workspace that this project deployed.")
@environment_argument
@click.option("--confirm", metavar="WORKSPACE", help="The workspace's name, instead of typing it when asked.")
@report_option
@summary_option
def command(environment: str, confirm: str | None, form: str, summary: Path | None) -> int:
    """Delete everything from the workspace of ENV that carries this project's mark, and nothing else.

    Asks for the workspace's name. Protected content stays. Records of the deleted rules stay for a day, because Azure blocks their ids
    for so long; running it again later removes them.
    """
    from toolkit.content.findings import ContentError
    from toolkit.deploy.service import PlanOptions, plan_destruction

    try:
        project = project_here()
        with connect(project, environment) as connection:
            name = connection.workspace.name
            if confirm is not None and confirm != name:
                raise click.UsageError(f"--confirm: expected {name!r}, the workspace of {environment!r}, found {confirm!r}.")
            with status() as report:
                plan = plan_destruction(project, environment, connection, PlanOptions(datetime.now(UTC)), report)
            return carry_out(plan, connection, Way(confirm is not None, form, summary, name))
    except ContentError as error:
        return show_unusable(error)
