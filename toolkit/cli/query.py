"""`toolkit query`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.azure import status
from toolkit.cli.console import echo, echo_finding
from toolkit.cli.data import Moment, bench_of, workspace_of
from toolkit.cli.main import CLEAN, ENVIRONMENT, FINDINGS

if TYPE_CHECKING:
    from toolkit import Workspace

_WIDEST = 80


@click.command("query", short_help="Run KQL on a folder of recorded logs.")
@click.argument("kql")
@click.option("--data", "folder", type=click.Path(path_type=Path), help="Folder whose files are named after tables, or one such file.")
@click.option("--now", type=Moment(), help="What now() is in the query; the time of the machine by default.")
@click.option("--start", type=Moment(), help="Only rows whose TimeGenerated is later.")
@click.option("--end", type=Moment(), help="Only rows whose TimeGenerated is not later.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option("--lenient", is_flag=True, help="Leave out lines of logs that cannot be read, and count them.")
@click.option("--in-place", is_flag=True, help="Read the files where they are instead of loading them; large ones are anyway.")
@click.option("--time-limit", type=click.FloatRange(min=0.01), metavar="S", help="Seconds that the query may run.")
def command(kql: str, folder: Path | None, **options: Any) -> int:
    """Run KQL on recorded logs. `-` as KQL reads the query from standard input.

    A file belongs to the table that its name begins with (AKSAudit.jsonl, AKSAudit.attack.csv), a folder named after a
    table holds files of that table. Functions and watchlists of the project that the folder lies in can be used.
    Tables of more than 256 MB are read in place: the columns and the time range that the query asks for, not the whole files.
    A query that reads no table (print, range, datatable) needs no data. Several results (several statements, fork, facet)
    come one after the other.
    """
    from toolkit.content.findings import ContentError
    from toolkit.engine.errors import QueryCancelled
    from toolkit.engine.ingest import IngestError
    from toolkit.kql.diagnostics import KqlError, ToolkitError

    text = sys.stdin.read() if kql == "-" else kql
    try:
        bench = bench_of(folder or Path.cwd())
    except ContentError as error:
        for finding in error.findings:
            echo_finding(finding)
        return ENVIRONMENT
    if options["in_place"] and options["lenient"]:
        raise click.UsageError("--lenient is for logs that are loaded; with --in-place every record has to be readable.")
    now = options["now"] or datetime.now(UTC)
    try:
        workspace = workspace_of(bench, [folder] if folder else [], lenient=options["lenient"], in_place=options["in_place"])
        if folder is None:
            _refuse_tables(workspace, text)
        with status() as say:
            say("running the query")
            result = workspace.query(text, now=now, start=options["start"], end=options["end"], timeout=options["time_limit"])
        _show(result, options["form"])
    except QueryCancelled as error:
        raise KeyboardInterrupt from error
    except IngestError as error:
        click.echo(str(error), err=True)
        return ENVIRONMENT
    except KqlError as error:
        echo(str(error))
        return FINDINGS
    except ToolkitError as error:
        click.echo(str(error), err=True)
        return FINDINGS
    finally:
        bench.close()
    return CLEAN


def _show(result: Any, form: str) -> None:
    if form == "json":
        _json(result)
        return
    for number, one in enumerate((result, *result.others)):
        if number:
            echo()
        if one.name and form == "table":
            echo(f"{one.name}:", bold=True)
        (_table if form == "table" else _csv)(one)


def _refuse_tables(workspace: Workspace, text: str) -> None:
    """Without data every table would silently be empty."""
    found = workspace.analyze(text).tables
    if found:
        raise click.UsageError(f"The query reads {', '.join(found)}. Missing option '--data': the folder of its logs.")


def _cells(result: Any) -> Iterator[list[str]]:
    """The texts of each row. They are made from the JSON form, which keeps all seven digits of a time."""
    from toolkit.simulate.cells import cell_text

    for some in result.slices():
        for row in json.loads(some.to_json()):
            yield [cell_text(value) for value in row.values()]


def _table(result: Any) -> None:
    names = [name for name, _ in result.columns]
    widths = [len(name) for name in names]
    for row in _cells(result):  # twice: a large answer is not held as texts
        widths = [max(width, len(_cut(text))) for width, text in zip(widths, row, strict=True)]
    echo("  ".join(name.ljust(width) for name, width in zip(names, widths, strict=True)).rstrip(), bold=True)
    echo("  ".join("-" * width for width in widths))
    for row in _cells(result):
        echo("  ".join(_cut(text).ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    click.echo(f"{len(result)} row{'' if len(result) == 1 else 's'}", err=True)


def _cut(text: str) -> str:
    from toolkit.report.text import visible

    text = visible(text.replace("\n", "\\n").replace("\t", "\\t"))
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."


def _csv(result: Any) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([name for name, _ in result.columns])
    writer.writerows(_cells(result))


def _json(result: Any) -> None:
    """An array of rows; of several results an array of them, each with its name."""
    if not result.others:
        _json_rows(result)
        click.echo()
        return
    for number, one in enumerate((result, *result.others)):
        click.echo(f'{", " if number else "["}{{"name": {json.dumps(one.name, ensure_ascii=False)}, "rows": ', nl=False)
        _json_rows(one)
        click.echo("}", nl=False)
    click.echo("]")


def _json_rows(result: Any) -> None:
    for number, some in enumerate(result.slices()):
        click.echo(("[" if number == 0 else ", ") + some.to_json()[1:-1], nl=False)
    click.echo("]" if len(result) else "[]", nl=False)
