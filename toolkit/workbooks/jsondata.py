"""The JSON data source: a text of JSON that stands in the workbook, as rows.

Its query is {"version": "1.0.0", "content": TEXT, "transformers": [...]}. A transformer of the type jsonpath says where the rows
are (`tablePath`) and what each column is taken from (`columns`); without one, a list gives a row per element.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from toolkit.workbooks.jsonpath import PathError, select
from toolkit.workbooks.numbers import number_of
from toolkit.workbooks.tables import Answer, Table, kind_of, mapping, objects

_MOST_ROWS = 10_000
VALUE = "value"
"""The name of the column when the rows are no objects."""


def json_rows(text: str, fill: Callable[[str], str] = str) -> Answer:
    """The rows of a query of the JSON data source. What its transformer asks for that is not supported is a note.

    `fill` puts parameters into the content: their values may be JSON themselves, so it is done after the query was read.
    """
    try:
        data = json.loads(text)
        content = data.get("content", data) if isinstance(data, dict) else data
        content = json.loads(fill(content)) if isinstance(content, str) else content
    except (ValueError, RecursionError) as error:
        return Answer(error=f"The JSON of the query cannot be read: {error}")
    try:
        return Answer(_rows(content, list(objects(data.get("transformers"))) if isinstance(data, dict) else []))
    except PathError as error:
        return Answer(note=f"Not drawn here: {str(error)[:1].lower()}{str(error)[1:]}")


def _rows(content: Any, transformers: Sequence[Mapping[str, Any]]) -> Table:
    for item in transformers:
        if item.get("type") != "jsonpath":
            raise PathError(f"The transformation {item.get('type')!r} is not supported; jsonpath is.")
    if len(transformers) > 1:
        raise PathError("Several transformations, one after the other, are not supported.")
    settings = mapping(transformers[0].get("settings")) if transformers else {}
    found = select(content, str(settings.get("tablePath") or "$"))
    rows = found[0] if len(found) == 1 and isinstance(found[0], list) else found
    columns = list(objects(settings.get("columns")))
    return _picked(rows[:_MOST_ROWS], columns) if columns else _whole(rows[:_MOST_ROWS])


def _whole(rows: Sequence[Any]) -> Table:
    items = [item if isinstance(item, dict) else {VALUE: item} for item in rows]
    names = list(dict.fromkeys(name for item in items for name in item))
    return Table(
        [(name, kind_of([item.get(name) for item in items])) for name in names], [[item.get(name) for name in names] for item in items]
    )


def _picked(rows: Sequence[Any], columns: Sequence[Mapping[str, Any]]) -> Table:
    """One column for each of the settings: `columnid`, `path`, `columnType`."""
    names = [str(column.get("columnid") or column.get("path") or VALUE) for column in columns]
    cells = [[_value(row, column) for row in rows] for column in columns]
    kinds = ["datetime" if _is_times(values) else kind_of(values) for values in cells]
    return Table(list(zip(names, kinds, strict=True)), [list(row) for row in zip(*cells, strict=True)])


def _value(row: Any, column: Mapping[str, Any]) -> Any:
    """The value of a column; a list where its path leads to several."""
    if column.get("substringRegexMatch"):
        raise PathError(f"The pattern of the column {column.get('columnid')!r} (substringRegexMatch) is not supported.")
    found = select(row, str(column.get("path") or "$"))
    value = found[0] if len(found) == 1 else found or None
    if column.get("columnType") == "datetime" and isinstance(value, str):
        return _moment(value)
    if column.get("columnType") in ("long", "int", "real", "double") and isinstance(value, str):
        return number_of(value)
    return value


def _moment(text: str) -> datetime | None:
    """A text as a point in time; None when it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _is_times(values: Sequence[Any]) -> bool:
    found = [value for value in values if value is not None]
    return bool(found) and all(isinstance(value, datetime) for value in found)
