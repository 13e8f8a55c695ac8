"""What a query gives, and how the settings of a workbook are read: anything may be missing or of a wrong type there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = Sequence[Any]
Columns = tuple[tuple[str, str], ...]
"""Names and KQL types."""


@dataclass(frozen=True)
class Table:
    """What a query gave: columns with their KQL types, and rows of Python values."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Row]

    def index(self, name: str) -> int | None:
        return next((number for number, (column, _) in enumerate(self.columns) if column == name), None)

    def dictionary(self, row: Row) -> dict[str, Any]:
        return {name: value for (name, _), value in zip(self.columns, row, strict=True)}


@dataclass(frozen=True)
class Answer:
    """The result of a query, or why there is none: `error` when it fails, `note` when it is not asked."""

    table: Table = field(default_factory=lambda: Table((), ()))
    error: str = ""
    note: str = ""

    @property
    def is_table(self) -> bool:
        return not self.error and not self.note


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a JSON list; none for anything else."""
    yield from (item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def kind_of(values: Sequence[Any]) -> str:
    """The KQL type of a column of JSON values; numbers are real."""
    found = [value for value in values if value is not None]
    if found and all(isinstance(value, bool) for value in found):
        return "bool"
    if found and all(isinstance(value, int | float) and not isinstance(value, bool) for value in found):
        return "real"
    return "dynamic" if any(isinstance(value, dict | list) for value in found) else "string"
