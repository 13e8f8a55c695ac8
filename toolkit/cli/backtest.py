"""`toolkit backtest`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.azure import connect, environment_argument, project_here
from toolkit.cli.console import echo, echo_finding, progress
from toolkit.cli.data import Duration, Moment
from toolkit.cli.main import CLEAN, ENVIRONMENT, FINDINGS

if TYPE_CHECKING:
    from toolkit.content.items import Item
    from toolkit.content.models.rule import Rule
    from toolkit.content.project import Project
    from toolkit.deploy.backtest import Backtest, Outcome, Schedule

MOST_QUERIES = 2100
"""Enough for a week of a rule that runs every five minutes."""


@click.command("backtest", short_help="Run a rule over the last days of a live workspace.")
@click.argument("rule")
@environment_argument
@click.option("--days", type=click.IntRange(1, 730), required=True, metavar="N", help="How many days back.")
@click.option("--until", type=Moment(), help="The time of the last run; five minutes ago by default.")
@click.option("--step", type=Duration(), help="Look at one run in so much time only: a multiple of the rule's frequency.")
@click.option(
    "--max-queries",
    type=click.IntRange(min=1),
    default=MOST_QUERIES,
    show_default=True,
    metavar="N",
    help="Refuse a backtest that needs more queries.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(rule: str, environment: str, **options: Any) -> int:
    """Run a rule on the live workspace of ENV, window by window, as the service would have run it.

    RULE is a rule's file, or its file's name, id or name. Every run of the last days is one query with the run's window as its time
    span and the run's time as now(). Nothing is written. The exit code is 1 when some windows failed or gave only a part of their
    rows, 3 when the workspace cannot be asked.
    """
    from toolkit.content.findings import ContentError
    from toolkit.deploy.backtest import Backtest, BacktestError
    from toolkit.deploy.backtest.backtest import rule_of

    until = _until(options["until"])
    try:
        project = project_here()
        project.environment(environment)
    except ContentError as error:
        return _refused(error, ENVIRONMENT)
    try:
        item = _rule(project, rule)
        model = rule_of(item)
        schedule = _schedule(model, until, options)
        backtest = Backtest.prepare(project, item, environment, schedule)
    except ContentError as error:
        return _refused(error, FINDINGS)
    except BacktestError as error:
        click.echo(f"{rule}: {error}", err=True)
        return FINDINGS
    outcome = _run(project, backtest)
    if options["form"] == "json":
        click.echo(json.dumps(outcome.to_json(), ensure_ascii=False, indent=2))
    else:
        _show(outcome)
    return FINDINGS if outcome.incomplete else CLEAN


def _schedule(rule: Rule, until: datetime, options: Mapping[str, Any]) -> Schedule:
    from toolkit.deploy.backtest import BacktestError, schedule_of
    from toolkit.deploy.backtest.schedule import check_number

    try:
        schedule = schedule_of(rule, until, options["days"], options["step"])
        check_number(schedule, options["max_queries"])
    except BacktestError as error:
        raise click.UsageError(str(error)) from None
    return schedule


def _until(given: datetime | None) -> datetime:
    """The last time whose run is over: it starts five minutes after its window (S-05)."""
    from toolkit.deploy.backtest.schedule import DELAY

    latest = datetime.now(UTC).replace(second=0, microsecond=0) - DELAY
    if given is not None and given > latest:
        raise click.UsageError(
            f"--until: the run of {given:%Y-%m-%d %H:%M} UTC is not over, expected {latest:%Y-%m-%d %H:%M} UTC or earlier "
            "(the service runs a rule 5 minutes after its window)."
        )
    return given or latest


def _rule(project: Project, named: str) -> Item:
    """A rule by its file, or by its file's name, id or name. Raises ContentError."""
    from toolkit.kql.diagnostics import suggestion

    path = Path(named)
    if path.exists() or path.suffix in (".yaml", ".yml") or len(path.parts) > 1:
        items = project.select([path])
        if len(items) != 1:
            raise click.UsageError(f"Expected the file of one rule, found {len(items)} in {named}.")
        return items[0]
    items = list(project.items("rule"))
    found = [item for item in items if named in (item.name, item.title, getattr(item.model, "id", None))]
    if len(found) == 1:
        return found[0]
    if found:
        raise click.UsageError(f"{len(found)} rules are called {named!r}: {', '.join(item.shown for item in found)}. Give the file.")
    hint = " ".join(suggestion(named, [name for item in items for name in (item.name, item.title)]))
    raise click.UsageError(f"The project has no rule {named!r}, neither as a file nor as a name or an id. {hint}".rstrip())


def _run(project: Project, backtest: Backtest) -> Outcome:
    from toolkit.deploy.backtest.text import estimate

    click.echo(estimate(backtest.schedule), err=True)
    with connect(project, backtest.environment) as connection, progress(wanted=True) as bar:
        return backtest.run(connection.logs, connection.workspace_id, bar)


def _show(outcome: Outcome) -> None:
    from toolkit.deploy.backtest.text import outcome_text

    first, *rest = outcome_text(outcome, shutil.get_terminal_size().columns).split("\n")
    echo(first, bold=True)
    for line in rest:
        echo(line)


def _refused(error: Any, code: int) -> int:
    for finding in error.findings:
        echo_finding(finding)
    return code
