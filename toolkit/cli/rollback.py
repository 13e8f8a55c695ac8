"""`toolkit rollback`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from toolkit.cli.azure import connect, environment_argument, project_here, status
from toolkit.cli.console import echo
from toolkit.cli.deploy import Way, carry_out, report_option, summary_option, yes_option
from toolkit.cli.plan import deletes_option, show_unusable


@click.command("rollback", short_help="Deploy the content of an earlier revision.")
@environment_argument
@click.option("--to", "revision", required=True, metavar="REV", help="Git revision: a commit, a tag, a branch, HEAD~1.")
@yes_option
@report_option
@summary_option
@deletes_option
def command(environment: str, revision: str, yes: bool, form: str, summary: Path | None, max_deletes: int | None) -> int:
    """Make the workspace of ENV have what the project said in the revision REV.

    Content and parameters are those of REV, workspace and policy those of today. What was added since is deleted. The files here
    stay as they are: revert them as well, or the next deployment brings today's content back.
    """
    from toolkit.content.findings import ContentError
    from toolkit.deploy.revisions import RevisionError, find_revision, project_at
    from toolkit.deploy.service import PlanOptions, plan_environment, with_environment_of

    try:
        project = project_here()
        found = find_revision(project.root, revision)
        if form == "text":
            echo(f"back to {found}")
        with project_at(project.root, found) as old, connect(project, environment) as connection:
            then = with_environment_of(old, project, environment)
            with status() as report:
                plan = plan_environment(then, environment, connection, PlanOptions(datetime.now(UTC), True, max_deletes), report)
            return carry_out(plan, connection, Way(yes, form, summary))
    except RevisionError as error:
        raise click.UsageError(str(error)) from error
    except ContentError as error:
        return show_unusable(error)
