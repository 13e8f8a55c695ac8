"""The text format of the bundled catalogue: one line per table, so that asking for one table parses one line.

    !standard <TAB> column[:type] ...        first line: columns that nearly every table has
    Name <TAB> mask <TAB> column[:type] ...  columns are joined by tabs (one real column name holds a space)
    Name <TAB> =Other                        the same columns as an earlier table

`mask` is a hexadecimal number whose bit n stands for standard column n; the columns are then the sorted union of both.
`-` means that the columns are listed in full, in their own order. A column without a type is a string.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

HEADER = "!standard"
DEFAULT_TYPE = "string"
Columns = Mapping[str, str]


def encode(tables: Mapping[str, Columns], standard: Columns) -> str:
    """The whole file for tables of {column: KQL type}, in order of table name."""
    lines = ["\t".join([HEADER, *map(_column_text, standard.items())])]
    seen: dict[tuple[tuple[str, str], ...], str] = {}
    for name in sorted(tables):
        columns = tables[name]
        same = seen.setdefault(tuple(columns.items()), name)
        lines.append(f"{name}\t={same}" if same != name else "\t".join([name, *_fields(columns, list(standard.items()))]))
    return "\n".join(lines) + "\n"


def _fields(columns: Columns, standard: list[tuple[str, str]]) -> list[str]:
    if list(columns) != sorted(columns):
        return ["-", *map(_column_text, columns.items())]
    mask = sum(1 << bit for bit, (name, kind) in enumerate(standard) if columns.get(name) == kind)
    factored = {name for bit, (name, _) in enumerate(standard) if mask >> bit & 1}
    return [f"{mask:x}", *(_column_text(item) for item in columns.items() if item[0] not in factored)]


def _column_text(item: tuple[str, str]) -> str:
    return item[0] if item[1] == DEFAULT_TYPE else f"{item[0]}:{item[1]}"


class TableText:
    """The text of the bundled catalogue with lookup by table name. KeyError for a name that it does not hold."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._standard = list(_columns(text[: text.index("\n")].split("\t")[1:]).items())

    def names(self) -> list[str]:
        return [line[: line.index("\t")] for line in self._text.splitlines()[1:]]

    def columns(self, name: str) -> dict[str, str]:
        fields = self._line(name).split("\t")
        if fields[1].startswith("="):
            return self.columns(fields[1][1:])
        listed = _columns(fields[2:])
        if fields[1] == "-":
            return listed
        mask = int(fields[1], 16)
        listed.update(item for bit, item in enumerate(self._standard) if mask >> bit & 1)
        return dict(sorted(listed.items()))

    def _line(self, name: str) -> str:
        start = self._text.find(f"\n{name}\t")
        if start < 0 or "\n" in name or "\t" in name:
            raise KeyError(name)
        return self._text[start + 1 : self._text.index("\n", start + 1)]


def _columns(fields: Iterable[str]) -> dict[str, str]:
    parts = (field.partition(":") for field in fields)
    return {name: kind or DEFAULT_TYPE for name, _, kind in parts}
