"""Laying text out on lines: groups that stay on one line when they fit and break when they do not.

A document is a string, a `Line`, a `Nest`, a `Group`, or a tuple of documents. Strings are copied as they are: a line break
inside one (a multi-line string literal) is neither counted as layout nor indented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

WIDTH = 120
INDENT = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A place where a line may end: `flat` when its group stays on one line; `hard` never does."""

    flat: str = " "
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Nest:
    """What is indented by one level when its lines break."""

    inner: Doc


@dataclass(frozen=True, slots=True)
class Group:
    """What is broken into lines together, or not at all."""

    inner: Doc


Doc = Union[str, Line, Nest, Group, "tuple[Doc, ...]"]

LINE = Line()
SOFT = Line("")
HARD = Line(hard=True)


def join(separator: Doc, parts: list[Doc]) -> Doc:
    """The parts with `separator` between them."""
    out: list[Doc] = []
    for part in parts:
        if out:
            out.append(separator)
        out.append(part)
    return tuple(out)


def render(doc: Doc) -> str:
    """The document as text of at most WIDTH columns where its groups allow."""
    out: list[str] = []
    column = 0
    todo: list[tuple[int, bool, Doc]] = [(0, False, doc)]
    while todo:
        indent, flat, part = todo.pop()
        if isinstance(part, str):
            out.append(part)
            column = column + len(part) if "\n" not in part else len(part) - part.rfind("\n") - 1
        elif isinstance(part, Line):
            if flat and not part.hard:
                out.append(part.flat)
                column += len(part.flat)
            else:
                out.append("\n" + " " * indent)
                column = indent
        elif isinstance(part, Nest):
            todo.append((indent + INDENT, flat, part.inner))
        elif isinstance(part, Group):
            todo.append((indent, flat or _fits(part.inner, WIDTH - column), part.inner))
        else:
            todo.extend((indent, flat, piece) for piece in reversed(part))
    return "".join(out)


def _fits(doc: Doc, room: int) -> bool:
    """Whether the document on one line takes at most `room` columns, and has no line that must break."""
    todo: list[Doc] = [doc]
    while todo and room >= 0:
        part = todo.pop()
        if isinstance(part, str):
            room -= len(part) if "\n" not in part else part.index("\n")
        elif isinstance(part, Line):
            if part.hard:
                return False
            room -= len(part.flat)
        elif isinstance(part, (Nest, Group)):
            todo.append(part.inner)
        else:
            todo.extend(reversed(part))
    return room >= 0
