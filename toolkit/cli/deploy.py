"""`toolkit deploy`, and applying a plan for the other verbs that change a workspace."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.azure import connect, environment_argument, project_here, status
from toolkit.cli.console import echo, progress
from toolkit.cli.main import CLEAN, FINDINGS, INTERRUPTED
from toolkit.cli.plan import deletes_option, prune_option, show_plan, show_unusable

if TYPE_CHECKING:
    from toolkit.content.project import Project
    from toolkit.deploy.apply import Applied
    from toolkit.deploy.connection import Connection
    from toolkit.deploy.plan import Plan

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
report_option = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Report.")
_FILE = click.Path(dir_okay=False, path_type=Path)
summary_option = click.option("--summary", type=_FILE, metavar="FILE", help="Append the report in Markdown to FILE ($GITHUB_STEP_SUMMARY).")


@click.command("deploy", short_help="Put content into a workspace: validate, plan, show, ask, apply, verify.")
@environment_argument
@click.option("--plan", "plan_file", type=_FILE, metavar="FILE", help="Apply this plan of `toolkit plan --out`.")
@yes_option
@report_option
@summary_option
@prune_option
@deletes_option
@click.option("--skip-validation", is_flag=True, help="Do not run the cases first; errors of the content forbid a deployment all the same.")
def command(environment: str, plan_file: Path | None, yes: bool, form: str, summary: Path | None, **options: object) -> int:
    """Make the workspace of ENV have what the project says.

    Validates the content, plans, shows the plan, asks, applies it and reads everything back. A failed item does not stop others; run
    again and only the rest is done. With --plan exactly that plan is applied, and refused when the workspace has changed since. The exit
    code is 0 when everything was done, 1 when errors forbid it or something failed, 3 when the workspace cannot be used.
    """
    from toolkit.content.findings import ContentError
    from toolkit.deploy.plan import PlanError

    if plan_file is not None and (options["prune"] is not None or options["max_deletes"] is not None):
        raise click.UsageError("--plan applies the plan as it was reviewed: give --prune, --no-prune and --max-deletes to `toolkit plan`.")
    try:
        project = project_here()
        if plan_file is None and not options["skip_validation"] and not _valid(project):
            _append(summary, f"### Deployment to `{environment}`\n\nNothing was deployed: the content has errors.\n")
            click.echo("Nothing was deployed: the content has errors. `toolkit validate` shows them alone.", err=True)
            return FINDINGS
        with connect(project, environment) as connection:
            plan = _plan(project, environment, connection, plan_file, options)
            return carry_out(plan, connection, Way(yes, form, summary))
    except PlanError as error:
        click.echo(str(error), err=True)
        return FINDINGS
    except ContentError as error:
        return show_unusable(error)


def _valid(project: Project) -> bool:
    """Whether the content passes its own tests; findings are shown when it does not.

    A case is written for the rule's own parameters, or for an environment that it names: those of the target are no reason to fail.
    """
    from toolkit.cli.validate import show_report
    from toolkit.testing.validate import Options, Validation

    with progress(wanted=True) as observer:
        report = Validation(project, Options(), observer).run()
    if not report.clean:
        show_report(report)
    return report.clean


def _plan(project: Project, environment: str, connection: Connection, file: Path | None, options: dict[str, object]) -> Plan:
    from toolkit.content.files import read_text
    from toolkit.deploy.freshness import refreshed
    from toolkit.deploy.plan import Plan, PlanError
    from toolkit.deploy.service import PlanOptions, plan_environment

    if file is not None:
        plan = Plan.from_json(read_text(file, str(file), max_bytes=1_000_000_000), str(file))
        if plan.environment != environment:
            raise PlanError(f"{file}: the plan is for the environment {plan.environment!r}, not for {environment!r}.")
        return refreshed(plan, connection)
    prune, most = options["prune"], options["max_deletes"]
    wanted = PlanOptions(datetime.now(UTC), prune if isinstance(prune, bool) else None, most if isinstance(most, int) else None)
    with status() as report:
        return plan_environment(project, environment, connection, wanted, report)


class Way:
    """How a plan is carried out: asked about or not, and how its outcome is told."""

    def __init__(self, yes: bool, form: str = "text", summary: Path | None = None, confirm: str = "") -> None:
        """`confirm` is a word that has to be typed in place of a yes."""
        self.yes, self.form, self.summary, self.confirm = yes, form, summary, confirm


def carry_out(plan: Plan, connection: Connection, way: Way) -> int:
    """Show the plan, ask, apply it, read back, tell what became of it; the exit code."""
    from toolkit.deploy.apply import Applied, apply
    from toolkit.deploy.explain import plan_markdown
    from toolkit.deploy.readback import verified

    _append(way.summary, "")  # before anything is done: later its outcome would be lost
    if way.form == "text":
        show_plan(plan, "text")
    if plan.blocked:
        if way.form != "text":
            show_plan(plan, "json")
        _append(way.summary, plan_markdown(plan))
        click.echo("Nothing was deployed: the plan has errors.", err=True)
        return FINDINGS
    if not plan.steps:
        return _told(Applied(plan), way)
    if any(step.action != "forget" for step in plan.steps) and not way.yes and not _agreed(plan, way):
        click.echo("Nothing was deployed.", err=True)
        return FINDINGS
    with progress(wanted=way.form == "text") as bar:
        if bar:
            bar.total(len(plan.steps))
        applied = apply(plan, connection, datetime.now(UTC), bar.step if bar else lambda _: None)
    with status() as report:
        report("reading back what was written")
        applied = verified(applied, connection)
    return _told(applied, way)


def _agreed(plan: Plan, way: Way) -> bool:
    if not sys.stdin.isatty() or way.form != "text":
        raise click.UsageError(f"There is nobody to ask here; {'--confirm' if way.confirm else '--yes'} goes on without asking.")
    if way.confirm:
        return bool(click.prompt(f"Type {way.confirm!r} to go on", default="", show_default=False) == way.confirm)
    return click.confirm(f"Deploy this to {plan.environment}?", default=False)


def _told(applied: Applied, way: Way) -> int:
    from toolkit.deploy.explain import applied_data, applied_markdown, outcome_lines

    if way.form == "json":
        click.echo(json.dumps(applied_data(applied), indent=2, ensure_ascii=False))
    else:
        for line in outcome_lines(applied):
            echo(line, **({"fg": "green" if applied.clean else "red", "bold": True} if line.startswith(applied.plan.environment) else {}))
    _append(way.summary, applied_markdown(applied))
    if applied.interrupted:
        return INTERRUPTED
    return CLEAN if applied.clean else FINDINGS


def _append(summary: Path | None, text: str) -> None:
    """Add to a job's summary, where there is one."""
    if summary is None:
        return
    try:
        with summary.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise click.UsageError(f"{summary} cannot be written: {error.strerror}.") from error
