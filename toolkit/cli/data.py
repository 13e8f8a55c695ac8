"""Folders of recorded logs with the project around them: what `toolkit query` and `toolkit serve` run on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from toolkit import Workspace
    from toolkit.testing.bench import Bench


class Moment(click.ParamType[datetime]):
    """A time such as 2026-03-02T10:00:00Z; one without a zone is UTC."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            self.fail(f"Expected a time such as 2026-03-02T10:00:00Z, found {value!r}.", param, ctx)
        found: datetime = moment
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


class Duration(click.ParamType[timedelta]):
    """A duration as rule files write it: 5m, 12h, 1d, PT30M. Never zero."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        from toolkit.content.durations import parse_duration

        found = parse_duration(value) if isinstance(value, str) else value
        if not found:
            self.fail(f"Expected a duration such as 30m, 12h, 1d or PT30M, found {value!r}.", param, ctx)
        duration: timedelta = found
        return duration


def bench_of(folder: Path, threads: int | None = 1) -> Bench:
    """The functions and watchlists of the project around a folder. Raises ContentError."""
    from toolkit.content.project import Project
    from toolkit.testing.bench import Bench

    project = Project.find(folder, Path.cwd())
    return Bench(project, list(project.items("function")), list(project.items("watchlist")), None, threads=threads)


IN_PLACE_BYTES = 256 * 1024 * 1024
"""Tables whose files are larger than this together are read in place."""


def workspace_of(bench: Bench, places: Sequence[Path], *, lenient: bool, in_place: bool = False) -> Workspace:
    """The tables of folders and single files together; what is odd about a file goes to standard error. Raises IngestError.

    Tables of large files are attached, all of them with `in_place`; what cannot be read in place is then loaded, or with
    `in_place` refused. Attached tables come first: then no row has to move (`Database.attach`).
    """
    from toolkit.engine.ingest import IngestError

    workspace = bench.base
    tables = _tables_of(places)
    large = [table for table, files in tables.items() if in_place or (not lenient and _bytes(files) > IN_PLACE_BYTES)]
    loaded = [table for table in tables if table not in large]
    for table in large:
        try:
            _attach(workspace, table, tables[table])
        except IngestError as error:
            if in_place:
                raise
            click.echo(f"{table}: cannot be read in place and is loaded: {str(error).splitlines()[0]}", err=True)
            loaded.append(table)
    for table in loaded:
        _ingest(workspace, table, tables[table], lenient=lenient)
    return workspace


def _tables_of(places: Sequence[Path]) -> dict[str, list[Path]]:
    """Table -> its files. A file that is named twice, by itself and by its folder, counts once."""
    from toolkit.engine.ingest import discover
    from toolkit.engine.ingest.files import table_of

    found: dict[str, dict[Path, Path]] = {}
    for place in places:
        for table, files in ({table_of(place): [place]} if place.is_file() else discover(place)).items():
            for file in files:
                found.setdefault(table, {}).setdefault(file.resolve(), file)
    return {table: list(files.values()) for table, files in found.items()}


def _bytes(files: Sequence[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _attach(workspace: Workspace, table: str, files: Sequence[Path]) -> None:
    from toolkit.cli.azure import status

    size = f"{_bytes(files) / 2**20:,.1f} MiB"
    count = f"{len(files)} file{'' if len(files) == 1 else 's'}"
    with status() as say:
        say(f"{table}: looking through {count}, {size}")
        rows = workspace.attach(table, files)
    click.echo(f"{table}: {count}, {size}, {rows:,} row{'' if rows == 1 else 's'}, read in place.", err=True)


def _ingest(workspace: Workspace, table: str, files: Sequence[Path], *, lenient: bool) -> None:
    report = workspace.ingest(table, files, lenient=lenient)
    for finding in report.findings:
        if finding.severity != "info":
            click.echo(finding.render(), err=True)
    if report.skipped:
        click.echo(f"{table}: {report.skipped} records left out, {report.rows} read.", err=True)
