"""Which parameters each step of a workbook can use.

A parameter exists from the step that defines it on. What is defined inside a group is seen only there, unless the group
exports its parameters or the parameter is global.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from toolkit.content.yaml.nodes import Path
from toolkit.workbooks.model import Export, Link, Parameter, Step, Workbook

Origin = Parameter | Export | Link | str
"""What gives a parameter its value; a text for a range that is brushed in a chart."""


@dataclass(frozen=True)
class Definition:
    """One place that defines a parameter."""

    name: str
    origin: Origin
    step: Step
    path: Path


@dataclass
class Scopes:
    """`visible` holds, by path of a step, the definitions that it can use; `all` every definition by name."""

    visible: dict[Path, Mapping[str, Definition]] = field(default_factory=dict)
    all: dict[str, list[Definition]] = field(default_factory=dict)

    @classmethod
    def of(cls, workbook: Workbook) -> Scopes:
        found = cls()
        shared: dict[str, Definition] = {}
        for step in workbook.walk():
            for definition in definitions(step):
                found.all.setdefault(definition.name, []).append(definition)
                if isinstance(definition.origin, Parameter) and definition.origin.shared:
                    shared.setdefault(definition.name, definition)
        found._walk(workbook.steps, shared)
        return found

    def _walk(self, steps: tuple[Step, ...], outer: Mapping[str, Definition]) -> dict[str, Definition]:
        """Fills `visible` for the steps; returns what is defined after the last one."""
        scope = dict(outer)
        for step in steps:
            own = {definition.name: definition for definition in definitions(step)}
            self.visible[step.path] = {**scope, **own} if step.kind in ("parameters", "links") else dict(scope)
            if step.kind == "group":
                inner = self._walk(step.steps, scope)
                if step.exports_parameters:
                    own = inner
            scope.update(own)
        return scope


def tables_in_scope(workbook: Workbook, step: Step) -> dict[str, Step]:
    """The steps with queries or metrics, by name, whose tables a merge in `step` can use: beside it and beside its groups.

    Of two with one name it is the nearer one, then the first.
    """
    found: dict[str, Step] = {}
    for other in workbook.walk():
        here = other.path[:-1]
        if (other.query or other.kind == "metrics") and other.name and other is not step and step.path[: len(here)] == here:
            known = found.get(other.name)
            if known is None or len(known.path) < len(other.path):
                found[other.name] = other
    return found


def definitions(step: Step) -> Iterator[Definition]:
    """The parameters that a step itself defines."""
    for parameter in step.parameters:
        if parameter.name:
            yield Definition(parameter.name, parameter, step, (*parameter.path, "name"))
    for link in step.links:
        if link.target == "parameter" and link.value:
            yield Definition(link.value, link, step, (*link.path, "cellValue"))
    if step.query:
        for export in step.query.exports:
            if export.parameter:
                yield Definition(export.parameter, export, step, export.path)
        if step.query.time_brush:
            yield Definition(step.query.time_brush, step.query.time_brush, step, (*step.content_path, "timeBrushParameterName"))
