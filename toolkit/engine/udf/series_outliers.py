"""Tukey's fences: how far the values of a series lie outside the range between two of its percentiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.engine.udf.series_numbers import refused, sparse_reals, text_of

if TYPE_CHECKING:
    from toolkit.engine.udf.series_numbers import Reals

# What a score over the percentiles 10 and 90 is multiplied with, so that 1.5 stands for the same distance as over the
# percentiles 25 and 75 of a normal distribution. The service's quantiles are these two (its answers have the factor to
# 16 digits), not the exact 0.6745 and 1.2816.
_Z75, _Z90 = 0.675, 1.29682082
_MILD = 1.5
_ROUNDING = 1e-13
_CUSTOM = _MILD * 2 * _Z90 / (_Z75 + _MILD * 2 * _Z75 - _Z90)

# kind -> the percentiles and the factor
_KINDS = {"tukey": (25.0, 75.0, 1.0), "ctukey": (10.0, 90.0, _CUSTOM)}


def kind_of(kind: str, function: str) -> tuple[float, float, float]:
    found = _KINDS.get(kind)
    if found is None:
        raise refused(f"{function}: the kind of outlier detection is 'ctukey' or 'tukey', not '{kind}'")
    return found


def scores(values: Reals, learned: Reals, kind: tuple[float, float, float], function: str) -> Reals:
    """0 within the percentiles of the learned values (which hold no NaN), else the distance in units of their range."""
    import numpy as np

    low, high = np.percentile(learned, kind[:2])
    away = np.where(values > high, values - high, np.where(values < low, values - low, 0.0))
    # a value that is one of the percentiles lies not outside, whatever their interpolation rounds to
    away = np.where(np.abs(away) <= _ROUNDING * np.abs(values), 0.0, away)
    if high > low:
        found: Reals = away / (high - low) * kind[2] + 0.0
        return found
    if away.any():
        raise refused(
            f"{function}: the percentiles {kind[0]:g} and {kind[1]:g} of the values are equal, so that the score of a value outside"
            " is a division by zero; what the service answers then is not documented"
        )
    return away


def outliers(
    series: str | None, kind: str | None, ignored: float | None, low: float | None, high: float | None, test_points: int | None
) -> str | None:
    """A score per element; 0 for elements that are no numbers and for the ignored value."""
    import numpy as np

    values = sparse_reals(series)
    if values is None or kind is None or test_points is None:
        return None
    found = kind_of(kind, "series_outliers")
    if kind == "ctukey" and (low, high) not in ((None, None), (10.0, None), (10.0, 90.0)):
        raise refused("series_outliers: how the service normalizes scores over percentiles other than 10 and 90 is not documented")
    known = np.isfinite(values)
    if ignored is not None:
        known &= values != ignored
    learned = values[: len(values) - test_points][known[: len(values) - test_points]] if test_points >= 0 else values[:0]
    if not len(learned):
        if not known.any():
            return text_of(np.zeros(len(values)))
        raise refused("series_outliers: no value is left to learn from")
    result = np.zeros(len(values))
    result[known] = scores(values[known], learned, found, "series_outliers")
    return text_of(result)
