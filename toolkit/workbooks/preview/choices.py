"""The inputs of a parameters step: their entries, the value in effect, what a reader may choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from toolkit.workbooks.conditions import holds
from toolkit.workbooks.defaults import ALL, Choice, as_text, choices_of, chosen, json_choices, opening_value, time_range
from toolkit.workbooks.expressions import ExpressionError, value_of
from toolkit.workbooks.jsondata import json_rows
from toolkit.workbooks.model import JSON_DATA, Export, Parameter, Step
from toolkit.workbooks.numbers import cell_text, number_of
from toolkit.workbooks.preview.grids import View
from toolkit.workbooks.preview.times import bounds
from toolkit.workbooks.references import references, substitute
from toolkit.workbooks.tables import Answer, mapping, objects
from toolkit.workbooks.values import TimeRange, Value, written

_MOST_CHOICES = 1_000
_SELECTS = ("dropdown", "options", "multi", "location", "resourceType")


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
        if parameter.query_type == JSON_DATA:
            answer = json_rows(parameter.query, lambda content: substitute(content, values, "query").text)
        elif parameter.is_local:
            source = as_text(parameter.content.get("timeContextFromParameter"))
            answer = self.ask(text, bounds(parameter.content, source, values, self.now))
        else:
            return None, ""
        rows = [{name: cell_text(cell) for name, cell in answer.table.dictionary(row).items()} for row in answer.table.rows[:_MOST_CHOICES]]
        return choices_of(rows), answer.error or answer.note

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


def by_criteria(criteria: list[Any], values: Mapping[str, Value]) -> str | None:
    """The result of the first criterion that holds; None when one cannot be decided."""
    for item in objects(criteria):
        context = mapping(item.get("criteriaContext"))
        left = written(values.get(as_text(context.get("leftOperand")), Value(None)), "", "text")
        right = as_text(context.get("rightVal"))
        if context.get("rightValType") == "param":
            right = written(values.get(right, Value(None)), "", "text")
        outcome = holds(as_text(context.get("operator")) or "Default", left, substitute(right, values, "text").text)
        if outcome is None:
            return None
        if outcome:
            return _result(as_text(context.get("resultVal")), as_text(context.get("resultValType")), values)
    return ""


def _result(result: str, kind: str, values: Mapping[str, Value]) -> str | None:
    if kind == "param":
        return written(values.get(result, Value(None)), "", "query")
    if kind != "expression":
        return substitute(result, values, "query").text
    # a value that is no number counts as 0 there
    numbers = {name: value if number_of(value.plain) is not None else Value("0") for name, value in values.items()}
    try:
        return cell_text(value_of(substitute(result, numbers, "query").text, {}))
    except ExpressionError:
        return None


def selection(given: Any, export: Export) -> Value:
    """The value that clicks on rows give; a list, of values that differ, when several rows may be chosen."""
    texts = tuple(dict.fromkeys(as_text(item) for item in (given if isinstance(given, list) else [given])))
    if export.multiple:
        return Value(tuple(text for text in texts if text), ", ".join(texts), export.quote, export.delimiter)
    return Value(texts[-1] if texts else "", texts[-1] if texts else "")


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
