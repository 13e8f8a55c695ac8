"""Functions over series: arrays of numbers as make-series and make_list give them, here as JSON text."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable, Sequence

from toolkit.engine.udf.json_text import array_elements, array_text, key_of

Number = int | float
NULL = "null"
_NUMBERS = (int, float)
_WHOLE = re.compile(r"-?\d+")
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode


def numbers(series: str | None) -> list[Number | None] | None:
    """The elements, None for those that are no numbers; None when the value is no array."""
    if series is None or not series.startswith("["):
        return None
    return [value if type(value) in _NUMBERS else None for value in json.loads(series, strict=False)]


def number_text(value: Number | bool | None) -> str:
    """A number as JSON; what JSON has no number for is text (R-071)."""
    if value is None:
        return NULL
    if isinstance(value, float) and not math.isfinite(value):
        return '"NaN"' if math.isnan(value) else '"Infinity"' if value > 0 else '"-Infinity"'
    return json.dumps(value)


def numbers_text(values: Sequence[Number | bool | None]) -> str:
    """Numbers as a JSON array, all at once where JSON has a number for each of them."""
    try:
        return _encode(values)
    except ValueError:
        return array_text(map(number_text, values))


def _sign(value: Number) -> Number:
    one = type(value)(1)
    return one if value > 0 else -one if value < 0 else value


def _log(value: Number) -> Number | None:
    return math.log(value) if value > 0 else -math.inf if value == 0 else None


def _exp(value: Number) -> float:
    return math.exp(value) if value < 709 else math.inf


_UNARY: dict[str, Callable[[Number], Number | None]] = {
    "abs": abs,
    "acos": lambda value: math.acos(value) if -1 <= value <= 1 else None,
    "asin": lambda value: math.asin(value) if -1 <= value <= 1 else None,
    "atan": math.atan,
    "ceiling": lambda value: float(math.ceil(value)),
    "cos": math.cos,
    "exp": _exp,
    "floor": lambda value: float(math.floor(value)),
    "log": _log,
    "sign": _sign,
    "sin": math.sin,
    "tan": math.tan,
}
UNARY = tuple(_UNARY)


def elementwise(series: str, operation: str) -> str | None:
    values = numbers(series)
    if values is None:
        return None
    apply = _UNARY[operation]
    return numbers_text([None if value is None else apply(value) for value in values])


def _divide(left: Number, right: Number) -> float:
    if right == 0:
        return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left)
    return left / right


def _pow(left: Number, right: Number) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.inf if left == 0 else math.nan


_BINARY: dict[str, Callable[[Number, Number], Number]] = {
    "add": lambda left, right: left + right,
    "subtract": lambda left, right: left - right,
    "multiply": lambda left, right: left * right,
    "divide": _divide,
    "pow": _pow,
    "equals": lambda left, right: left == right,
    "not_equals": lambda left, right: left != right,
    "greater": lambda left, right: left > right,
    "greater_equals": lambda left, right: left >= right,
    "less": lambda left, right: left < right,
    "less_equals": lambda left, right: left <= right,
}
BINARY = tuple(_BINARY)


def _pair(left: str, right: str) -> tuple[list[Number | None], list[Number | None]] | None:
    """Two series, or a series and a number that is repeated."""
    first, second = numbers(left), numbers(right)
    if first is None and second is None:
        return None
    if first is None:
        first = (numbers(f"[{left}]") or []) * len(second or [])
    if second is None:
        second = (numbers(f"[{right}]") or []) * len(first)
    return first, second


def pairwise(left: str, right: str, operation: str) -> str | None:
    """Element by element; a missing or non-numeric element gives null."""
    pair = _pair(left, right)
    if pair is None:
        return None
    first, second = pair
    apply = _BINARY[operation]
    found: list[Number | bool | None] = [
        None if one is None or other is None else apply(one, other) for one, other in itertools.zip_longest(first, second)
    ]
    return numbers_text(found)


# --- one number of a series -----------------------------------------------------------------------------------------


def series_sum(series: str) -> float | None:
    values = numbers(series)
    return None if values is None or None in values else float(sum(value for value in values if value is not None))


def series_product(series: str) -> float | None:
    values = numbers(series)
    return None if values is None or None in values else float(math.prod(value for value in values if value is not None))


def dot_product(left: str, right: str) -> float | None:
    """The longer series is cut; elements that are no numbers are passed over; null for an empty series."""
    pair = _pair(left, right)
    if pair is None or not pair[0] or not pair[1]:
        return None
    return float(sum(one * other for one, other in zip(*pair, strict=False) if one is not None and other is not None))


def magnitude(series: str) -> float | None:
    product = dot_product(series, series)
    return None if product is None else math.sqrt(product)


def cosine_similarity(left: str | None, right: str | None, *magnitudes: float | None) -> float | None:
    """`magnitudes`: of one series or both; those that are left out are computed. A null one makes the result null."""
    first, second = numbers(left), numbers(right)
    if left is None or right is None or first is None or second is None or None in magnitudes:
        return None
    product = dot_product(left, right)
    if product is None:
        return None
    size = min(len(first), len(second))
    lengths = [math.sqrt(sum(value * value for value in values[:size] if value is not None)) for values in (first, second)]
    lengths[: len(magnitudes)] = [magnitude for magnitude in magnitudes if magnitude is not None]
    return product / (lengths[0] * lengths[1]) if lengths[0] and lengths[1] else None


def pearson_correlation(left: str, right: str) -> float | None:
    pair = _pair(left, right)
    if pair is None or len(pair[0]) != len(pair[1]) or None in pair[0] or None in pair[1] or not pair[0]:
        return None
    first, second = ([value for value in values if value is not None] for values in pair)
    mean_one, mean_two = sum(first) / len(first), sum(second) / len(second)
    covariance = sum((one - mean_one) * (two - mean_two) for one, two in zip(first, second, strict=True))
    spread = math.sqrt(sum((one - mean_one) ** 2 for one in first)) * math.sqrt(sum((two - mean_two) ** 2 for two in second))
    return covariance / spread if spread else None


# --- filling --------------------------------------------------------------------------------------------------------


def _gaps(found: Sequence[str], missing: str) -> list[bool]:
    """Which elements are the placeholder; 1.0 and 1 are one placeholder."""
    if missing == NULL:
        return [element == NULL for element in found]
    gap = key_of(missing)
    return [key_of(element) == gap for element in found]


def fill_forward(series: str, missing: str) -> str | None:
    found = array_elements(series)
    return None if found is None else array_text(_filled(found, missing))


def fill_backward(series: str, missing: str) -> str | None:
    found = array_elements(series)
    return None if found is None else array_text(reversed(_filled(found[::-1], missing)))


def _filled(found: Sequence[str], missing: str) -> list[str]:
    """Every placeholder replaced with what stands before it; the first ones stay."""
    last: str | None = None
    result: list[str] = []
    for element, gap in zip(found, _gaps(found, missing), strict=True):
        last = last if gap else element
        result.append(element if last is None else last)
    return result


def fill_const(series: str, constant: str, missing: str) -> str | None:
    found = array_elements(series)
    if found is None:
        return None
    return array_text(constant if gap else element for element, gap in zip(found, _gaps(found, missing), strict=True))


def fill_linear(series: str, missing: str, fill_edges: bool, constant: str) -> str | None:
    """Between whole numbers the interpolated values are cut to whole numbers."""
    found = array_elements(series)
    if found is None:
        return None
    known = [index for index, gap in enumerate(_gaps(found, missing)) if not gap]
    if not known:
        return array_text([constant] * len(found))
    whole = all(_WHOLE.fullmatch(found[index]) for index in known)
    result = list(found)
    for left, right in itertools.pairwise(known):
        if right == left + 1:
            continue
        low, high = numbers(array_text([found[left], found[right]])) or (None, None)
        if low is None or high is None:
            continue
        for index in range(left + 1, right):
            value = low + (high - low) * (index - left) / (right - left)
            result[index] = number_text(int(value) if whole else value)
    if fill_edges:
        result[: known[0]] = [found[known[0]]] * known[0]
        result[known[-1] + 1 :] = [found[known[-1]]] * (len(found) - known[-1] - 1)
    return array_text(result)


# --- filters and statistics -----------------------------------------------------------------------------------------


def iir(series: str, numerators: str, denominators: str) -> str | None:
    """Y[i] = (sum of b[k] X[i-k] - sum of a[k] Y[i-k], k > 0) / a[0]; what lies before the series is 0."""
    values, b, a = _all_numbers(series), _all_numbers(numerators), _all_numbers(denominators)
    if values is None or b is None or not a or a[0] == 0:
        return None
    result: list[float] = []
    backwards = list(zip(range(1, len(a)), a[1:], strict=True))
    for index in range(len(values)):
        total = sum([weight * values[index - back] for back, weight in enumerate(b[: index + 1])])
        total -= sum([weight * result[index - back] for back, weight in backwards if back <= index])
        result.append(float(total / a[0]))
    return numbers_text(result)


def _all_numbers(series: str) -> list[Number] | None:
    values = numbers(series)
    return None if values is None or None in values else [value for value in values if value is not None]


def stats(series: str, ignore_nonfinite: bool) -> str | None:
    values = numbers(series)
    if values is None:
        return None
    finite = [(index, float(value)) for index, value in enumerate(values) if value is not None and math.isfinite(value)]
    if not finite or (len(finite) < len(values) and not ignore_nonfinite):
        return None
    only = [value for _, value in finite]
    mean = sum(only) / len(only)
    variance = sum((value - mean) ** 2 for value in only) / (len(only) - 1) if len(only) > 1 else 0.0
    low, high = min(only), max(only)
    members: dict[str, Number] = {
        "min": low,
        "min_idx": next(index for index, value in finite if value == low),
        "max": high,
        "max_idx": next(index for index, value in finite if value == high),
        "avg": mean,
        "stdev": math.sqrt(variance),
        "variance": variance,
        "sum": sum(only),
        "len": len(only),
    }
    return "{" + ",".join(f'"{name}":{number_text(value)}' for name, value in members.items()) + "}"
