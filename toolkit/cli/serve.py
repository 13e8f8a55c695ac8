"""`toolkit serve`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from toolkit.cli.console import echo, echo_finding
from toolkit.cli.data import Moment, bench_of, workspace_of
from toolkit.cli.main import CLEAN, ENVIRONMENT

if TYPE_CHECKING:
    from toolkit.serve.app import Access, Settings
    from toolkit.serve.databases import Database

_PORT = 8765
_LONGEST_PATH = 200
_TOKEN = "TOOLKIT_SERVE_TOKEN"  # noqa: S105  # the name of a variable


@click.command("serve", short_help="Answer Kusto and Log Analytics clients from recorded logs.")
@click.option(
    "--data", "places", multiple=True, metavar="[NAME=]PLACE", help="Folder whose files are named after tables, or one file. Repeatable."
)
@click.option("--port", type=click.IntRange(0, 65535), default=_PORT, show_default=True, help="0 takes any free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; others than this machine's own need a token.")
@click.option(
    "--token-file", type=click.Path(path_type=Path), help=f"File with the token that clients must send; or the variable {_TOKEN}."
)
@click.option(
    "--allow-origin", "origins", multiple=True, metavar="ORIGIN", help="Web page that may ask; `adx` is the Azure Data Explorer web UI."
)
@click.option("--now", type=Moment(), help="What now() is in every query; the time of the machine by default.")
@click.option(
    "--time-limit", type=click.FloatRange(min=0.01), default=600.0, show_default=True, metavar="S", help="Seconds that a query may run."
)
@click.option("--lenient", is_flag=True, help="Leave out lines of logs that cannot be read, and count them.")
@click.option("--in-place", is_flag=True, help="Read the files where they are instead of loading them; large ones are anyway.")
@click.option("--quiet", is_flag=True, help="No line per request.")
def command(places: tuple[str, ...], **options: Any) -> int:
    """Serve recorded logs to the clients of Azure Data Explorer and Log Analytics: azure-kusto-data, azure-monitor-query, Kqlmagic, the
    web UI.

    Each folder is read as `toolkit query` reads it, with the functions and watchlists of its project. One folder answers to every
    database or workspace name; several are called by theirs, NAME or that of the folder. The same NAME again adds to it, and so do
    further files of a folder. Nothing can be changed from outside. Ctrl-C stops the server.
    """
    from toolkit.content.findings import ContentError
    from toolkit.engine.ingest import IngestError

    try:
        from toolkit.serve.server import Server
    except ModuleNotFoundError as error:
        click.echo(f"`toolkit serve` needs {error.name}: install the extra, pip install 'toolkit[serve]'.", err=True)
        return ENVIRONMENT
    try:
        settings = _settings([_database(name, found, options) for name, found in _named(places)], options)
    except ContentError as error:
        for finding in error.findings:
            echo_finding(finding)
        return ENVIRONMENT
    except IngestError as error:
        click.echo(str(error), err=True)
        return ENVIRONMENT
    server = Server(settings, options["host"], options["port"])
    names = ", ".join(database.name for database in settings.databases.all)
    echo(f"Serving {names} on {server.url}; Ctrl-C stops.")
    server.run()
    return CLEAN


def _named(texts: Sequence[str]) -> list[tuple[str, list[Path]]]:
    """The databases that are asked for, each with its places. Without any there are the project's functions and no logs."""
    found: dict[str | Path, tuple[str, list[Path]]] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        place = Path(path if equals else text)
        folder = (place.parent if place.is_file() else place).resolve()
        found.setdefault(name.casefold() if equals else folder, (name if equals else folder.name, []))[1].append(place)
    return list(found.values()) or [(Path.cwd().name, [])]


def _database(name: str, places: Sequence[Path], options: dict[str, Any]) -> Database:
    from toolkit.serve.databases import Database

    bench = bench_of(places[0] if places else Path.cwd(), threads=None)
    return Database(name, workspace_of(bench, places, lenient=options["lenient"], in_place=options["in_place"]))


def _settings(databases: list[Database], options: dict[str, Any]) -> Settings:
    from toolkit.serve.app import Limits, Settings
    from toolkit.serve.databases import Databases
    from toolkit.serve.guard import ADX_ORIGINS, Guard, is_loopback

    origins = tuple(origin for given in options["origins"] for origin in (ADX_ORIGINS if given == "adx" else (given.rstrip("/"),)))
    guard = Guard(is_loopback(options["host"]), _token(options["token_file"]), origins)
    now = options["now"]
    return Settings(
        Databases(databases),
        (lambda: now) if now else (lambda: datetime.now(UTC)),
        guard,
        Limits(seconds=options["time_limit"]),
        (lambda access: None) if options["quiet"] else _log,
    )


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(_TOKEN) or None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--token-file {file}: cannot be read: {getattr(error, 'strerror', None) or 'not a text file'}") from None
    if not token:
        raise click.UsageError(f"--token-file {file}: expected a token, found an empty file.")
    return token


def _log(access: Access) -> None:
    """One line per request on standard error; of the query nothing."""
    from toolkit.report.text import visible

    path = re.sub(r"[^!-~]", _percent, access.path)  # one line, whatever a client asks for
    rows = "" if access.rows is None else f", {access.rows} row{'' if access.rows == 1 else 's'}"
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    request = f" {access.request_id[:100]}" if access.request_id else ""
    line = f"{moment} {access.client} {access.method} {path[:_LONGEST_PATH]} {access.status} {access.seconds * 1000:.0f} ms{rows}{request}"
    click.echo(visible(line), err=True)


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace"))
