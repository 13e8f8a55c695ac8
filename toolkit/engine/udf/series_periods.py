"""The periods of a series.

Documented: a period has at least 4 values and at most half of the series; a series of two cycles is too short. Measured, to
16 digits: the score of a period is the circular autocorrelation at its lag, scaled so that the least of all lags is 0 and
lag 0 is 1. Inferred from every printed answer: a period is a peak of the spectrum, made exact by the peak of the
autocorrelation that lies within the width of its frequency. Where readings that fit the printed answers equally well would
give another answer for a series, the series is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from toolkit.engine.udf.json_text import array_text
from toolkit.engine.udf.series import number_text
from toolkit.engine.udf.series_numbers import reals, refused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from toolkit.engine.udf.series_numbers import Reals

SHORTEST = 4
# From which part of the highest on a peak of the spectrum counts: what lies between the two is not determined.
_STRONG, _WEAK = 0.3, 0.1
_DIGITS = 9


class Evidence(NamedTuple):
    """`exact`: the score of every lag; `scores`: rounded, to be compared; then the lags that each reading takes for periods."""

    exact: Reals
    scores: Reals
    strong: frozenset[int]
    weak: frozenset[int]
    hills: frozenset[int]

    def disputed(self) -> frozenset[int]:
        """What one reading takes and another does not: multiples of a period are its echoes under all of them."""
        return frozenset(lag for lag in self.weak | self.hills if lag not in self.strong and not self._echo(lag))

    def _echo(self, lag: int) -> bool:
        sure = (period for period in self.strong if period < lag and self.certain(period))
        return any(abs(lag - round(lag / period) * period) <= max(1, period // 8) for period in sure)

    def certain(self, period: int) -> bool:
        """The highest place from half the period before it to half the period after it."""
        around = self.scores[period - period // 2 : period + period // 2 + 1]
        return bool(self.scores[period] >= around.max())


def detected(values: Reals, threshold: float, function: str) -> int:
    """The period that the service takes, 0 for none; refused where it is not determined."""
    if threshold > 1 or _aperiodic(values):
        return 0
    found = _evidence(values)
    best = max((lag for lag in found.strong if found.scores[lag] >= threshold), key=lambda lag: (found.scores[lag], -lag), default=0)
    bar = found.scores[best] if best else threshold
    doubtful = [lag for lag in found.disputed() if found.scores[lag] >= max(bar, threshold)]
    if doubtful or (best and not found.certain(best)):
        readings = sorted({*doubtful, *([best] if best else [])})
        raise refused(
            f"{function}: whether the service detects a period in this series of {len(values)} values is not determined"
            f" ({', '.join(map(str, readings[:4]))} may be one); give the seasonality as an argument, 0 for none"
        )
    return best


def _aperiodic(values: Reals) -> bool:
    """Too short for a period, or constant."""
    return len(values) < 2 * SHORTEST or bool((values == values[0]).all())


def _evidence(values: Reals) -> Evidence:
    import numpy as np

    size = len(values)
    transformed = np.fft.rfft(values - values.mean())
    magnitudes = np.abs(transformed)
    correlation = np.fft.irfft(magnitudes * magnitudes, size)
    low = correlation.min()
    # rounded, so that of the equal multiples of an exact period the period itself is the first
    exact = (correlation - low) / (correlation[0] - low)
    scores = np.round(exact, _DIGITS)
    padded = np.concatenate([scores, scores[:2]])
    rises = (padded[1:size] >= padded[: size - 1]) & (padded[1:size] >= padded[2 : size + 1])
    peaks = np.concatenate([[False], rises])
    wide = peaks.copy()
    wide[2:] &= (padded[2:size] >= padded[: size - 2]) & (padded[2:size] >= padded[4 : size + 2])
    lags = np.arange(size)
    allowed = (lags >= SHORTEST) & (2 * lags < size)
    strong, weak = (_refined(magnitudes, scores, peaks, part) for part in (_STRONG, _WEAK))
    return Evidence(exact, scores, strong, weak, frozenset(np.flatnonzero(wide & allowed).tolist()))


def _refined(magnitudes: Reals, scores: Reals, peaks: NDArray[np.bool_], part: float) -> frozenset[int]:
    """The lag with the highest score among the peaks within the width of each peak of the spectrum, where it may be a period."""
    import numpy as np

    size = len(scores)
    padded = np.concatenate([magnitudes, [0.0]])
    top = (magnitudes[2:] >= part * magnitudes[2:].max()) & (magnitudes[2:] >= padded[1:-2]) & (magnitudes[2:] >= padded[3:])
    found = set()
    for index in (np.flatnonzero(top) + 2).tolist():
        first, last = int(np.ceil(size / (index + 0.5))), int(size / (index - 0.5))
        inside = np.flatnonzero(peaks[first : last + 1])
        best = first + int(inside[np.argmax(scores[first + inside])]) if len(inside) else 0
        if best >= SHORTEST and 2 * best < size:
            found.add(best)
    return frozenset(found)


def detect(series: str, shortest: float, longest: float, count: int) -> list[str | None] | None:
    """[periods, scores] as JSON texts, the best first: `count` of each, zeros where no more is found."""
    values = reals(series)
    if values is None or count < 0:
        return None
    first, last = max(shortest, SHORTEST), min(longest, len(values) / 2)
    if first > last or _aperiodic(values):
        return _columns([], count)
    found = _evidence(values)
    inside = sorted((lag for lag in found.strong if first <= lag <= last), key=lambda lag: (-found.scores[lag], lag))[:count]
    bar = found.scores[inside[-1]] if inside and len(inside) == count else 0.0
    doubtful = any(first <= lag <= last and found.scores[lag] >= bar for lag in found.disputed())
    if count and (doubtful or not all(map(found.certain, inside))):
        raise refused("series_periods_detect: which periods the service finds in this series is not determined")
    return _columns([(lag, float(found.exact[lag])) for lag in inside], count)


def _columns(found: list[tuple[float, float]], count: int) -> list[str | None]:
    padded = [*found, *[(0.0, 0.0)] * (count - len(found))]
    return [array_text(number_text(float(pair[place])) for pair in padded) for place in (0, 1)]


def validate(series: str, periods: list[float | None]) -> list[str | None] | None:
    """[periods, scores] as JSON texts; the score of a period outside its bounds, and of what is no period, is 0."""
    values = reals(series)
    given = [period for period in periods if period is not None]
    if values is None or len(given) < len(periods):
        return None
    inside = any(SHORTEST <= period <= len(values) / 2 for period in given)
    found = None if _aperiodic(values) or not inside else _evidence(values)
    pairs = [(period, 0.0 if found is None else _validated(found, period, len(values))) for period in given]
    return _columns(pairs, len(pairs))


def _validated(found: Evidence, period: float, size: int) -> float:
    if not SHORTEST <= period <= size / 2:
        return 0.0
    lag = int(period)
    if lag == period and 2 * lag < size:
        if lag in found.strong and found.certain(lag):
            return float(found.exact[lag])
        if lag not in found.strong | found.weak | found.hills:
            return 0.0
    raise refused(f"series_periods_validate: the score of the period {period:g} in a series of {size} values is not determined")
