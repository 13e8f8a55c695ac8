"""`toolkit record`."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.azure import connect, environment_argument, project_here
from toolkit.cli.console import echo, echo_finding, progress
from toolkit.cli.data import Duration, Moment
from toolkit.cli.main import CLEAN, ENVIRONMENT, FINDINGS

if TYPE_CHECKING:
    from toolkit.azure.logs import Timespan
    from toolkit.content.project import Project
    from toolkit.deploy.record import Key, Recorded, Report
    from toolkit.kql.types import TableSchema

KEY_VARIABLE = "TOOLKIT_RECORD_KEY"
_DAY = timedelta(days=1)
_SHOWN_ROWS = 3


@click.command("record", short_help="Record logs of a workspace as sample files, with pseudonyms.")
@environment_argument
@click.option("--table", required=True, metavar="T", help="Table that the file stands for.")
@click.option("--query", metavar="KQL", help="Query whose output is recorded; the whole table by default.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write: T.scenario.jsonl.")
@click.option("--start", type=Moment(), help="Rows from this time on.")
@click.option("--end", type=Moment(), help="Rows up to this time; now by default.")
@click.option("--last", type=Duration(), help="Rows of the last 1d, 12h, PT30M; 1d by default.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N rows.")
@click.option("--key-file", type=click.Path(path_type=Path, dir_okay=False), help=f"Key of the pseudonyms; also ${KEY_VARIABLE}.")
@click.option("--keep", multiple=True, metavar="COLUMN", help="Column whose values stay (secrets are removed all the same).")
@click.option("--allow-partial", is_flag=True, help="Record an answer that the service cut off.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@click.option("--dry-run", is_flag=True, help="Show what would be replaced and the first rows; write nothing.")
@click.option("--report", "report_file", type=click.Path(path_type=Path, dir_okay=False), help="Write what was replaced as JSON.")
def command(environment: str, table: str, output: Path, **options: Any) -> int:
    """Record logs of the workspace ENV as a file of samples for tests of rules.

    Users, hosts, domains, addresses and ids become pseudonyms that keep their shape and are the same in every file that is
    recorded with the same key, so that joins work. Secrets are removed. What was replaced is listed on standard error, and so
    are columns to look at. Look at the file before you commit it: docs/recording.md says what is not replaced.
    """
    from toolkit.content.findings import ContentError
    from toolkit.deploy.record import RecordingError, Request, record, refuse_existing, write_lines
    from toolkit.kql.diagnostics import ToolkitError

    request = Request(table, options["query"], _timespan(**_times(options)), options["limit"], options["keep"], options["allow_partial"])
    try:
        if not options["dry_run"]:
            refuse_existing(output, force=options["force"])
        project = project_here()
        schema = _schema(project, table)
        key = _key(options["key_file"])
        with connect(project, environment) as connection, progress(wanted=True) as observer:
            found = record(connection.logs, connection.workspace_id, request, key, schema, observer)
        if not options["dry_run"]:
            write_lines(output, found.recording.lines, force=options["force"])
        if options["report_file"]:
            text = json.dumps(found.recording.report.data(), indent=2)
            write_lines(options["report_file"], [text], force=True)
    except ContentError as error:
        for finding in error.findings:
            echo_finding(finding)
        return ENVIRONMENT
    except (RecordingError, ToolkitError) as error:
        click.echo(str(error), err=True)
        return ENVIRONMENT
    if options["dry_run"]:
        for line in found.recording.lines[:_SHOWN_ROWS]:
            echo(line)
    _show(found.recording.report)
    return _end(found, output, dry_run=options["dry_run"])


def _times(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("start", "end", "last")}


def _timespan(start: datetime | None, end: datetime | None, last: timedelta | None) -> Timespan:
    if last is not None and (start or end):
        raise click.UsageError("--last stands for --start and --end. Give it or them.")
    if start is None and end is None:
        return last or _DAY
    if start is None:
        raise click.UsageError("Missing option '--start'.")
    end = end or datetime.now(UTC)
    if end < start:
        raise click.UsageError("--start: expected a time before --end.")
    return start, end


def _schema(project: Project, table: str) -> TableSchema | None:
    """The columns of the table, None for a custom one that toolkit.yaml does not declare."""
    from toolkit.content.extensions import catalog_of
    from toolkit.deploy.record import is_custom
    from toolkit.kql.diagnostics import suggestion

    catalog = catalog_of(project)
    found = catalog.table(table)
    if found is None and not is_custom(table):
        hint = " ".join(suggestion(table, catalog.names()))
        raise click.UsageError(f"--table: there is no table {table!r}. {hint}".rstrip())
    return found


def _key(path: Path | None) -> Key:
    """The key of a file, of the environment, or of the user's own file, which is made on first use."""
    from toolkit.deploy.record import create_key, key_of_text, read_key

    if path is not None:
        return read_key(path)
    if text := os.environ.get(KEY_VARIABLE):
        return key_of_text(text, f"${KEY_VARIABLE}")
    own = Path(click.get_app_dir("toolkit")) / "record.key"
    if own.exists():
        return read_key(own)
    key = create_key(own)
    click.echo(f"{own}: a new key. Whoever has it can test who stands behind a pseudonym; without it, later files do not join.", err=True)
    return key


def _show(report: Report) -> None:
    rows = [(one.path, one.kind, str(one.values), str(one.distinct)) for one in report.replaced]
    _columns([("replaced in", "kind", "values", "distinct"), *rows] if rows else [("nothing was replaced",)])
    if report.doubtful:
        click.echo("\nLook at these columns before you commit:", err=True)
        _columns([(f"  {one.path}", one.why, f"{one.values} value{'s' if one.values != 1 else ''}") for one in report.doubtful])
    if report.kept:
        click.echo(f"\nKept as they are: {', '.join(report.kept)}", err=True)


def _columns(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), err=True)


def _end(found: Recorded, output: Path, *, dry_run: bool) -> int:
    report = found.recording.report
    done = "would be written" if dry_run else "written; look at it before you commit it"
    part = " (a part of the answer)" if found.is_partial else ""
    click.echo(f"\n{output}: {report.rows} row{'s' if report.rows != 1 else ''}{part} {done}. Key {report.key}.", err=True)
    if found.unknown:
        click.echo(
            f"{report.table} has no column {', '.join(found.unknown)}. Leave it out with --query, or declare it in toolkit.yaml.", err=True
        )
    return FINDINGS if found.unknown else CLEAN
