"""The periods of a series: what is documented of their detection.

Documented: a period has at least 4 values and at most half of the series; a score lies between 0 and 1. How a score is
computed is not, so that a series that may have a period is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.engine.udf.json_text import array_text
from toolkit.engine.udf.series import number_text
from toolkit.engine.udf.series_numbers import reals, refused

if TYPE_CHECKING:
    from toolkit.engine.udf.series_numbers import Reals

SHORTEST = 4


def detected(values: Reals, threshold: float, function: str) -> int:
    """The period that the service takes, 0 for none; refused where it is not determined."""
    if threshold > 1 or _aperiodic(values):
        return 0
    raise refused(
        f"{function}: how the service detects the period of a series of {len(values)} values is not documented;"
        " give the seasonality as an argument, 0 for none"
    )


def _aperiodic(values: Reals) -> bool:
    """Too short for a period, or constant."""
    return len(values) < 2 * SHORTEST or bool((values == values[0]).all())


def detect(series: str, shortest: float, longest: float, count: int) -> list[str | None] | None:
    """[periods, scores] as JSON texts: `count` of each, zeros where no more is found."""
    values = reals(series)
    if values is None or count < 0:
        return None
    if max(shortest, SHORTEST) > min(longest, len(values) / 2) or _aperiodic(values):
        zeros = array_text(["0.0"] * count)
        return [zeros, zeros]
    raise refused("series_periods_detect: how the service scores a period is not documented")


def validate(series: str, periods: list[float]) -> list[str | None] | None:
    """[periods, scores] as JSON texts; the score of a period outside its bounds is 0."""
    values = reals(series)
    if values is None:
        return None
    if any(SHORTEST <= period <= len(values) / 2 for period in periods):
        raise refused("series_periods_validate: how the service scores a period is not documented")
    return [array_text(map(number_text, periods)), array_text(["0.0"] * len(periods))]
