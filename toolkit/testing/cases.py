"""Test cases (`x.tests.yaml` beside `x.yaml`): what they hold, read with the position of everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Annotated, Any

from pydantic import BeforeValidator

from toolkit.content.findings import ContentError, Finding, Findings
from toolkit.content.models.fields import Boolean, ContentModel, Integer, Raw, Text, refuse, shown
from toolkit.content.models.validate import validate_model
from toolkit.content.yaml.loader import load_mapping
from toolkit.content.yaml.nodes import Document, Path, Scalar
from toolkit.kql.source import Span

_MAX_CASES = 1000


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    text = value.text.strip() if isinstance(value, Scalar) else ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        hints = ["Write for example 2026-03-02T10:00:00Z."]
        raise refuse("bad-value", f"Expected a date and time, found {shown(value)}.", hints) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _rows(value: Any) -> Any:
    if isinstance(value, list):
        if all(isinstance(row, dict) for row in value):
            return value
        raise refuse("wrong-type", "Expected rows as mappings of column names to values.")
    if isinstance(value, Scalar) and value.text.isdigit():
        return int(value.text)
    raise refuse("wrong-type", f"Expected a number of rows or a list of rows, found {shown(value)}.")


def _entities(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(entity, dict) and "type" in entity for entity in value):
        return value
    raise refuse("wrong-type", "Expected entities as mappings with their type and identifiers.", ["- {type: Account, FullName: bob}"])


def _expectation(value: Any) -> Any:
    if isinstance(value, Scalar) and value.text.lower() == "none":
        return {"none": True}
    if isinstance(value, dict) and value:
        return value
    raise refuse("wrong-type", f"Expected `none` or what has to come out (alerts, rows, entities ...), found {shown(value)}.")


Moment = Annotated[datetime, BeforeValidator(_moment)]


class Expect(ContentModel):
    """What one run has to give. Everything is optional; what is not named is not compared."""

    none: Boolean = False
    alerts: Integer | None = None
    rows: Annotated[Any, BeforeValidator(_rows)] = None
    exact: Boolean = False
    entities: Annotated[Any, BeforeValidator(_entities)] = None
    details: Raw = None
    title: Text | None = None

    @property
    def positive(self) -> bool:
        """Whether something has to come out."""
        if self.alerts is not None:
            return self.alerts > 0
        return not self.none and self.rows not in (0, [])


class CaseModel(ContentModel):
    name: Text
    description: Text = ""
    now: Moment | None = None
    parameters: dict[str, Raw] = {}
    env: Text | None = None
    watchlists: dict[str, list[dict[str, Raw]]] = {}
    logs: Raw = None
    inherit: Boolean = True
    query: Text | None = None
    expect: Annotated[Expect, BeforeValidator(_expectation)]


class CasesModel(ContentModel):
    rule: Text | None = None
    description: Text = ""
    logs: Raw = None
    cases: list[CaseModel]


@dataclass(frozen=True)
class LogItem:
    """One entry of a case's logs: a file, a patched copy of a file, or an inline row; `path` is its place."""

    table: str
    path: Path
    file: str | None = None
    where: Mapping[str, Any] | None = None
    patch: Mapping[str, Any] | None = None
    row: Mapping[str, Any] | None = None

    @property
    def whole_file(self) -> bool:
        return self.row is None and self.patch is None


@dataclass(frozen=True)
class Case:
    model: CaseModel
    document: Document
    path: Path
    folder: FilePath
    logs: tuple[LogItem, ...]

    @property
    def name(self) -> str:
        return self.model.name

    def span(self, *path: str | int) -> Span:
        return self.document.span((*self.path, *path))


@dataclass
class CasesFile:
    """A tests file. `findings` hold what is wrong with it; `cases` what could be read."""

    path: FilePath
    shown: str
    rule: str | None
    cases: list[Case]
    findings: list[Finding]


def load_cases(path: FilePath, shown: str) -> CasesFile:
    """Read a tests file. Never raises for its content."""
    try:
        document, findings = load_mapping(path, shown)
    except ContentError as error:
        return CasesFile(path, shown, None, [], list(error.findings))
    result = CasesFile(path, shown, None, [], findings.found)
    model = validate_model(CasesModel, document, findings)
    if model is None:
        return result
    result.rule = model.rule
    shared = _log_items(model.logs, document, ("logs",), findings)
    names: dict[str, int] = {}
    for number, case in enumerate(model.cases[:_MAX_CASES]):
        where: Path = ("cases", number)
        if case.name in names:
            findings.add("duplicate-case", f"Two cases have the name {case.name!r}.", document.span((*where, "name")))
        names[case.name] = number
        own = _log_items(case.logs, document, (*where, "logs"), findings)
        result.cases.append(Case(case, document, where, path.parent, (*(shared if case.inherit else ()), *own)))
    if not model.cases:
        findings.add("no-cases", "The file holds no cases.", document.span(("cases",), key=True), severity="warning")
    return result


def _log_items(logs: Any, document: Document, path: Path, findings: Findings) -> tuple[LogItem, ...]:
    if logs is None:
        return ()
    if not isinstance(logs, dict):
        hints = ["Write for example logs: {AWSCloudTrail: [../samples/file.jsonl]}."]
        findings.add("wrong-type", "Expected tables with lists of files and rows.", document.span(path), hints=hints)
        return ()
    items: list[LogItem] = []
    for table, entries in logs.items():
        entries = entries if isinstance(entries, list) else [entries]
        for number, entry in enumerate(entries):
            place: Path = (*path, table, number) if isinstance(logs[table], list) else (*path, table)
            item = _log_item(table, entry, place)
            if item is None:
                message = "Expected a file, {file: ..., set: {...}} or a row of columns."
                findings.add("wrong-type", message, document.span(place))
            else:
                items.append(item)
    return tuple(items)


def _log_item(table: str, entry: Any, path: Path) -> LogItem | None:
    if isinstance(entry, Scalar):
        return LogItem(table, path, file=entry.text) if entry.text.strip() else None
    if not isinstance(entry, dict):
        return None
    file = entry.get("file")
    if isinstance(file, Scalar) and entry.keys() <= {"file", "where", "set"}:
        where, patch = entry.get("where"), entry.get("set")
        if not all(part is None or isinstance(part, dict) for part in (where, patch)):
            return None
        return LogItem(table, path, file=file.text, where=where, patch=patch or {})
    return LogItem(table, path, row=entry)
