"""Lines and polynomials fitted to series by least squares.

The positions of a series are 1, 2, 3 ...: that is what the documented interception of series_fit_line and the default
of series_fit_poly agree on. Variances are those of samples, also the residual one (divided by the length minus 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from toolkit.engine.udf.json_text import bag_text
from toolkit.engine.udf.series import number_text
from toolkit.engine.udf.series_numbers import reals, refused, text_of

if TYPE_CHECKING:
    from toolkit.engine.udf.series_numbers import Reals

_SIDES = ("rsquare", "slope", "interception", "variance", "rvariance")
_CLOSE = 1e-12


class Line(NamedTuple):
    rsquare: float
    slope: float
    variance: float
    rvariance: float
    interception: float
    fitted: Reals


def line_of(values: Reals) -> Line:
    """The line through at least two values."""
    import numpy as np

    size = len(values)
    positions = np.arange(1, size + 1, dtype=np.float64)
    mean_x, mean_y = positions.mean(), values.mean()
    away = positions - mean_x
    slope = float((away * (values - mean_y)).sum() / (away * away).sum())
    interception = float(mean_y - slope * mean_x)
    fitted = interception + slope * positions
    total, residual = _squares(values - mean_y), _squares(values - fitted)
    rsquare = 1 - residual / total if total else 1.0
    return Line(rsquare, slope, total / (size - 1), residual / (size - 1), interception, fitted)


def _squares(values: Reals) -> float:
    return float((values * values).sum())


def fit_line(series: str) -> list[str | None] | None:
    """[rsquare, slope, variance, rvariance, interception, line_fit] as JSON texts."""
    values = reals(series)
    if values is None or len(values) < 2:
        return None
    found = line_of(values)
    return [*map(number_text, found[:5]), text_of(found.fitted)]


def fit_line_dynamic(series: str) -> str | None:
    found = fit_line(series)
    names = ("rsquare", "slope", "variance", "rvariance", "interception", "line_fit")
    return None if found is None else bag_text(zip(names, (text or "null" for text in found), strict=True))


def fit_2lines(series: str) -> list[str | None] | None:
    """The best split into two lines, as JSON texts in the order of series_fit_2lines' columns.

    The left part is what stands before `split_idx`; positions count from 1 in each part, as the documented use of the
    interceptions (series_shapes_fl) has it.
    """
    import numpy as np

    values = reals(series)
    if values is None:
        return None
    size = len(values)
    if size < 4:
        raise refused(f"series_fit_2lines: two lines need four values; what the service makes of {size} is not documented")
    left, right = _residuals(values), _residuals(values[::-1])[::-1]
    residuals = np.array([left[split - 1] + right[split] for split in range(2, size - 1)])
    total = _squares(values - values.mean())
    # the first of the best: of sums that differ by rounding only, the smallest is chance
    split = 2 + int(np.argmin(residuals > residuals.min() + _CLOSE * total))
    before, after = line_of(values[:split]), line_of(values[split:])
    residual = _squares(values - np.concatenate([before.fitted, after.fitted]))
    rsquare = 1 - residual / total if total else 1.0
    whole = [number_text(rsquare), str(split), number_text(total / (size - 1)), number_text(residual / (size - 1))]
    parts = [number_text(getattr(side, name)) for side in (after, before) for name in _SIDES]
    return [*whole, text_of(np.concatenate([before.fitted, after.fitted])), *parts]


def _residuals(values: Reals) -> Reals:
    """[k]: the sum of squares that a line leaves of the first k + 1 values, from running sums."""
    import numpy as np

    shifted = values - values.mean()
    positions = np.arange(len(values), dtype=np.float64)
    count = positions + 1
    sum_x, sum_y = positions.cumsum(), shifted.cumsum()
    spread_x = (positions * positions).cumsum() - sum_x * sum_x / count
    spread_y = (shifted * shifted).cumsum() - sum_y * sum_y / count
    together = (positions * shifted).cumsum() - sum_x * sum_y / count
    with np.errstate(divide="ignore", invalid="ignore"):
        found = spread_y - np.where(spread_x > 0, together * together / spread_x, 0.0)
    positive: Reals = np.maximum(found, 0.0)
    return positive


def fit_2lines_dynamic(series: str) -> str | None:
    found = fit_2lines(series)
    if found is None:
        return None
    texts = [text or "null" for text in found]
    right, left = (bag_text(zip(_SIDES, texts[start : start + 5], strict=True)) for start in (5, 10))
    names = ("rsquare", "split_idx", "variance", "rvariance", "line_fit")
    return bag_text([*zip(names, texts[:5], strict=True), ("right", right), ("left", left)])


def fit_poly(series: str | None, positions: str | None, degree: int | None) -> list[str | None] | None:
    """[rsquare, coefficients from the highest power down, variance, rvariance, poly_fit] as JSON texts."""
    import numpy as np

    values = reals(series)
    places = None if values is None else np.arange(1, len(values) + 1, dtype=np.float64) if positions is None else reals(positions)
    if values is None or places is None or len(values) != len(places) or len(values) < 2:
        return None
    if degree is None:
        return None
    if degree < 1:
        raise refused(f"series_fit_poly needs a degree of at least 1, not {degree}")
    different = len(np.unique(places))
    if different <= degree:
        raise refused(f"series_fit_poly: a polynomial of degree {degree} through {different} different positions is not unique")
    coefficients = _polynomial(places, values, degree)
    fitted = np.asarray(np.polyval(coefficients, places), dtype=np.float64)
    total, residual = _squares(values - values.mean()), _squares(values - fitted)
    rsquare = 1 - residual / total if total else 1.0
    spread = [number_text(part / (len(values) - 1)) for part in (total, residual)]
    return [number_text(rsquare), text_of(coefficients), *spread, text_of(fitted)]


def _polynomial(places: Reals, values: Reals, degree: int) -> Reals:
    """Coefficients from the highest power down. Solved over positions scaled to [-1, 1], which keeps the digits."""
    import numpy as np

    fitted = np.polynomial.Polynomial.fit(places, values, degree).convert().coef
    padded = np.zeros(degree + 1)
    padded[: len(fitted)] = fitted
    return padded[::-1]
