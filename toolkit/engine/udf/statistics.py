"""The beta distribution and Welch's test (R-182), by the continued fraction of the incomplete beta function."""

from __future__ import annotations

import math

_TINY = 1e-300
_EPSILON = 1e-16
_LARGEST_SHAPE = 10_000.0


def erf(x: float) -> float:
    return math.erf(x)


def erfc(x: float) -> float:
    return math.erfc(x)


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Lentz's evaluation; it converges fast for x < (a + 1) / (a + b + 2)."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    result = d
    for m in range(1, 5000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 + numerator * d
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = 1.0 + numerator / c
            c = c if abs(c) > _TINY else _TINY
            result *= c * d
        if abs(c * d - 1.0) < _EPSILON:
            break
    return result


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, 0 <= x <= 1."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _continued_fraction(x, a, b) / a
    return 1.0 - front * _continued_fraction(1.0 - x, b, a) / b


def beta_cdf(x: float, alpha: float, beta: float) -> float:
    if not 0 <= x <= 1 or not 0 < alpha <= _LARGEST_SHAPE or not 0 < beta <= _LARGEST_SHAPE:
        return math.nan
    return incomplete_beta(x, alpha, beta)


def beta_pdf(x: float, alpha: float, beta: float) -> float:
    if not 0 < x < 1 or not alpha > 0 or not beta > 0:
        return math.nan
    log_beta = math.lgamma(alpha) + math.lgamma(beta) - math.lgamma(alpha + beta)
    return math.exp((alpha - 1) * math.log(x) + (beta - 1) * math.log1p(-x) - log_beta)


def beta_inv(probability: float, alpha: float, beta: float) -> float | None:
    """The x with beta_cdf(x) = probability, by bisection to the last bit."""
    if not alpha > 0 or not beta > 0:
        return None
    if not 0 < probability <= 1:
        return math.nan
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if incomplete_beta(middle, alpha, beta) < probability:
            low = middle
        else:
            high = middle


def welch_test(mean1: float, variance1: float, count1: float, mean2: float, variance2: float, count2: float) -> float:
    """The two-sided p-value; NaN without spread or with fewer than two values on a side."""
    if count1 < 2 or count2 < 2:
        return math.nan
    first, second = variance1 / count1, variance2 / count2
    if not first + second > 0:
        return math.nan
    t = (mean1 - mean2) / math.sqrt(first + second)
    freedom = (first + second) ** 2 / (first**2 / (count1 - 1) + second**2 / (count2 - 1))
    return incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)
