"""What every check of a workbook looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from toolkit.content.workbooks import WorkbookDocument
from toolkit.content.yaml.nodes import Path
from toolkit.kql.analysis import Analysis
from toolkit.workbooks.defaults import export_value, link_value, opening_value
from toolkit.workbooks.model import Export, Link, Parameter, Step, Workbook
from toolkit.workbooks.read import Notes
from toolkit.workbooks.references import references
from toolkit.workbooks.scopes import Definition, Scopes
from toolkit.workbooks.tables import Columns
from toolkit.workbooks.values import TimeRange, Value


@dataclass
class Inspection:
    """`columns` are those of each query by the path of its step, as far as they are known: the queries' check fills them."""

    files: WorkbookDocument
    workbook: Workbook
    scopes: Scopes
    notes: Notes
    analyze: Callable[[str], Analysis]
    now: datetime
    columns: dict[Path, Columns] = field(default_factory=dict)

    @cached_property
    def in_texts(self) -> frozenset[str]:
        """The parameters that some text or query refers to."""
        return frozenset(found.name for _, _, text, _ in self.texts() for found in references(text, self.scopes.all))

    def values(self, step: Step) -> Mapping[str, Value]:
        """The values, when the workbook opens, of the parameters that a step can use."""
        return {name: self.value(found) for name, found in self.scopes.visible.get(step.path, {}).items()}

    def value(self, definition: Definition) -> Value:
        origin = definition.origin
        if isinstance(origin, Parameter):
            value = opening_value(origin, self.now)
            # somebody will choose or type something: what an empty value would break is not wrong
            return replace(value, guessed=True) if value.plain in ("", (), None) else value
        if isinstance(origin, Export):
            return export_value(origin)
        if isinstance(origin, Link):
            style = str(definition.step.content.get("style") or "")
            return link_value(definition.step.links, style, definition.name)
        return Value(TimeRange(self.now, self.now, relative=False), guessed=True)

    def texts(self) -> Iterator[tuple[Step, Path, str, bool]]:
        """Every text in which parameters are replaced: its step, path and value, and whether it is a query."""
        for step in self.workbook.walk():
            here = step.content_path
            if step.kind == "text":
                yield step, (*here, "json"), step.text, False
            if step.title:
                yield step, (*here, "title"), step.title, False
            if step.query and step.query.text:
                yield step, (*here, "query"), step.query.text, True
            for key in ("noDataMessage",):
                if isinstance(step.content.get(key), str):
                    yield step, (*here, key), step.content[key], False
            for parameter in step.parameters:
                if parameter.query:
                    yield step, (*parameter.path, "query"), parameter.query, True
            for link in step.links:
                for key in ("linkLabel", "preText", "postText", "cellValue"):
                    text = link.content.get(key)
                    if isinstance(text, str) and not (key == "cellValue" and link.target == "parameter"):
                        yield step, (*link.path, key), text, False
