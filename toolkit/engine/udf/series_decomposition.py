"""A series as seasonal + trend + residual, and what is built on it: anomalies, forecasts.

Seasonal: the median of every place in the period; trend: the mean or a line of what is left; both are learned from the
series without its last `test_points` values and continued over them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from toolkit.engine.udf.series_numbers import reals, refused, text_of
from toolkit.engine.udf.series_outliers import kind_of, scores
from toolkit.engine.udf.series_periods import detected

if TYPE_CHECKING:
    from toolkit.engine.udf.series_numbers import Reals

AUTOMATIC = -1
_ROUNDING = 1e-13


class Parts(NamedTuple):
    baseline: Reals
    seasonal: Reals
    trend: Reals
    residual: Reals


def _decomposed(values: Reals, period: int, trend: str, test_points: int, threshold: float, function: str) -> Parts:
    learned = _learned(values, test_points, function)
    if period < AUTOMATIC:
        raise refused(f"{function}: the seasonality is -1, 0 or a period, not {period}")
    if period == AUTOMATIC:
        period = detected(learned, threshold, function)
    seasonal = seasonal_part(learned, period, len(values), function)
    left = learned - seasonal[: len(learned)]
    slope = _trend(left, trend, len(values), function)
    baseline = seasonal + slope
    return Parts(baseline, seasonal, slope, values - baseline)


def _learned(values: Reals, test_points: int, function: str) -> Reals:
    if not 0 <= test_points < max(1, len(values)):
        raise refused(f"{function}: {test_points} test points of a series of {len(values)} values leave nothing to learn from")
    return values[: len(values) - test_points]


def seasonal_part(learned: Reals, period: int, size: int, function: str) -> Reals:
    """The medians of the places in the period, repeated; zeros without a period."""
    import numpy as np

    if period < 1:
        return np.zeros(size)
    if period > len(learned) and size > len(learned):
        raise refused(f"{function}: a period of {period} values has places without any among the {len(learned)} that are learned from")
    if period > len(learned):
        return learned.copy()  # every place has one value
    cycles = -(-len(learned) // period)
    grid = np.full(cycles * period, np.nan)
    grid[: len(learned)] = learned
    table = grid.reshape(cycles, period)
    full = len(learned) // period
    medians = np.empty(period)
    tail = len(learned) - full * period
    medians[:tail] = np.median(table[:, :tail], axis=0) if tail else 0.0
    medians[tail:] = np.median(table[:full, tail:], axis=0)
    return np.resize(medians, size)


def _trend(left: Reals, trend: str, size: int, function: str) -> Reals:
    import numpy as np

    if trend == "none":
        return np.zeros(size)
    if trend == "avg" or (trend == "linefit" and len(left) < 2):
        return np.full(size, left.mean() if len(left) else 0.0)
    if trend != "linefit":
        raise refused(f"{function}: the trend is 'avg', 'linefit' or 'none', not '{trend}'")
    positions = np.arange(size, dtype=np.float64)
    known = positions[: len(left)]
    away = known - known.mean()
    slope = (away * (left - left.mean())).sum() / (away * away).sum()
    fitted: Reals = left.mean() + slope * (positions - known.mean())
    return fitted


def decompose(series: str, period: int, trend: str, test_points: int, threshold: float) -> list[str | None] | None:
    """[baseline, seasonal, trend, residual] as JSON texts."""
    return _texts(series, period, trend, test_points, threshold, "series_decompose")


def forecast(series: str, test_points: int, period: int, trend: str, threshold: float) -> list[str | None] | None:
    """As `decompose`: the baseline over the last `test_points` places is the forecast."""
    return _texts(series, period, trend, test_points, threshold, "series_decompose_forecast")


def _texts(series: str, period: int, trend: str, test_points: int, threshold: float, function: str) -> list[str | None] | None:
    values = reals(series)
    if values is None:
        return None
    if not len(values):
        return ["[]"] * 4
    return [text_of(part) for part in _decomposed(values, period, trend, test_points, threshold, function)]


def anomalies(series: str, limits: list[float | None], places: list[int | None], trend: str, kind: str) -> list[str | None] | None:
    """[ad_flag, ad_score, baseline] as JSON texts: the residuals that are outliers by more than the first limit.

    `limits`: of a score and of the seasonality; `places`: the period and the number of test points.
    """
    import numpy as np

    function = "series_decompose_anomalies"
    values = reals(series)
    (limit, threshold), (period, test_points) = limits, places
    if values is None or limit is None or threshold is None or period is None or test_points is None:
        return None
    if not len(values):
        return ["[]"] * 3
    method = kind_of(kind, function)
    parts = _decomposed(values, period, trend, test_points, threshold, function)
    residual = _without_noise(parts.residual, values)
    score = scores(residual, residual[: len(values) - test_points], method, function)
    flag = np.where(score > limit, 1, np.where(score < -limit, -1, 0))
    return [json.dumps(flag.tolist(), separators=(",", ":")), text_of(score), text_of(parts.baseline)]


def _without_noise(residual: Reals, values: Reals) -> Reals:
    """Zeros for what rounding leaves of a perfect fit, which has no outliers."""
    import numpy as np

    return np.where(np.abs(residual) <= _ROUNDING * np.abs(values).max(), 0.0, residual)


def seasonal(series: str, period: int, test_points: int) -> str | None:
    """The seasonal part alone; zeros for a period that is none (0 or negative), a detected one for -1."""
    import numpy as np

    values = reals(series)
    if values is None:
        return None
    if not len(values):
        return "[]"
    learned = _learned(values, test_points, "series_seasonal")
    if period == AUTOMATIC:
        period = detected(learned, 0.7, "series_seasonal")
    return text_of(seasonal_part(learned, period, len(values), "series_seasonal") if period > 0 else np.zeros(len(values)))
