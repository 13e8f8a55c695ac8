"""Patched copies of recorded logs: `set: {Column: value, "log_s.user.username": bob}`.

A path leads from a column into JSON, also into JSON that is text, any number of times; keys that hold dots themselves
(`annotations.authorization.k8s.io/decision`) are found when they exist.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from toolkit.content.template.parameters import plain_value
from toolkit.content.yaml.nodes import Scalar
from toolkit.kql.diagnostics import suggestion
from toolkit.simulate.cells import cell_text

_STEP = re.compile(r"""\[(?:(\d+)|'([^']*)'|"([^"]*)")\]|([^.\[\]]+)""")
Step = str | int


class PatchError(ValueError):
    """A path that leads nowhere; `hints` say what is there."""

    def __init__(self, message: str, hints: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.hints = tuple(hints)


def steps_of(path: str) -> list[Step]:
    """`a.b[0]['c.d']` as ["a", "b", 0, "c.d"]."""
    return [
        int(match[1]) if match[1] is not None else next(part for part in match.groups()[1:] if part is not None)
        for match in _STEP.finditer(path)
    ]


def patched(record: Mapping[str, Any], path: str, value: Any, columns: Iterable[str]) -> dict[str, Any]:
    """The record with one value replaced. `columns` are those that the table may have. Raises PatchError."""
    changed = dict(record)
    if path in changed or path in set(columns):
        changed[path] = column_value(value, changed.get(path))
        return changed
    column, *rest = _column_and_rest(path, changed)
    if column is None or not rest:
        names = dict.fromkeys([*columns, *changed])
        raise PatchError(f"The logs have no column {steps_of(path)[0]!r}.", suggestion(str(steps_of(path)[0]), names))
    changed[column] = _set(changed[column], rest, plain_value(value), column)
    return changed


def column_value(value: Any, before: Any) -> Any:
    """A value for a whole column: text stays text where text was."""
    if isinstance(value, Scalar):
        return value.text if isinstance(before, str) and value.kind != "null" else plain_value(value)
    plain = plain_value(value)
    return compact(plain) if isinstance(before, str) else plain


def value_at(record: Mapping[str, Any], path: str) -> Any:
    """The value that a path leads to, None when it leads nowhere."""
    if path in record:
        return record[path]
    column, *rest = _column_and_rest(path, record)
    here: Any = record[column] if column is not None else None
    while rest and here is not None:
        here = _opened(here)
        taken, step = _take(here, rest) if isinstance(here, dict | list) else (0, None)
        if not taken:
            return None
        here, rest = here[step], rest[taken:]
    return here


def matches(record: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether a record has all the values of a `where`."""
    for path, expected in where.items():
        found = value_at(record, path)
        wanted = plain_value(expected)
        texts = {cell_text(wanted), *([expected.text] if isinstance(expected, Scalar) else [])}
        if found != wanted and cell_text(found) not in texts:
            return False
    return True


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _column_and_rest(path: str, record: Mapping[str, Any]) -> list[Any]:
    steps = steps_of(path)
    return steps if steps and steps[0] in record else [None]


def _opened(value: Any) -> Any:
    """JSON text as what it holds."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _set(value: Any, steps: list[Step], new: Any, shown: str) -> Any:
    if not steps:
        return new
    here = _opened(value)
    if not isinstance(here, dict | list):
        raise PatchError(f"{shown!r} holds no JSON to go into.")
    taken, step = _take(here, steps)
    if not taken:
        if isinstance(here, dict) and len(steps) == 1:
            grown = {**here, str(steps[0]): new}
            return compact(grown) if isinstance(value, str) else grown
        known = here if isinstance(here, dict) else {}
        there = f"It has: {', '.join(known)}." if known else f"It has {len(here)} items."
        raise PatchError(f"{shown!r} has no {steps[0]!r}.", suggestion(str(steps[0]), known) or (there,))
    copy: Any = dict(here) if isinstance(here, dict) else list(here)
    copy[step] = _set(here[step], steps[taken:], new, f"{shown}.{step}")
    return compact(copy) if isinstance(value, str) else copy


def _take(here: dict[str, Any] | list[Any], steps: list[Step]) -> tuple[int, Any]:
    """How many steps the next key swallows, and the key; 0 when there is none. Keys may hold dots."""
    if isinstance(here, list):
        index = int(steps[0]) if str(steps[0]).isdigit() else -1
        return (1, index) if 0 <= index < len(here) else (0, None)
    for count in range(len(steps), 0, -1):
        key = ".".join(map(str, steps[:count]))
        if key in here:
            return count, key
    return 0, None
