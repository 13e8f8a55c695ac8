"""Every reference names a parameter that is defined above it and in scope, with a format that exists.

Azure pastes nothing for a reference that it does not know: the query runs with `{Name}` in it and fails, the text shows it to
people. `{P:lable}` is the most frequent mistake of published workbooks.
"""

from __future__ import annotations

import re

from toolkit.content.yaml.nodes import Path
from toolkit.kql.diagnostics import Severity, did_you_mean, suggestion
from toolkit.workbooks.checks.inspection import Inspection
from toolkit.workbooks.model import Parameter, Step
from toolkit.workbooks.references import Reference, dangling, references
from toolkit.workbooks.values import FORMATS, RESOURCE_FORMATS, TIME_FORMATS, TimeRange, known_format

_COMMENT = re.compile(r"//[^\n]*")
_ENCODED = re.compile(r"%7[Bb](\w+)%7[Dd]")


def check_parameters(seen: Inspection) -> None:
    """References in queries, titles and texts, and the conditions of steps."""
    for step, path, text, is_query in seen.texts():
        for found in references(text, seen.scopes.all):
            _known(seen, step, path, found, is_query=is_query)
        comments = [match.span() for match in _COMMENT.finditer(text)] if is_query else []
        for found in dangling(text, seen.scopes.all):
            if not any(start <= found.start < end for start, end in comments):
                _dangling(seen, path, text, found, is_query=is_query)
        _encoded(seen, path, text)
    for step in seen.workbook.walk():
        _sources(seen, step)


def _known(seen: Inspection, step: Step, path: Path, found: Reference, *, is_query: bool) -> None:
    at = (found.start, found.end)
    visible = seen.scopes.visible.get(step.path, {})
    definition = visible.get(found.name)
    if definition is None:
        elsewhere = seen.scopes.all[found.name][0]
        source, span = seen.files.place(elsewhere.path)
        line = source.position(span.start).line
        later = elsewhere.path > path if _comparable(elsewhere.path, path) else False
        where = f"is defined below, on line {line}" if later else f"is defined on line {line}, in a group that keeps it to itself"
        hint = "Move the parameter above its first use." if later else "Set exportParameters of the group, or define it outside."
        severity: Severity = "error" if is_query else "warning"
        seen.notes.add("parameter-out-of-scope", f"The parameter {found.name!r} {where}.", path, at=at, hints=[hint], severity=severity)
        return
    if definition.step is step and isinstance(definition.origin, Parameter) and definition.path[:-1] >= path[:-1]:
        own = definition.path[:-1] == path[:-1]
        message = f"The parameter {found.name!r} {'asks for itself' if own else 'is defined after the one that uses it'}."
        hint = "Parameters get their values in the order in which they stand."
        seen.notes.add("parameter-out-of-scope", message, path, at=at, hints=[hint], severity="error")
        return
    value = seen.value(definition)
    if not known_format(value, found.format):
        known = TIME_FORMATS if isinstance(value.plain, TimeRange) else FORMATS | RESOURCE_FORMATS
        hints = suggestion(found.format, sorted(known)) or [f"Formats: {', '.join(sorted(known - RESOURCE_FORMATS))}."]
        message = f"There is no format {found.format!r} for the parameter {found.name!r}."
        seen.notes.add("unknown-format", message, path, at=at, hints=hints, severity="warning")


def _comparable(one: Path, other: Path) -> bool:
    """Whether two paths differ first in a list index, so that their order is that of the document."""
    first = next(((a, b) for a, b in zip(one, other, strict=False) if a != b), (0, 0))
    return all(isinstance(step, int) for step in first)


def _dangling(seen: Inspection, path: Path, text: str, found: Reference, *, is_query: bool) -> None:
    near = did_you_mean(found.name, seen.scopes.all)
    likely = bool(near) or bool(found.format)
    quoted = text[found.start - 1 : found.start] in ("'", '"', "`") if found.start else False
    message = f"There is no parameter {found.name!r}: {{{found.name}}} stays in the text as it is."
    severity: Severity = "error" if is_query and (likely or not quoted) else "warning" if is_query or likely else "info"
    hints = (f"Did you mean {' or '.join(map(repr, near))}?",) if near else ()
    seen.notes.add("unknown-parameter", message, path, at=(found.start, found.end), hints=hints, severity=severity)


def _encoded(seen: Inspection, path: Path, text: str) -> None:
    for match in _ENCODED.finditer(text):
        if match[1] in seen.scopes.all:
            message = f"{match[0]} is not replaced: a reference is written {{{match[1]}}}, also in an address."
            seen.notes.add("encoded-reference", message, path, at=match.span(), severity="warning")


def _sources(seen: Inspection, step: Step) -> None:
    """The keys that name a time range parameter."""
    visible = seen.scopes.visible.get(step.path, {})
    owners = [(step.content, step.content_path)] if step.query else []
    owners += [(parameter.content, parameter.path) for parameter in step.parameters]
    for content, path in owners:
        name = content.get("timeContextFromParameter")
        if not isinstance(name, str) or not name:
            continue
        here = (*path, "timeContextFromParameter")
        if name not in seen.scopes.all:
            hints = suggestion(name, seen.scopes.all)
            seen.notes.add("unknown-parameter", f"There is no parameter {name!r} to take the time range from.", here, hints=hints)
        elif name not in visible:
            message = f"The parameter {name!r}, from which the time range comes, is not in scope here."
            seen.notes.add("parameter-out-of-scope", message, here, severity="warning")
        elif not isinstance(seen.value(visible[name]).plain, TimeRange):
            message = f"The parameter {name!r} is no time range; the query runs over its own time context."
            seen.notes.add("not-a-time-range", message, here, severity="warning")
