"""A condition names a parameter that exists, and compares it with a value that it can have; every tab shows something.

A step whose condition can never hold is invisible to everybody, its author included: the usual cause is a tab that was renamed
in one of the two places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolkit.kql.diagnostics import Severity, did_you_mean, suggestion
from toolkit.workbooks.checks.inspection import Inspection
from toolkit.workbooks.defaults import ALL, json_choices
from toolkit.workbooks.model import Condition, Link, Parameter, Step
from toolkit.workbooks.scopes import Definition

_CAN_BE_NAME = re.compile(r"[A-Za-z_]\w*")
"""Authors hide a step from everybody with a condition like 1 = 2."""


def check_visibility(seen: Inspection) -> None:
    """Conditions, and tabs that nothing waits for."""
    for step in seen.workbook.walk():
        for condition in step.conditions:
            if condition.parameter:
                _condition(seen, step, condition)
            else:
                seen.notes.add("missing-key", "The condition names no parameter.", condition.path, severity="warning")
    _idle_tabs(seen)


def _condition(seen: Inspection, step: Step, condition: Condition) -> None:
    name, path = condition.parameter, (*condition.path, "parameterName")
    found = seen.scopes.all.get(name)
    if not found:
        near = did_you_mean(name.strip(), seen.scopes.all)
        stripped = name.strip() in seen.scopes.all
        hints = [f"Did you mean {name.strip()!r}, without blanks?"] if stripped else [f"Did you mean {near[0]!r}?"] if near else []
        outcome = "never" if condition.comparison == "isEqualTo" and condition.value else "always"
        message = f"There is no parameter {name!r}: the step is {outcome} shown."
        severity: Severity = "error" if stripped or near else "warning" if _CAN_BE_NAME.fullmatch(name) else "info"
        seen.notes.add("unknown-parameter", message, path, hints=hints, severity=severity)
        return
    possible = _possible(found)
    if possible is None or condition.comparison != "isEqualTo" or condition.value in possible or not condition.value:
        return
    if "{" in condition.value:
        return
    message = f"The parameter {name!r} never has the value {condition.value!r}: the step is never shown."
    listed = f"Its values: {', '.join(map(repr, sorted(possible)[:12]))}."
    hints = list(suggestion(condition.value, possible)) or [listed]
    seen.notes.add("never-shown", message, (*condition.path, "value"), hints=hints, severity="warning")


def _possible(found: list[Definition]) -> set[str] | None:
    """All values that a parameter can have; None when nobody can tell."""
    values: set[str] = set()
    for definition in found:
        origin = definition.origin
        if isinstance(origin, Link) and "{" not in origin.sub_target:
            values.add(origin.sub_target)
        elif isinstance(origin, Parameter) and origin.kind in ("dropdown", "options") and origin.json_data and not origin.query:
            choices = json_choices(origin.json_data)
            if origin.multiple or not choices or ALL in str(origin.settings):
                return None
            values.update(choice.value for choice in choices)
            if isinstance(origin.value, str):
                values.add(origin.value)
        else:
            return None
    return values


def _idle_tabs(seen: Inspection) -> None:
    compared: dict[str, set[str]] = {}
    for step in seen.workbook.walk():
        for condition in step.conditions:
            compared.setdefault(condition.parameter, set()).add(condition.value if condition.comparison == "isEqualTo" else "")
    used = seen.in_texts
    for link in _tabs(seen):
        values = compared.get(link.value)
        if values is None or "" in values or link.value in used or link.sub_target in values:
            continue
        message = f"Nothing is shown for the tab {link.label!r}: no step waits for {link.value} to be {link.sub_target!r}."
        hints = suggestion(link.sub_target, values)
        seen.notes.add("idle-tab", message, (*link.path, "subTarget"), hints=hints, severity="warning")


def _tabs(seen: Inspection) -> Iterator[Link]:
    for step in seen.workbook.walk():
        if step.kind == "links" and step.content.get("style") == "tabs":
            for link in step.links:
                if link.target == "parameter":
                    yield link
