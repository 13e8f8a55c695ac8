"""externaldata as a table: everything that reading its files depends on is in the table's name."""

from __future__ import annotations

import json
from dataclasses import dataclass

from toolkit.kql.types import ScalarType, TableSchema

EXTERNAL_PREFIX = "_external:"

# Formats whose columns are fields by position, members by name, or the whole line.
FORMATS = frozenset({"csv", "tsv", "tsve", "psv", "scsv", "sohsv", "txt", "raw", "json", "multijson"})


@dataclass(frozen=True)
class External:
    """`columns` as declared; `skip_first`: the first record of each file is a header."""

    uris: tuple[str, ...]
    columns: tuple[tuple[str, ScalarType], ...]
    format: str
    skip_first: bool

    @property
    def table(self) -> str:
        """The name under which an engine is asked for the rows."""
        return EXTERNAL_PREFIX + json.dumps([self.uris, self.columns, self.format, self.skip_first])

    @classmethod
    def of(cls, table: str) -> External:
        """What `table` was made of."""
        uris, columns, kind, skip = json.loads(table.removeprefix(EXTERNAL_PREFIX))
        return cls(tuple(uris), tuple((name, ScalarType(text)) for name, text in columns), kind, skip)

    def schema(self, table: str) -> TableSchema:
        return TableSchema(table, dict(self.columns))
