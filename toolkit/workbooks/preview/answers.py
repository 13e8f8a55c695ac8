"""What the queries of a view give: from the engine, from JSON in the workbook, from merges of other steps' tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from toolkit.kql.diagnostics import ToolkitError
from toolkit.workbooks.expressions import ExpressionError
from toolkit.workbooks.jsondata import json_rows
from toolkit.workbooks.merges import merged, read_merge
from toolkit.workbooks.model import JSON_DATA, MERGE, Query, Step, Workbook
from toolkit.workbooks.preview.choices import Ask
from toolkit.workbooks.preview.times import bounds
from toolkit.workbooks.references import references, substitute
from toolkit.workbooks.scopes import tables_in_scope
from toolkit.workbooks.tables import Answer, Table
from toolkit.workbooks.values import TimeRange, Value

if TYPE_CHECKING:
    from toolkit.content.yaml.nodes import Path


@dataclass
class Answers:
    """The answers of one view."""

    ask: Ask
    now: datetime
    workbook: Workbook
    _found: dict[Path, Answer] = field(default_factory=dict)
    _asking: list[Path] = field(default_factory=list)

    def of(self, step: Step, query: Query, values: Mapping[str, Value]) -> Answer:
        """The answer of a step's query for the values at its place."""
        unset = [found.name for found in references(query.text, values) if values[found.name].plain is None]
        if unset:
            return Answer(note=f"Waits for a choice of {', '.join(dict.fromkeys(unset))}.")
        if query.type == MERGE:
            found = self.merge(step, query.text, values)
        elif query.type == JSON_DATA:
            found = json_rows(query.text, lambda text: substitute(text, values, "query").text)
        elif query.is_local:
            found = self.ask(substitute(query.text, values, "query").text, self.span(step, query, values))
        else:
            found = Answer(note=f"Not drawn here: the query asks {query.provider}.")
        self._found[step.path] = found
        return found

    def span(self, step: Step, query: Query, values: Mapping[str, Value]) -> TimeRange | None:
        """The time range that the query's rows are taken from, None when the query says it itself."""
        return bounds(step.content, query.time_parameter, values, self.now)

    def merge(self, step: Step, text: str, values: Mapping[str, Value]) -> Answer:
        """A step of a merge that is not shown, or stands below, is asked all the same."""
        if step.path in self._asking:
            return Answer(error="The merge needs its own result.")
        self._asking.append(step.path)
        try:
            merge = read_merge(text)
            tables: dict[str, Table] = {}
            steps = tables_in_scope(self.workbook, step)
            for name in merge.tables:
                answer = self.named(steps.get(name), values)
                if not answer.is_table:
                    reason = answer.error or answer.note
                    return Answer(note=f"Not drawn here: the merge needs the table of {name!r}. {reason}")
                tables[name] = answer.table
            return Answer(merged(merge, tables, lambda value: substitute(value, values, "query").text))
        except ExpressionError as error:
            return Answer(note=f"Not drawn here: {error}")
        except ToolkitError as error:
            return Answer(error=str(error))
        finally:
            self._asking.pop()

    def named(self, step: Step | None, values: Mapping[str, Value]) -> Answer:
        if step is None or step.query is None:
            return Answer(note="Metrics need Azure." if step else "There is no such step here.")
        return self._found.get(step.path) or self.of(step, step.query, values)
