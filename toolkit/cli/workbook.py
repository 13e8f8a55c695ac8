"""`toolkit workbook`: look at a workbook without deploying it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolkit.cli.console import echo, echo_finding
from toolkit.cli.data import Moment, bench_of, workspace_of
from toolkit.cli.main import CLEAN, ENVIRONMENT, FINDINGS

if TYPE_CHECKING:
    from toolkit.content.findings import Finding
    from toolkit.content.workbooks import WorkbookDocument
    from toolkit.workbooks.preview.session import Preview

_file = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group("workbook", short_help="Preview workbooks, and keep their texts in files of their own.")
def command() -> None:
    """Look at a workbook without deploying it, and keep its queries where people can review them."""


@command.command("preview", short_help="Draw a workbook from recorded logs.")
@_file
@click.option("--data", "folders", type=click.Path(path_type=Path, exists=True, file_okay=False), multiple=True, required=True,
              help="Folder whose files are named after tables; may be given several times.")  # fmt: skip
@click.option("--now", type=Moment(), help="The time at which the workbook is opened; the time of the machine by default.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on this machine; any free one by default.")
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Write one HTML file instead of serving.")
@click.option("--time-limit", type=click.FloatRange(min=0.01), default=60.0, show_default=True, metavar="S", help="Seconds per query.")
def preview(file: Path, folders: tuple[Path, ...], now: datetime | None, port: int, page: Path | None, time_limit: float) -> int:
    """Draw a workbook in the browser, from recorded logs, with the project's functions and watchlists.

    Parameters can be changed, rows clicked, tabs switched: the queries run again on this machine. With --html the page with the
    default values goes into one file that needs nothing else, for a pull request.
    """
    with _opened(file, folders, now, time_limit) as opened:
        if opened is None:
            return ENVIRONMENT
        if page is not None:
            return _write(opened, page)
        return _serve(opened, port)


def _write(opened: Preview, page: Path) -> int:
    from toolkit.workbooks.preview.page import page as html

    view = opened.view(every_tab=True)
    try:
        page.write_text(html(view), encoding="utf-8")
    except OSError as error:
        click.echo(f"{page} cannot be written: {error.strerror}", err=True)
        return ENVIRONMENT
    failed = list(_failures(view["items"]))
    for title, reason in failed:
        click.echo(f"{title}: {reason}", err=True)
    echo(f"{page}: {page.stat().st_size / 1000:.0f} kB")
    return FINDINGS if failed else CLEAN


def _failures(items: list[dict[str, object]]) -> Iterator[tuple[str, str]]:
    for item in items:
        if item.get("error"):
            yield str(item.get("title") or item.get("name")), str(item["error"])
        inner = item.get("items")
        if item.get("kind") == "group" and isinstance(inner, list):
            yield from _failures(inner)


def _serve(opened: Preview, port: int) -> int:
    from toolkit.kql.diagnostics import ToolkitError

    try:
        from toolkit.workbooks.preview.listening import PreviewServer
    except ModuleNotFoundError as error:
        click.echo(f"The preview in a browser needs {error.name}: pip install 'toolkit[serve]'. --html does without.", err=True)
        return ENVIRONMENT
    try:
        server = PreviewServer(opened, port)
    except ToolkitError as error:
        click.echo(str(error), err=True)
        return ENVIRONMENT
    echo(f"{opened.title}: {server.url}")
    click.echo("Ctrl-C ends the preview.", err=True)
    server.run()
    return CLEAN


@contextmanager
def _opened(file: Path, folders: tuple[Path, ...], now: datetime | None, time_limit: float) -> Iterator[Preview | None]:
    """The workbook over the logs of the folders; None when it cannot be shown, after saying why."""
    from toolkit.content.findings import ContentError
    from toolkit.kql.diagnostics import ToolkitError
    from toolkit.workbooks.preview.session import Preview

    try:
        bench = bench_of(file, threads=None)
        files = _read(file, bench.project.show(file))
    except ContentError as error:
        _show(error.findings)
        yield None
        return
    try:
        workspace_of(bench, folders, lenient=False)
        yield Preview(files, bench.base, now or datetime.now(UTC), time_limit)
    except ToolkitError as error:
        click.echo(str(error), err=True)
        yield None
    finally:
        bench.close()


def _read(file: Path, shown: str) -> WorkbookDocument:
    """Raises ContentError for a file that is no workbook."""
    from toolkit.content.findings import ContentError
    from toolkit.content.workbooks import read_workbook

    files, findings = read_workbook(file, shown)
    wrong = [finding for finding in findings if finding.severity == "error"]
    if wrong:
        raise ContentError(wrong)
    return files


def _show(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        echo_finding(finding)


@command.command("split", short_help="Move the queries of a workbook into files of their own.")
@_file
def split(file: Path) -> int:
    """Move the queries of NAME.json into NAME/*.kql, where people can read and review them, and refer to them.

    What is deployed stays the same: `toolkit workbook join` prints it.
    """
    from toolkit.content.findings import ContentError
    from toolkit.workbooks.split import split_workbook

    try:
        files = _read(file, str(file))
        written = split_workbook(files)
    except ContentError as error:
        _show(error.findings)
        return ENVIRONMENT
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    echo(f"{file}: {len(written) - 1} quer{'y' if len(written) == 2 else 'ies'} in {file.with_suffix('')}/")
    return CLEAN


@command.command("join", short_help="Print a workbook as one JSON text, as Azure takes it.")
@_file
def join(file: Path) -> int:
    """Print the workbook with the texts of its other files put in: what the portal's advanced editor and Azure take."""
    import json

    from toolkit.content.findings import ContentError

    try:
        files = _read(file, str(file))
    except ContentError as error:
        _show(error.findings)
        return ENVIRONMENT
    click.echo(json.dumps(files.content(), ensure_ascii=False, indent=2))
    return CLEAN
