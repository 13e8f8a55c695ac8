"""A result as a table: hidden columns, labels, sort order, and what each formatter draws in a cell."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from toolkit.workbooks.conditions import holds
from toolkit.workbooks.numbers import cell_text, formatted, number_of
from toolkit.workbooks.tables import Row, Table, mapping, objects

View = dict[str, Any]

HIDDEN, BARS, HEAT, SPARKS, ICON, THRESHOLDS, LINKS, COMPOSITE = 5, (3, 4), 8, (9, 10, 20, 21), 11, 18, 7, 22
DEFAULT_ROWS = 250
_NUMERIC = frozenset({"int", "long", "real", "decimal"})
_GENERATED = re.compile(r"\$gen_[A-Za-z]+_(?P<column>.*)_\d+")
_COLUMN = re.compile(r'\["([^"\]]+)"\]')
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


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
    drawn: list[Column] = []
    cells: list[list[Any]] = [[] for _ in shown]
    for index, (name, kind) in enumerate(table.columns):
        found = formatter(settings, name)
        if found.get("formatter") == HIDDEN:
            continue
        values = [row[index] for row in rows]
        column = Column(name, kind, found, values)
        drawn.append(column)
        columns.append({"name": name, "title": labels.get(name) or name, "right": column.right, "type": kind})
        for place, row in enumerate(shown):
            cells[place].append(column.cell(row[index], table, row))
    view: View = {"columns": columns, "rows": cells, "total": len(rows), "filter": settings.get("filter") is True}
    hierarchy = mapping(settings.get("hierarchySettings"))
    if hierarchy:
        from toolkit.workbooks.preview.trees import Grid, as_tree  # a tree is made of the columns of this file

        as_tree(view, Grid(table, shown, drawn, labels), hierarchy)
    return view, shown


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
                found["bar" if self.form in BARS else "heat"] = round(share(number, self.least, self.most), 3)
                found["palette"] = str(self.options.get("palette") or "blue")
        elif self.form in SPARKS:
            found["spark"] = [number_of(point) or 0.0 for point in value][:200] if isinstance(value, list) else []
            found["line"] = self.form in (9, 10)
            found["palette"] = str(self.options.get("palette") or "blue")
            found["t"] = ""
        elif self.form == COMPOSITE:
            self._parts(found, table, row)
        elif self.form == ICON:
            found["icon"] = str(value or "")
        elif self.form == THRESHOLDS:
            found.update(threshold(value, found["t"], self.options, table, row))
        elif self.form in (13, 14, 15) and isinstance(value, str):
            found["full"] = value
            found["t"] = value.rstrip("/").rpartition("/")[2] or value
        self._link(found, value, table, row)

    def _link(self, found: View, value: Any, table: Table, row: Row) -> None:
        """The address that the cell leads to: its own, or that of another column. Only web addresses are links here."""
        if self.options.get("linkTarget", "Url" if self.form == LINKS else None) != "Url":
            return
        index = table.index(str(self.options.get("linkColumn") or self.name))
        address = row[index] if index is not None else value
        if isinstance(address, str) and _ADDRESS.fullmatch(address):
            found["url"] = address
            found["t"] = str(self.options.get("linkLabel") or found["t"])

    def _parts(self, found: View, table: Table, row: Row) -> None:
        """A composite bar: the shares of several columns of the row, and a text about them."""
        settings = mapping(self.options.get("compositeBarSettings"))
        cells = table.dictionary(row)
        items = list(objects(settings.get("columnSettings")))
        amounts = [max(0.0, number_of(cells.get(str(item.get("columnName")))) or 0.0) for item in items]
        total = sum(amounts)
        found["parts"] = [
            {"share": round(amount / total, 3), "color": str(item.get("color") or "blue"), "t": f"{item.get('columnName')}: {amount:,.6g}"}
            for amount, item in zip(amounts, items, strict=True)
            if amount > 0
        ]
        label = settings.get("labelText")
        if isinstance(label, str) and label:
            found["t"] = _COLUMN.sub(lambda match: cell_text(cells.get(match[1])), label)


def share(number: float, least: float, most: float) -> float:
    """How far a number is from the least to the most, from 0 to 1."""
    width = most - least
    return min(1.0, max(0.0, (number - least) / width)) if width > 0 else (1.0 if number > 0 else 0.0)


def threshold(value: Any, text: str, options: Mapping[str, Any], table: Table, row: Row) -> View:
    """The icon or colour of the first threshold that holds, and its text; nothing where one cannot be decided."""
    kind = "icon" if options.get("thresholdsOptions") == "icons" else "color"
    for item in objects(options.get("thresholdsGrid")):
        outcome = holds(str(item.get("operator") or "Default"), value, _of_row(item.get("thresholdValue"), table, row))
        if outcome is None:
            return {}
        if outcome:
            shape = str(item.get("text") or "{0}{1}").replace("{0}", text).replace("{1}", "")
            shape = _COLUMN.sub(lambda match: cell_text(table.dictionary(row).get(match[1])), shape)
            return {kind: str(item.get("representation") or ""), "t": shape}
    return {}


def _of_row(value: Any, table: Table, row: Row) -> Any:
    """The value of a threshold: `["Column"]` is that of the same row."""
    found = _COLUMN.fullmatch(value.strip()) if isinstance(value, str) else None
    return table.dictionary(row).get(found[1]) if found else value


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


def _bound(value: Any, default: float) -> float:
    number = number_of(value)
    return default if number is None else number
