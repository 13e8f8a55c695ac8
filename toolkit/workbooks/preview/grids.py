"""A result as a table: hidden columns, labels, sort order, and what each formatter draws in a cell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from toolkit.workbooks.preview.numbers import cell_text, formatted, number_of

Row = Sequence[Any]
View = dict[str, Any]

HIDDEN, BARS, HEAT, SPARKS, ICON, THRESHOLDS, LINKS = 5, (3, 4), 8, (9, 10, 20, 21), 11, 18, 7
DEFAULT_ROWS = 250
_NUMERIC = frozenset({"int", "long", "real", "decimal"})
_GENERATED = re.compile(r"\$gen_[A-Za-z]+_(?P<column>.*)_\d+")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """What a query gave: columns with their KQL types, and rows of Python values."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Row]

    def index(self, name: str) -> int | None:
        return next((number for number, (column, _) in enumerate(self.columns) if column == name), None)

    def dictionary(self, row: Row) -> dict[str, Any]:
        return {name: value for (name, _), value in zip(self.columns, row, strict=True)}


def grid(table: Table, settings: Mapping[str, Any], sort: Any) -> tuple[View, Sequence[Row]]:
    """The table to draw, and its rows in the order they are drawn."""
    rows = in_order(table, settings.get("sortBy") or sort)
    limit = settings.get("rowLimit")
    limit = limit if isinstance(limit, int) and 0 < limit <= 10_000 else DEFAULT_ROWS
    shown = rows[:limit]
    labels = {
        item["columnId"]: item.get("label") for item in objects(settings.get("labelSettings")) if isinstance(item.get("columnId"), str)
    }
    columns: list[View] = []
    cells: list[list[Any]] = [[] for _ in shown]
    for index, (name, kind) in enumerate(table.columns):
        found = formatter(settings, name)
        if found.get("formatter") == HIDDEN:
            continue
        values = [row[index] for row in rows]
        column = Column(name, kind, found, values)
        columns.append({"name": name, "title": labels.get(name) or name, "right": column.right, "type": kind})
        for place, row in enumerate(shown):
            cells[place].append(column.cell(row[index], table, row))
    return {"columns": columns, "rows": cells, "total": len(rows), "filter": settings.get("filter") is True}, shown


def in_order(table: Table, sort: Any) -> Sequence[Row]:
    """Rows by `sortBy`: [{"itemKey": column, "sortOrder": 1 up, 2 down}]. Nulls come last."""
    rows = list(table.rows)
    for item in reversed(list(objects(sort))):
        key = str(item.get("itemKey") or "")
        generated = _GENERATED.fullmatch(key)
        index = table.index(generated["column"] if generated else key)
        if index is not None:
            down = item.get("sortOrder") == 2
            filled = [row for row in rows if row[index] is not None]
            filled.sort(key=lambda row: _sortable(row[index]), reverse=down)
            rows = filled + [row for row in rows if row[index] is None]
    return rows


def _sortable(value: Any) -> tuple[int, Any]:
    number = number_of(value) if not isinstance(value, str) else None
    if number is not None:
        return 0, number
    return (1, value.timestamp()) if isinstance(value, datetime) else (2, cell_text(value))


def formatter(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The formatter of a column: the one of its name, else the first whose pattern matches."""
    found = list(objects(settings.get("formatters")))
    for item in found:
        if item.get("columnMatch") == name:
            return item
    for item in found:
        pattern = item.get("columnMatch")
        try:
            if isinstance(pattern, str) and pattern and re.search(f"^(?:{pattern})$", name):
                return item
        except re.error:
            continue
    return {}


class Column:
    """Draws the cells of one column. `values` are all of them: they give a bar its scale."""

    def __init__(self, name: str, kind: str, found: Mapping[str, Any], values: Sequence[Any]) -> None:
        self.name = name
        self.form = found.get("formatter")
        self.options = mapping(found.get("formatOptions"))
        self.number_format = mapping(found.get("numberFormat"))
        self.right = kind in _NUMERIC and self.form != THRESHOLDS
        numbers = [number for value in values if (number := number_of(value)) is not None]
        self.least = _bound(self.options.get("min"), min(numbers, default=0.0))
        self.most = _bound(self.options.get("max"), max(numbers, default=0.0))

    def cell(self, value: Any, table: Table, row: Row) -> Any:
        """A text, or an object: {"t": text, "k": sort key, and what is drawn}."""
        text = formatted(value, self.number_format)
        found: View = {"t": text}
        number = number_of(value) if not isinstance(value, str) else None
        if number is not None:
            found["k"] = number
        if isinstance(value, dict | list) or len(text) > 80:
            found["full"] = json.dumps(value, ensure_ascii=False, default=str, indent=1) if isinstance(value, dict | list) else str(value)
        self._draw(found, value, number_of(value), table, row)
        return found if len(found) > 1 else text

    def _draw(self, found: View, value: Any, number: float | None, table: Table, row: Row) -> None:
        if self.form in BARS or self.form == HEAT:
            if number is not None:
                found["bar" if self.form in BARS else "heat"] = round(self._share(number), 3)
                found["palette"] = str(self.options.get("palette") or "blue")
        elif self.form in SPARKS:
            found["spark"] = [number_of(point) or 0.0 for point in value][:200] if isinstance(value, list) else []
            found["line"] = self.form in (9, 10)
            found["palette"] = str(self.options.get("palette") or "blue")
            found["t"] = ""
        elif self.form == ICON:
            found["icon"] = str(value or "")
        elif self.form == THRESHOLDS:
            found.update(threshold(value, found["t"], self.options, table, row))
        elif self.form == LINKS and isinstance(value, str) and _ADDRESS.fullmatch(value):
            found["url"] = value
            label = self.options.get("linkLabel")
            found["t"] = str(label) if label else found["t"]
        elif self.form in (13, 14, 15) and isinstance(value, str):
            found["full"] = value
            found["t"] = value.rstrip("/").rpartition("/")[2] or value

    def _share(self, number: float) -> float:
        width = self.most - self.least
        return min(1.0, max(0.0, (number - self.least) / width)) if width > 0 else (1.0 if number > 0 else 0.0)


def threshold(value: Any, text: str, options: Mapping[str, Any], table: Table, row: Row) -> View:
    """The icon or colour of the first threshold that holds, and its text."""
    kind = "icon" if options.get("thresholdsOptions") == "icons" else "color"
    for item in objects(options.get("thresholdsGrid")):
        if holds(str(item.get("operator") or "Default"), value, item.get("thresholdValue")):
            shape = str(item.get("text") or "{0}{1}").replace("{0}", text).replace("{1}", "")
            shape = re.sub(r'\["([^"\]]+)"\]', lambda match: cell_text(table.dictionary(row).get(match[1])), shape)
            return {kind: str(item.get("representation") or ""), "t": shape}
    return {}


def holds(operator: str, value: Any, bound: Any) -> bool:
    """Whether a value meets a threshold or a criterion."""
    text, other = cell_text(value), cell_text(bound)
    left, right = number_of(value), number_of(bound)
    numeric = left is not None and right is not None
    if operator in ("Default", "None"):
        return True
    if operator in ("is Empty", "isNotNull"):
        return (text == "") == (operator == "is Empty")
    if operator in ("==", "!="):
        return ((left == right) if numeric else (text == other)) == (operator == "==")
    if operator in (">", ">=", "<", "<="):
        if left is None or right is None:
            return False
        return {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[operator]
    if operator in ("contains", "notContains"):
        return (other.lower() in text.lower()) == (operator == "contains")
    if operator in ("startsWith", "endsWith"):
        return text.startswith(other) if operator == "startsWith" else text.endswith(other)
    return False


def tiles(table: Table, settings: Mapping[str, Any]) -> tuple[View, Sequence[Row]]:
    """One tile per row."""
    order = settings.get("sortOrderField")
    sort = [{"itemKey": settings.get("sortCriteriaField"), "sortOrder": order}] if order in (1, 2) else []
    rows = in_order(table, sort)[:100]
    drawn: list[View] = [{} for _ in rows]
    for part in ("title", "subtitle", "left", "right", "secondary"):
        found = mapping(settings.get(f"{part}Content"))
        index = table.index(str(found.get("columnMatch") or ""))
        if index is not None:
            column = Column(table.columns[index][0], table.columns[index][1], found, [row[index] for row in rows])
            for place, row in enumerate(rows):
                drawn[place][part] = column.cell(row[index], table, row)
    if not any(drawn):
        drawn = [{"title": table.columns[0][0], "left": cell_text(row[0])} if table.columns else {} for row in rows]
    return {"tiles": drawn}, rows


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _bound(value: Any, default: float) -> float:
    number = number_of(value)
    return default if number is None else number
