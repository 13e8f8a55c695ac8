"""Numbers and cells as people read them, by the `numberFormat` of a workbook."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

_LONGEST = 300
_STEPS = ("", "K", "M", "B", "T")
_BYTES = ("B", "KB", "MB", "GB", "TB", "PB")
_SUFFIX = {1: "%", 23: " ms", 24: " s", 25: " min", 26: " h", 27: " d"}


def cell_text(value: Any) -> str:
    """A cell without a format of its own."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return plain_number(value)
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def plain_number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


def number_of(value: Any) -> float | None:
    """The number that bars, heat and charts are drawn from; None for what is no number."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def formatted(value: Any, form: Mapping[str, Any] | None) -> str:
    """A cell by a `numberFormat`: {"unit": n, "options": {...}}. What is no number stays as it is."""
    number = number_of(value)
    if not form or number is None or isinstance(value, bool):
        return cell_text(value)
    given = form.get("options")
    options: Mapping[str, Any] = given if isinstance(given, dict) else {}
    unit = form.get("unit")
    if unit in (2, 36):
        return _scaled(number, 1024, _BYTES, options, " ")
    if unit == 17:
        return _scaled(number, 1000, _STEPS, options, "")
    text = _digits(number, options)
    return f"{text}%" if options.get("style") == "percent" and unit != 1 else text + _SUFFIX.get(unit or 0, "")


def _scaled(number: float, step: int, names: tuple[str, ...], options: Mapping[str, Any], blank: str) -> str:
    index = 0
    while abs(number) >= step and index < len(names) - 1:
        number, index = number / step, index + 1
    text = _digits(number, options if index == 0 or "maximumFractionDigits" in options else {**options, "maximumFractionDigits": 1})
    return f"{text}{blank}{names[index]}" if names[index] else text


def _digits(number: float, options: Mapping[str, Any]) -> str:
    most, least = _whole(options.get("maximumFractionDigits"), 3), _whole(options.get("minimumFractionDigits"), 0)
    significant = options.get("maximumSignificantDigits")
    if isinstance(significant, int) and significant > 0 and number:
        number = round(number, max(0, min(20, significant - 1 - math.floor(math.log10(abs(number))))))
    text = f"{number:,.{max(most, least)}f}" if options.get("useGrouping", True) else f"{number:.{max(most, least)}f}"
    if "." in text:
        whole, _, rest = text.partition(".")
        rest = rest.rstrip("0").ljust(least, "0")
        text = f"{whole}.{rest}" if rest else whole
    return text


def _whole(value: Any, default: int) -> int:
    return min(20, max(0, value)) if isinstance(value, int) and not isinstance(value, bool) else default
