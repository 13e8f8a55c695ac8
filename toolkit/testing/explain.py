"""Why a case gave nothing: the number of rows after each step of the query, and the step that lost them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from toolkit.content.template.render import Query
from toolkit.simulate.alerts import Window

_WIDTH = 100


class Step(Protocol):
    """A pipe step as `Workspace.trace` reports it."""

    start: int
    end: int
    text: str
    rows: int


def step_lines(steps: Sequence[Step], query: Query, window: Window | None, unscoped: int | None) -> list[str]:
    """The table of steps, one line each. `unscoped`: rows of the first step without the window, when they are known."""
    if not steps:
        return []
    lines = [f"  rows after each step{_shown_window(window)}:"]
    lost_at = next((number for number, step in enumerate(steps) if step.rows == 0), None)
    counts = [f"{step.rows:,}" for step in steps]
    width = max(map(len, counts))
    for number, step in enumerate(steps[: len(steps) if lost_at is None else lost_at + 1]):
        marker = ">" if number == lost_at else " "
        place = (
            ""
            if query.written(step.start) is None
            else f"line {query.document.source.position(query.file_span(step.start, step.end).start).line}: "
        )
        line = f"  {marker} {counts[number]:>{width}}  {place}{'| ' if number else ''}{_one_line(step.text)}"
        lines.append(line + (_loss(steps, number, unscoped) if number == lost_at else ""))
    if lost_at is not None and lost_at + 1 < len(steps):
        rest = len(steps) - lost_at - 1
        lines.append(f"    {'':>{width}}  ... and {rest} more step{'s' if rest > 1 else ''}")
    return lines


def _loss(steps: Sequence[Step], number: int, unscoped: int | None) -> str:
    if number:
        before = steps[number - 1].rows
        return f"   <- {'the last row is' if before == 1 else f'all {before:,} rows are'} lost here"
    if unscoped:
        return f"   <- {unscoped:,} row{'s' if unscoped > 1 else ''} without the window, none inside it"
    return "   <- it gives no row for the logs of this case"


def _shown_window(window: Window | None) -> str:
    if window is None:
        return ""
    return f" in the window after {_moment(window.start)} up to {_moment(window.end)}"


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _one_line(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."


def trace_lines(workspace: Any, query: Query, now: datetime, window: Window | None, parameters: dict[str, Any] | None = None) -> list[str]:
    """The table of steps for a query on a workspace; empty where the engine cannot tell (a query that it cannot cut into steps)."""
    from toolkit.kql.diagnostics import ToolkitError

    try:
        start, end = (window.start, window.end) if window else (None, now)
        steps = workspace.trace(query.text, now=now, start=start, end=end, parameters=parameters)
        unscoped = None
        if window and steps and steps[0].rows == 0:
            unscoped = workspace.trace(query.text, now=now, parameters=parameters)[0].rows
    except ToolkitError:
        return []
    return step_lines(steps, query, window, unscoped)
