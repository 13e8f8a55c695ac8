"""`toolkit pull`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.azure import connect, environment_argument, project_here, status
from toolkit.cli.console import echo
from toolkit.cli.main import CLEAN, FINDINGS
from toolkit.cli.plan import show_unusable

if TYPE_CHECKING:
    from toolkit.deploy.adopt import Pull


@click.command("pull", short_help="Write files for what is only in a workspace.")
@environment_argument
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="The folder with one folder per system.")
@click.option("--system", default="imported", show_default=True, metavar="NAME", help="The folder below it that new files go into.")
@click.option("--dry-run", is_flag=True, help="Only list the files.")
def command(environment: str, into: Path | None, system: str, dry_run: bool) -> int:
    """Write a file for every rule, hunting query, function, watchlist and workbook of ENV's workspace that no file of the project is yet.

    The files say exactly what the workspace has: `toolkit plan` shows no change afterwards. Existing files are never overwritten. The
    exit code is 1 when something could not be written exactly; it is listed with the reason.
    """
    from toolkit.content.findings import ContentError
    from toolkit.deploy.adopt import PullOptions, WriteError, pulled, write_new
    from toolkit.deploy.connection import environment_of
    from toolkit.deploy.desired import settings_of
    from toolkit.deploy.remote import CATEGORIES, read_remote

    try:
        project = project_here()
        target = environment_of(project, environment)
        with connect(project, environment) as connection, status() as report:
            report("reading the workspace")
            remote = read_remote(connection, (), None, categories=CATEGORIES)
        folder = project.root / (into or Path("detections"))
        resources = [found.resource for found in remote.found.values()]
        pull = pulled(resources, project, settings_of(project, environment, target), folder, PullOptions(target.prefix, system))
        if not dry_run:
            write_new(pull.files)
    except WriteError as error:
        click.echo(str(error), err=True)
        return FINDINGS
    except ContentError as error:
        return show_unusable(error)
    _show(pull, [project.show(path) for path in pull.files], dry_run=dry_run)
    for kind, problem in remote.missing.items():
        echo(f"not read: {kind}: {str(problem).splitlines()[0]}", fg="yellow")
    return FINDINGS if _inexact(pull) or remote.missing else CLEAN


def _inexact(pull: Pull) -> bool:
    """Whether something that files keep could not be written; rules of Microsoft's own kinds are none."""
    return any(
        skipped.resource.kind != "alertRule" or skipped.resource.body.get("kind") in ("Scheduled", "NRT") for skipped in pull.skipped
    )


def _show(pull: Pull, files: list[str], *, dry_run: bool) -> None:
    from toolkit.deploy.desired import shown_name
    from toolkit.report.text import visible

    for file in files:
        echo(visible(f"{'would write' if dry_run else 'wrote'} {file}"))
    for skipped in pull.skipped:
        name = shown_name(skipped.resource.body) or skipped.resource.name
        echo(visible(f"left out: {skipped.resource.kind} {name!r}: {skipped.reason}"), fg="yellow")
    echo(f"{len(pull.content)} new, {len(pull.known)} known, {len(pull.skipped)} left out.", bold=True)
