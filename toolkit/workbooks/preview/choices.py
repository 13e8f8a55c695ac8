"""The inputs of a parameters step: their entries, the value in effect, what a reader may choose."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from toolkit.workbooks.defaults import ALL, Choice, as_text, choices_of, chosen, json_choices, opening_value, time_range
from toolkit.workbooks.model import JSON_DATA, LOGS, WORKSPACES, Parameter, Step
from toolkit.workbooks.preview.grids import Table, View, holds, mapping, objects
from toolkit.workbooks.preview.numbers import cell_text
from toolkit.workbooks.references import references, substitute
from toolkit.workbooks.values import TimeRange, Value, written

_MOST_CHOICES = 1_000
_SELECTS = ("dropdown", "options", "multi", "location", "resourceType")


@dataclass(frozen=True)
class Answer:
    """The result of a query, or why there is none."""

    table: Table = field(default_factory=lambda: Table((), ()))
    error: str = ""


Ask = Callable[[str, TimeRange | None], Answer]


@dataclass
class Inputs:
    """Values of parameters, in their order. `given` is what the reader chose, by name."""

    ask: Ask
    given: Mapping[str, Any]
    now: datetime

    def draw(self, step: Step, values: dict[str, Value]) -> list[View]:
        """The inputs to draw; puts the value of each parameter into `values`."""
        drawn = []
        for parameter in step.parameters:
            if not parameter.name:
                continue
            choices, error = self.choices(parameter, values)
            value = values[parameter.name] = self.value(parameter, choices, values)
            if not parameter.hidden:
                drawn.append({**_input(parameter, value, choices), "error": error})
        return drawn

    def choices(self, parameter: Parameter, values: Mapping[str, Value]) -> tuple[list[Choice] | None, str]:
        """The entries of a parameter; None when nothing says which there are."""
        if parameter.json_data and not parameter.query:
            return json_choices(substitute(parameter.json_data, values, "text").text), ""
        if not parameter.query:
            return [], ""
        if any(values[found.name].plain is None for found in references(parameter.query, values)):
            return [], ""
        text = substitute(parameter.query, values, "query").text
        local = str(parameter.content.get("resourceType") or WORKSPACES).lower() == WORKSPACES
        if parameter.query_type == JSON_DATA:
            answer = json_rows(text)
        elif parameter.query_type == LOGS and local:
            span = values.get(as_text(parameter.content.get("timeContextFromParameter")))
            answer = self.ask(text, span.plain if span and isinstance(span.plain, TimeRange) else None)
        else:
            return None, ""
        rows = [{name: cell_text(cell) for name, cell in answer.table.dictionary(row).items()} for row in answer.table.rows[:_MOST_CHOICES]]
        return choices_of(rows), answer.error

    def value(self, parameter: Parameter, choices: list[Choice] | None, values: Mapping[str, Value]) -> Value:
        known = choices or []
        name = parameter.name
        criteria = parameter.content.get("criteriaData")
        if isinstance(criteria, list) and criteria:
            return Value(by_criteria(criteria, values))
        if name in self.given and parameter.kind == "time":
            return Value(time_range(self.given[name], self.now))
        if name in self.given and parameter.kind in _SELECTS:
            given = self.given[name]
            return chosen(parameter, [as_text(item) for item in given] if isinstance(given, list) else [as_text(given)], known)
        if name in self.given:
            return Value(as_text(self.given[name]), as_text(self.given[name]))
        if parameter.kind in ("resource", "subscription"):
            return Value("local", "local logs")
        return opening_value(parameter, self.now, known)


def by_criteria(criteria: list[Any], values: Mapping[str, Value]) -> str:
    """The result of the first criterion that holds."""
    for item in objects(criteria):
        context = mapping(item.get("criteriaContext"))
        left = written(values.get(as_text(context.get("leftOperand")), Value(None)), "", "text")
        right = as_text(context.get("rightVal"))
        if context.get("rightValType") == "param":
            right = written(values.get(right, Value(None)), "", "text")
        if holds(as_text(context.get("operator")) or "Default", left, right):
            result = as_text(context.get("resultVal"))
            if context.get("resultValType") == "param":
                return written(values.get(result, Value(None)), "", "query")
            return substitute(result, values, "query").text
    return ""


def selection(given: Any, quote: str, delimiter: str) -> Value:
    """The value that clicks on rows give."""
    if isinstance(given, list):
        return Value(tuple(as_text(item) for item in given), ", ".join(map(as_text, given)), quote, delimiter)
    text = as_text(given)
    return Value(text, text)


def json_rows(text: str) -> Answer:
    """The rows of a query of the JSON provider: {"version": ..., "content": "[...]"}; its transformations are not known here."""
    try:
        data = json.loads(text)
        content = data.get("content", data) if isinstance(data, dict) else data
        content = json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError) as error:
        return Answer(error=f"The JSON of the query cannot be read: {error}")
    rows = content if isinstance(content, list) else [content]
    items = [item if isinstance(item, dict) else {"value": item} for item in rows]
    names = list(dict.fromkeys(name for item in items for name in item))
    return Answer(Table([(name, _kind(items, name)) for name in names], [[item.get(name) for name in names] for item in items]))


def _kind(items: list[dict[str, Any]], name: str) -> str:
    found = [item[name] for item in items if item.get(name) is not None]
    if found and all(isinstance(value, int | float) and not isinstance(value, bool) for value in found):
        return "real"
    return "dynamic" if any(isinstance(value, dict | list) for value in found) else "string"


def _input(parameter: Parameter, value: Value, choices: list[Choice] | None) -> View:
    found: View = {
        "name": parameter.name,
        "label": parameter.title,
        "type": parameter.kind if parameter.kind in ("time", "text", *_SELECTS) else "fixed",
        "multiple": parameter.multiple,
        "required": parameter.required,
        "help": as_text(parameter.content.get("description")),
        "shown": written(value, "label", "text"),
    }
    if isinstance(value.plain, TimeRange):
        ranges = [item.get("durationMs") for item in objects(parameter.settings.get("selectableValues"))]
        durations = sorted({duration for duration in [*ranges, value.plain.seconds * 1000] if isinstance(duration, int) and duration > 0})
        found["ranges"] = [
            {"ms": duration, "label": TimeRange.last(timedelta(milliseconds=duration), value.plain.end).label} for duration in durations
        ]
        found["ms"] = value.plain.seconds * 1000
        found["custom"] = not value.plain.relative
        found |= {"start": f"{value.plain.start:%Y-%m-%dT%H:%M}", "end": f"{value.plain.end:%Y-%m-%dT%H:%M}"}
        return found
    extra = parameter.settings.get("additionalResourceOptions")
    entries = [{"value": choice.value, "label": choice.label, "group": choice.group} for choice in choices or []]
    if isinstance(extra, list) and ALL in extra:
        entries.insert(0, {"value": ALL, "label": "All", "group": ""})
    found["choices"] = entries
    found["value"] = [ALL] if value.label == "All" else list(value.plain) if isinstance(value.plain, tuple) else [str(value.plain or "")]
    return found
