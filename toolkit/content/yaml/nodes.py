"""The tree of a YAML document: every scalar keeps its text, its type and its place in the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from toolkit.content.yaml.offsets import value_offsets
from toolkit.kql.source import NOWHERE, Source, Span

Path = tuple[str | int, ...]
"""Where in a document: mapping keys and list indexes from the root."""


@dataclass(frozen=True, eq=False)
class Scalar:
    """One value as written. `kind` is the type YAML gives it: str, int, float, bool, null or timestamp.

    Which type it becomes is decided by the schema that reads it: `version: 1.0` is text where text is expected.
    """

    text: str
    kind: str
    style: str
    span: Span

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, eq=False)
class Entry:
    key: Scalar
    value: Node


@dataclass(frozen=True, eq=False)
class Mapping:
    entries: dict[str, Entry]
    span: Span

    def get(self, name: str) -> Node | None:
        entry = self.entries.get(name)
        return entry.value if entry else None


@dataclass(frozen=True, eq=False)
class Sequence:
    items: list[Node]
    span: Span


Node = Scalar | Mapping | Sequence


@dataclass(frozen=True)
class Document:
    """A YAML file: its text and its tree (None for an empty one)."""

    source: Source
    root: Node | None
    _offsets: dict[int, list[int]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def mapping(self) -> Mapping:
        """The root when it is a mapping, else an empty one."""
        return self.root if isinstance(self.root, Mapping) else Mapping({}, NOWHERE)

    def node(self, path: Path) -> Node | None:
        """The node at a path, or None."""
        here = self.root
        for step in path:
            if isinstance(here, Mapping) and isinstance(step, str):
                here = here.get(step)
            elif isinstance(here, Sequence) and isinstance(step, int) and step < len(here.items):
                here = here.items[step]
            else:
                return None
        return here

    def span(self, path: Path, *, key: bool = False) -> Span:
        """Where the value (or with `key` the key) at `path` stands; the nearest enclosing node when it does not exist."""
        for length in range(len(path), 0, -1):
            node = self.node(path[:length])
            if node is None:
                continue
            exact = length == len(path)
            wants_key = (key and exact) or not exact or not isinstance(node, Scalar) or node.style in ("|", ">") or not node.text
            return self.key_span(path[:length]) if wants_key else node.span
        return self._start()

    def key_span(self, path: Path) -> Span:
        """Where the key of the entry at `path` stands; for a list item the item's first scalar."""
        parent = self.node(path[:-1])
        if isinstance(parent, Mapping) and isinstance(path[-1], str) and path[-1] in parent.entries:
            return parent.entries[path[-1]].key.span
        node = self.node(path)
        return first_scalar(node) if node is not None else self._start()

    def text_offset(self, scalar: Scalar, offset: int) -> int:
        """The offset in the file of a character of a scalar's value; one past the end for its length."""
        offsets = self._offsets.get(id(scalar))
        if offsets is None:
            offsets = self._offsets[id(scalar)] = value_offsets(self.source.text, scalar.text, scalar.style, scalar.span)
        return offsets[max(0, min(offset, len(offsets) - 1))]

    def _start(self) -> Span:
        return first_scalar(self.root) if self.root is not None else NOWHERE


def first_scalar(node: Node) -> Span:
    """The first piece of text of a node: what to underline when the node itself spans many lines."""
    here = node
    while not isinstance(here, Scalar):
        children: list[Node] = here.items if isinstance(here, Sequence) else [entry.key for entry in here.entries.values()]
        if not children:
            return here.span
        here = children[0]
    return here.span


def plain(node: Node | None) -> Any:
    """The ordinary YAML value of a node: dict, list, str, int, float, bool or None; timestamps stay text."""
    if node is None:
        return None
    if isinstance(node, Mapping):
        return {name: plain(entry.value) for name, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return scalar_value(node)


def containers(node: Node) -> Any:
    """Plain dicts and lists whose leaves are still `Scalar`: what the models validate."""
    if isinstance(node, Mapping):
        return {name: containers(entry.value) for name, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [containers(item) for item in node.items]
    return node


def scalar_value(scalar: Scalar) -> str | int | float | bool | None:
    """The value YAML gives a scalar; a number that Python refuses stays text."""
    text = scalar.text
    if scalar.kind == "bool":
        return text.lower() in ("true", "yes", "on")
    if scalar.kind == "null":
        return None
    if scalar.kind == "int":
        return _integer(text)
    if scalar.kind == "float":
        try:
            return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            return text
    return text


def _integer(text: str) -> int | str:
    digits = text.replace("_", "").lower()
    try:
        if digits.lstrip("+-").startswith(("0x", "0b", "0o")):
            return int(digits, 0)
        return int(digits, 10)
    except ValueError:
        return text
