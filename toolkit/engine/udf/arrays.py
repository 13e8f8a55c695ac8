"""Array and set functions (R-090 to R-097) on JSON text. What is no array gives None, the dynamic null."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from toolkit.engine.udf.json_text import array_elements, array_text, key_of, quoted, scalar
from toolkit.kql.times import format_datetime_iso, format_timespan

LONGEST_RANGE = 1_048_576
NULL = "null"


def array_reverse(array: str) -> str | None:
    found = array_elements(array)
    return None if found is None else array_text(reversed(found))


def array_rotate_left(array: str, count: int) -> str | None:
    found = array_elements(array)
    if not found:
        return None if found is None else "[]"
    cut = count % len(found)
    return array_text(found[cut:] + found[:cut])


def array_rotate_right(array: str, count: int) -> str | None:
    return array_rotate_left(array, -count)


def array_shift_left(array: str, count: int, fill: str) -> str | None:
    """`fill` is JSON text."""
    found = array_elements(array)
    if found is None:
        return None
    size = len(found)
    moved = min(abs(count), size)
    kept = found[moved:] + [fill] * moved if count >= 0 else [fill] * moved + found[: size - moved]
    return array_text(kept)


def array_shift_right(array: str, count: int, fill: str) -> str | None:
    return array_shift_left(array, -count, fill)


def array_split(array: str, indices: str) -> str | None:
    """`indices`: JSON text of one index or of an array of them; negative ones count from the end."""
    found = array_elements(array)
    places = array_elements(indices) if indices.startswith("[") else [indices]
    if found is None or places is None:
        return None
    size = len(found)
    pieces: list[str] = []
    start = 0
    for place in places:
        index = scalar(place)
        if not isinstance(index, int) or isinstance(index, bool):
            return None
        stop = max(start, min(size, index + size if index < 0 else index))
        pieces.append(array_text(found[start:stop]))
        start = stop
    return array_text([*pieces, array_text(found[start:])])


def array_sum(array: str) -> float | None:
    """Null when an element is no number; nulls among the elements are no numbers either."""
    found = array_elements(array)
    if found is None:
        return None
    total = 0.0
    for element in found:
        value = scalar(element)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        total += value
    return total


def array_index_of(array: str, value: str, start: int, length: int, occurrence: int) -> int | None:
    """`value` is JSON text. -1 when it is absent, None for what has no meaning (R-090)."""
    found = array_elements(array)
    if found is None or length < -1 or occurrence < 1:
        return None
    size = len(found)
    first = max(0, start + size if start < 0 else start)
    last = size if length == -1 else min(size, first + length)
    wanted = key_of(value)
    for index in range(first, last):
        if key_of(found[index]) == wanted:
            occurrence -= 1
            if not occurrence:
                return index
    return -1


def array_iff(conditions: str, then: str, otherwise: str) -> str | None:
    """R-091. `then` and `otherwise` are JSON text: arrays are taken element by element, anything else is repeated."""
    tests = array_elements(conditions)
    if tests is None:
        return None
    branches = {True: array_elements(then), False: array_elements(otherwise)}
    repeated = {True: then, False: otherwise}
    result: list[str] = []
    for index, text in enumerate(tests):
        value = scalar(text)
        if not isinstance(value, (bool, int, float)):
            result.append(NULL)
            continue
        branch = branches[bool(value)]
        result.append(repeated[bool(value)] if branch is None else branch[index] if index < len(branch) else NULL)
    return array_text(result)


# --- sorting --------------------------------------------------------------------------------------------------------


def _is_number(text: str) -> bool:
    return text[0] in "-0123456789"


def _order(found: Sequence[str], descending: bool, nulls_last: bool) -> list[int]:
    """Indices in sorted order: numbers, strings, then everything else in the order it came (R-092)."""
    nulls = [index for index, text in enumerate(found) if text == NULL]
    numbers = [index for index, text in enumerate(found) if _is_number(text)]
    strings = [index for index, text in enumerate(found) if text[0] == '"']
    others = [index for index, text in enumerate(found) if text != NULL and not _is_number(text) and text[0] != '"']
    numbers.sort(key=lambda index: Decimal(found[index]), reverse=descending)
    strings.sort(key=lambda index: str(scalar(found[index])), reverse=descending)
    values = others + strings + numbers if descending else numbers + strings + others
    return values + nulls if nulls_last else nulls + values


def array_sort(arrays: Sequence[str | None], descending: bool, nulls_last: bool) -> list[str | None]:
    """The first array sorted and the others permuted alike; None for each whose length differs (R-092)."""
    taken = [array_elements(array) for array in arrays]
    first = taken[0]
    if first is None:
        return [None] * len(taken)
    order = _order(first, descending, nulls_last)
    return [array_text(each[index] for index in order) if each is not None and len(each) == len(first) else None for each in taken]


# --- sets -----------------------------------------------------------------------------------------------------------


def _distinct(elements: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in elements:
        found.setdefault(key_of(element), element)
    return found


def _sets(arrays: Sequence[str | None]) -> list[dict[str, str]] | None:
    taken = [array_elements(array) for array in arrays]
    return None if any(each is None for each in taken) else [_distinct(each or []) for each in taken]


def set_equals(left: str, right: str) -> bool | None:
    sets = _sets([left, right])
    return None if sets is None else sets[0].keys() == sets[1].keys()


def jaccard_index(left: str, right: str) -> str | None:
    """|intersection| / |union| as JSON text; of two empty sets NaN."""
    sets = _sets([left, right])
    if sets is None:
        return None
    union = len(sets[0].keys() | sets[1].keys())
    return repr(len(sets[0].keys() & sets[1].keys()) / union) if union else '"NaN"'


def zip_arrays(arrays: Sequence[str | None]) -> str | None:
    """Tuples of the elements at one index; a shorter array is filled up with nulls (R-096)."""
    taken = [array_elements(array) for array in arrays]
    if any(each is None for each in taken):
        return None
    longest = max(len(each or []) for each in taken)
    return array_text(array_text((each or [])[index] if index < len(each or []) else NULL for each in taken) for index in range(longest))


# --- generated arrays -----------------------------------------------------------------------------------------------


def range_of_ticks(start: int, stop: int, step: int, timespan: bool) -> str | None:
    """R-097: datetimes or timespans as text; never more than 1,048,576."""
    if step <= 0:
        return None
    write = format_timespan if timespan else format_datetime_iso
    count = min(LONGEST_RANGE, max(0, (stop - start) // step + 1))
    return array_text(quoted(write(start + index * step)) for index in range(count))


def range_of_reals(start: float, stop: float, step: float) -> str | None:
    if not step > 0 or not stop - start < float("inf"):
        return None
    values: list[str] = []
    value = start
    while value <= stop and len(values) < LONGEST_RANGE:
        values.append(repr(value))
        value = start + len(values) * step
    return array_text(values)


def repeated(value: str, count: int) -> str | None:
    """`value` is JSON text; a negative count gives null."""
    if count > LONGEST_RANGE:
        raise ValueError(f"kql: repeat() makes at most {LONGEST_RANGE} elements, not {count}")
    return None if count < 0 else array_text([value] * count)
