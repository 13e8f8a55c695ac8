"""Names are unique, a parameter is defined once, groups hold something, links lead somewhere, widths are numbers.

The portal keeps the first of two steps with one name when it merges changes, and the last of two parameters with one name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from toolkit.content.yaml.nodes import Path
from toolkit.kql.diagnostics import Severity, suggestion
from toolkit.workbooks.checks.inspection import Inspection
from toolkit.workbooks.model import Link, Step

LINK_TARGETS = frozenset(
    "parameter Url GenericDetails CellDetails Resource WorkbookTemplate Workbook OpenBlade ArmTemplate ArmAction step Metrics "
    "DependencyDetails RequestDetails ExceptionDetails TraceDetails CustomEventDetails PageViewDetails SessionTimeline UserTimeline "
    "RequestUserFlows ExceptionUserFlows PageViewUserFlows CustomEventUserFlows DownloadFile MsGraphAction CopilotNudge None "
    "AppInsightsSearch Notebook AnomalyDetails".split()
)
_VERSION = "Notebook/1.0"
_STYLES = frozenset("tabs list nav paragraph bullets toolbar".split())


def check_structure(seen: Inspection) -> None:
    """The workbook's own shape."""
    version = seen.workbook.content.get("version")
    if version != _VERSION:
        seen.notes.add("bad-value", f"Expected the version {_VERSION!r}, found {version!r}.", ("version",))
    if not seen.workbook.steps:
        seen.notes.add("empty-workbook", "The workbook has no items.", ("items",), severity="warning")
    for siblings in (seen.workbook.steps, *(step.steps for step in seen.workbook.walk())):
        _unique(seen, [((*step.path, "name"), step.name) for step in siblings], "step beside it", "info")
    for step in seen.workbook.walk():
        _width(seen, step)
        names = [((*parameter.path, "name"), parameter.name) for parameter in step.parameters]
        _unique(seen, names, "parameter of this step", "warning")
        for parameter in step.parameters:
            _data(seen, parameter.json_data, (*parameter.path, "jsonData"))
        if step.kind == "group" and not step.steps and not step.content.get("loadFromTemplateId"):
            seen.notes.add("empty-group", "The group has no items.", (*step.content_path, "items"), severity="info")
        for link in step.links:
            _link(seen, step, link)


def _unique(seen: Inspection, names: Iterable[tuple[Path, str]], what: str, severity: Severity) -> None:
    first: dict[str, Path] = {}
    for path, name in names:
        if not name:
            continue
        if name in first:
            source, span = seen.files.place(first[name])
            message = f"The name {name!r} is already that of a {what}, on line {source.position(span.start).line}."
            seen.notes.add("duplicate-name", message, path, severity=severity)
        first.setdefault(name, path)


def _width(seen: Inspection, step: Step) -> None:
    width = step.width.strip().removesuffix("%")
    if width and "{" not in width and not _is_percentage(width):
        message = f"Expected a width from 0 to 100 per cent, found {step.width!r}."
        seen.notes.add("bad-value", message, (*step.path, "customWidth"), severity="warning")


def _is_percentage(text: str) -> bool:
    try:
        return 0 <= float(text) <= 100
    except ValueError:
        return False


def _data(seen: Inspection, text: str | None, path: Path) -> None:
    if not text:
        return
    try:
        json.loads(text)
    except RecursionError:
        seen.notes.add("broken-json", "The values of the parameter nest too deeply.", path)
    except json.JSONDecodeError as error:
        if not any(f"{{{name}" in text for name in seen.scopes.all):
            message = f"The values of the parameter are not JSON: {error.msg}."
            seen.notes.add("broken-json", message, path, at=(error.pos, error.pos + 1))


def _link(seen: Inspection, step: Step, link: Link) -> None:
    if link.target and link.target not in LINK_TARGETS:
        hints = suggestion(link.target, LINK_TARGETS)
        message = f"The link target {link.target!r} is not known."
        seen.notes.add("unknown-link-target", message, (*link.path, "linkTarget"), hints=hints, severity="warning")
    if link.target == "parameter" and not link.value:
        seen.notes.add("missing-key", "The link sets a parameter and names none (cellValue).", link.path)
    if link.target == "Url" and not link.value.strip():
        seen.notes.add("missing-key", "The link has no address (cellValue).", link.path, severity="warning")
    if link.target == "step" and link.value not in {other.name for other in seen.workbook.walk()} and link.value:
        message = f"There is no step {link.value!r} to scroll to."
        hints = suggestion(link.value, [other.name for other in seen.workbook.walk()])
        seen.notes.add("unknown-step", message, (*link.path, "cellValue"), hints=hints, severity="warning")
    if step.content.get("style") == "tabs" and link.target == "Url":
        message = "A tab cannot be a link to an address: Azure shows it disabled."
        seen.notes.add("tab-with-address", message, (*link.path, "linkTarget"), severity="warning")
