"""Funnels: how fast the steps of a sequence follow one another in the events of one id (R-315)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

_TIE = "two steps of the funnel are at the same time; which of them comes first is not documented"


def fastest_steps(times: Sequence[int], steps: Sequence[int], count: int) -> list[int | None]:
    """For each of `count` steps the least time from a first step, through those between in order, to it; None where none is reached.

    `times` and `steps` are the events in any order. Other events may stand between two steps.
    ValueError: steps that follow one another happen at the same time.
    """
    latest: list[int | None] = [None] * count  # when the latest chain that has got so far began
    fastest: list[int | None] = [None] * count
    for time, events in groupby(sorted(zip(times, steps, strict=True)), key=lambda event: event[0]):
        here = {step for _, step in events}
        if any(step - 1 in here and (step == 1 or latest[step - 2] is not None) for step in here):
            raise ValueError(f"kql: {_TIE}")
        for step in here:
            began = time if step == 0 else latest[step - 1]
            if began is not None:
                latest[step] = began
                known = fastest[step]
                fastest[step] = time - began if known is None else min(known, time - began)
    return fastest
