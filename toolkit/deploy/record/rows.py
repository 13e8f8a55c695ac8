"""From a result to the lines of a file, column by column."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from toolkit.deploy.record.fields import Field, field_of, is_doubtful
from toolkit.deploy.record.jsontext import JsonValues, render
from toolkit.deploy.record.key import Key
from toolkit.deploy.record.pseudonyms import Pseudonyms
from toolkit.deploy.record.secrets import without_secrets
from toolkit.deploy.record.tally import Report, Tally
from toolkit.deploy.record.template import Part
from toolkit.deploy.record.values import Values
from toolkit.deploy.record.words import Words
from toolkit.engine.result import Result
from toolkit.engine.values import to_json
from toolkit.kql.types import ScalarType

_TEXTS = (ScalarType.STRING, ScalarType.GUID, ScalarType.DYNAMIC)
_WHOLE = (ScalarType.INT, ScalarType.LONG)
_TWO_NAMES = re.compile(r"\b[A-Z][a-z]+ [A-Z][a-z]+\b")
_PROSE = re.compile(r"\S+(?:\s+\S+){3,}")


class Observer(Protocol):
    """Is told how far a recording is."""

    def total(self, steps: int) -> None: ...

    def step(self, name: str) -> None: ...


@dataclass(frozen=True)
class Recording:
    """The lines of a sample file, without line ends, and what was replaced in them."""

    lines: Sequence[str]
    report: Report


@dataclass
class _Column:
    """`shown` is the name that is written: a query can make columns whose names are data, as `evaluate pivot` does."""

    name: str
    type: ScalarType
    values: list[Any]
    shown: str = ""
    parts: dict[str, list[Part]] = field(default_factory=dict)


@dataclass(frozen=True)
class Shape:
    """How the file is written: columns in the order of `known` (the table's), the rest behind; `keep` stays as it is."""

    table: str
    known: Sequence[str] = ()
    keep: Collection[str] = ()
    sort: bool = False


def pseudonymise(result: Result, key: Key, shape: Shape, observer: Observer | None = None) -> Recording:
    """Every row as a line of JSON. Nulls and empty texts of known columns are left out, as they are in the service's exports.

    Raises PseudonymCollision. With `shape.sort` rows are in the order of TimeGenerated. Memory: a few times the result.
    """
    tally = Tally()
    pseudonyms = Pseudonyms(key)
    columns = [_Column(name, ScalarType(kind), result.values(at)) for at, (name, kind) in enumerate(result.columns)]
    order = {name: place for place, name in enumerate(shape.known)}
    columns.sort(key=lambda column: order.get(column.name, len(order)))
    if observer:
        observer.total(2 * len(columns))
    values = JsonValues(Values(pseudonyms, tally))
    for column in columns:
        column.shown = column.name if column.name in order or column.name in shape.keep else values.name(column.name)
        _scan(column, values, tally, kept=column.name in shape.keep)
        if observer:
            observer.step(column.name)
    words = Words(pseudonyms)
    written: list[list[str | None]] = []
    for column in columns:
        written.append(_write(column, words, tally, known=column.name in order, kept=column.name in shape.keep))
        if observer:
            observer.step(column.name)
    lines = ["{" + ",".join([cell for cell in row if cell is not None]) + "}" for row in zip(*written, strict=True)]
    if shape.sort:
        lines = _sorted(lines, columns)
    kept = tuple(column.name for column in columns if column.name in shape.keep)
    report = Report(shape.table, len(lines), key.fingerprint, tuple(tally.replaced), tuple(tally.doubtful), kept)
    return Recording(lines, report)


def _scan(column: _Column, values: JsonValues, tally: Tally, *, kept: bool) -> None:
    """Works out the parts of every different value of a column of texts, and learns the names in them."""
    kind = field_of(column.name, column=True)
    if column.type in _WHOLE and kind in (Field.NAME, Field.SECRET) and not kept:
        column.values = [None if value is None else int(values.number(str(value), kind, column.shown)) for value in column.values]
    if column.type not in _TEXTS:
        return
    for text, times in Counter(column.values).items():
        if text is None or text == "":
            continue
        if kept:
            clean, removed = without_secrets(text)
            column.parts[text] = [clean]
            for _ in range(removed):
                tally.add(column.shown, "secret", text, times)
        elif column.type is ScalarType.DYNAMIC:
            column.parts[text] = values.json(text, kind, column.shown, times)
        else:
            column.parts[text] = values.text(text, kind, column.shown, times)


def _write(column: _Column, words: Words, tally: Tally, *, known: bool, kept: bool) -> list[str | None]:
    """A column's cells as `"name":value`; None for a cell that is left out."""
    head = json.dumps(column.shown, ensure_ascii=False) + ":"
    kind = field_of(column.name, column=True)
    if column.type not in _TEXTS:
        cells = to_json(column.type, column.values)
        return [None if cell is None and known else head + json.dumps(cell, default=str) for cell in cells]
    texts = _rendered(column, words, tally, open_=kind is Field.OPEN and not kept)
    if column.type is not ScalarType.DYNAMIC:
        texts = {value: json.dumps(text, ensure_ascii=False) for value, text in texts.items()}
    empty = None if known else head + ('""' if column.type is ScalarType.STRING else "null")
    cells_of: Mapping[str, str] = {value: head + text for value, text in texts.items()}
    return [cells_of.get(value, empty) for value in column.values]


def _rendered(column: _Column, words: Words, tally: Tally, *, open_: bool) -> dict[str, str]:
    counts = Counter(column.values)
    times = 1
    doubtful = open_ and is_doubtful(column.name)

    def seen(path: str, gap: str, hits: list[str]) -> None:
        for hit in hits:
            tally.add(path, "name in text", hit, times)
        if len(gap) < 5 or gap[0] in "{[":
            return
        if why := _why(gap):
            tally.doubt(path, why, times)
        elif doubtful or (path != column.shown and is_doubtful(path.rpartition(".")[2].removesuffix("[]"))):
            tally.doubt(path, "the field's name", times)

    found: dict[str, str] = {}
    for value, parts in column.parts.items():
        times = counts[value]
        found[value] = render(parts, column.shown, words, seen)
    return found


@lru_cache(maxsize=100_000)
def _why(text: str) -> str:
    """Why a text may name somebody."""
    if " " not in text:
        return ""
    return "names" if _TWO_NAMES.search(text) else "free text" if _PROSE.search(text) else ""


def _sorted(lines: list[str], columns: list[_Column]) -> list[str]:
    times = next((column.values for column in columns if column.name == "TimeGenerated" and column.type is ScalarType.DATETIME), None)
    if times is None:
        return lines
    order = sorted(range(len(lines)), key=lambda row: (times[row] is None, times[row] or 0, lines[row]))
    return [lines[row] for row in order]
