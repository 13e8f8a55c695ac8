"""A workbook with data: every step as what a page draws, for the values that a reader has chosen.

A view is made from the top down, as Azure makes it: parameters get their values, queries run with them, conditions decide what
is shown. Nothing is kept between two views but the results of queries, so the same choices always give the same page.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from toolkit.content.workbooks import WorkbookDocument
from toolkit.engine.errors import QueryCancelled
from toolkit.kql.diagnostics import KqlError, ToolkitError
from toolkit.workbooks.defaults import as_text
from toolkit.workbooks.model import CHARTS, Condition, Export, Link, Query, Step
from toolkit.workbooks.numbers import cell_text
from toolkit.workbooks.preview.answers import Answers
from toolkit.workbooks.preview.charts import chart
from toolkit.workbooks.preview.choices import Inputs, selection
from toolkit.workbooks.preview.graphs import graph
from toolkit.workbooks.preview.grids import View, grid, tiles
from toolkit.workbooks.preview.maps import points
from toolkit.workbooks.preview.markdown import to_html
from toolkit.workbooks.preview.times import brushed
from toolkit.workbooks.read import Notes, read_model
from toolkit.workbooks.references import substitute
from toolkit.workbooks.tables import Answer, Row, Table, mapping
from toolkit.workbooks.values import TimeRange, Value, written

if TYPE_CHECKING:
    from toolkit import Workspace

_KEPT_RESULTS = 200
_MOST_ROWS = 10_000
_MOST_PLAIN = 200
_UNDRAWN = {
    "map": "this preview draws a map only of columns of latitude and longitude.",
    "graph": "the settings name no column of nodes that the query gives (nodeIdField).",
}
TIME_LIMIT = 60.0


@dataclass
class _Scope:
    """Values by parameter name. `tabs` are the parameters that tabs set: in a page without a server the page itself switches them."""

    values: dict[str, Value] = field(default_factory=dict)
    tabs: set[str] = field(default_factory=set)

    def inner(self) -> _Scope:
        return _Scope(dict(self.values), set(self.tabs))


class Preview:
    """A workbook over the tables of a workspace. `now` is the moment at which it is opened; `time_limit` is in seconds per query."""

    def __init__(self, files: WorkbookDocument, workspace: Workspace, now: datetime, time_limit: float = TIME_LIMIT) -> None:
        self.files = files
        self.title = files.title
        self.workbook = read_model(files, Notes(files))
        self.now = now
        self._workspace = workspace
        self._time_limit = time_limit
        self._results: OrderedDict[tuple[str, str], Answer] = OrderedDict()
        self._lock = Lock()

    def view(self, chosen: Mapping[str, Any] | None = None, *, every_tab: bool = False) -> View:
        """The page for the values that were chosen (by parameter name). `every_tab`: with what the other tabs show, for a page
        that cannot ask again; such a step has `when`: the tabs with which it is shown."""
        run = _Run(self, chosen or {}, every_tab)
        scope = _Scope()
        items = run.steps(self.workbook.steps, scope)
        tabs = {name: scope.values[name].plain for name in scope.tabs if name in scope.values}
        return {"title": self.title, "now": f"{self.now:%Y-%m-%d %H:%M}", "items": items, "static": every_tab, "values": tabs}

    def ask(self, kql: str, span: TimeRange | None) -> Answer:
        """The result of a query, run once for a text and a time range."""
        key = (kql, repr(span))
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]
        found = self._ask(kql, span)
        with self._lock:
            self._results[key] = found
            while len(self._results) > _KEPT_RESULTS:
                self._results.popitem(last=False)
        return found

    def _ask(self, kql: str, span: TimeRange | None) -> Answer:
        try:
            result = self._workspace.query(
                kql, now=self.now, start=span.start if span else None, end=span.end if span else None, timeout=self._time_limit
            )
            return Answer(Table(result.columns, result.rows()[:_MOST_ROWS]))
        except QueryCancelled:
            raise
        except KqlError as error:
            return Answer(error=str(error))
        except ToolkitError as error:
            return Answer(error=str(error))


@dataclass
class _Run:
    """The making of one view."""

    preview: Preview
    chosen: Mapping[str, Any]
    every_tab: bool

    def __post_init__(self) -> None:
        self.answers = Answers(self.preview.ask, self.preview.now, self.preview.workbook)

    def steps(self, steps: Sequence[Step], scope: _Scope) -> list[View]:
        drawn: list[View] = []
        for step in steps:
            found = self.step(step, scope)
            if found is not None:
                drawn.append({"kind": step.kind, "name": step.name, "width": step.width, **found})
        return drawn

    def step(self, step: Step, scope: _Scope) -> View | None:
        """What to draw for a step, None for nothing. Parameters get values also where they are not shown."""
        shown, waits = self.visible(step.conditions, scope)
        if step.kind == "parameters":
            items = Inputs(self.preview.ask, self.chosen, self.preview.now).draw(step, scope.values)
            found: View | None = {"style": as_text(step.content.get("style")), "items": items} if items else None
        elif step.kind == "links":
            found = self.links(step, scope)
        elif step.kind == "group":
            found = self.group(step, scope, shown=shown)
        elif step.kind == "query":
            self.exports(step, scope)
            found = self.query(step, step.query, scope) if shown and step.query else None
        elif step.kind == "text":
            found = {"html": to_html(self.text(step.text, scope)), "style": as_text(step.content.get("style"))} if shown else None
        else:
            found = self.note(step, "is not drawn here: it needs Azure.") if shown else None
        if not shown or found is None:
            return None
        return {**found, "when": waits} if waits else found

    def visible(self, conditions: Sequence[Condition], scope: _Scope) -> tuple[bool, list[View]]:
        """Whether conditions hold, and those that the page decides on itself."""
        waits: list[View] = []
        for condition in conditions:
            if self.every_tab and condition.parameter in scope.tabs:
                waits.append({"name": condition.parameter, "equal": condition.comparison != "isNotEqualTo", "value": condition.value})
                continue
            value = scope.values.get(condition.parameter, Value(None))
            text = written(value, "", "text")
            if (text == condition.value) == (condition.comparison == "isNotEqualTo"):
                return False, []
        return True, waits

    def text(self, text: str, scope: _Scope) -> str:
        return substitute(text, scope.values, "text").text

    def note(self, step: Step, message: str) -> View:
        return {"title": step.title, "note": f"{step.title or step.name or 'This step'} {message}"}

    def links(self, step: Step, scope: _Scope) -> View:
        style = as_text(step.content.get("style"))
        drawn = []
        for link in step.links:
            if link.target == "parameter" and link.value:
                self.link_value(step, link, style, scope)
        for link in step.links:
            label = self.text(link.label, scope)
            found: View = {"label": label, "before": self.text(as_text(link.content.get("preText")), scope)}
            found["after"] = self.text(as_text(link.content.get("postText")), scope)
            if link.target == "parameter":
                found |= {"parameter": link.value, "value": link.sub_target, "active": self.is_active(link, scope)}
            elif link.target == "Url":
                address = self.text(link.value, scope)
                found["url"] = address if address.lower().startswith(("https://", "http://")) else ""
            drawn.append(found)
        return {"style": style, "links": drawn}

    def link_value(self, step: Step, link: Link, style: str, scope: _Scope) -> None:
        if link.value in self.chosen:
            scope.values[link.value] = Value(as_text(self.chosen[link.value]))
        elif link.value not in scope.values:
            first = step.links[0]
            scope.values[link.value] = Value(first.sub_target if style == "tabs" and first.value == link.value else None)
        if style == "tabs":
            scope.tabs.add(link.value)

    def is_active(self, link: Link, scope: _Scope) -> bool:
        return scope.values[link.value].plain == link.sub_target

    def group(self, step: Step, scope: _Scope, *, shown: bool) -> View | None:
        inner = scope.inner()
        if not shown and not step.exports_parameters:
            return None
        if not shown:  # its parameters exist all the same
            for hidden in step.walk():
                if hidden.kind == "parameters":
                    Inputs(self.preview.ask, self.chosen, self.preview.now).draw(hidden, scope.values)
                self.exports(hidden, scope)
            return None
        items = self.steps(step.steps, inner)
        template = as_text(step.content.get("loadFromTemplateId"))
        if template and not step.steps:
            items = [{"kind": "other", "name": "", "width": "", **self.note(step, f"is not drawn here: it is loaded from {template}.")}]
        if step.exports_parameters:
            scope.values.update(inner.values)
        content = step.content
        return {
            "title": self.text(step.title, scope),
            "items": items,
            "expandable": content.get("expandable") is True,
            "expanded": content.get("expanded") is True,
        }

    # --- queries -------------------------------------------------------------------------------------------------------

    def exports(self, step: Step, scope: _Scope) -> None:
        """The values of the parameters that a click on the step sets, or a brush in its chart."""
        query = step.query
        if query is None:
            return
        for export in query.exports:
            if export.parameter in self.chosen:
                scope.values[export.parameter] = selection(self.chosen[export.parameter], export)
            elif scope.values.get(export.parameter, Value(None)).plain is None:
                empty: str | tuple[str, ...] | None = () if export.multiple else export.default or None
                scope.values[export.parameter] = Value(empty, quote=export.quote, delimiter=export.delimiter)
        if query.time_brush:
            whole = self.answers.span(step, query, scope.values)
            scope.values[query.time_brush] = brushed(step.content, self.chosen.get(query.time_brush), whole, self.preview.now)

    def query(self, step: Step, query: Query, scope: _Scope) -> View:
        head: View = {"title": self.text(step.title, scope), "size": step.content.get("size"), "visualization": query.visualization}
        answer = self.answers.of(step, query, scope.values)
        if answer.note or answer.error:
            return {**head, **({"error": answer.error} if answer.error else {"note": answer.note})}
        table = answer.table
        if not table.rows:
            message = self.text(as_text(step.content.get("noDataMessage")), scope) or "The query returned no results."
            return {**head, "empty": message}
        return {**head, **self.drawn(step, query, table, scope)}

    def drawn(self, step: Step, query: Query, table: Table, scope: _Scope) -> View:
        shown = query.visualization
        if shown in CHARTS:
            found = chart(table, shown, mapping(step.content.get("chartSettings")))
            if found is not None:
                name = query.time_brush if found.get("time") else ""
                brush = {"name": name, "set": bool(self.chosen.get(name))} if name else None
                return {"chart": found, "brush": brush}
        for name, draw in (("graph", graph), ("map", points)):
            picture = draw(table, mapping(step.content.get(f"{name}Settings"))) if shown == name else None
            if picture is not None:
                view, rows = picture
                return {**view, "data": _plain(table), **self.clicks(query, table, rows, scope)}
        settings = mapping(step.content.get("tileSettings"))
        if shown in ("tiles", "card", "stat") and (settings or shown != "tiles"):
            view, rows = tiles(table, settings)
        else:
            view, rows = grid(table, mapping(step.content.get("gridSettings")), step.content.get("sortBy"))
            if shown not in ("table", ""):
                view["remark"] = f"Shown as a table: {_UNDRAWN.get(shown, f'this preview draws no {shown}.')}"
        return {**view, **self.clicks(query, table, rows, scope)}

    def clicks(self, query: Query, table: Table, rows: Sequence[Row], scope: _Scope) -> View:
        """What a click on each row sets, and which rows are chosen."""
        if not query.exports:
            return {}
        found = [{export.parameter: self.exported(export, table, row) for export in query.exports} for row in rows]
        current = {export.parameter: scope.values[export.parameter].plain for export in query.exports}
        active = [number for number, click in enumerate(found) if _is_chosen(click, current)]
        several = query.exports[0].multiple
        none = {export.parameter: [] if several else export.default for export in query.exports}
        return {"clicks": found, "active": active if several else active[:1], "unclick": none, "several": several}

    def exported(self, export: Export, table: Table, row: Row) -> str:
        if not export.field:
            return json.dumps(table.dictionary(row), ensure_ascii=False, default=str)
        index = table.index(export.field)
        return cell_text(row[index]) if index is not None else export.default


def _plain(table: Table) -> View:
    """The first rows as texts, for those who cannot see the picture."""
    return {"columns": [name for name, _ in table.columns], "rows": [[cell_text(cell) for cell in row] for row in table.rows[:_MOST_PLAIN]]}


def _is_chosen(click: Mapping[str, str], current: Mapping[str, Any]) -> bool:
    """Whether a row is among those that were clicked, by what it sets."""
    given = {name: value if isinstance(value, tuple) else (value,) for name, value in current.items()}
    return any(click.values()) and all(click[name] in given[name] for name in click)
