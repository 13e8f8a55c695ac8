"""From the JSON of a workbook to its model. What has the wrong type is a finding and counts as absent: nothing crashes the reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolkit.content.findings import Finding
from toolkit.content.workbooks import WorkbookDocument
from toolkit.content.yaml.nodes import Path
from toolkit.kql.diagnostics import Diagnostic, Severity, suggestion
from toolkit.workbooks.model import (
    LOGS,
    PARAMETER_KINDS,
    STEP_KINDS,
    Condition,
    Export,
    Link,
    Parameter,
    Query,
    Step,
    Workbook,
)

_COMPARISONS = ("isEqualTo", "isNotEqualTo")
_NAMES = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a whole number", float: "a number"}


class Notes:
    """Collects findings at places of a workbook's files."""

    def __init__(self, files: WorkbookDocument) -> None:
        self.files = files
        self.found: list[Finding] = []

    def add(
        self,
        code: str,
        message: str,
        path: Path,
        *,
        at: tuple[int, int] | None = None,
        hints: Sequence[str] = (),
        severity: Severity = "error",
    ) -> None:
        """A finding at the value at `path`, or at characters [at) of the text there."""
        source, span = self.files.place(path, *(at or ()))
        self.found.append(Finding(source, Diagnostic(code, severity, "check", message, span.start, span.end, tuple(hints))))


def read_model(files: WorkbookDocument, notes: Notes) -> Workbook:
    """The model of a workbook whose files were read."""
    content = files.content()
    content = content if isinstance(content, dict) else {}
    return Workbook(tuple(_Reader(notes).steps(content, ())), content)


class _Reader:
    def __init__(self, notes: Notes) -> None:
        self.notes = notes

    # --- values --------------------------------------------------------------------------------------------------------

    def wrong(self, expected: str, value: Any, path: Path) -> None:
        self.notes.add("wrong-type", f"Expected {expected}, found {_NAMES.get(type(value), 'another value')}.", path)

    def mapping(self, holder: Mapping[str, Any], key: str, path: Path) -> Mapping[str, Any]:
        value = holder.get(key)
        if value is not None and not isinstance(value, dict):
            self.wrong("an object", value, (*path, key))
        return value if isinstance(value, dict) else {}

    def objects(self, holder: Mapping[str, Any], key: str, path: Path) -> Iterator[tuple[Mapping[str, Any], Path]]:
        value = holder.get(key)
        if value is not None and not isinstance(value, list):
            self.wrong("a list", value, (*path, key))
        for number, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict):
                yield item, (*path, key, number)
            elif item is not None:
                self.wrong("an object", item, (*path, key, number))

    def text(self, holder: Mapping[str, Any], key: str, path: Path, default: str = "") -> str:
        value = holder.get(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
        if not isinstance(value, str):
            self.wrong("text", value, (*path, key))
            return default
        return value

    def number(self, holder: Mapping[str, Any], key: str, path: Path, default: int) -> int:
        value = holder.get(key)
        if isinstance(value, str) and value.strip().isdigit():
            return int(value)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            self.wrong("a whole number", value, (*path, key))
        return value if isinstance(value, int) and not isinstance(value, bool) else default

    # --- parts ---------------------------------------------------------------------------------------------------------

    def steps(self, holder: Mapping[str, Any], path: Path) -> Iterator[Step]:
        for item, here in self.objects(holder, "items", path):
            yield self.step(item, here)

    def step(self, item: Mapping[str, Any], path: Path) -> Step:
        number = self.number(item, "type", path, -1)
        kind = STEP_KINDS.get(number, "other")
        if kind == "other":
            known = ", ".join(f"{code} ({name})" for code, name in STEP_KINDS.items())
            message = f"The step type {item.get('type')!r} is not known; the step is passed over."
            self.notes.add("unknown-step", message, (*path, "type"), hints=[f"Known types: {known}."], severity="warning")
        content, here = self.mapping(item, "content", path), (*path, "content")
        step = Step(
            kind,
            self.text(item, "name", path),
            path,
            content,
            title=self.text(content, "title", here),
            width=self.text(item, "customWidth", path),
            conditions=tuple(self.conditions(item, path)),
        )
        return self.with_parts(step, content, here)

    def with_parts(self, step: Step, content: Mapping[str, Any], here: Path) -> Step:
        parts: dict[str, Any] = {}
        if step.kind == "text":
            parts["text"] = self.text(content, "json", here)
        elif step.kind == "query":
            parts["query"] = self.query(content, here)
        elif step.kind == "parameters":
            parts["parameters"] = tuple(self.parameter(item, path) for item, path in self.objects(content, "parameters", here))
        elif step.kind == "links":
            parts["links"] = tuple(self.link(item, path) for item, path in self.objects(content, "links", here))
        elif step.kind == "group":
            parts["steps"] = tuple(self.steps(content, here))
            parts["exports_parameters"] = content.get("exportParameters") is True
        return Step(**{**{name: getattr(step, name) for name in step.__dataclass_fields__}, **parts})

    def conditions(self, item: Mapping[str, Any], path: Path) -> Iterator[Condition]:
        single = self.mapping(item, "conditionalVisibility", path)
        found = [(single, (*path, "conditionalVisibility"))] if single else []
        found += self.objects(item, "conditionalVisibilities", path)
        for condition, here in found:
            comparison = self.text(condition, "comparison", here, "isEqualTo")
            if comparison not in _COMPARISONS:
                hints = suggestion(comparison, _COMPARISONS) or [f"Comparisons: {', '.join(_COMPARISONS)}."]
                self.notes.add("bad-value", f"The comparison {comparison!r} is not known.", (*here, "comparison"), hints=hints)
            yield Condition(self.text(condition, "parameterName", here), comparison, self.text(condition, "value", here), here)

    def query(self, content: Mapping[str, Any], path: Path) -> Query:
        return Query(
            self.text(content, "query", path),
            self.number(content, "queryType", path, LOGS),
            self.text(content, "resourceType", path),
            self.text(content, "visualization", path) or "table",
            tuple(self.exports(content, path)),
            self.text(content, "timeContextFromParameter", path),
            self.text(content, "timeBrushParameterName", path),
        )

    def exports(self, content: Mapping[str, Any], path: Path) -> Iterator[Export]:
        multiple = content.get("exportMultipleValues") is True
        name = self.text(content, "exportParameterName", path)
        if name:
            default = self.text(content, "exportDefaultValue", path)
            yield Export(name, self.text(content, "exportFieldName", path), default, multiple, (*path, "exportParameterName"))
        for item, here in self.objects(content, "exportedParameters", path):
            yield Export(
                self.text(item, "parameterName", here),
                self.text(item, "fieldName", here),
                self.text(item, "defaultValue", here),
                multiple,
                (*here, "parameterName"),
                self.text(item, "quote", here, "'"),
                self.text(item, "delimiter", here, ","),
            )

    def parameter(self, item: Mapping[str, Any], path: Path) -> Parameter:
        number = self.number(item, "type", path, -1)
        if number not in PARAMETER_KINDS:
            known = ", ".join(f"{code} ({name})" for code, name in PARAMETER_KINDS.items() if name != "other")
            message = f"The parameter type {item.get('type')!r} is not known."
            self.notes.add("unknown-parameter-type", message, (*path, "type"), hints=[f"Known types: {known}."], severity="warning")
        name = self.text(item, "name", path)
        if not name:
            self.notes.add("missing-key", "The parameter has no name.", path)
        kind = PARAMETER_KINDS.get(number, "other")
        data = item.get("jsonData")
        return Parameter(
            name,
            kind,
            path,
            item,
            label=self.text(item, "label", path),
            value=item.get("value"),
            query=self.text(item, "query", path) or None,
            query_type=self.number(item, "queryType", path, LOGS),
            json_data=data if isinstance(data, str) and data.strip() else None,
            multiple=item.get("multiSelect") is True or kind == "multi",
            required=item.get("isRequired") is True,
            hidden=item.get("isHiddenWhenLocked") is True,
            shared=item.get("isGlobal") is True,
            quote=self.text(item, "quote", path, "'"),
            delimiter=self.text(item, "delimiter", path, ","),
        )

    def link(self, item: Mapping[str, Any], path: Path) -> Link:
        label = self.text(item, "linkLabel", path)
        return Link(
            self.text(item, "linkTarget", path), self.text(item, "cellValue", path), self.text(item, "subTarget", path), label, path, item
        )
