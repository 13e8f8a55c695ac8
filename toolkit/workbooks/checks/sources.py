"""Merges name steps and columns that there are, JSON is JSON; and what asks somebody else is said, not passed over.

A merge of a step that was renamed shows nothing, and the portal says only that it waits. The columns of merges and of JSON are known
as far as those of their tables are: their visual settings are checked like those of a query.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from toolkit.content.yaml.nodes import Path
from toolkit.kql.diagnostics import Severity, suggestion
from toolkit.workbooks.checks.inspection import Inspection
from toolkit.workbooks.expressions import ExpressionError
from toolkit.workbooks.jsondata import json_rows
from toolkit.workbooks.merges import Merge, MergeError, merged, read_merge
from toolkit.workbooks.model import JSON_DATA, MERGE, Step
from toolkit.workbooks.references import dangling, references, substitute
from toolkit.workbooks.scopes import tables_in_scope
from toolkit.workbooks.tables import Columns, Table


def check_sources(seen: Inspection) -> None:
    """Steps with JSON first, then merges, which may use them; then what was not checked."""
    for step, path, text in _texts(seen, JSON_DATA):
        _json(seen, step, path, text)
    _Merges(seen).check()
    _others(seen)


def _texts(seen: Inspection, kind: int) -> Iterator[tuple[Step, Path, str]]:
    """The queries of a kind: of steps, and of parameters."""
    for step in seen.workbook.walk():
        if step.query and step.query.type == kind and step.query.text.strip():
            yield step, (*step.content_path, "query"), step.query.text
        for parameter in step.parameters:
            if parameter.query and parameter.query_type == kind:
                yield step, (*parameter.path, "query"), parameter.query


def _json(seen: Inspection, step: Step, path: Path, text: str) -> None:
    values = seen.values(step)
    if any(values[found.name].guessed for found in references(text, values)) or any(dangling(text, values)):
        return
    answer = json_rows(text, lambda content: substitute(content, values, "query").text)
    if answer.error:
        # what somebody chooses may make it JSON
        severity: Severity = "warning" if any(references(text, values)) else "error"
        seen.notes.add("broken-json", answer.error, path, severity=severity)
    elif answer.note:
        seen.notes.add("not-checked", answer.note.replace("Not drawn here", "The columns are not checked"), path, severity="info")
    elif step.query and answer.table.columns:
        seen.columns[step.path] = tuple(answer.table.columns)


@dataclass
class _Merges:
    """Merges in the order in which they need one another."""

    seen: Inspection
    done: set[Path] = field(default_factory=set)

    def check(self) -> None:
        for step in self.seen.workbook.walk():
            self.columns(step)

    def columns(self, step: Step) -> Columns | None:
        """The columns of any query step, as far as they are known."""
        query = step.query
        if query is not None and query.type == MERGE and step.path not in self.done and query.text.strip():
            self.done.add(step.path)  # before its tables: a merge of itself is known to be none
            self.merge(step, (*step.content_path, "query"), query.text)
        return self.seen.columns.get(step.path)

    def merge(self, step: Step, path: Path, text: str) -> None:
        try:
            merge = read_merge(text)
            steps = tables_in_scope(self.seen.workbook, step)
            if not self.tables_exist(merge, steps, path, text):
                return
            known = {name: self.columns(steps[name]) for name in merge.tables}
            tables = {name: Table(columns, ()) for name, columns in known.items() if columns is not None}
            if len(tables) == len(known):
                self.seen.columns[step.path] = tuple(merged(merge, tables).columns)
        except MergeError as error:
            self.seen.notes.add("bad-merge", str(error), path, at=_place(text, error))
        except ExpressionError as error:
            self.seen.notes.add("not-checked", str(error), path, severity="info")

    def tables_exist(self, merge: Merge, steps: Mapping[str, Step], path: Path, text: str) -> bool:
        every = {other.name for other in self.seen.workbook.walk() if other.query}
        for name in merge.tables:
            if name in steps or "{" in name:
                continue
            hints = suggestion(name, steps)
            message = f"There is no query step {name!r} whose table could be merged."
            if name in every:
                message = f"The step {name!r} is in a group that the merge is not in: its table cannot be merged."
            start = text.find(f'"{name}"')
            at = (start, start + len(name) + 2) if start >= 0 else None
            # what is loaded into a larger workbook may merge tables that stand there
            severity: Severity = "error" if hints or name in every else "warning"
            self.seen.notes.add("unknown-step", message, path, at=at, hints=hints, severity=severity)
        return all(name in steps for name in merge.tables)


def _place(text: str, error: MergeError) -> tuple[int, int] | None:
    """Where in the text of the query the setting stands that an error is about."""
    at = -1
    for _ in range((error.at or 0) + 1 if error.key else 0):
        at = text.find(f'"{error.key}"', at + 1)
    return (at, at + len(error.key) + 2) if at >= 0 else None


def _others(seen: Inspection) -> None:
    """One note per data source that only Azure has."""
    found: dict[str, list[Path]] = {}
    loaded = [step for step in seen.workbook.walk() if step.content.get("loadFromTemplateId") and not step.steps]
    if loaded:
        many = f"{len(loaded)} groups are" if len(loaded) > 1 else "A group is"
        message = f"{many} loaded from another workbook; what is in there is not checked."
        seen.notes.add("not-checked", message, (*loaded[0].content_path, "loadFromTemplateId"), severity="info")
    for step in seen.workbook.walk():
        if step.query and step.query.type not in (MERGE, JSON_DATA) and not step.query.is_local:
            found.setdefault(step.query.provider, []).append(step.content_path)
        for parameter in step.parameters:
            if parameter.query and parameter.query_type not in (MERGE, JSON_DATA) and not parameter.is_local:
                found.setdefault(parameter.provider, []).append(parameter.path)
    for source, paths in found.items():
        several = len(paths) > 1
        message = f"{len(paths)} quer{'ies ask' if several else 'y asks'} {source}: {'they are' if several else 'it is'} not checked."
        hints = ["Only queries of a workspace's logs, merges of them and JSON can be checked without Azure."]
        seen.notes.add("not-checked", message, (*paths[0], "query"), hints=hints, severity="info")
