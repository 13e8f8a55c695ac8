"""What holds of every series: transforms that undo each other, parts that add up, fits that leave nothing of what they fit."""

from __future__ import annotations

import math
from contextlib import closing
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit import Workspace

EXAMPLES = settings(max_examples=25, deadline=None)
NUMBERS = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False).map(lambda value: round(value, 3))
SERIES = st.lists(st.lists(NUMBERS, min_size=4, max_size=30), min_size=1, max_size=8)


def _query(series: list[list[float]], query: str) -> list[tuple[Any, ...]]:
    with closing(Workspace({"T": {"i": "long", "s": "dynamic"}})) as workspace:
        workspace.ingest("T", [{"i": index, "s": one} for index, one in enumerate(series)])
        return list(workspace.query(f"T | order by i asc | {query}").rows())


def _close(found: list[float], expected: list[float]) -> bool:
    scale = max(map(abs, expected), default=0.0) + 1.0
    return len(found) == len(expected) and all(abs(one - other) <= 1e-9 * scale for one, other in zip(found, expected, strict=True))


@EXAMPLES
@given(SERIES)
def test_the_inverse_transform_gives_the_series_back(series: list[list[float]]) -> None:
    found = _query(series, "extend (a, b) = series_fft(s) | extend (c, d) = series_ifft(a, b) | project c, d, a")
    for one, (real, imaginary, spectrum) in zip(series, found, strict=True):
        assert _close(real, one)
        assert _close(imaginary, [0.0] * len(one)) or max(map(abs, imaginary)) <= 1e-9 * max(map(abs, one))
        assert math.isclose(spectrum[0], sum(one), rel_tol=1e-9, abs_tol=1e-6)


@EXAMPLES
@given(SERIES, st.integers(0, 4), st.sampled_from(["avg", "linefit", "none"]), st.integers(0, 2))
def test_the_parts_of_a_decomposition_add_up(series: list[list[float]], period: int, trend: str, points: int) -> None:
    if period > 2:
        points = 0  # places of the period without a value to learn from are refused
    call = f"series_decompose(s, {period}, '{trend}', {points})"
    for one, (baseline, seasonal, slope, residual) in zip(
        series, _query(series, f"project (b, e, t, r) = {call} | project b, e, t, r"), strict=True
    ):
        assert _close([a + b for a, b in zip(seasonal, slope, strict=True)], baseline)
        assert _close([a + b for a, b in zip(baseline, residual, strict=True)], one)
        assert seasonal[period:] == seasonal[: len(one) - period]
        if trend != "none":
            assert math.isclose(sum(residual[: len(one) - points]), 0.0, abs_tol=1e-8 * (sum(map(abs, one)) + 1))


@EXAMPLES
@given(SERIES, st.lists(st.integers(0, 9), min_size=1, max_size=4).filter(any))
def test_a_filter_is_linear_and_normalized_to_one(series: list[list[float]], weights: list[int]) -> None:
    query = (
        f"project a = series_fir(s, dynamic({weights})), b = series_fir(s, dynamic({weights}), false), "
        f"c = series_iir(s, dynamic({weights}), dynamic([1]))"
    )
    for one, (normal, plain, recursive) in zip(series, _query(series, query), strict=True):
        assert _close([value * sum(weights) for value in normal], plain)
        assert _close(recursive, plain)
        assert len(normal) == len(one)


@EXAMPLES
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=6))
def test_a_fit_finds_the_polynomial_that_made_the_series(made: list[tuple[float, float, float]]) -> None:
    series = [[a * x * x + b * x + c for x in range(1, 9)] for a, b, c in made]
    found = _query(series, "project (r, c, v, q, f) = series_fit_poly(s, dynamic([1,2,3,4,5,6,7,8]), toint(2)) | project c, f")
    for expected, one, (coefficients, fitted) in zip(made, series, found, strict=True):
        scale = max(map(abs, expected)) + 1
        assert all(abs(got - wanted) <= 1e-8 * scale for got, wanted in zip(coefficients, expected, strict=True))
        assert _close(fitted, one)


@EXAMPLES
@given(SERIES)
def test_scores_are_zero_inside_and_grow_outwards(series: list[list[float]]) -> None:
    series = [one for one in series if len(set(one)) == len(one)]
    if not series:
        return
    for one, (scores,) in zip(series, _query(series, "project x = series_outliers(s, 'tukey')"), strict=True):
        ordered = [score for _, score in sorted(zip(one, scores, strict=True))]
        assert ordered == sorted(ordered)
        assert sum(score == 0 for score in scores) >= len(one) // 2 - 1


@EXAMPLES
@given(st.integers(4, 12), st.integers(3, 5), st.randoms(use_true_random=False))
def test_an_exact_period_is_found_with_the_score_of_the_longest(period: int, cycles: int, random: Any) -> None:
    """One high value per cycle: no shorter period, and what is detected is what the seasonal part repeats."""
    cycle = [0.0] * period
    cycle[random.randrange(period)] = 100.0
    query = "project (p, c) = series_periods_detect(s, 0.0, 1000.0, 1), t = series_seasonal(s) | project p, c, t"
    ((found, scores, seasonal),) = _query([cycle * cycles], query)
    assert found == [float(period)]
    assert _close(scores, [1.0])
    assert _close(seasonal, cycle * cycles)


@EXAMPLES
@given(SERIES)
def test_nothing_that_is_found_is_out_of_bounds(series: list[list[float]]) -> None:
    short = [one[:7] for one in series]
    for periods, scores in _query(short, "project (p, c) = series_periods_detect(s, 0.0, 1000.0, 2)"):
        assert (periods, scores) == ([0.0, 0.0], [0.0, 0.0])
