"""Writing to the terminal: colours only where one reads them, and a progress bar that is never in the way of output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from toolkit.content.findings import Finding
from toolkit.report.text import finding_text

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}


def coloured() -> bool:
    """Whether standard output is a terminal that wants colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def echo(text: str = "", **style: Any) -> None:
    """Print a line, styled on a terminal."""
    click.echo(click.style(text, **style) if style and coloured() else text, color=coloured())


def echo_finding(finding: Finding) -> None:
    """Print a finding: its first line in the colour of its severity, a diff in red and green."""
    head, *rest = finding_text(finding).split("\n")
    echo(head, fg=_COLOURS[finding.severity], bold=True)
    for line in rest:
        if line.startswith("  + "):
            echo(line, fg="green")
        elif line.startswith("  - "):
            echo(line, fg="red")
        elif line.startswith("  > "):
            echo(line, fg="yellow", bold=True)
        else:
            echo(line, **({"dim": True} if line.startswith("  hint:") else {}))


class Progress:
    """An observer of a validation that draws a bar on standard error."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task: Any = None

    def total(self, steps: int) -> None:
        self._task = self._bar.add_task("", total=steps)

    def step(self, name: str) -> None:
        shown = name if len(name) <= 60 else "..." + name[-57:]
        self._bar.update(self._task, advance=1, description=shown)


@contextmanager
def progress(*, wanted: bool) -> Iterator[Progress | None]:
    """A progress bar while standard error is a terminal; it is gone when the block ends. None otherwise."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(bar_width=30), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Progress(bar)
