"""Folders of recorded logs with the project around them: what `toolkit query` and `toolkit serve` run on."""

from __future__ import annotations

from datetime import UTC, datetime
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


def bench_of(folder: Path, threads: int | None = 1) -> Bench:
    """The functions and watchlists of the project around a folder. Raises ContentError."""
    from toolkit.content.project import Project
    from toolkit.testing.bench import Bench

    project = Project.find(folder, Path.cwd())
    return Bench(project, list(project.items("function")), list(project.items("watchlist")), None, threads=threads)


def workspace_of(bench: Bench, folder: Path | None, *, lenient: bool) -> Workspace:
    """The tables of a folder; what is odd about its files goes to standard error. Raises IngestError."""
    from toolkit.engine.ingest import discover

    workspace = bench.base
    for table, files in discover(folder).items() if folder is not None else ():
        report = workspace.ingest(table, files, lenient=lenient)
        for finding in report.findings:
            if finding.severity != "info":
                click.echo(finding.render(), err=True)
        if report.skipped:
            click.echo(f"{table}: {report.skipped} records left out, {report.rows} read.", err=True)
    return workspace
