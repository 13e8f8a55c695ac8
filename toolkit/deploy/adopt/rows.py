"""The rows of a watchlist's CSV text, changed row by row: a row that means the same stays as it is written."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from toolkit.content.models.function import WatchlistFile

Row = Mapping[str, str]


def edited_rows(text: str, model: WatchlistFile, rows: Sequence[Row], key: str = "") -> str:
    """The CSV text with exactly these rows: its own in their order, changed ones in their place, new ones at the end.

    A column that is missing is added, that of the search key `key` also where there are no rows.

    A changed row is one whose value of the search key stands in one row only, before and after. Raises csv.Error for text that is no
    CSV.
    """
    delimiter = "\t" if model.content_type == "text/tsv" else ","
    lines = text.splitlines(keepends=True)
    head = "".join(lines[: model.number_of_lines_to_skip])
    records = list(_records(text[len(head) :], delimiter))
    if not records:
        return text
    (header_text, header), *body = records
    newline = "\r\n" if "\r\n" in text else "\n"
    columns = [*header, *_new_columns(header, rows, key)]
    extra = delimiter * (len(columns) - len(header))
    if extra:
        names = delimiter.join(_cell(name, delimiter) for name in columns[len(header) :])
        header_text = _before_end(header_text, delimiter + names, newline)
    waiting = _Waiting(rows, model.key or header[0])
    planned: list[tuple[str, Row | None]] = []
    for raw, cells in body:
        row = dict(zip(header, cells, strict=False))
        stays = not cells or waiting.take(row)
        planned.append((_before_end(raw, extra, newline) if extra and cells else raw, None if stays else row))
    gone = Counter(row.get(waiting.key, "") for _, row in planned if row is not None)
    kept: list[str] = []
    for raw, row_gone in planned:
        if row_gone is None:
            kept.append(raw)
        elif gone[value := row_gone.get(waiting.key, "")] == 1 and (changed := waiting.only(value)) is not None:
            kept.append(_line(columns, changed, delimiter) + newline)
    parts = [head, header_text, *kept, *(_line(columns, row, delimiter) + newline for row in waiting.left())]
    return _joined([part for part in parts if part], newline)


def _records(text: str, delimiter: str) -> Iterator[tuple[str, list[str]]]:
    """Each record as it is written, with its line end, and its cells; an empty line has none."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    for cells in csv.reader(lines(), delimiter=delimiter, strict=True):
        yield "".join(taken), cells
        taken.clear()


def _meaning(row: Row) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in row.items() if value != ""))


class _Waiting:
    """Rows that have no line yet."""

    def __init__(self, rows: Sequence[Row], key: str) -> None:
        self.key = key
        self.rows = dict(enumerate(rows))
        self.by_meaning: dict[tuple[tuple[str, str], ...], list[int]] = {}
        for number, row in reversed(self.rows.items()):
            self.by_meaning.setdefault(_meaning(row), []).append(number)
        self.by_key: dict[str, list[int]] | None = None

    def take(self, row: Row) -> bool:
        """Whether there was a row that means the same; it waits no longer."""
        numbers = self.by_meaning.get(_meaning(row), [])
        return bool(numbers) and self.rows.pop(numbers.pop(), None) is not None

    def only(self, value: str) -> Row | None:
        """The one row left with this search key, taken out; None when there is none or several. No `take` may follow."""
        if self.by_key is None:
            self.by_key = {}
            for number, row in self.rows.items():
                self.by_key.setdefault(row.get(self.key, ""), []).append(number)
        numbers = self.by_key.get(value, [])
        return self.rows.pop(numbers[0], None) if len(numbers) == 1 else None

    def left(self) -> Iterator[Row]:
        return iter(self.rows.values())


def _new_columns(header: list[str], rows: Sequence[Row], key: str) -> list[str]:
    used = dict.fromkeys(name for row in rows for name, value in row.items() if value != "")
    return [name for name in [*used, *([key] if key not in used else [])] if name and name not in header]


def _before_end(raw: str, text: str, newline: str) -> str:
    body = raw.rstrip("\r\n")
    return body + text + (raw[len(body) :] or newline)


def _line(columns: Sequence[str], row: Row, delimiter: str) -> str:
    cells = [row.get(name, "") for name in columns]
    return '""' if cells == [""] else delimiter.join(_cell(cell, delimiter) for cell in cells)


def _cell(text: str, delimiter: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(char in text for char in ('"', "\r", "\n", delimiter)) else text


def _joined(parts: list[str], newline: str) -> str:
    """The last line of the file may lack its end; the others may not."""
    *above, last = parts
    return "".join(part if part.endswith(("\n", "\r")) else part + newline for part in above) + last
