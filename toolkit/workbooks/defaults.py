"""The value that each parameter has when a workbook opens, as far as the file alone can tell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from toolkit.workbooks.model import Export, Link, Parameter
from toolkit.workbooks.values import TimeRange, Value

ALL = "value::all"
_SPECIAL = "value::"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Choice:
    """One entry of a drop-down."""

    value: str
    label: str
    selected: bool = False
    group: str = ""


def choices_of(data: Any) -> list[Choice]:
    """The entries that JSON data, or rows with the columns value, label, selected and group, give; empty for anything else."""
    found: dict[str, Choice] = {}
    for item in data if isinstance(data, list) else []:
        if isinstance(item, Mapping):
            cells = {str(name).lower(): cell for name, cell in item.items()}
            first = next(iter(item.values()), "")
            value = as_text(cells.get("value", first))
            label = as_text(cells.get("label")) or value
            choice = Choice(value, label, cells.get("selected") in (True, "true", "True", 1), as_text(cells.get("group")))
        else:
            choice = Choice(as_text(item), as_text(item))
        found.setdefault(choice.value, choice)
    return list(found.values())


def json_choices(text: str | None) -> list[Choice]:
    """The entries of a `jsonData` text; empty when it is no JSON."""
    try:
        return choices_of(json.loads(text)) if text else []
    except (ValueError, RecursionError):
        return []


def opening_value(parameter: Parameter, now: datetime, choices: Sequence[Choice] | None = None) -> Value:
    """The value of a parameter before anybody touches it. `choices` are what its query returned, None when it was not run."""
    if parameter.kind == "time":
        return Value(time_range(parameter.value, now))
    known = choices if choices is not None else json_choices(parameter.json_data)
    dynamic = choices is None and (parameter.query is not None or bool(parameter.content.get("criteriaData")))
    if parameter.kind == "text":
        return _text(parameter, known, dynamic)
    dynamic = dynamic or parameter.kind in ("resource", "subscription", "resourceType")
    return chosen(parameter, _given(parameter.value), known, dynamic=dynamic)


def _text(parameter: Parameter, known: Sequence[Choice], dynamic: bool) -> Value:
    if dynamic:
        return Value(None, guessed=True)
    text = as_text(parameter.value) or (known[0].value if known else "")
    return Value(text, text)


def chosen(parameter: Parameter, given: Sequence[str], known: Sequence[Choice], *, dynamic: bool = False) -> Value:
    """The value that a selection is. `dynamic`: the entries are known only when the workbook runs."""
    value = _selection(parameter, given, known, dynamic=dynamic)
    return replace(value, quote=parameter.quote, delimiter=parameter.delimiter)


def _selection(parameter: Parameter, given: Sequence[str], known: Sequence[Choice], *, dynamic: bool) -> Value:
    if ALL in given:
        marker = parameter.settings.get("selectAllValue")
        if isinstance(marker, str) and "selectAllValue" in parameter.settings:
            # an empty marker and the marker of an empty array are pasted as they are
            bare = not parameter.multiple or marker in ("", "[]")
            return Value(marker if bare else (marker,), "All")
        if known:
            return Value(tuple(choice.value for choice in known), "All")
        return Value(() if not dynamic else None, "All", guessed=dynamic)
    picked = [value for value in given if not value.startswith(_SPECIAL)]
    count = next((value.removeprefix(_SPECIAL) for value in given if value.startswith(_SPECIAL)), "")
    if not picked and count.isdigit():
        picked = [choice.value for choice in known[: int(count)]]
    if not picked:
        picked = [choice.value for choice in known if choice.selected]
    if not picked and dynamic:
        return Value(None, guessed=True)
    if not parameter.multiple:
        value = picked[0] if picked else None
        return Value(value, _label(value, known))
    return Value(tuple(picked), ", ".join(_label(value, known) for value in picked))


def _label(value: str | None, known: Sequence[Choice]) -> str:
    return next((choice.label for choice in known if choice.value == value), value or "")


def _given(value: Any) -> list[str]:
    if isinstance(value, list):
        return [as_text(item) for item in value if item is not None]
    return [as_text(value)] if value not in (None, "") and not isinstance(value, dict) else []


def time_range(value: Any, now: datetime) -> TimeRange:
    """The range of a time parameter's value: {"durationMs": n}, with startTime and endTime for a custom one."""
    if isinstance(value, Mapping):
        start, end = _moment(value.get("startTime")), _moment(value.get("endTime"))
        if start and end and start < end:
            return TimeRange(start, end, relative=False)
        duration = value.get("durationMs")
        if isinstance(duration, int | float) and not isinstance(duration, bool) and 0 < duration <= 10**12:
            end = _moment(value.get("endTime"))
            span = timedelta(milliseconds=duration)
            return TimeRange(end - span, end, relative=False) if end else TimeRange.last(span, now)
    return TimeRange.last(DAY, now)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else None


def export_value(export: Export) -> Value:
    """The value of an exported parameter before any row is clicked."""
    if export.default or export.multiple:
        return Value(() if export.multiple else export.default, export.default, export.quote, export.delimiter, guessed=export.multiple)
    return Value(None, guessed=True, whole=not export.field)


def link_value(links: Sequence[Link], style: str, name: str) -> Value:
    """The value of a parameter that links set: tabs begin with the first one."""
    if style == "tabs" and links and links[0].value == name:
        return Value(links[0].sub_target, links[0].label)
    return Value(None, guessed=True)


def as_text(value: Any) -> str:
    """A JSON value as the text that Azure pastes for it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)
