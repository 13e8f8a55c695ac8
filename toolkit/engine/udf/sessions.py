"""Sessions of rows in order, as row_window_session cuts them."""

from __future__ import annotations

from collections.abc import Sequence


def session_starts(times: Sequence[int], restarts: Sequence[bool], longest: Sequence[int], gaps: Sequence[int]) -> list[int]:
    """For every row the time its session began. Ticks; a new one begins beyond the longest duration, the gap, or on a restart (R-273)."""
    starts: list[int] = []
    for index, time in enumerate(times):
        fresh = not index or restarts[index] or time - starts[-1] > longest[index] or time - times[index - 1] > gaps[index]
        starts.append(time if fresh else starts[-1])
    return starts
